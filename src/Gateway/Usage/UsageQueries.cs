using System.Globalization;
using System.Text;
using Npgsql;

namespace Stoa.Gateway.Usage;

/// <summary>What usage is asked for: a span of time, some filters, and what to sum by.</summary>
/// <param name="KeyId">Only this key; set for callers who are not admins, whatever they ask.</param>
internal sealed record UsageFilter(
    Guid OrganizationId, DateTimeOffset From, DateTimeOffset? To, Guid? KeyId = null, string? Provider = null, string? Model = null);

/// <summary>One group's sums. Columns that were not grouped by are null.</summary>
internal sealed record UsageSum
{
    public DateTimeOffset? Time { get; init; }

    public Guid? KeyId { get; init; }

    public string? Provider { get; init; }

    public string? Model { get; init; }

    public long Calls { get; init; }

    /// <summary>Of the calls: those that failed or were cut.</summary>
    public long Failed { get; init; }

    /// <summary>Of the calls: those whose model had no price. Their cost is not in the sum.</summary>
    public long Unpriced { get; init; }

    public long InputTokens { get; init; }

    public long CacheReadTokens { get; init; }

    public long CacheWriteTokens { get; init; }

    public long OutputTokens { get; init; }

    public long ReasoningTokens { get; init; }

    /// <summary>US dollars.</summary>
    public decimal Cost { get; init; }
}

/// <summary>Reads usage: sums from quarters of an hour where the span allows it, from the rows where it does not.</summary>
internal sealed class UsageQueries(NpgsqlDataSource source)
{
    /// <summary>What sums can be grouped by, and the column behind each.</summary>
    public static readonly IReadOnlyDictionary<string, string> Groups = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["key"] = "key_id",
        ["provider"] = "provider",
        ["model"] = "model",
        ["quarter"] = "date_bin('15 minutes', t, 'epoch')",
        ["hour"] = "date_trunc('hour', t, 'UTC')",
        ["day"] = "date_trunc('day', t, 'UTC')",
    };

    public async Task<List<UsageSum>> SumAsync(UsageFilter filter, IReadOnlyCollection<string> groupBy, int limit, CancellationToken ct)
    {
        var keys = groupBy.Select(group => Groups[group]).ToArray();
        var grouping = keys.Length == 0 ? "" : $"group by {string.Join(", ", keys)} order by {string.Join(", ", keys)}";
        await using var command = source.CreateCommand();
        command.CommandText = $"""
            select {Column(groupBy, "key", "null::uuid")}, {Column(groupBy, "provider", "null::text")}, {Column(groupBy, "model", "null::text")},
              {TimeOf(groupBy)},
              coalesce(sum(calls), 0)::bigint, coalesce(sum(failed), 0)::bigint, coalesce(sum(unpriced), 0)::bigint,
              coalesce(sum(input_tokens), 0)::bigint, coalesce(sum(cache_read_tokens), 0)::bigint, coalesce(sum(cache_write_tokens), 0)::bigint,
              coalesce(sum(output_tokens), 0)::bigint, coalesce(sum(reasoning_tokens), 0)::bigint, coalesce(sum(cost), 0)
            from ({(IsWhole(filter.From) && (filter.To is not { } to || IsWhole(to)) ? Quarters : Rows)}) as usage
            where {Where(filter, command)}
            {grouping} limit {limit.ToString(CultureInfo.InvariantCulture)}
            """;
        var sums = new List<UsageSum>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            sums.Add(new()
            {
                KeyId = await Nullable<Guid>(0),
                Provider = await reader.IsDBNullAsync(1, ct) ? null : reader.GetString(1),
                Model = await reader.IsDBNullAsync(2, ct) ? null : reader.GetString(2),
                Time = await Nullable<DateTimeOffset>(3),
                Calls = reader.GetInt64(4),
                Failed = reader.GetInt64(5),
                Unpriced = reader.GetInt64(6),
                InputTokens = reader.GetInt64(7),
                CacheReadTokens = reader.GetInt64(8),
                CacheWriteTokens = reader.GetInt64(9),
                OutputTokens = reader.GetInt64(10),
                ReasoningTokens = reader.GetInt64(11),
                Cost = reader.GetDecimal(12),
            });
        }
        return sums;

        async Task<T?> Nullable<T>(int column)
            where T : struct => await reader.IsDBNullAsync(column, ct) ? null : await reader.GetFieldValueAsync<T>(column, ct);
    }

    /// <summary>Single calls, newest first, below <paramref name="after"/> (an id of an earlier page).</summary>
    public async Task<List<UsageRecord>> CallsAsync(UsageFilter filter, string? requestId, Guid? after, int limit, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        var where = new StringBuilder(Where(filter, command));
        if (requestId is not null)
        {
            where.Append(CultureInfo.InvariantCulture, $" and request_id = {Hole(command, requestId)}");
        }
        if (after is { } id)
        {
            where.Append(CultureInfo.InvariantCulture, $" and id < {Hole(command, id)}");
        }
        command.CommandText = $"""
            select id, at, organization_id, key_id, request_id, surface, provider, model, outcome, error, status, is_stream, is_estimated, attempts,
              input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost, latency_ms, first_byte_ms
            from (select *, at as t from gateway.usage) as usage where {where} order by id desc limit {limit.ToString(CultureInfo.InvariantCulture)}
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
                FirstByteMs = await reader.IsDBNullAsync(21, ct) ? null : reader.GetInt32(21),
            });
        }
        return calls;
    }

    private const string Quarters = "select *, quarter as t from gateway.usage_quarters";

    private const string Rows = """
        select *, at as t, 1 as calls, (outcome <> 0)::int as failed, (cost is null)::int as unpriced from gateway.usage
        """;

    private static bool IsWhole(DateTimeOffset time) => time.UtcTicks % (15 * TimeSpan.TicksPerMinute) == 0;

    private static string Column(IReadOnlyCollection<string> groupBy, string group, string otherwise) =>
        groupBy.Contains(group) ? Groups[group] : otherwise;

    private static string TimeOf(IReadOnlyCollection<string> groupBy) =>
        groupBy.FirstOrDefault(group => group is "quarter" or "hour" or "day") is { } time ? Groups[time] : "null::timestamptz";

    private static string Where(UsageFilter filter, NpgsqlCommand command)
    {
        var where = new StringBuilder();
        where.Append(CultureInfo.InvariantCulture, $"organization_id = {Hole(command, filter.OrganizationId)} and t >= {Hole(command, filter.From)}");
        if (filter.To is { } to)
        {
            where.Append(CultureInfo.InvariantCulture, $" and t < {Hole(command, to)}");
        }
        if (filter.KeyId is { } key)
        {
            where.Append(CultureInfo.InvariantCulture, $" and key_id = {Hole(command, key)}");
        }
        if (filter.Provider is { } provider)
        {
            where.Append(CultureInfo.InvariantCulture, $" and provider = {Hole(command, provider)}");
        }
        if (filter.Model is { } model)
        {
            where.Append(CultureInfo.InvariantCulture, $" and model = {Hole(command, model)}");
        }
        return where.ToString();
    }

    /// <summary>Adds a parameter and names it: no value ever becomes SQL text.</summary>
    private static string Hole(NpgsqlCommand command, object value)
    {
        command.Parameters.Add(new() { Value = value });
        return string.Create(CultureInfo.InvariantCulture, $"${command.Parameters.Count}");
    }
}
