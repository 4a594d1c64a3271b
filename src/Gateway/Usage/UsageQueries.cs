using System.Globalization;
using System.Text;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Usage;

/// <summary>What usage is asked for: a span of time, some filters, and what to sum by.</summary>
/// <param name="KeyId">Only this key; set for callers who are not admins, whatever they ask.</param>
internal sealed record UsageFilter(
    Guid OrganizationId, DateTimeOffset From, DateTimeOffset? To, Guid? KeyId = null, string? Provider = null, string? Model = null,
    string? AgentId = null, string? VersionId = null, string? ProviderKeyId = null, string? ThreadId = null, string? FolderId = null,
    string? Surface = null);

/// <summary>One group's sums. Columns that were not grouped by are null.</summary>
internal sealed record UsageSum
{
    public DateTimeOffset? Time { get; init; }

    public Guid? KeyId { get; init; }

    public string? AgentId { get; init; }

    public string? VersionId { get; init; }

    public string? ProviderKeyId { get; init; }

    public string? ThreadId { get; init; }

    public string? Provider { get; init; }

    public string? Model { get; init; }

    /// <summary>What the calls were for: <c>openai.chat</c>, <c>learning.tutor</c>.</summary>
    public string? Surface { get; init; }

    public long Calls { get; init; }

    /// <summary>Of the calls: those that failed or were cut.</summary>
    public long Failed { get; init; }

    /// <summary>Of the calls: those whose model had no price. Their cost is not in the sum.</summary>
    public long Unpriced { get; init; }

    /// <summary>Of the calls: those answered from the response cache.</summary>
    public long Cached { get; init; }

    public long InputTokens { get; init; }

    public long CacheReadTokens { get; init; }

    public long CacheWriteTokens { get; init; }

    public long OutputTokens { get; init; }

    public long ReasoningTokens { get; init; }

    /// <summary>US dollars.</summary>
    public decimal Cost { get; init; }

    /// <summary>Milliseconds of all calls together.</summary>
    public long LatencyMs { get; init; }

    /// <summary>When the last of the calls ended.</summary>
    public DateTimeOffset? LastAt { get; init; }

    /// <summary>
    /// Milliseconds below which half of the calls ended, within a factor of two; null unless asked for, like those that follow.
    /// </summary>
    public double? P50Ms { get; init; }

    public double? P95Ms { get; init; }

    public double? P99Ms { get; init; }
}

/// <summary>Reads usage: sums from days and quarters of an hour where the span allows it, from the rows where it does not.</summary>
internal sealed class UsageQueries(NpgsqlDataSource source)
{
    /// <summary>What sums can be grouped by, and the column behind each.</summary>
    public static readonly IReadOnlyDictionary<string, string> Groups = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["key"] = "key_id",
        ["agent"] = "agent_id",
        ["version"] = "version_id",
        ["provider_key"] = "provider_key_id",
        ["thread"] = "thread_id",
        ["provider"] = "provider",
        ["model"] = "model",
        ["surface"] = "surface",
        ["quarter"] = "date_bin('15 minutes', t, 'epoch')",
        ["hour"] = "date_trunc('hour', t, 'UTC')",
        ["day"] = "date_trunc('day', t, 'UTC')",
    };

    /// <summary>The newest calls that sums by thread are made of.</summary>
    public const int MostCallsOfThreads = 20_000;

    /// <param name="newest">The last groups of time first, so that a limit cuts the oldest.</param>
    public async Task<List<UsageSum>> SumAsync(
        UsageFilter filter, IReadOnlyCollection<string> groupBy, int limit,
        CancellationToken ct, bool percentiles = false, bool newest = false)
    {
        var from = UsageSources.For(filter, groupBy);
        var keys = groupBy.Select(group => group == from.Unit ? "t" : Groups[group]).ToArray();
        var order = keys.Select((_, index) => string.Create(CultureInfo.InvariantCulture, $"{index + 1}{(newest ? " desc" : "")}"));
        await using var batch = source.CreateBatch();
        if (keys is ["t", _])
        {
            // Rows come in the order of the index, a moment's together: hashing all groups and sorting them takes half as long again.
            batch.BatchCommands.Add(new("select set_config('enable_hashagg', 'off', true)"));
        }
        var command = new NpgsqlBatchCommand();
        batch.BatchCommands.Add(command);
        var rows = groupBy.Contains("thread") && filter.ThreadId is null ? NewestOfThreads(from.Sql, filter, command.Parameters) : from.Sql;
        command.CommandText = $"""
            select {string.Concat(keys.Select(key => $"{key}, "))}
              coalesce(sum(calls), 0)::bigint,
                coalesce(sum(failed), 0)::bigint, coalesce(sum(unpriced), 0)::bigint, coalesce(sum(cached), 0)::bigint,
              coalesce(sum(input_tokens), 0)::bigint,
                coalesce(sum(cache_read_tokens), 0)::bigint, coalesce(sum(cache_write_tokens), 0)::bigint,
              coalesce(sum(output_tokens), 0)::bigint, coalesce(sum(reasoning_tokens), 0)::bigint, coalesce(sum(cost), 0),
              coalesce(sum(latency_ms), 0)::bigint, max(last_at){(percentiles ? $", {from.Latencies}" : "")}
            from ({rows}) as usage
            where {Where(filter, command.Parameters)}
            {(keys.Length == 0 ? "" : $"group by {string.Join(", ", keys)} order by {string.Join(", ", order)}")}
            limit {limit.ToString(CultureInfo.InvariantCulture)}
            """;
        var sums = new List<UsageSum>();
        await using var reader = await batch.ExecuteReaderAsync(ct);
        if (batch.BatchCommands.Count > 1)
        {
            await reader.NextResultAsync(ct);
        }
        while (await reader.ReadAsync(ct))
        {
            var sum = new UsageSum
            {
                Calls = reader.GetInt64(keys.Length),
                Failed = reader.GetInt64(keys.Length + 1),
                Unpriced = reader.GetInt64(keys.Length + 2),
                Cached = reader.GetInt64(keys.Length + 3),
                InputTokens = reader.GetInt64(keys.Length + 4),
                CacheReadTokens = reader.GetInt64(keys.Length + 5),
                CacheWriteTokens = reader.GetInt64(keys.Length + 6),
                OutputTokens = reader.GetInt64(keys.Length + 7),
                ReasoningTokens = reader.GetInt64(keys.Length + 8),
                Cost = reader.GetDecimal(keys.Length + 9),
                LatencyMs = reader.GetInt64(keys.Length + 10),
                LastAt = reader.InstantOrNull(keys.Length + 11),
            };
            foreach (var (index, group) in groupBy.Index())
            {
                sum = With(sum, group, reader, index);
            }
            sums.Add(percentiles && sum.Calls > 0 ? With(sum, Latencies(reader, keys.Length + 12)) : sum);
        }
        return sums;
    }

    /// <summary>Threads have no end: sums by thread are those of the newest calls.</summary>
    private static string NewestOfThreads(string rows, UsageFilter filter, NpgsqlParameterCollection parameters) => $"""
        select * from ({rows}) as newest
        where {Where(new(filter.OrganizationId, filter.From, filter.To, AgentId: filter.AgentId, FolderId: filter.FolderId), parameters)}
        and thread_id <> ''
        order by t desc limit {MostCallsOfThreads.ToString(CultureInfo.InvariantCulture)}
        """;

    private static UsageSum With(UsageSum sum, string group, NpgsqlDataReader reader, int column) => group switch
    {
        "key" => sum with { KeyId = reader.GetGuid(column) },
        "agent" => sum with { AgentId = reader.GetString(column) },
        "version" => sum with { VersionId = reader.GetString(column) },
        "provider_key" => sum with { ProviderKeyId = reader.GetString(column) },
        "thread" => sum with { ThreadId = reader.GetString(column) },
        "provider" => sum with { Provider = reader.GetString(column) },
        "model" => sum with { Model = reader.GetString(column) },
        "surface" => sum with { Surface = reader.GetString(column) },
        _ => sum with { Time = reader.GetFieldValue<DateTimeOffset>(column) },
    };

    private static long[] Latencies(NpgsqlDataReader reader, int column)
    {
        var latencies = new long[LatencyHistogram.Buckets];
        for (var bucket = 0; bucket < latencies.Length; bucket++)
        {
            latencies[bucket] = reader.GetInt64(column + bucket);
        }
        return latencies;
    }

    private static UsageSum With(UsageSum sum, long[] latencies) => sum with
    {
        P50Ms = LatencyHistogram.Percentile(latencies, 0.5),
        P95Ms = LatencyHistogram.Percentile(latencies, 0.95),
        P99Ms = LatencyHistogram.Percentile(latencies, 0.99),
    };

    /// <summary>Single calls, newest first, below <paramref name="after"/> (an id of an earlier page).</summary>
    public async Task<List<UsageRecord>> CallsAsync(UsageFilter filter, string? requestId, Guid? after, int limit, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        var where = new StringBuilder(Where(filter, command.Parameters));
        if (requestId is not null)
        {
            where.Append(CultureInfo.InvariantCulture, $" and request_id = {Hole(command.Parameters, requestId)}");
        }
        if (after is { } id)
        {
            where.Append(CultureInfo.InvariantCulture, $" and id < {Hole(command.Parameters, id)}");
        }
        command.CommandText = $"""
            select id, at, organization_id, key_id, request_id, surface, provider, model, outcome, error, status, is_stream,
              is_estimated, attempts,
              input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost, latency_ms, first_byte_ms,
              is_cached, agent_id, version_id, folder_id, provider_key_id, thread_id
            from (select *, at as t from gateway.usage) as usage
              where {where} order by id desc limit {limit.ToString(CultureInfo.InvariantCulture)}
            """;
        var calls = new List<UsageRecord>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            calls.Add(new()
            {
                Id = reader.GetGuid(0),
                At = await reader.GetFieldValueAsync<DateTimeOffset>(1, ct),
                OrganizationId = reader.GetGuid(2),
                KeyId = reader.GetGuid(3),
                RequestId = reader.GetString(4),
                Surface = reader.GetString(5),
                Provider = reader.GetString(6),
                Model = reader.GetString(7),
                Outcome = (CallOutcome)reader.GetInt16(8),
                Error = reader.GetString(9),
                Status = reader.GetInt16(10),
                IsStream = reader.GetBoolean(11),
                IsEstimated = reader.GetBoolean(12),
                Attempts = reader.GetInt16(13),
                InputTokens = reader.GetInt64(14),
                CacheReadTokens = reader.GetInt64(15),
                CacheWriteTokens = reader.GetInt64(16),
                OutputTokens = reader.GetInt64(17),
                ReasoningTokens = reader.GetInt64(18),
                Cost = await reader.IsDBNullAsync(19, ct) ? null : reader.GetDecimal(19),
                LatencyMs = reader.GetInt32(20),
                FirstByteMs = reader.Int32OrNull(21),
                IsCached = reader.GetBoolean(22),
                AgentId = reader.GetString(23),
                VersionId = reader.GetString(24),
                FolderId = reader.GetString(25),
                ProviderKeyId = reader.GetString(26),
                ThreadId = reader.GetString(27),
            });
        }
        return calls;
    }

    private static string Where(UsageFilter filter, NpgsqlParameterCollection parameters)
    {
        var where = new StringBuilder();
        where.Append(CultureInfo.InvariantCulture,
            $"organization_id = {Hole(parameters, filter.OrganizationId)} and t >= {Hole(parameters, filter.From)}");
        if (filter.To is { } to)
        {
            where.Append(CultureInfo.InvariantCulture, $" and t < {Hole(parameters, to)}");
        }
        if (filter.KeyId is { } key)
        {
            where.Append(CultureInfo.InvariantCulture, $" and key_id = {Hole(parameters, key)}");
        }
        foreach (var (column, value) in ((string, string?)[])
            [
                ("provider", filter.Provider), ("model", filter.Model), ("agent_id", filter.AgentId), ("version_id", filter.VersionId),
                ("provider_key_id", filter.ProviderKeyId), ("thread_id", filter.ThreadId),
                ("folder_id", filter.FolderId), ("surface", filter.Surface),
            ])
        {
            if (value is not null)
            {
                where.Append(CultureInfo.InvariantCulture, $" and {column} = {Hole(parameters, value)}");
            }
        }
        return where.ToString();
    }

    /// <summary>Adds a parameter and names it: no value ever becomes SQL text.</summary>
    private static string Hole(NpgsqlParameterCollection parameters, object value)
    {
        parameters.Add(new() { Value = value });
        return string.Create(CultureInfo.InvariantCulture, $"${parameters.Count}");
    }
}
