using Npgsql;
using NpgsqlTypes;
using Stoa.Gateway.Budgets;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Usage;

/// <summary>How far a spool is in the database.</summary>
internal readonly record struct SpoolPosition(long Segment, int Offset);

/// <summary>The SQL of usage: adding batches and the partitions they go to.</summary>
internal sealed class UsageStore(NpgsqlDataSource source, TimeProvider time)
{
    public async Task<SpoolPosition> PositionAsync(Guid spoolId, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select segment, \"offset\" from gateway.spool_positions where spool_id = $1");
        command.Parameters.Add(new() { Value = spoolId });
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new(reader.GetInt64(0), reader.GetInt32(1)) : default;
    }

    /// <summary>Adds a batch, its sums and the new position of its spool in one transaction.</summary>
    /// <exception cref="IOException">Another loader has moved the position; nothing was added.</exception>
    public async Task AddAsync(
        Guid spoolId, SpoolPosition from, SpoolPosition to, IReadOnlyList<UsageRecord> batch, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await MoveAsync(connection, spoolId, from, to, ct);
        await CopyAsync(connection, batch, ct);
        var quarters = UsageSums.QuartersOf(batch);
        await UsageSums.AddAsync(connection, quarters, ct);
        await BudgetCharges.AddAsync(connection, batch, quarters, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Makes the partitions of this month and the next.</summary>
    public async Task MakeMonthsAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var month = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        await using var connection = await source.OpenConnectionAsync(ct);
        foreach (var start in (DateTimeOffset[])[month, month.AddMonths(1)])
        {
            await MonthlyPartitions.EnsureAsync(connection, "gateway.usage", start, ct);
            await MonthlyPartitions.EnsureAsync(connection, "gateway.usage_quarters", start, ct);
            await MonthlyPartitions.EnsureAsync(connection, "gateway.runs", start, ct);
        }
    }

    private static async Task MoveAsync(
        NpgsqlConnection connection, Guid spoolId, SpoolPosition from, SpoolPosition to, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            insert into gateway.spool_positions as p (spool_id, segment, "offset") values ($1, $4, $5)
            on conflict (spool_id) do update set segment = $4, "offset" = $5 where p.segment = $2 and p."offset" = $3
            """,
            connection);
        command.Parameters.Add(new() { Value = spoolId });
        command.Parameters.Add(new() { Value = from.Segment });
        command.Parameters.Add(new() { Value = from.Offset });
        command.Parameters.Add(new() { Value = to.Segment });
        command.Parameters.Add(new() { Value = to.Offset });
        if (await command.ExecuteNonQueryAsync(ct) != 1)
        {
            throw new IOException($"The position of spool {spoolId} has moved");
        }
    }

    private static async Task CopyAsync(NpgsqlConnection connection, IReadOnlyList<UsageRecord> batch, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            """
            copy gateway.usage (id, at, organization_id, key_id, request_id, surface, provider, model, outcome, error, status, is_stream,
              is_estimated, attempts, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost,
              latency_ms, first_byte_ms, is_cached, agent_id, version_id, folder_id, provider_key_id, thread_id) from stdin (format binary)
            """,
            ct);
        foreach (var row in batch)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(row.Id, ct);
            await copy.WriteAsync(row.At, NpgsqlDbType.TimestampTz, ct);
            await copy.WriteAsync(row.OrganizationId, ct);
            await copy.WriteAsync(row.KeyId, ct);
            await copy.WriteAsync(Storable(row.RequestId), ct);
            await copy.WriteAsync(row.Surface, ct);
            await copy.WriteAsync(row.Provider, ct);
            await copy.WriteAsync(Storable(row.Model), ct);
            await copy.WriteAsync((short)row.Outcome, ct);
            await copy.WriteAsync(Storable(row.Error), ct);
            await copy.WriteAsync((short)row.Status, ct);
            await copy.WriteAsync(row.IsStream, ct);
            await copy.WriteAsync(row.IsEstimated, ct);
            await copy.WriteAsync((short)row.Attempts, ct);
            await copy.WriteAsync(row.InputTokens, ct);
            await copy.WriteAsync(row.CacheReadTokens, ct);
            await copy.WriteAsync(row.CacheWriteTokens, ct);
            await copy.WriteAsync(row.OutputTokens, ct);
            await copy.WriteAsync(row.ReasoningTokens, ct);
            await WriteAsync(copy, row.Cost, NpgsqlDbType.Numeric, ct);
            await copy.WriteAsync(row.LatencyMs, ct);
            await WriteAsync(copy, row.FirstByteMs, NpgsqlDbType.Integer, ct);
            await copy.WriteAsync(row.IsCached, ct);
            foreach (var id in (string[])[row.AgentId, row.VersionId, row.FolderId, row.ProviderKeyId, row.ThreadId])
            {
                await copy.WriteAsync(Storable(id), ct);
            }
        }
        await copy.CompleteAsync(ct);
    }

    private static Task WriteAsync<T>(NpgsqlBinaryImporter copy, T? value, NpgsqlDbType type, CancellationToken ct)
        where T : struct => value is { } known ? copy.WriteAsync(known, type, ct) : copy.WriteNullAsync(ct);

    /// <summary>PostgreSQL's text holds anything but NUL.</summary>
    internal static string Storable(string text) => text.Replace('\0', '\uFFFD');
}
