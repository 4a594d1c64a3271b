using Npgsql;

namespace Stoa.Gateway.Usage;

/// <summary>The price table. Prices are added, never changed: what a call cost stays what it cost.</summary>
internal sealed class PriceStore(NpgsqlDataSource source)
{
    public const string Channel = "gateway_prices";

    /// <summary>For each provider and model the price in force at this moment.</summary>
    public Task<List<Price>> CurrentAsync(DateTimeOffset now, CancellationToken ct) => ReadAsync(
        "select distinct on (provider, model) * from gateway.prices where valid_from <= $1 order by provider, model, valid_from desc",
        now, ct);

    /// <summary>All prices, the latest of each model first.</summary>
    public Task<List<Price>> ListAsync(string? provider, string? model, CancellationToken ct) => ReadAsync(
        """
        select * from gateway.prices where ($1::text is null or provider = $1) and ($2::text is null or model = $2)
        order by provider, model, valid_from desc
        """,
        provider, model, ct);

    /// <summary>Adds a price and tells every node. False when there is one for that moment already.</summary>
    public async Task<bool> AddAsync(Price price, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            """
            with added as (
              insert into gateway.prices (provider, model, valid_from, input, cache_read, cache_write, output)
              values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning 1)
            select count(*) > 0, pg_notify('gateway_prices', '') from added
            """);
        foreach (var value in (object[])[price.Provider, price.Model, price.ValidFrom,
            price.Input, price.CacheRead, price.CacheWrite, price.Output])
        {
            command.Parameters.Add(new() { Value = value });
        }
        return await command.ExecuteScalarAsync(ct) is true;
    }

    private Task<List<Price>> ReadAsync(string sql, DateTimeOffset now, CancellationToken ct) =>
        ReadAsync(sql, [new() { Value = now }], ct);

    private Task<List<Price>> ReadAsync(string sql, string? provider, string? model, CancellationToken ct) => ReadAsync(
        sql,
        [
            new() { Value = (object?)provider ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
            new() { Value = (object?)model ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
        ],
        ct);

    private async Task<List<Price>> ReadAsync(string sql, NpgsqlParameter[] parameters, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        var prices = new List<Price>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            prices.Add(new(
                reader.GetString(0), reader.GetString(1), await reader.GetFieldValueAsync<DateTimeOffset>(2, ct),
                reader.GetDecimal(3), reader.GetDecimal(4), reader.GetDecimal(5), reader.GetDecimal(6)));
        }
        return prices;
    }
}
