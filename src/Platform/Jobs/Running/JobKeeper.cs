using Microsoft.Extensions.Logging;
using Npgsql;

namespace Stoa.Platform.Jobs;

/// <summary>Keeps the leases of running jobs, notices those that are lost or cancelled, and writes progress, once a second.</summary>
internal sealed partial class JobKeeper(NpgsqlDataSource source, JobNode node, JobKinds kinds, TimeProvider time, ILogger<JobKeeper> logger)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    // How long a handler may ignore that its time is over before its job is given to others.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    // What a handler's own transaction holds cannot be written now and cannot be taken by others either; it is not lost.
    private const string Renew = """
        with asked as materialized (select * from unnest(@ids, @attempts, @leases) as t (id, attempt, lease)),
        mine as (
          select j.id, asked.lease from platform.jobs j join asked on j.id = asked.id and j.attempt = asked.attempt
          where j.state = 'running' for no key update of j skip locked
        ), renewed as (
          update platform.jobs set lease_until = now() + mine.lease from mine where jobs.id = mine.id returning jobs.id
        )
        select j.id, exists (select from renewed where renewed.id = j.id)
        from platform.jobs j join asked on j.id = asked.id and j.attempt = asked.attempt where j.state = 'running'
        """;

    private const string Asked = "select id from platform.jobs where id = any (@ids) and cancel_requested_at is not null";

    private long toldAt;
    private bool isFailing;

    public async Task RunAsync(CancellationToken ct)
    {
        var lease = kinds.All.Select(kind => kind.Rules.Lease).DefaultIfEmpty(Second).Min();
        using var timer = new PeriodicTimer(lease / 8 < Second ? lease / 8 : Second, time);
        while (await timer.WaitForNextTickAsync(ct))
        {
            StopTheLost();
            try
            {
                await KeepAsync(ct);
                isFailing = false;
            }
            catch (Exception exception) when (!ct.IsCancellationRequested)
            {
                if (!isFailing)
                {
                    LogFailed(exception.Message);
                }
                isFailing = true;
            }
        }
    }

    /// <summary>Stops those of our jobs whose cancellation somebody asked for.</summary>
    public async Task HeedCancellationsAsync(CancellationToken ct)
    {
        Guid[] ids = [.. node.Jobs.Where(job => job.Reason is StopReason.None).Select(job => job.Job.Id)];
        if (ids.Length == 0)
        {
            return;
        }
        await using var command = source.CreateCommand(Asked);
        command.Parameters.Add(new NpgsqlParameter<Guid[]>("ids", ids));
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            node.Find(rows.GetGuid(0))?.Stop(StopReason.Cancelled);
        }
    }

    /// <summary>
    /// By our own monotonic clock, which also ran while the process was stopped: no answer of the database is needed to know.
    /// </summary>
    private void StopTheLost()
    {
        var now = time.GetTimestamp();
        foreach (var job in node.Jobs.Where(job => now >= job.LeaseUntil && job.Reason is not StopReason.Lost && !job.IsEnding))
        {
            JobMetrics.LeaseLost(job.Kind.Name);
            LogLost(job.Kind.Name, job.Job.Id, job.Job.Attempt);
            job.Stop(StopReason.Lost);
        }
    }

    private async Task KeepAsync(CancellationToken ct)
    {
        await HeedCancellationsAsync(ct);
        var now = time.GetTimestamp();
        var due = node.Jobs.Where(job => IsDue(job, now)).ToList();
        if (due.Count > 0)
        {
            await RenewAsync(due, now, ct);
        }
        if (time.GetElapsedTime(toldAt) >= Second && node.Jobs.Any(job => job.HasNews))
        {
            toldAt = time.GetTimestamp();
            await using var connection = await source.OpenConnectionAsync(ct);
            await JobProgressWrites.WriteAsync(connection, node, () => node.Jobs.Where(job => !job.IsEnding), ct);
        }
    }

    private bool IsDue(RunningJob job, long now) =>
        job.Reason is not StopReason.Lost
        && (job.EndsBy is not { } end || time.GetElapsedTime(end, now) < Grace)
        && time.GetElapsedTime(now, job.LeaseUntil) < job.Kind.Rules.Lease * 0.75;

    private async Task RenewAsync(List<RunningJob> jobs, long now, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Renew);
        command.Parameters.Add(new NpgsqlParameter<Guid[]>("ids", [.. jobs.Select(job => job.Job.Id)]));
        command.Parameters.Add(new NpgsqlParameter<int[]>("attempts", [.. jobs.Select(job => job.Job.Attempt)]));
        command.Parameters.Add(new NpgsqlParameter<TimeSpan[]>("leases", [.. jobs.Select(job => job.Kind.Rules.Lease)]));
        Dictionary<Guid, bool> held = [];
        await using (var rows = await command.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct))
            {
                held[rows.GetGuid(0)] = rows.GetBoolean(1);
            }
        }
        foreach (var job in jobs)
        {
            if (!held.TryGetValue(job.Job.Id, out var isRenewed))
            {
                // Its end may have been committed in this very moment; then nobody listens any more.
                job.Stop(StopReason.Lost);
            }
            else if (isRenewed)
            {
                job.LeaseUntil = now + Ticks(job.Kind.Rules.Lease);
            }
        }
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    [LoggerMessage(LogLevel.Warning, "Leases and progress of running jobs could not be written: {Problem}")]
    private partial void LogFailed(string problem);

    [LoggerMessage(LogLevel.Warning, "The lease of {Kind} {Job} ran out in attempt {Attempt}: it is being stopped")]
    private partial void LogLost(string kind, Guid job, int attempt);
}
