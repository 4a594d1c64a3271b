using Npgsql;
using NpgsqlTypes;

namespace Stoa.Platform.Jobs;

/// <summary>Takes due jobs for a node: the statements, and nothing else.</summary>
internal sealed class JobClaims(NpgsqlDataSource source, string node)
{
    // Any number will do; it must never change, or two versions would count past each other.
    private const long LimitsLock = 0x53746F61_6A6F6273;

    // Asked in the claim itself: what is paused is claimed by nobody from that commit on.
    private const string IsOpen = "not exists (select from platform.job_kinds p where p.kind = k.kind and p.paused_at is not null)";

    private const string Lease = $"""
        update platform.jobs j set
          state = 'running', attempt = j.attempt + 1, node = @node, started_at = now(), lease_until = now() + picked.lease,
          progress_done = null, progress_total = null, progress_note = null
        from picked where j.id = picked.id
        returning {ClaimedJob.Columns}
        """;

    // The same index ranges as those of a claim. An index by time alone would tempt the planner to claim by it too, past all that is due of
    // other kinds. Of kinds with limits it is enough that one waits.
    private const string AnyDue = """
        select exists (
            select from unnest($1) as k (kind) cross join (values (0::smallint), (1), (2), (3)) as p (priority)
            cross join lateral (
              select from platform.jobs
              where state = 'available' and limit_key is null and kind = k.kind and priority = p.priority and run_at <= now()
              order by run_at, id limit 1
            ) ready)
          or exists (select from platform.jobs where state = 'available' and limit_key is not null and kind = any ($2))
        """;

    // One short index range for each kind and priority: neither what lies in the future nor what belongs to others is walked through.
    // More candidates than room, because other nodes are looking at the same rows.
    private const string Free = $"""
        with candidate as materialized (
          select ready.id from unnest(@kinds) as k (kind)
          cross join (values (0::smallint), (1), (2), (3)) as p (priority)
          cross join lateral (
            select id, run_at from platform.jobs
            where state = 'available' and limit_key is null and kind = k.kind and priority = p.priority and run_at <= now()
            order by run_at, id limit @window
          ) ready
          where {IsOpen}
          order by p.priority, ready.run_at, ready.id limit @window
        ), picked as materialized (
          select id, lease from platform.jobs join unnest(@kinds, @leases) as t (kind, lease) using (kind)
          where id = any (array(select id from candidate)) and state = 'available'
          order by priority, run_at, id limit @room for update of jobs skip locked
        )
        {Lease}
        """;

    // Groups of tenant and key are found by skipping through the index from one to the next, so a long queue of one group costs the
    // others nothing. A run holds its place until its row says otherwise: a dead node's until its lease was taken back.
    private const string Limited = $"""
        with recursive terms as materialized (
          select * from unnest(@kinds, @leases, @pools, @per_cluster, @per_node, @per_tenant, @per_key)
            as k (kind, lease, pool, per_cluster, per_node, per_tenant, per_key)
          where {IsOpen}
        ), groups as (
          select g.* from terms cross join lateral (
            select kind, tenant, limit_key from platform.jobs
            where state = 'available' and limit_key is not null and kind = terms.kind
            order by tenant, limit_key limit 1
          ) g
          union all
          select g.* from groups cross join lateral (
            select kind, tenant, limit_key from platform.jobs
            where state = 'available' and limit_key is not null and kind = groups.kind
              and (tenant, limit_key) > (groups.tenant, groups.limit_key)
            order by tenant, limit_key limit 1
          ) g
        ), live as materialized (
          select kind, pool, tenant, limit_key, count(*) as runs, count(*) filter (where node = @node) as runs_here
          from platform.jobs join unnest(@kinds, @pools) as mine (kind, pool) using (kind)
          where state = 'running' and kind = any (@kinds) group by kind, pool, tenant, limit_key
        ), open as (
          select groups.*, lease, pool,
            least(per_cluster - runs, per_node - runs_here) as kind_room, per_tenant - tenant_runs as tenant_room,
            case when groups.limit_key <> '' then per_key - key_runs end as key_room
          from groups join terms using (kind) cross join lateral (
            select coalesce(sum(runs) filter (where live.kind = groups.kind), 0) as runs,
              coalesce(sum(runs_here) filter (where live.kind = groups.kind), 0) as runs_here,
              coalesce(sum(runs) filter (where live.tenant = groups.tenant), 0) as tenant_runs,
              coalesce(sum(runs) filter (where live.kind = groups.kind and live.limit_key = groups.limit_key), 0) as key_runs
            from live where live.pool = terms.pool
          ) taken
        ), ranked as (
          select open.*, ready.id, p.priority, ready.run_at,
            row_number() over (partition by kind order by p.priority, run_at, id) as in_kind,
            row_number() over (partition by pool, tenant order by p.priority, run_at, id) as in_tenant,
            row_number() over (partition by kind, limit_key order by p.priority, run_at, id) as in_key
          from open cross join (values (0::smallint), (1), (2), (3)) as p (priority) cross join lateral (
            select id, run_at from platform.jobs j
            where j.state = 'available' and j.limit_key is not null and j.kind = open.kind and j.tenant = open.tenant
              and j.limit_key = open.limit_key and j.priority = p.priority and j.run_at <= now()
            order by run_at, id limit greatest(0, least(kind_room, tenant_room, key_room, @room))
          ) ready
        ), chosen as materialized (
          select id, lease from ranked
          where (kind_room is null or in_kind <= kind_room) and (tenant_room is null or in_tenant <= tenant_room)
            and (key_room is null or in_key <= key_room)
          order by priority, run_at, id limit @room
        ), picked as materialized (
          select j.id, chosen.lease from platform.jobs j join chosen on j.id = chosen.id
          where j.state = 'available' for update of j skip locked
        )
        {Lease}
        """;

    /// <summary>
    /// Whether a claim might find something: what a worker that nobody called asks first, as a claim costs several times as much.
    /// </summary>
    public async Task<bool> IsAnyDueAsync(IReadOnlyList<JobKind> free, IReadOnlyList<JobKind> limited, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var ask = new NpgsqlCommand(AnyDue, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]> { TypedValue = [.. free.Select(kind => kind.Name)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. limited.Select(kind => kind.Name)] },
            },
        };
        return (bool)(await ask.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Due jobs of kinds without limits, the most urgent first; at most <paramref name="room"/>.</summary>
    public async Task<List<ClaimedJob>> TakeFreeAsync(IReadOnlyList<JobKind> kinds, int room, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(Free, connection);
        AddTerms(command.Parameters, kinds, room);
        command.Parameters.AddWithValue("window", room * 4);
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await ReadAsync(rows, ct);
    }

    /// <summary>
    /// Due jobs of kinds with limits, no more than these allow. Nodes count one after the other: the lock belongs to the transaction of
    /// this batch, and the second statement sees what the node before committed.
    /// </summary>
    public async Task<List<ClaimedJob>> TakeLimitedAsync(IReadOnlyList<JobKind> kinds, int room, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new("select pg_advisory_xact_lock($1)") { Parameters = { new() { Value = LimitsLock } } }, new(Limited) },
        };
        var parameters = batch.BatchCommands[1].Parameters;
        AddTerms(parameters, kinds, room);
        parameters.Add(new NpgsqlParameter<string[]>("pools", [.. kinds.Select(kind => kind.Rules.TenantPool ?? kind.Name)]));
        AddLimit("per_cluster", rules => rules.MaxRunning);
        AddLimit("per_node", rules => rules.MaxRunningPerNode);
        AddLimit("per_tenant", rules => rules.MaxRunningPerTenant);
        AddLimit("per_key", rules => rules.MaxRunningPerKey);
        await using var rows = await batch.ExecuteReaderAsync(ct);
        await rows.NextResultAsync(ct);
        return await ReadAsync(rows, ct);

        void AddLimit(string name, Func<JobRules, int?> limit) => parameters.Add(
            new NpgsqlParameter<int?[]>(name, NpgsqlDbType.Array | NpgsqlDbType.Integer)
            {
                TypedValue = [.. kinds.Select(kind => limit(kind.Rules))],
            });
    }

    private void AddTerms(NpgsqlParameterCollection parameters, IReadOnlyList<JobKind> kinds, int room)
    {
        parameters.AddWithValue("node", node);
        parameters.AddWithValue("room", room);
        parameters.Add(new NpgsqlParameter<string[]>("kinds", [.. kinds.Select(kind => kind.Name)]));
        parameters.Add(new NpgsqlParameter<TimeSpan[]>("leases", [.. kinds.Select(kind => kind.Rules.Lease)]));
    }

    private static async Task<List<ClaimedJob>> ReadAsync(NpgsqlDataReader rows, CancellationToken ct)
    {
        var jobs = new List<ClaimedJob>();
        while (await rows.ReadAsync(ct))
        {
            jobs.Add(ClaimedJob.Read(rows));
        }
        jobs.Sort((left, right) => (left.Priority, left.RunAt, left.Id).CompareTo((right.Priority, right.RunAt, right.Id)));
        return jobs;
    }
}
