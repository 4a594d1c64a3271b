using System.Runtime.CompilerServices;
using Npgsql;

namespace Stoa.Gateway.Usage;

/// <summary>Usage of several organizations at once. Input tokens include those that were read from a cache or written to one.</summary>
internal sealed class ModelUsage(NpgsqlDataSource source) : IModelUsage
{
    public async Task<IReadOnlyList<ModelUse>> SumAsync(
        IReadOnlyCollection<Guid> organizations, string purpose, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        var (start, end) = (UsageSums.StartOf(from, UsageSums.Quarter), UsageSums.StartOf(to, UsageSums.Quarter));
        var rows = UsageSources.For(new(Guid.Empty, start, end), []).Sql;
        await using var command = source.CreateCommand($"""
            select organization_id, provider, model, sum(calls)::bigint,
              sum(input_tokens + output_tokens)::bigint
            from ({rows}) as usage
            where organization_id = any ($1) and t >= $2 and t < $3 and starts_with(surface, $4)
            group by 1, 2, 3 order by 4 desc, 1, 2, 3
            """);
        Add(command, organizations, purpose, start, end);
        List<ModelUse> sums = [];
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            sums.Add(new(row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetInt64(4)));
        }
        return sums;
    }

    public async IAsyncEnumerable<ModelCall> CallsAsync(
        IReadOnlyCollection<Guid> organizations, string purpose, DateTimeOffset from,
        DateTimeOffset to, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select id, at, organization_id, request_id, provider, model, outcome, status, latency_ms,
              input_tokens, output_tokens, cost
            from gateway.usage where organization_id = any ($1) and at >= $2 and at < $3 and starts_with(surface, $4) order by at, id
            """);
        Add(command, organizations, purpose, from, to);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            yield return new(
                row.GetGuid(0), row.GetFieldValue<DateTimeOffset>(1), row.GetGuid(2),
                row.GetString(3), row.GetString(4), row.GetString(5), row.GetInt16(6),
                row.GetInt16(7), row.GetInt32(8), row.GetInt64(9), row.GetInt64(10), row.IsDBNull(11) ? null : row.GetDecimal(11));
        }
    }

    private static void Add(
        NpgsqlCommand command, IReadOnlyCollection<Guid> organizations, string purpose, DateTimeOffset from, DateTimeOffset to)
    {
        command.Parameters.Add(new() { Value = organizations.ToArray() });
        command.Parameters.Add(new() { Value = from.ToUniversalTime() });
        command.Parameters.Add(new() { Value = to.ToUniversalTime() });
        command.Parameters.Add(new() { Value = purpose });
    }
}
