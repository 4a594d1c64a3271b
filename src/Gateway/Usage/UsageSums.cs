using System.Globalization;
using System.Text;
using Npgsql;

namespace Stoa.Gateway.Usage;

/// <summary>Adds a batch to the sums over quarters of an hour and over days, in the transaction that adds its rows.</summary>
internal static class UsageSums
{
    public static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);

    private readonly record struct Key(
        Guid Organization, DateTimeOffset Start, string Agent, string Version, string Folder,
        string ProviderKey, Guid KeyId, string Provider, string Model, string Surface);

    public static async Task AddAsync(NpgsqlConnection connection, IReadOnlyList<UsageRecord> batch, CancellationToken ct)
    {
        await AddAsync(connection, "usage_quarters", Quarter, batch, ct);
        await AddAsync(connection, "usage_days", TimeSpan.FromDays(1), batch, ct);
    }

    /// <summary>The start of the span that holds the moment; spans are counted from midnight UTC.</summary>
    public static DateTimeOffset StartOf(DateTimeOffset at, TimeSpan span) => new(at.UtcTicks - (at.UtcTicks % span.Ticks), TimeSpan.Zero);

    private static async Task AddAsync(
        NpgsqlConnection connection, string table, TimeSpan span, IReadOnlyList<UsageRecord> batch, CancellationToken ct)
    {
        var sums = batch
            .GroupBy(row => new Key(
                row.OrganizationId, StartOf(row.At, span), UsageStore.Storable(row.AgentId), UsageStore.Storable(row.VersionId),
                UsageStore.Storable(row.FolderId), UsageStore.Storable(row.ProviderKeyId),
                row.KeyId, row.Provider, UsageStore.Storable(row.Model), row.Surface))
            // One order for all loaders: two that add to the same sums wait for each other instead of deadlocking.
            .OrderBy(group => group.Key.Organization).ThenBy(group => group.Key.Start)
            .ThenBy(group => group.Key.Agent, StringComparer.Ordinal).ThenBy(group => group.Key.Version, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Folder, StringComparer.Ordinal).ThenBy(group => group.Key.ProviderKey, StringComparer.Ordinal)
            .ThenBy(group => group.Key.KeyId)
            .ThenBy(group => group.Key.Provider, StringComparer.Ordinal).ThenBy(group => group.Key.Model, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Surface, StringComparer.Ordinal)
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
        Add(group => group.Key.Organization);
        Add(group => group.Key.Start);
        Add(group => group.Key.Agent);
        Add(group => group.Key.Version);
        Add(group => group.Key.Folder);
        Add(group => group.Key.ProviderKey);
        Add(group => group.Key.KeyId);
        Add(group => group.Key.Provider);
        Add(group => group.Key.Model);
        Add(group => group.Key.Surface);
        Add(group => group.LongCount());
        Add(group => group.LongCount(row => row.Outcome != CallOutcome.Succeeded));
        Add(group => group.LongCount(row => row.Cost is null));
        Add(group => group.LongCount(row => row.IsCached));
        Add(group => group.Sum(row => row.InputTokens));
        Add(group => group.Sum(row => row.CacheReadTokens));
        Add(group => group.Sum(row => row.CacheWriteTokens));
        Add(group => group.Sum(row => row.OutputTokens));
        Add(group => group.Sum(row => row.ReasoningTokens));
        Add(group => group.Sum(row => row.Cost ?? 0));
        Add(group => group.Sum(row => (long)row.LatencyMs));
        Add(Latencies);
        Add(group => group.Max(row => row.At));
        await command.ExecuteNonQueryAsync(ct);

        void Add<T>(Func<IGrouping<Key, UsageRecord>, T> of) => command.Parameters.Add(new() { Value = sums.Select(of).ToArray() });
    }

    /// <summary>As text: arrays of arrays would be taken for one of two dimensions.</summary>
    private static string Latencies(IEnumerable<UsageRecord> rows)
    {
        Span<int> counts = stackalloc int[LatencyHistogram.Buckets];
        foreach (var row in rows)
        {
            counts[LatencyHistogram.BucketOf(row.LatencyMs) - 1]++;
        }
        var text = new StringBuilder("{");
        foreach (var count in counts)
        {
            text.Append(text.Length > 1 ? "," : "").Append(CultureInfo.InvariantCulture, $"{count}");
        }
        return text.Append('}').ToString();
    }
}
