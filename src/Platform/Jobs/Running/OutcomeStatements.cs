using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs;

/// <summary>The statements that end runs, any number in one transaction. Each is fenced by the attempt.</summary>
internal static class OutcomeStatements
{
    private const string Kept = """
        id, kind, priority, run_at, args, organization_id, person_id, key_id, tenant, created_by, correlation_id, trace_parent, created_at,
        replay_of, max_attempts, unique_key, limit_key, after_id, after_outcome, attempt, snoozed, node, started_at, progress_done,
        progress_total, progress_note
        """;

    private const string Told = """
        unnest(@ids, @attempts, @states, @whats, @reasons, @fingerprints, @waits, @frees, @bys, @spents, @new_ids)
          as t (id, attempt, outcome, what, reason, new_fingerprint, wait, free, by, spent, new_id)
        """;

    // Whoever enqueues with the unique key of a job holds its row until he commits, and so does a handler's own transaction. Nobody's
    // end waits for that: what is held is told apart from what is no longer theirs, and comes again.
    private const string Mine = $"""
        with told as materialized (select * from {Told}),
        mine as materialized (
          select j.id, t.outcome, t.what, t.reason, t.new_fingerprint, t.wait, t.free, t.by, t.spent, t.new_id
          from platform.jobs j join told t on {IsTheirs} for update of j skip locked
        )
        """;

    private const string IsTheirs = """
        j.id = t.id and j.attempt = t.attempt and j.state = any (@from) and (not @expired or j.lease_until < now())
          and (not @asked or j.cancel_requested_at is not null)
        """;

    // A job that was asked for again while it ran leaves a new one behind, with the key that it gives up.
    private static readonly string Finish = $"""
        {Mine}, gone as (
          delete from platform.jobs j using mine t where j.id = t.id
          returning j.*, t.outcome, t.what, t.reason, t.new_fingerprint, t.by, t.spent, t.new_id
        ), kept as (
          insert into platform.finished_jobs ({Kept}, state, finished_at, error, fingerprint, history)
          select {Kept}, outcome, now(), coalesce(reason, error), coalesce(new_fingerprint, fingerprint),
            case when what is null then history else {Noted("gone", "gone")} end
          from gone
        ), again as (
          insert into platform.jobs (id, kind, state, priority, run_at, args, organization_id, person_id, key_id, tenant, created_by,
            correlation_id, trace_parent, max_attempts, expires_at, unique_key, unique_mode, limit_key)
          select new_id, kind, 'available', priority, now(), next_args, organization_id, person_id, key_id, tenant, created_by,
            correlation_id, trace_parent, max_attempts, now() + (expires_at - created_at), unique_key, unique_mode, limit_key
          from gone where next_args is not null
        )
        select id from gone
        """;

    // Whoever asked to cancel it meanwhile is heard: then it does not come back, and the caller finishes it.
    private static readonly string Return = $"""
        {Mine}
        update platform.jobs j set
          state = 'available', run_at = now() + t.wait, snoozed = j.snoozed + t.free::integer, node = null, lease_until = null,
          args = coalesce(j.next_args, j.args), next_args = null, error = coalesce(t.reason, j.error),
          fingerprint = coalesce(t.new_fingerprint, j.fingerprint), history = {Noted("j", "t")}
        from mine t where j.id = t.id and j.cancel_requested_at is null
        returning j.id
        """;

    private const string Held = """
        select j.id from platform.jobs j join unnest(@ids, @attempts) as t (id, attempt) on j.id = t.id and j.attempt = t.attempt
        where j.state = 'running'
        """;

    // The children of finished jobs. Also finds those whose parent finished while they were being added.
    private const string Follow = """
        with ended as materialized (
          select child.id, child.attempt, child.after_outcome = 'finished'
            or child.after_outcome = case parent.state when 'succeeded' then 'succeeded' else 'failed' end
              and parent.state is not null as is_met
          from platform.jobs child
          left join lateral (
            select state from platform.finished_jobs where finished_jobs.id = child.after_id limit 1
          ) parent on true
          where child.state = 'waiting' and (@parents is null or child.after_id = any (@parents))
            and not exists (select from platform.jobs open where open.id = child.after_id)
          limit 1000
        ), freed as (
          update platform.jobs set state = 'available', run_at = greatest(run_at, now()) from ended
          where jobs.id = ended.id and jobs.state = 'waiting' and is_met
          returning jobs.id
        )
        select ended.id, ended.attempt, is_met from ended
        """;

    private static readonly string[] Running = ["running"];
    private static readonly string[] Resting = ["available", "waiting", "parked"];

    /// <summary>
    /// Ends runs and returns the jobs that were still theirs. With <paramref name="expired"/>, only those whose lease is over. What another
    /// transaction holds at the moment is left as it is.
    /// </summary>
    public static async Task<HashSet<Guid>> EndRunsAsync(
        NpgsqlConnection connection, IReadOnlyCollection<JobOutcome> outcomes,
        TimeProvider time, CancellationToken ct, bool expired = false)
    {
        HashSet<Guid> ended = [];
        List<JobOutcome> back = [.. outcomes.Where(end => !end.IsFinal)];
        if (back.Count > 0)
        {
            await using var batch =
                new NpgsqlBatch(connection) { BatchCommands = { Command(Return, back, Running, expired, asked: false, time) } };
            await ReadAsync(batch, ended, [], ct);
        }
        await FinishAsync(connection, [.. outcomes.Where(end => end.IsFinal)], Running, expired, asked: false, time, ended, ct);
        var refused = back.Where(end => !ended.Contains(end.Id)).Select(end => end with { State = JobState.Cancelled }).ToList();
        await FinishAsync(connection, refused, Running, expired, asked: true, time, ended, ct);
        return ended;
    }

    /// <summary>Of runs whose end was not written, those that could be written later: they are still theirs.</summary>
    public static async Task<HashSet<Guid>> StillTheirsAsync(
        NpgsqlConnection connection, IReadOnlyCollection<JobOutcome> outcomes, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Held, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]>("ids", [.. outcomes.Select(end => end.Id)]));
        command.Parameters.Add(new NpgsqlParameter<int[]>("attempts", [.. outcomes.Select(end => end.Attempt)]));
        await using var rows = await command.ExecuteReaderAsync(ct);
        HashSet<Guid> held = [];
        while (await rows.ReadAsync(ct))
        {
            held.Add(rows.GetGuid(0));
        }
        return held;
    }

    /// <summary>Finishes jobs that do not run and returns those for which that was still so.</summary>
    public static async Task<HashSet<Guid>> EndRestingAsync(
        NpgsqlConnection connection, IReadOnlyCollection<JobOutcome> outcomes, TimeProvider time, CancellationToken ct)
    {
        HashSet<Guid> ended = [];
        await FinishAsync(connection, outcomes, Resting, expired: false, asked: false, time, ended, ct);
        return ended;
    }

    /// <summary>Frees or cancels whatever waits for a job that is finished, wherever that went unnoticed.</summary>
    public static async Task FollowAsync(NpgsqlConnection connection, TimeProvider time, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Children(null) } };
        List<JobOutcome> unmet = [];
        await ReadAsync(batch, [], unmet, ct);
        await FinishAsync(connection, unmet, Resting, expired: false, asked: false, time, [], ct);
    }

    private static async Task FinishAsync(
        NpgsqlConnection connection, IReadOnlyCollection<JobOutcome> outcomes, string[] from, bool expired, bool asked, TimeProvider time,
        HashSet<Guid> ended, CancellationToken ct)
    {
        while (outcomes.Count > 0)
        {
            await using var batch = new NpgsqlBatch(connection)
            {
                BatchCommands = { Command(Finish, outcomes, from, expired, asked, time), Children([.. outcomes.Select(end => end.Id)]) },
            };
            List<JobOutcome> unmet = [];
            await ReadAsync(batch, ended, unmet, ct);
            (outcomes, from, expired, asked) = (unmet, Resting, false, false);
        }
    }

    private static async Task ReadAsync(NpgsqlBatch batch, HashSet<Guid> ended, List<JobOutcome> unmet, CancellationToken ct)
    {
        await using var rows = await batch.ExecuteReaderAsync(ct);
        do
        {
            while (await rows.ReadAsync(ct))
            {
                if (rows.FieldCount == 1)
                {
                    ended.Add(rows.GetGuid(0));
                }
                else if (!rows.GetBoolean(2))
                {
                    unmet.Add(new(
                        rows.GetGuid(0), rows.GetInt32(1), JobState.Cancelled, "cancelled", "The job that it follows ended otherwise"));
                }
            }
        }
        while (await rows.NextResultAsync(ct));
    }

    private static NpgsqlBatchCommand Children(Guid[]? parents) => new(Follow)
    {
        Parameters =
            { new NpgsqlParameter("parents", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = (object?)parents ?? DBNull.Value } },
    };

    private static NpgsqlBatchCommand Command(
        string sql, IReadOnlyCollection<JobOutcome> outcomes, string[] from, bool expired, bool asked, TimeProvider time)
    {
        var command = new NpgsqlBatchCommand(sql);
        Add("ids", NpgsqlDbType.Uuid, end => end.Id);
        Add("attempts", NpgsqlDbType.Integer, end => end.Attempt);
        Add("states", NpgsqlDbType.Text, end => EnumNames<JobState>.Write(end.State));
        Add("whats", NpgsqlDbType.Text, end => end.What);
        Add("reasons", NpgsqlDbType.Text, end => end.Reason);
        Add("fingerprints", NpgsqlDbType.Text, end => end.Fingerprint);
        Add("waits", NpgsqlDbType.Interval, end => end.Wait);
        Add("frees", NpgsqlDbType.Boolean, end => end.IsFree);
        Add("bys", NpgsqlDbType.Text, end => end.By);
        Add("spents", NpgsqlDbType.Jsonb,
            end => end.Spent is null ? null : JsonSerializer.Serialize(end.Spent, SpendingJson.Default.JobSpending));
        Add("new_ids", NpgsqlDbType.Uuid, _ => Guid.CreateVersion7(time.GetUtcNow()));
        command.Parameters.Add(new NpgsqlParameter<string[]>("from", from));
        command.Parameters.Add(new NpgsqlParameter<bool>("expired", expired));
        command.Parameters.Add(new NpgsqlParameter<bool>("asked", asked));
        return command;

        void Add<T>(string name, NpgsqlDbType type, Func<JobOutcome, T> value) =>
            command.Parameters.Add(new NpgsqlParameter<T[]>(name, NpgsqlDbType.Array | type) { TypedValue = [.. outcomes.Select(value)] });
    }

    // No history grows without end: the oldest entry makes room, and who waits for the same again and again is noted once.
    private static string Noted(string job, string end) => $"""
        case
          when {end}.what = 'snoozed' and {job}.history -> -1 ->> 'state' = 'snoozed'
            and {job}.history -> -1 ->> 'reason' = {end}.reason and {job}.history -> -1 -> 'spent' is null then {job}.history - (-1)
          when jsonb_array_length({job}.history) >= 100 then {job}.history - 0
          else {job}.history
        end || jsonb_strip_nulls(jsonb_build_object('at', now(), 'state', {end}.what, 'attempt', nullif({job}.attempt, 0),
          'node', {job}.node, 'started_at', {job}.started_at, 'reason', {end}.reason, 'by', {end}.by, 'spent', {end}.spent))
        """;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(JobSpending))]
internal sealed partial class SpendingJson : JsonSerializerContext;
