using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs;

/// <summary>
/// What every worker does every few seconds for all: takes back leases that ran out, ends what is too old, frees what waited for others,
/// parks what nobody knows. Each step is safe to do twice, so nobody is elected to do it.
/// </summary>
internal sealed partial class JobMaintenance(
    JobKinds kinds, JobNode node, JobStore store, JobQueue queue, NpgsqlDataSource source, Readiness readiness,
    IOptions<JobOptions> options, TimeProvider time, ILogger<JobMaintenance> logger) : BackgroundService
{
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(5);
    private const int RoundsToLook = 6;
    private const int RoundsToTidy = 720;

    private const string Here = """
        with seen as (
          insert into platform.job_nodes (id, kinds, workers) values (@node, @kinds, @workers)
          on conflict (id) do update set seen_at = now()
        )
        insert into platform.job_kinds as known (kind, succeeded_at)
        select mine.kind, case when mine.kind = any (@succeeded) then now() end from unnest(@kinds) as mine (kind)
        where mine.kind = any (@succeeded) or not exists (select from platform.job_kinds where job_kinds.kind = mine.kind)
        on conflict (kind) do update set succeeded_at = greatest(known.succeeded_at, excluded.succeeded_at)
        """;

    private const string Expired = """
        select id, attempt, attempt - snoozed, max_attempts, cancel_requested_at is not null from platform.jobs
        where state = 'running' and lease_until < now() limit 500
        for update skip locked
        """;

    private const string TooOld = """
        select id, attempt from platform.jobs where expires_at < now() and state <> 'running' limit 500
        """;

    // From one kind to the next through the index, however many rows each has.
    private const string Park = """
        with recursive present as (
          (select kind from platform.jobs order by kind limit 1)
          union all
          select next.kind from present cross join lateral (
            select kind from platform.jobs where kind > present.kind order by kind limit 1
          ) next
        ), unknown as materialized (
          select kind from present where not exists (
            select from platform.job_nodes where present.kind = any (kinds) and seen_at > now() - interval '1 minute'
          )
        ), chosen as materialized (
          select j.id from unknown cross join lateral (
            select id from platform.jobs where kind = unknown.kind and state = 'available' limit 10000
          ) j
        )
        update platform.jobs set state = 'parked' from chosen where jobs.id = chosen.id and state = 'available'
        """;

    private const string Unpark = "update platform.jobs set state = 'available' where state = 'parked' and kind = any (@kinds)";

    // A new version may limit a kind that was free, or free one that was limited: each claim looks through its own index.
    private const string Align = """
        with wrong as materialized (
          select id from platform.jobs where state = 'available' and limit_key is null and kind = any (@limited)
          union all
          select id from platform.jobs where state = 'available' and limit_key is not null and kind = any (@free)
          limit 10000
        )
        update platform.jobs set limit_key = case when limit_key is null then '' end from wrong where jobs.id = wrong.id
        """;

    private const string Tidy = """
        delete from platform.job_keys where until < now();
        delete from platform.job_inbox where at < now() - @keep;
        delete from platform.job_nodes where seen_at < now() - interval '1 day';
        """;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(() => RunAsync(stoppingToken));

    private async Task RunAsync(CancellationToken ct)
    {
        await readiness.WhenReady(ct);
        using var timer = new PeriodicTimer(Round, time);
        for (var round = 0; ; round++)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(ct);
                await DoRoundAsync(connection, ct);
                if (round % RoundsToTidy == 0)
                {
                    await TidyAsync(connection, ct);
                }
                if (round % RoundsToLook == 0)
                {
                    JobMetrics.Looked(await store.OverviewAsync(ct));
                }
            }
            catch (Exception exception) when (!ct.IsCancellationRequested)
            {
                LogFailed(exception.Message);
            }
            await timer.WaitForNextTickAsync(ct);
        }
    }

    internal async Task DoRoundAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await ExecuteAsync(connection, Here, ct);
        var rescued = await RescueAsync(connection, ct);
        await ExpireAsync(connection, ct);
        await OutcomeStatements.FollowAsync(connection, time, ct);
        await ExecuteAsync(connection, Park, ct);
        await ExecuteAsync(connection, Unpark, ct);
        await ExecuteAsync(connection, Align, ct);
        if (rescued > 0)
        {
            LogRescued(rescued);
            queue.Wake();
        }
    }

    private async Task<int> RescueAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        List<JobOutcome> lost = [];
        await using (var command = new NpgsqlCommand(Expired, connection))
        {
            await using var rows = await command.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                lost.Add(rows.GetBoolean(4)
                    ? new(rows.GetGuid(0), rows.GetInt32(1), JobState.Cancelled, "cancelled")
                    : JobOutcome.Lost(rows.GetGuid(0), rows.GetInt32(1), rows.GetInt32(2), rows.GetInt32(3)));
            }
        }
        return (await OutcomeStatements.EndRunsAsync(connection, lost, time, ct, expired: true)).Count;
    }

    private async Task ExpireAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        List<JobOutcome> old = [];
        await using (var command = new NpgsqlCommand(TooOld, connection))
        {
            await using var rows = await command.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                old.Add(new(rows.GetGuid(0), rows.GetInt32(1), JobState.Dead, "expired",
                    "It did not succeed in the time that it was given", "expired"));
            }
        }
        await OutcomeStatements.EndRestingAsync(connection, old, time, ct);
    }

    private async Task TidyAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await MakeMonthsAsync(connection, time.GetUtcNow(), ct);
        await ExecuteAsync(connection, Tidy, ct);
    }

    /// <summary>Makes the partitions of this month and the next.</summary>
    internal static async Task MakeMonthsAsync(NpgsqlConnection connection, DateTimeOffset now, CancellationToken ct)
    {
        var month = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        await MonthlyPartitions.EnsureAsync(connection, "platform.finished_jobs", month, ct);
        await MonthlyPartitions.EnsureAsync(connection, "platform.finished_jobs", month.AddMonths(1), ct);
    }

    private async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("node", node.Name);
        command.Parameters.AddWithValue("workers", options.Value.Workers);
        Names("kinds", kinds.All);
        Names("limited", kinds.All.Where(kind => kind.Rules.IsLimited));
        Names("free", kinds.All.Where(kind => !kind.Rules.IsLimited));
        command.Parameters.Add(new NpgsqlParameter<string[]>("succeeded", ReferenceEquals(sql, Here) ? node.TakeSucceeded() : []));
        command.Parameters.Add(
            new NpgsqlParameter("keep", NpgsqlDbType.Interval) { Value = TimeSpan.FromDays(31 * options.Value.KeepMonths) });
        await command.ExecuteNonQueryAsync(ct);

        void Names(string name, IEnumerable<JobKind> some) =>
            command.Parameters.Add(new NpgsqlParameter<string[]>(name, [.. some.Select(kind => kind.Name)]));
    }

    [LoggerMessage(LogLevel.Warning, "The queue could not be looked after: {Problem}")]
    private partial void LogFailed(string problem);

    [LoggerMessage(LogLevel.Warning, "Took back {Count} jobs whose leases ran out")]
    private partial void LogRescued(int count);
}
