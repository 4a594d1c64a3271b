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
          join unnest(@ids, @attempts, @dones, @totals, @notes) as t (id, attempt, done, total, note) on j.id = t.id and j.attempt = t.attempt
          where j.state = 'running' for update of j skip locked
        ), written as (
          update platform.jobs set progress_done = mine.done, progress_total = mine.total, progress_note = mine.note, progress_at = now()
          from mine where jobs.id = mine.id returning jobs.id
        )
        select pg_notify(@news, id::text) from written
        """;

    public static async Task WriteAsync(NpgsqlConnection connection, IEnumerable<RunningJob> jobs, CancellationToken ct)
    {
        var told = jobs.Select(job => (job.Job, Progress: job.TakeProgress())).Where(one => one.Progress is not null).ToList();
        if (told.Count == 0)
        {
            return;
        }
        await using var command = new NpgsqlCommand(Write, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]>("ids", [.. told.Select(one => one.Job.Id)]));
        command.Parameters.Add(new NpgsqlParameter<int[]>("attempts", [.. told.Select(one => one.Job.Attempt)]));
        command.Parameters.Add(new NpgsqlParameter<long[]>("dones", [.. told.Select(one => one.Progress!.Done)]));
        command.Parameters.Add(
            new NpgsqlParameter<long?[]>("totals", NpgsqlDbType.Array | NpgsqlDbType.Bigint)
            {
                TypedValue = [.. told.Select(one => one.Progress!.Total)],
            });
        command.Parameters.Add(
            new NpgsqlParameter<string?[]>("notes", NpgsqlDbType.Array | NpgsqlDbType.Text)
            {
                TypedValue = [.. told.Select(one => one.Progress!.Note)],
            });
        command.Parameters.Add(new NpgsqlParameter<string>("news", JobWakeUps.News));
        await command.ExecuteNonQueryAsync(ct);
    }
}
