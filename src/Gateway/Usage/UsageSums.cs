using Npgsql;

namespace Stoa.Gateway.Usage;

/// <summary>Adds a batch to the sums over quarters of an hour and over days, in the transaction that adds its rows.</summary>
internal static class UsageSums
{
    public static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>A batch by quarters of an hour. Its rows are gone through here and nowhere else: days and budgets are sums of these.</summary>
    public static IReadOnlyCollection<UsageSumRow> QuartersOf(IReadOnlyList<UsageRecord> batch)
    {
        var sums = new Dictionary<UsageSumKey, UsageSumRow>();
        foreach (var row in batch)
        {
            var key = new UsageSumKey(
                row.OrganizationId, StartOf(row.At, Quarter), UsageStore.Storable(row.AgentId), UsageStore.Storable(row.VersionId),
                UsageStore.Storable(row.FolderId), UsageStore.Storable(row.ProviderKeyId),
                row.KeyId, row.Provider, UsageStore.Storable(row.Model), row.Surface);
            if (!sums.TryGetValue(key, out var sum))
            {
                sums.Add(key, sum = new(key));
            }
            sum.Add(row);
        }
        return sums.Values;
    }

    public static async Task AddAsync(NpgsqlConnection connection, IReadOnlyCollection<UsageSumRow> quarters, CancellationToken ct)
    {
        await AddAsync(connection, "usage_quarters", quarters, ct);
        await AddAsync(connection, "usage_days", DaysOf(quarters), ct);
    }

    /// <summary>The start of the span that holds the moment; spans are counted from midnight UTC.</summary>
    public static DateTimeOffset StartOf(DateTimeOffset at, TimeSpan span) => new(at.UtcTicks - (at.UtcTicks % span.Ticks), TimeSpan.Zero);

    private static IEnumerable<UsageSumRow> DaysOf(IReadOnlyCollection<UsageSumRow> quarters) => quarters
        .GroupBy(sum => sum.Key with { Start = StartOf(sum.Key.Start, Day) })
        .Select(group =>
        {
            var day = new UsageSumRow(group.Key);
            foreach (var quarter in group)
            {
                day.Add(quarter);
            }
            return day;
        });

    private static async Task AddAsync(NpgsqlConnection connection, string table, IEnumerable<UsageSumRow> added, CancellationToken ct)
    {
        var sums = added
            // One order for all loaders: two that add to the same sums wait for each other instead of deadlocking.
            .OrderBy(sum => sum.Key.Organization).ThenBy(sum => sum.Key.Start)
            .ThenBy(sum => sum.Key.Agent, StringComparer.Ordinal).ThenBy(sum => sum.Key.Version, StringComparer.Ordinal)
            .ThenBy(sum => sum.Key.Folder, StringComparer.Ordinal).ThenBy(sum => sum.Key.ProviderKey, StringComparer.Ordinal)
            .ThenBy(sum => sum.Key.KeyId)
            .ThenBy(sum => sum.Key.Provider, StringComparer.Ordinal).ThenBy(sum => sum.Key.Model, StringComparer.Ordinal)
            .ThenBy(sum => sum.Key.Surface, StringComparer.Ordinal)
            .ToArray();
        await using var command = new NpgsqlCommand(
            $"""
            insert into gateway.{table} as q (organization_id, start, agent_id, version_id, folder_id, provider_key_id, key_id,
              provider, model, surface,
              calls, failed, unpriced, cached, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost,
              latency_ms, latencies, last_at)
            select a, b, c, d, e, f, g, h, i, surface, j, k, l, m, n, o, p, r, s, t, u, v::integer[], w
            from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
              as x (a, b, c, d, e, f, g, h, i, surface, j, k, l, m, n, o, p, r, s, t, u, v, w)
            on conflict (organization_id, start, agent_id, version_id, folder_id, provider_key_id, key_id, provider, model, surface)
              do update set
              calls = q.calls + excluded.calls,
              failed = q.failed + excluded.failed,
              unpriced = q.unpriced + excluded.unpriced,
              cached = q.cached + excluded.cached,
              input_tokens = q.input_tokens + excluded.input_tokens,
              cache_read_tokens = q.cache_read_tokens + excluded.cache_read_tokens,
              cache_write_tokens = q.cache_write_tokens + excluded.cache_write_tokens,
              output_tokens = q.output_tokens + excluded.output_tokens,
              reasoning_tokens = q.reasoning_tokens + excluded.reasoning_tokens,
              cost = q.cost + excluded.cost,
              latency_ms = q.latency_ms + excluded.latency_ms,
              latencies = array(select one + other from unnest(q.latencies, excluded.latencies) as both_sides (one, other)),
              last_at = greatest(q.last_at, excluded.last_at)
            """,
            connection);
        Add(sum => sum.Key.Organization);
        Add(sum => sum.Key.Start);
        Add(sum => sum.Key.Agent);
        Add(sum => sum.Key.Version);
        Add(sum => sum.Key.Folder);
        Add(sum => sum.Key.ProviderKey);
        Add(sum => sum.Key.KeyId);
        Add(sum => sum.Key.Provider);
        Add(sum => sum.Key.Model);
        Add(sum => sum.Key.Surface);
        Add(sum => sum.Calls);
        Add(sum => sum.Failed);
        Add(sum => sum.Unpriced);
        Add(sum => sum.Cached);
        Add(sum => sum.InputTokens);
        Add(sum => sum.CacheReadTokens);
        Add(sum => sum.CacheWriteTokens);
        Add(sum => sum.OutputTokens);
        Add(sum => sum.ReasoningTokens);
        Add(sum => sum.Cost);
        Add(sum => sum.LatencyMs);
        // As text: arrays of arrays would be taken for one of two dimensions.
        Add(sum => $"{{{string.Join(',', sum.Latencies)}}}");
        Add(sum => sum.LastAt);
        await command.ExecuteNonQueryAsync(ct);

        void Add<T>(Func<UsageSumRow, T> of) => command.Parameters.Add(new() { Value = sums.Select(of).ToArray() });
    }
}
