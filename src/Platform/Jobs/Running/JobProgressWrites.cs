using Npgsql;
using NpgsqlTypes;

namespace Stoa.Platform.Jobs;

/// <summary>Writes what handlers told of their progress, fenced like all that a run writes, and tells whoever watches.</summary>
internal static class JobProgressWrites
{
    // A row that a handler's own transaction holds is left for the next time rather than waited for.
    private const string Write = """
        with mine as (
          select j.id, t.done, t.total, t.note from platform.jobs j
          join unnest(@ids, @attempts, @dones, @totals, @notes) as t (id, attempt, done, total, note) on j.id = t.id
          and j.attempt = t.attempt
          where j.state = 'running' for update of j skip locked
        ), written as (
          update platform.jobs set progress_done = mine.done, progress_total = mine.total, progress_note = mine.note, progress_at = now()
          from mine where jobs.id = mine.id returning jobs.id
        )
        select id, case when @tells then pg_notify(@news, id::text) end from written
        """;

    /// <summary>Jobs whose row another transaction holds keep what they told, for the next time.</summary>
    public static async Task WriteAsync(NpgsqlConnection connection, JobNode node, Func<IEnumerable<RunningJob>> jobs, CancellationToken ct)
    {
        // One after the other: what was told earlier must not be written later.
        await node.ProgressGate.WaitAsync(ct);
        try
        {
            var told = Told(jobs());
            var written = await WriteAsync(connection, told, tells: true, ct);
            foreach (var (job, progress) in told.Where(one => written.Contains(one.Job.Job.Id)))
            {
                job.Wrote(progress);
            }
        }
        finally
        {
            node.ProgressGate.Release();
        }
    }

    /// <summary>In the transaction that ends the run. Whoever watches is told when the end is noticed, outside of it.</summary>
    public static Task WriteLastAsync(NpgsqlConnection connection, RunningJob job, CancellationToken ct) =>
        WriteAsync(connection, job.Told is { } last ? [(job, last)] : [], tells: false, ct);

    private static List<(RunningJob Job, JobProgress Progress)> Told(IEnumerable<RunningJob> jobs)
    {
        List<(RunningJob Job, JobProgress Progress)> told = [];
        foreach (var job in jobs)
        {
            if (job.Unwritten is { } progress)
            {
                told.Add((job, progress));
            }
        }
        return told;
    }

    private static async Task<HashSet<Guid>> WriteAsync(
        NpgsqlConnection connection, List<(RunningJob Job, JobProgress Progress)> told, bool tells, CancellationToken ct)
    {
        HashSet<Guid> written = [];
        if (told.Count == 0)
        {
            return written;
        }
        await using var command = new NpgsqlCommand(Write, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]>("ids", [.. told.Select(one => one.Job.Job.Id)]));
        command.Parameters.Add(new NpgsqlParameter<int[]>("attempts", [.. told.Select(one => one.Job.Job.Attempt)]));
        command.Parameters.Add(new NpgsqlParameter<long[]>("dones", [.. told.Select(one => one.Progress.Done)]));
        command.Parameters.Add(
            new NpgsqlParameter<long?[]>("totals", NpgsqlDbType.Array | NpgsqlDbType.Bigint)
            {
                TypedValue = [.. told.Select(one => one.Progress.Total)],
            });
        command.Parameters.Add(
            new NpgsqlParameter<string?[]>("notes", NpgsqlDbType.Array | NpgsqlDbType.Text)
            {
                TypedValue = [.. told.Select(one => one.Progress.Note)],
            });
        command.Parameters.Add(new NpgsqlParameter<bool>("tells", tells));
        command.Parameters.Add(new NpgsqlParameter<string>("news", JobWakeUps.News));
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            written.Add(rows.GetGuid(0));
        }
        return written;
    }
}
