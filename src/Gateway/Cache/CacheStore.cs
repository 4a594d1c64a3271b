using Npgsql;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Cache;

/// <summary>Cached answers in the database: what one node was answered, all may answer.</summary>
internal sealed class CacheStore(NpgsqlDataSource source)
{
    /// <summary>The answer and when it ends.</summary>
    public async Task<(CachedAnswer Answer, DateTimeOffset Ends)?> FindAsync(CacheKey key, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            """
            select body, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, expires_at
            from gateway.cached_answers where organization_id = $1 and key = $2 and expires_at > $3
            """);
        command.Parameters.Add(new() { Value = key.OrganizationId });
        command.Parameters.Add(new() { Value = Convert.FromHexString(key.Hash) });
        command.Parameters.Add(new() { Value = now });
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
        {
            return null;
        }
        var usage = new TokenUsage(
            reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), Reasoning: reader.GetInt64(5));
        return (new(await reader.GetFieldValueAsync<byte[]>(0, ct), usage), await reader.GetFieldValueAsync<DateTimeOffset>(6, ct));
    }

    public async Task AddAsync(CacheKey key, CachedAnswer answer, DateTimeOffset ends, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            """
            insert into gateway.cached_answers (organization_id, key, body, input_tokens, output_tokens, cache_read_tokens,
              cache_write_tokens,
              reasoning_tokens, expires_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict (organization_id, key) do update set body = excluded.body, input_tokens = excluded.input_tokens,
              output_tokens = excluded.output_tokens, cache_read_tokens = excluded.cache_read_tokens,
              cache_write_tokens = excluded.cache_write_tokens,
                reasoning_tokens = excluded.reasoning_tokens, expires_at = excluded.expires_at
            """);
        var usage = answer.Usage;
        foreach (var value in (object[])
            [
                key.OrganizationId, Convert.FromHexString(key.Hash), answer.Body,
                usage.Input, usage.Output, usage.CacheRead, usage.CacheWrite,
                usage.Reasoning, ends,
            ])
        {
            command.Parameters.Add(new() { Value = value });
        }
        await command.ExecuteNonQueryAsync(ct);
    }

    public async Task ForgetAsync(DateTimeOffset now, CancellationToken ct)
    {
        await using var command = source.CreateCommand("delete from gateway.cached_answers where expires_at <= $1");
        command.Parameters.Add(new() { Value = now });
        await command.ExecuteNonQueryAsync(ct);
    }
}
