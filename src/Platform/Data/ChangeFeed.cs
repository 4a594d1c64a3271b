using System.Collections.Immutable;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Stoa.Platform.Data;

/// <summary>
/// Tells every host within a second what another one changed: one connection that listens (<c>LISTEN/NOTIFY</c>), and comes back
/// when it is lost. What was said while it was away is lost, so each subscriber is then told to look again for himself.
/// </summary>
public sealed partial class ChangeFeed(
    NpgsqlDataSource source, DatabaseReadiness readiness, TimeProvider time, ILogger<ChangeFeed> logger) : BackgroundService
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    // A silent connection is asked for a sign of life this often, and given this many seconds for it.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);
    private const int SecondsForAnAnswer = 5;

    private ImmutableArray<ChangeSubscription> subscriptions = [];
    private CancellationTokenSource newcomers = new();

    /// <summary>
    /// Calls <paramref name="changed"/> with each payload, one at a time and in order; with null when something may have been
    /// missed (after each connect, and after a call that threw): then reload everything. It may be called before the host runs.
    /// </summary>
    public IDisposable Subscribe(string channel, Func<string?, CancellationToken, Task> changed)
    {
        if (!IsChannelName(channel))
        {
            throw new ArgumentException($"'{channel}' is not a channel name: a-z, 0-9 and _", nameof(channel));
        }
        var subscription = new ChangeSubscription(channel, changed, time, logger, Remove);
        ImmutableInterlocked.Update(ref subscriptions, list => list.Add(subscription));
        Volatile.Read(ref newcomers).Cancel();
        return subscription;
    }

    /// <summary>Tells all hosts when the caller's transaction commits (at once if there is none), and never when it does not.</summary>
    public static Task NotifyAsync(DbContext db, string channel, string payload, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select pg_notify({channel}, {payload})", ct);

    /// <inheritdoc cref="NotifyAsync(DbContext, string, string, CancellationToken)"/>
    public static async Task NotifyAsync(NpgsqlConnection connection, string channel, string payload, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select pg_notify($1, $2)", connection)
        {
            Parameters = { new() { Value = channel }, new() { Value = payload } },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    public override void Dispose()
    {
        foreach (var subscription in subscriptions)
        {
            subscription.Dispose();
        }
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await readiness.WhenReady(stoppingToken);
        var pause = ShortestPause;
        while (true)
        {
            var connected = time.GetTimestamp();
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                if (readiness.Problem is null)
                {
                    LogLost(exception.Message);
                }
                readiness.Report(exception.Message);
            }
            pause = time.GetElapsedTime(connected) > LongestPause ? ShortestPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;
            await Task.Delay(pause, time, stoppingToken);
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        connection.Notification += Deliver;
        var informed = new HashSet<ChangeSubscription>();
        while (true)
        {
            var added = new CancellationTokenSource();
            Interlocked.Exchange(ref newcomers, added);
            await ListenToNewcomersAsync(connection, informed, ct);
            readiness.Report(null);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, added.Token);
            try
            {
                while (true)
                {
                    if (!await connection.WaitAsync(Silence, either.Token))
                    {
                        await using var sign = new NpgsqlCommand("select 1", connection) { CommandTimeout = SecondsForAnAnswer };
                        await sign.ExecuteNonQueryAsync(ct);
                    }
                }
            }
            catch (OperationCanceledException) when (added.IsCancellationRequested && !ct.IsCancellationRequested)
            {
                // Somebody subscribed: listen to his channel too.
            }
        }
    }

    private async Task ListenToNewcomersAsync(NpgsqlConnection connection, HashSet<ChangeSubscription> informed, CancellationToken ct)
    {
        foreach (var subscription in subscriptions.Where(informed.Add))
        {
            await using var listen = new NpgsqlCommand($"listen {subscription.Channel}", connection)
            {
                CommandTimeout = SecondsForAnAnswer,
            };
            await listen.ExecuteNonQueryAsync(ct);
            subscription.LookAgain();
        }
    }

    private void Deliver(object? sender, NpgsqlNotificationEventArgs notification)
    {
        foreach (var subscription in subscriptions)
        {
            if (string.Equals(subscription.Channel, notification.Channel, StringComparison.Ordinal))
            {
                subscription.Offer(notification.Payload);
            }
        }
    }

    // Its channel stays listened to until the next connect: that costs nothing, and another may share it.
    private void Remove(ChangeSubscription subscription) =>
        ImmutableInterlocked.Update(ref subscriptions, list => list.Remove(subscription));

    [LoggerMessage(LogLevel.Warning, "The change feed lost its connection: {Problem}")]
    private partial void LogLost(string problem);

    // No regular expression: each start would build it.
    private static bool IsChannelName(string name) => name.Length is >= 1 and <= 63 && !char.IsAsciiDigit(name[0])
        && name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '_');
}
