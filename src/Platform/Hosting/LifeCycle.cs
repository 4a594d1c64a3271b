using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Http;

namespace Stoa.Platform.Hosting;

/// <summary>Says when the host is ready, and leads it out: public door shut, calls under way finish, then the rest stops.</summary>
internal sealed partial class LifeCycle(
    IHostApplicationLifetime lifetime, IServer server, Drain drain, Readiness readiness, Listeners listeners,
    Listeners.PublicSockets sockets, EndpointDataSource routes, ILogger<LifeCycle> logger) : BackgroundService, IHostedLifecycleService
{
    private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        listeners.TakeOver(server);
        lifetime.ApplicationStopping.Register(drain.Begin);
        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        started.SetResult();
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Not said yet where the host could not start, and then nothing would drain.
        lifetime.StopApplication();
        LogDraining();
        await sockets.CloseAsync(cancellationToken);
        await drain.WhenQuietAsync(cancellationToken);
    }

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        LogStopped();
        return Task.CompletedTask;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await started.Task.WaitAsync(stoppingToken);
        // Builds them all: the first caller would wait for it.
        _ = routes.Endpoints;
        await readiness.WhenReady(stoppingToken);
        LogReady(string.Join(", ", listeners.Public), string.Join(", ", listeners.Internal));
    }

    [LoggerMessage(LogLevel.Information, "Stoa is ready: {Address} (internal: {Internal})")]
    private partial void LogReady(string address, string @internal);

    [LoggerMessage(LogLevel.Information, "Shutting down: no new connections, calls under way finish")]
    private partial void LogDraining();

    [LoggerMessage(LogLevel.Information, "Stopped")]
    private partial void LogStopped();
}
