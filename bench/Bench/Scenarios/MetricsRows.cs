namespace Stoa.Bench.Scenarios;

/// <summary>
/// Fills the tables of usage as the loader would have: rows over thirty days, and the sums of just these rows. A day at a time, so that its
/// groups stay in memory; what the tables are searched by is made at the end.
/// </summary>
internal static class MetricsRows
{
    private const int Days = 30;

    /// <summary>
    /// Six of ten rows are the organization's of the key: a hundred agents, each with a model and another that it falls back to, and calls
    /// without an agent.
    /// </summary>
    internal static string Sql(long rows, DateTimeOffset now) => $$"""
        set synchronous_commit = off; set jit = off; set work_mem = '256MB'; set maintenance_work_mem = '1GB'; set timezone = 'UTC';
        set max_parallel_workers_per_gather = 0;
        create temp table later as
          select replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') as made, indexrelid::regclass::text as name
          from pg_index where indrelid = 'gateway.usage'::regclass and not indisprimary;
        do $do$ declare name text; begin for name in select l.name from later l loop execute 'drop index ' || name; end loop; end $do$;
        alter table gateway.usage drop constraint usage_pkey;
        create temp table bench_organizations as
          select 0 as place, id from platform.organizations union all
          select place, gen_random_uuid() from generate_series(1, 4) as place;
        create temp table bench_agents as
          select agent, ('00000000-0000-7000-8000-' || lpad((agent % 5)::text, 12, '0'))::uuid as key_id,
            (array['openai', 'anthropic', 'gemini'])[1 + agent % 3] as provider, 'model-' || (agent % 10) || '-' as model,
            id.agent_id, id.version_id, id.folder_id, id.provider_key_id
          from generate_series(0, 100) as agent
          cross join lateral (
            select lpad(to_hex(agent), 24, '0') as agent_id, lpad(to_hex(agent), 24, 'a') as version_id,
              lpad(to_hex(agent % 7), 24, 'f') as folder_id, lpad(to_hex(agent % 10), 24, 'b') as provider_key_id where agent > 0
            union all select '', '', '', '' where agent = 0) id;
        {{string.Concat(Enumerable.Range(0, Days).Select(day => Day(rows * day / Days, rows * (day + 1) / Days, StartOf(now).AddDays(day))))}}
        {{DaySums}}
        alter table gateway.usage add primary key (id, at);
        do $do$ declare made text; begin for made in select l.made from later l loop execute made; end loop; end $do$;
        vacuum analyze gateway.usage; vacuum analyze gateway.usage_quarters; vacuum analyze gateway.usage_days;
        checkpoint;
        """;

    /// <summary>
    /// The rows after the first number up to the last one, and their sums over quarters of an hour. No two days share a quarter.
    /// </summary>
    private static string Day(long after, long last, DateTimeOffset start) => $"""
        with made as (
          insert into gateway.usage (id, at, organization_id, key_id, request_id, surface, provider, model, outcome, error,
            status, is_stream,
            is_estimated, attempts, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost, latency_ms,
            first_byte_ms, is_cached, agent_id, version_id, folder_id, provider_key_id, thread_id)
          select ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid,
            timestamptz '{start:O}' + (n - {after + 1}) * (interval '1 day' / {last - after}),
            o.id,
              a.key_id, 'r' || n, 'openai.chat', a.provider, a.model || (n / 10 % 10 = 0)::int, (n % 50 = 0)::int, '', 200, false, false, 1,
            500 + n % 1000,
              0, 0, 100 + n % 300, 0, case when n % 40 > 0 then (n % 1000) * 0.0000123 end, 100 + (n * 7919 % 20000), 50, false,
            a.agent_id, a.version_id, a.folder_id, a.provider_key_id, case when a.agent = 0 then '' else 'thread-' || (n / 1000) end
          from generate_series({after + 1}::bigint, {last}) as n
          join bench_organizations o on o.place = case when n % 10 < 6 then 0 else n % 10 - 5 end
          join bench_agents a on a.agent = n * 31 % 101
          returning *)
        insert into gateway.usage_quarters ({Columns})
        select organization_id, date_bin('15 minutes', at, 'epoch') as start, agent_id, version_id, folder_id,
          provider_key_id, key_id, provider,
          model, count(*), count(*) filter (where outcome <> 0), count(*) filter (where cost is null), 0, sum(input_tokens), 0, 0,
          sum(output_tokens), 0, coalesce(sum(cost), 0), sum(latency_ms),
          array[{Buckets(bucket => $"count(*) filter (where latency_ms >= {(bucket == 1 ? 0 : 1 << (bucket - 1))} and latency_ms < {(bucket == 20 ? int.MaxValue : 1 << bucket)})")}]::integer[],
          max(at)
        from made group by {Keys};

        """;

    private const string Keys = "organization_id, start, agent_id, version_id, folder_id, provider_key_id, key_id, provider, model";

    private const string Columns = $"""
        {Keys}, calls, failed, unpriced, cached, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost,
        latency_ms, latencies, last_at
        """;

    private static string DaySums => $"""
        insert into gateway.usage_days ({Columns})
        select organization_id, date_trunc('day', start, 'UTC') as start, agent_id, version_id, folder_id, provider_key_id,
          key_id, provider, model,
          sum(calls), sum(failed), sum(unpriced), 0, sum(input_tokens), 0, 0, sum(output_tokens), 0, sum(cost), sum(latency_ms),
          array[{Buckets(bucket => $"sum(latencies[{bucket}])")}]::integer[], max(last_at)
        from gateway.usage_quarters q
        group by organization_id,
          date_trunc('day', start, 'UTC'), agent_id, version_id, folder_id, provider_key_id, key_id, provider, model;
        """;

    /// <summary>A whole quarter of an hour: days of rows begin and end with one.</summary>
    private static DateTimeOffset StartOf(DateTimeOffset now)
    {
        var start = now.AddDays(-Days);
        return start.AddTicks(-(start.UtcTicks % TimeSpan.FromMinutes(15).Ticks));
    }

    private static string Buckets(Func<int, string> count) => string.Join(", ", Enumerable.Range(1, 20).Select(count));
}
