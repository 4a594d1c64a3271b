using System.Globalization;
using Npgsql;

namespace Stoa.Platform.Data;

/// <summary>Tables that are range-partitioned by a month of a timestamp, with a default partition for what no month covers.</summary>
public static class MonthlyPartitions
{
    /// <summary>Makes the partition <c>{table}_yyyymm</c> unless it is there. Safe to call from several hosts at once.</summary>
    /// <param name="table">Schema and table, as our own code names them; never a caller's text.</param>
    /// <param name="month">The first instant of the month, UTC.</param>
    public static async Task EnsureAsync(NpgsqlConnection connection, string table, DateTimeOffset month, CancellationToken ct)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{table}_{month:yyyyMM}");
        await using var exists = new NpgsqlCommand("select to_regclass($1) is not null", connection);
        exists.Parameters.Add(new() { Value = name });
        if (await exists.ExecuteScalarAsync(ct) is true)
        {
            return;
        }
        try
        {
            await using var create = new NpgsqlCommand(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"create table if not exists {name} partition of {table} for values from ('{month:O}') to ('{month.AddMonths(1):O}')"),
                connection);
            await create.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException made) when (made.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DuplicateTable)
        {
            // Another host made it in the same moment.
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.CheckViolation)
        {
            // Rows of this month already stand in the default partition; they stay readable there.
        }
    }

    /// <summary>Drops the partitions of the months before; what the default partition holds of them stays.</summary>
    /// <param name="table">As in <see cref="EnsureAsync"/>.</param>
    public static async Task DropBeforeAsync(NpgsqlConnection connection, string table, DateTimeOffset month, CancellationToken ct)
    {
        List<string> old = [];
        await using (var find =
            new NpgsqlCommand("select inhrelid::regclass::text from pg_inherits where inhparent = $1::regclass", connection))
        {
            find.Parameters.Add(new() { Value = table });
            await using var rows = await find.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                if (DateTimeOffset.TryParseExact(
                    rows.GetString(0).Split('_')[^1], "yyyyMM", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var begin)
                    && begin < month)
                {
                    old.Add(rows.GetString(0));
                }
            }
        }
        foreach (var name in old)
        {
            await using var drop = new NpgsqlCommand($"drop table if exists {name}", connection);
            await drop.ExecuteNonQueryAsync(ct);
        }
    }
}
