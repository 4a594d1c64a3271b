using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs.Conversations;

/// <summary>
/// Lets one run at a time into a conversation: those of this node by a queue, those of other nodes by a row that its holder renews. What
/// the conversation holds is read in the same round trip in which its row is taken.
/// </summary>
internal sealed partial class ThreadTurns(
    NpgsqlDataSource database, DatabaseReadiness readiness, TimeProvider time, ILogger<ThreadTurns> logger) : BackgroundService
{
    /// <summary>How long a run waits for those before it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private const string Take = """
        insert into gateway.thread_leases as held (organization_id, agent_id, thread_id, sub_thread_id, holder, until)
        values ($1, $2, $3, $4, $5, now() + interval '30 seconds')
        on conflict (organization_id, agent_id, thread_id, sub_thread_id) do update set holder = excluded.holder, until = excluded.until
        where held.until < now()
        returning true
        """;

    /// <summary>Frees the conversation, together with what its run leaves behind.</summary>
    public const string Release = "delete from gateway.thread_leases where holder = $1";

    private readonly ThreadQueue queue = new();
    private readonly ConcurrentDictionary<Guid, bool> held = new();

    /// <exception cref="Failure">Conflict: those before it took too long.</exception>
    public async Task<(ThreadTurn Turn, ThreadPast Past)> EnterAsync(ThreadKey thread, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            await queue.EnterAsync(thread, either.Token);
            try
            {
                return await TakeAsync(thread, either.Token);
            }
            catch
            {
                queue.Leave(thread);
                throw;
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new Failure(FailureKind.Conflict, "THREAD_BUSY", "Another run of this thread is still at work")
            {
                Details = new() { ["error_code"] = "THREAD_BUSY" },
            };
        }
    }

    /// <summary>For those who wait for nobody.</summary>
    public Task<ThreadPast> ReadAsync(ThreadKey thread, CancellationToken ct) => ThreadHistory.ReadAsync(database, thread, ct);

    internal async ValueTask LeaveAsync(ThreadTurn turn)
    {
        held.TryRemove(turn.Holder, out _);
        try
        {
            if (!turn.IsReleased)
            {
                await FreeAsync(turn.Holder);
            }
        }
        finally
        {
            queue.Leave(turn.Thread);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await readiness.WhenReady(stoppingToken);
        using var timer = new PeriodicTimer(RenewEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (held.IsEmpty)
            {
                continue;
            }
            try
            {
                await using var renew = database.CreateCommand(
                    "update gateway.thread_leases set until = now() + interval '30 seconds' where holder = any ($1)");
                renew.Parameters.Add(new() { Value = held.Keys.ToArray() });
                await renew.ExecuteNonQueryAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotRenewed(exception.Message);
            }
        }
    }

    private async Task<(ThreadTurn, ThreadPast)> TakeAsync(ThreadKey thread, CancellationToken ct)
    {
        var holder = Guid.CreateVersion7(time.GetUtcNow());
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var take = thread.Command(Take);
            take.Parameters.Add(new() { Value = holder });
            var (isTaken, past) = await ReadAsync(thread, take, holder, ct);
            if (isTaken)
            {
                held[holder] = true;
                return (new(this, thread, holder), past);
            }
            await Task.Delay(pause, time, ct);
        }
    }

    private async Task<(bool IsTaken, ThreadPast Past)> ReadAsync(ThreadKey thread, NpgsqlBatchCommand take, Guid holder, CancellationToken ct)
    {
        try
        {
            return await ThreadHistory.ReadAsync(database, thread, take, ct);
        }
        catch
        {
            // Whoever leaves now may have taken it without hearing so.
            await FreeAsync(holder);
            throw;
        }
    }

    private async Task FreeAsync(Guid holder)
    {
        try
        {
            await using var release = database.CreateCommand(Release);
            release.Parameters.Add(new() { Value = holder });
            await release.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception exception)
        {
            // The boundary of a run: the lease ends by itself.
            LogHeld(exception.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "A conversation stays taken until its lease ends: {Problem}")]
    private partial void LogHeld(string problem);

    [LoggerMessage(LogLevel.Warning, "The leases of conversations could not be renewed: {Problem}")]
    private partial void LogNotRenewed(string problem);
}

/// <summary>A run's turn in its conversation.</summary>
internal sealed class ThreadTurn(ThreadTurns turns, ThreadKey thread, Guid holder) : IAsyncDisposable
{
    public ThreadKey Thread => thread;

    public Guid Holder => holder;

    /// <summary>The row was freed with what the run has left behind.</summary>
    public bool IsReleased { get; set; }

    public ValueTask DisposeAsync() => turns.LeaveAsync(this);
}
