using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Data;
using Stoa.Platform.Hosting;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>
/// Where nobody has an account yet, each start writes a token into the log. Whoever can read it may make the first admin, once.
/// </summary>
internal sealed partial class FirstRun(
    IServiceScopeFactory scopes, IServer server, Readiness readiness, TimeProvider time, ILogger<FirstRun> logger)
    : BackgroundService
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(async () =>
    {
        await readiness.WhenReady(stoppingToken);
        try
        {
            if (await CreateTokenAsync(stoppingToken) is { } token)
            {
                LogToken(server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "", token);
            }
        }
        catch (Exception error) when (Outage.Is(error))
        {
            LogFailed(error.Message);
        }
    });

    /// <summary>A token to set the installation up with; null where there is somebody already.</summary>
    internal async Task<string?> CreateTokenAsync(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<IdentityDb>();
        if (await db.People.AnyAsync(ct))
        {
            return null;
        }
        var now = time.GetUtcNow();
        await db.SetupTokens.Where(old => old.ExpiresAt < now).ExecuteDeleteAsync(ct);
        var token = SecretToken.Create();
        db.SetupTokens.Add(new() { TokenHash = SecretToken.HashOf(token), ExpiresAt = now + Lifetime });
        await db.SaveChangesAsync(ct);
        return token;
    }

    [LoggerMessage(LogLevel.Warning, "Nobody has an account yet. Make the first admin at {Address}/setup?token={Token} within a day")]
    private partial void LogToken(string address, string token);

    [LoggerMessage(LogLevel.Warning, "No token for the first run could be written, restart to get one: {Problem}")]
    private partial void LogFailed(string problem);
}
