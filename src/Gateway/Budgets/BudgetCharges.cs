using Npgsql;
using Stoa.Gateway.Usage;

namespace Stoa.Gateway.Budgets;

/// <summary>
/// Counts what a batch of usage has cost in the budgets it falls under, and takes back what was reserved for its calls, in the
/// transaction that adds its rows: once, whatever dies in between.
/// </summary>
internal static class BudgetCharges
{
    /// <param name="quarters">The batch by quarters of an hour: periods of budgets begin and end with those.</param>
    public static async Task AddAsync(
        NpgsqlConnection connection, IReadOnlyList<UsageRecord> batch, IEnumerable<UsageSumRow> quarters, CancellationToken ct)
    {
        var charges = quarters
            .Where(sum => sum.Cost > 0)
            .SelectMany(sum => ScopesOf(sum.Key), (sum, scope) => (sum.Key.Organization, Scope: scope, sum.Key.Start, sum.Cost))
            .GroupBy(charge => (charge.Organization, charge.Scope, charge.Start))
            .Select(group => (group.Key, Cost: group.Sum(charge => charge.Cost)))
            .ToArray();
        await using var commands = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("delete from gateway.budget_reservations where call_id = any($1)")
                {
                    Parameters = { new() { Value = batch.Select(row => row.Id).ToArray() } },
                },
                new("select gateway.charge($1, $2, $3, $4, $5)")
                {
                    Parameters =
                    {
                        new() { Value = charges.Select(charge => charge.Key.Organization).ToArray() },
                        new() { Value = charges.Select(charge => charge.Key.Scope.Name).ToArray() },
                        new() { Value = charges.Select(charge => charge.Key.Scope.Subject).ToArray() },
                        new() { Value = charges.Select(charge => charge.Key.Start).ToArray() },
                        new() { Value = charges.Select(charge => charge.Cost).ToArray() },
                    },
                },
            },
        };
        await commands.ExecuteNonQueryAsync(ct);
    }

    private static IEnumerable<BudgetScope> ScopesOf(UsageSumKey calls)
    {
        yield return BudgetScope.Organization;
        yield return BudgetScope.Key(calls.KeyId);
        yield return BudgetScope.ProviderKey(calls.ProviderKey);
        if (calls.Agent.Length > 0)
        {
            yield return BudgetScope.Agent(calls.Agent);
        }
        if (calls.Folder.Length > 0)
        {
            yield return BudgetScope.Folder(calls.Folder);
        }
    }
}
