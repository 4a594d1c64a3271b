namespace Stoa.Bench.Scenarios;

/// <summary>Fills the tables of usage as the loader would have: rows over thirty days, and the sums of just these rows.</summary>
internal static class MetricsRows
{
    /// <summary>
    /// Six of ten rows are the organization's of the key: a hundred agents, each with a model and another that it falls back to, and calls
    /// without an agent.
    /// </summary>
    internal static string Sql(long rows, DateTimeOffset now) => $$"""
        set synchronous_commit = off; set jit = off; set work_mem = '256MB'; set maintenance_work_mem = '512MB'; set timezone = 'UTC';
        create temp table later as select replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') as made, indexrelid::regclass::text as name
          from pg_index where indrelid = 'gateway.usage'::regclass and not indisprimary;
        do $do$ declare name text; begin for name in select l.name from later l loop execute 'drop index ' || name; end loop; end $do$;
        create temp table bench_organizations as
          select 0 as place, id from platform.organizations union all
          select place, gen_random_uuid() from generate_series(1, 4) as place;
        insert into gateway.usage (id, at, organization_id, key_id, request_id, surface, provider, model, outcome, error, status, is_stream,
          is_estimated, attempts, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost, latency_ms,
          first_byte_ms, is_cached, agent_id, version_id, folder_id, provider_key_id, thread_id)
        select gen_random_uuid(), x.at, o.id, ('00000000-0000-7000-8000-' || lpad((x.agent % 5)::text, 12, '0'))::uuid, 'r' || n, 'openai.chat',
          (array['openai', 'anthropic', 'gemini'])[1 + x.agent % 3], 'model-' || (x.agent % 10) || '-' || (n / 10 % 10 = 0)::int, (n % 50 = 0)::int, '', 200, false,
          false, 1, 500 + n % 1000, 0, 0, 100 + n % 300, 0, case when n % 40 > 0 then (n % 1000) * 0.0000123 end,
          100 + (n * 7919 % 20000), 50, false,
          case when x.agent = 0 then '' else lpad(to_hex(x.agent), 24, '0') end, case when x.agent = 0 then '' else lpad(to_hex(x.agent), 24, 'a') end,
          case when x.agent = 0 then '' else lpad(to_hex(x.agent % 7), 24, 'f') end,
          case when x.agent = 0 then '' else lpad(to_hex(x.agent % 10), 24, 'b') end, case when x.agent = 0 then '' else 'thread-' || (n / 1000) end
        from generate_series(1::bigint, {{rows}}) as n
        cross join lateral (select timestamptz '{{now.AddDays(-30):O}}' + n * (interval '30 days' / {{rows}}) as at,
          (n * 31 % 101)::int as agent, case when n % 10 < 6 then 0 else n % 10 - 5 end as place) x
        join bench_organizations o on o.place = x.place;
        do $do$ declare made text; begin for made in select l.made from later l loop execute made; end loop; end $do$;
        {{Sums("usage_quarters", "date_bin('15 minutes', at, 'epoch')")}}
        {{Sums("usage_days", "date_trunc('day', at, 'UTC')")}}
        vacuum analyze gateway.usage; vacuum analyze gateway.usage_quarters; vacuum analyze gateway.usage_days;
        checkpoint;
        """;

    private static string Sums(string table, string start) => $"""
        insert into gateway.{table} (organization_id, start, agent_id, version_id, folder_id, provider_key_id, key_id, provider, model, calls,
          failed, unpriced, cached, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost, latency_ms,
          latencies, last_at)
        select organization_id, {start} as start, agent_id, version_id, folder_id, provider_key_id, key_id, provider, model, count(*),
          count(*) filter (where outcome <> 0), count(*) filter (where cost is null), 0, sum(input_tokens), 0, 0, sum(output_tokens), 0,
          coalesce(sum(cost), 0), sum(latency_ms),
          array[{string.Join(", ", Enumerable.Range(1, 20).Select(bucket => $"count(*) filter (where latency_ms >= {(bucket == 1 ? 0 : 1 << (bucket - 1))} and latency_ms < {(bucket == 20 ? int.MaxValue : 1 << bucket)})"))}]::integer[],
          max(at)
        from gateway.usage group by organization_id, start, agent_id, version_id, folder_id, provider_key_id, key_id, provider, model;
        """;
}
