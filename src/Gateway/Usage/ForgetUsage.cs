using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Gateway.Cache;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Usage;

/// <summary>
/// What is kept for a time only: calls, sums and runs of months past, what dead processes held of budgets, cached answers.
/// </summary>
internal sealed record ForgetUsage
{
    public const string Kind = "gateway.forget_usage";
    public const string Hourly = "17 * * * *";
}

internal sealed class ForgetUsageHandler(NpgsqlDataSource source, CacheStore cache, IOptions<GatewayOptions> options, TimeProvider time)
    : IJobHandler<ForgetUsage>
{
    public async Task RunAsync(ForgetUsage job, JobContext context, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var month = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        await cache.ForgetAsync(now, ct);
        await using var connection = await source.OpenConnectionAsync(ct);
        await DropAsync(connection, "gateway.usage", "at", month.AddMonths(-options.Value.Usage.KeepMonths), ct);
        await DropAsync(connection, "gateway.usage_quarters", "start", month.AddMonths(-options.Value.Usage.KeepQuartersMonths), ct);
        var oldestRun = month.AddMonths(-options.Value.Usage.KeepRunsMonths);
        await DropAsync(connection, "gateway.runs", "created_at", oldestRun, ct);
        await using var results = new NpgsqlCommand("delete from gateway.test_results where created_at < $1", connection)
        {
            Parameters = { new() { Value = oldestRun } },
        };
        await results.ExecuteNonQueryAsync(ct);
        // A day's grace: what is late in a spool settles by itself.
        await using var held = new NpgsqlCommand("delete from gateway.budget_reservations where expires_at < $1", connection)
        {
            Parameters = { new() { Value = now.AddDays(-1) } },
        };
        await held.ExecuteNonQueryAsync(ct);
    }

    private static async Task DropAsync(
        NpgsqlConnection connection, string table, string column, DateTimeOffset oldest, CancellationToken ct)
    {
        await MonthlyPartitions.DropBeforeAsync(connection, table, oldest, ct);
        // What no month covered when it came.
        await using var rest = new NpgsqlCommand($"delete from {table}_other where {column} < $1", connection)
        {
            Parameters = { new() { Value = oldest } },
        };
        await rest.ExecuteNonQueryAsync(ct);
    }
}
