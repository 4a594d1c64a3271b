using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Stoa.Gateway.Uploads;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs.Conversations;

/// <summary>
/// Lets one run at a time into a conversation: those of this node by a queue, those of other nodes by a row that its holder renews. What
/// the conversation holds is read in the same round trip in which its row is taken; runs that begin together share it.
/// </summary>
internal sealed partial class ThreadTurns : BackgroundService
{
    /// <summary>How long a run waits for those before it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private const string Take = """
        insert into gateway.thread_leases as held (organization_id, agent_id, thread_id, sub_thread_id, holder, until)
        select organization, agent, thread, sub_thread, holder, now() + interval '30 seconds'
        from unnest($1, $2, $3, $4, $5) as wanted (organization, agent, thread, sub_thread, holder)
        on conflict (organization_id, agent_id, thread_id, sub_thread_id) do update set holder = excluded.holder, until = excluded.until
        where held.until < now()
        returning holder
        """;

    /// <summary>Frees the conversations, together with what their runs leave behind.</summary>
    public const string Release = "delete from gateway.thread_leases where holder = any ($1)";

    private readonly NpgsqlDataSource database;
    private readonly PublicFiles files;
    private readonly DatabaseReadiness readiness;
    private readonly TimeProvider time;
    private readonly ILogger<ThreadTurns> logger;
    private readonly ThreadQueue queue = new();
    private readonly ConcurrentDictionary<Guid, bool> held = new();
    private readonly Coalescer<(ThreadKey Thread, Guid Holder), ThreadPast?> taking;

    public ThreadTurns(
        NpgsqlDataSource database, PublicFiles files, DatabaseReadiness readiness, TimeProvider time, ILogger<ThreadTurns> logger)
    {
        (this.database, this.files, this.readiness, this.time, this.logger) = (database, files, readiness, time, logger);
        taking = new(TakeAsync);
    }

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
    public async Task<ThreadPast> ReadAsync(ThreadKey thread, CancellationToken ct) =>
        Addressed(await ThreadHistory.ReadAsync(database, thread, ct));

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

    private ThreadPast Addressed(ThreadPast past) => past.Files.Count == 0 ? past
        : past with { Files = [.. past.Files.Select(file => file with { Address = files.AddressOf(file.Path) })] };

    private async Task<(ThreadTurn, ThreadPast)> TakeAsync(ThreadKey thread, CancellationToken ct)
    {
        var holder = Guid.CreateVersion7(time.GetUtcNow());
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var take = taking.RunAsync((thread, holder), ct);
            try
            {
                if (await take.WaitAsync(ct) is { } past)
                {
                    held[holder] = true;
                    return (new(this, thread, holder), Addressed(past));
                }
            }
            catch
            {
                _ = FreeAfterAsync(take, holder);
                throw;
            }
            await Task.Delay(pause, time, ct);
        }
    }

    /// <returns>What each of the conversations holds, null where another node has it.</returns>
    private async Task<IReadOnlyList<ThreadPast?>> TakeAsync(IReadOnlyList<(ThreadKey Thread, Guid Holder)> wanted)
    {
        // Each conversation once: of two who want it here the first one has left. In one order everywhere, so that groups of two nodes do
        // not wait for each other.
        var ordered = wanted.GroupBy(one => one.Thread, (_, same) => same.Last()).OrderBy(one => one.Thread, ThreadKey.Order).ToList();
        var threads = ordered.ConvertAll(one => one.Thread);
        var take = ThreadKey.Command(Take, threads);
        take.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. ordered.Select(one => one.Holder)] });
        var (taken, pasts) = await ThreadHistory.ReadAsync(database, threads, take, CancellationToken.None);
        var pastOf = threads.Zip(pasts).ToDictionary();
        return wanted.Select(one => taken.Contains(one.Holder) ? pastOf[one.Thread] : null).ToList();
    }

    /// <summary>Whoever leaves may have taken it without hearing so, or takes it yet.</summary>
    private async Task FreeAfterAsync(Task take, Guid holder)
    {
        await Task.WhenAny(take);
        await FreeAsync(holder);
    }

    private async Task FreeAsync(Guid holder)
    {
        try
        {
            await using var release = database.CreateCommand(Release);
            release.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [holder] });
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
