using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs;

/// <summary>
/// Tells workers that there is something to do: those of this process at once, the others by <c>NOTIFY</c>. A commit with a pending
/// notification takes a lock of the whole database, so it is sent from a short transaction of its own, and at most every
/// <see cref="JobOptions.WakeMs"/>. It may be lost: workers also look by themselves.
/// </summary>
internal sealed partial class JobWakeUps(
    NpgsqlDataSource source, DatabaseReadiness readiness, IOptions<JobOptions> options, TimeProvider time, ILogger<JobWakeUps> logger)
    : BackgroundService
{
    /// <summary>Between workers: <c>wake process</c>, <c>cancel job</c>, <c>resume</c> when a kind was resumed.</summary>
    internal const string Channel = "platform_jobs";

    /// <summary>For whoever watches: the id of a job whose progress or state was changed.</summary>
    internal const string News = "platform_job_news";

    private readonly Channel<bool> here = OneSignal();
    private readonly Channel<bool> outside = OneSignal();

    public string Process { get; } = Guid.CreateVersion7().ToString("n");

    public void WakeHere() => here.Writer.TryWrite(true);

    public void WakeOthers() => outside.Writer.TryWrite(true);

    /// <summary>Until somebody calls, or the time is over.</summary>
    /// <returns>Whether somebody called.</returns>
    public async Task<bool> WaitAsync(TimeSpan longest, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            return await here.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(() => RunAsync(stoppingToken));

    private async Task RunAsync(CancellationToken ct)
    {
        await readiness.WhenReady(ct);
        while (true)
        {
            await outside.Reader.ReadAsync(ct);
            try
            {
                await using var connection = await source.OpenConnectionAsync(ct);
                await ChangeFeed.NotifyAsync(connection, Channel, $"wake {Process}", ct);
            }
            catch (Exception exception) when (!ct.IsCancellationRequested)
            {
                LogUnheard(exception.Message);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(options.Value.WakeMs), time, ct);
        }
    }

    private static Channel<bool> OneSignal() => System.Threading.Channels.Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    [LoggerMessage(LogLevel.Warning, "Other workers were not told of new jobs and will find them by themselves: {Problem}")]
    private partial void LogUnheard(string problem);
}
