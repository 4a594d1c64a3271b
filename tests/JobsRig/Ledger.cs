using System.Text.Json;

namespace Stoa.JobsRig;

/// <summary>What happened, written by handlers and producers in their own transactions, and the invariants it must satisfy.</summary>
internal sealed class Ledger(RigDatabase database)
{
    public const string Schema = """
        create schema rig;
        create table rig.causes (id uuid primary key);
        create table rig.effects (
          number bigint generated always as identity, job_id uuid not null, cause_id uuid not null, bond text not null,
          attempt integer not null, live_attempt integer, at timestamptz not null default clock_timestamp());
        create table rig.requests (number bigint generated always as identity, key text not null);
        create index on rig.requests (key, number);
        create table rig.seen (key text not null, number bigint not null);
        create table rig.over (at timestamptz);
        """;

    // Jobs whose effect is not bound to a unique cause (merged and slot jobs) have no cause.
    private const string All = """
        (select id, kind, args, 'open' as state, attempt - snoozed as counted, max_attempts from platform.jobs
         union all select id, kind, args, state, attempt - snoozed, max_attempts from platform.finished_jobs)
        """;

    private static readonly (string Invariant, string Sql)[] Always =
    [
        ("2 an effect happens once",
            "select job_id || ' ' || bond || ' ' || count(*) from rig.effects where bond <> 'Fenced' group by job_id, bond having count(*) > 1"),
        ("2 no effect of a run without its lease",
            "select job_id || ' ' || bond || ' wrote as ' || attempt || ', live was ' || coalesce(live_attempt::text, 'none') from rig.effects where live_attempt is distinct from attempt"),
        ("8 no job without its cause",
            $"select j.id::text from {All} j where j.args ? 'Cause' and not exists (select from rig.causes c where c.id = (j.args->>'Cause')::uuid)"),
    ];

    private static readonly (string Invariant, string Sql)[] Final =
    [
        ("1 every accepted job is final", "select id || ' is ' || state || ', attempt ' || attempt from platform.jobs"),
        ("1 every accepted job is final once", "select id::text from platform.finished_jobs group by id having count(*) > 1"),
        ("1 every cause has its job",
            $"select c.id::text from rig.causes c where not exists (select from {All} j where (j.args->>'Cause')::uuid = c.id)"),
        ("1 a job that succeeded has its effect", """
            select f.id || ' ' || (f.args->>'Bond') from platform.finished_jobs f where f.state = 'succeeded' and f.args ? 'Cause'
              and not exists (select from rig.effects e where e.cause_id = (f.args->>'Cause')::uuid)
            """),
        ("3 a slot is taken once", """
            select unique_key from platform.finished_jobs where kind = 'rig.slot' group by unique_key having count(*) > 1
            """),
        ("3 what was asked for is seen by a later run", """
            select key || ' asked ' || max(number) || ', seen ' || coalesce((select max(number) from rig.seen s where s.key = r.key), 0)
            from rig.requests r group by key having max(number) > coalesce((select max(number) from rig.seen s where s.key = r.key), 0)
            """),
        ("7 attempts stay within their maximum",
            $"select id || ' ' || counted || ' of ' || max_attempts from {All} j where counted > max_attempts"),
        ("continuations follow their condition", """
            select c.id || ' ' || c.state || ' after ' || c.after_outcome || ' of ' || p.state
            from platform.finished_jobs c join platform.finished_jobs p on p.id = c.after_id
            where (c.after_outcome = 'finished' or c.after_outcome = case p.state when 'succeeded' then 'succeeded' else 'failed' end)
              <> (c.state <> 'cancelled')
            """),
    ];

    private static readonly string Now = $"""
        select 'rig.shared runs ' || count(*) from platform.jobs
          where state = 'running' and kind = 'rig.shared' having count(*) > {RigJobs.PerCluster}
        union all
        select 'rig.shared key ' || limit_key || ' runs ' || count(*) from platform.jobs
        where state = 'running' and kind = 'rig.shared' group by limit_key having count(*) > {RigJobs.PerKey}
        union all
        select 'key ' || unique_key || ' has ' || count(*) from platform.jobs where unique_key is not null
        group by kind, unique_key having count(*) > 1
        """;

    /// <summary>Invariants 3 and 4: what is true of the rows at this moment.</summary>
    public async Task<IEnumerable<string>> LookNowAsync() => (await database.TextsAsync(Now)).Select(text => $"4 limits: {text}");

    /// <summary>Invariants 2 and 8: what is true of the whole ledger at every moment.</summary>
    public Task<List<string>> LookBackAsync() => LookAsync(Always);

    public async Task<List<string>> LookAtTheEndAsync() => [.. await LookAsync([.. Always, .. Final]), .. await EarlyRetriesAsync()];

    private async Task<List<string>> LookAsync((string Invariant, string Sql)[] invariants)
    {
        List<string> violations = [];
        foreach (var (invariant, sql) in invariants)
        {
            var found = await database.TextsAsync(sql);
            violations.AddRange(found.Take(3).Select(text => $"{invariant}: {text} ({found.Count} in all)"));
        }
        return violations;
    }

    /// <summary>Invariant 7: between a failure and the next start lies at least the wait of the policy, by the database's clock.</summary>
    private async Task<List<string>> EarlyRetriesAsync()
    {
        List<string> early = [];
        foreach (var row in await database.TextsAsync("""
            select jsonb_build_object('id', id, 'started', started_at, 'history', history)::text
            from platform.finished_jobs where history @> '[{"state": "failed"}]'
            """))
        {
            using var job = JsonDocument.Parse(row);
            var history = job.RootElement.GetProperty("history").EnumerateArray().ToList();
            var failures = 0;
            for (var index = 0; index < history.Count; index++)
            {
                var state = history[index].GetProperty("state").GetString();
                failures += state is "failed" or "lost" ? 1 : 0;
                var next = index + 1 < history.Count
                    ? history[index + 1].TryGetProperty("started_at", out var started) ? started : default
                    : job.RootElement.GetProperty("started");
                if (state is not "failed" || next.ValueKind is not JsonValueKind.String)
                {
                    continue;
                }
                var waited = next.GetDateTimeOffset() - history[index].GetProperty("at").GetDateTimeOffset();
                var least = RigJobs.Rules.WaitAfter(failures, 0);
                if (waited < least - TimeSpan.FromMilliseconds(1))
                {
                    early.Add($"7 waits lie inside the policy: {job.RootElement.GetProperty("id")} came back after {waited}, least {least}");
                }
            }
        }
        return early;
    }
}
