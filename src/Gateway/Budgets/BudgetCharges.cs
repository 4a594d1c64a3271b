using Npgsql;
using Stoa.Gateway.Usage;

namespace Stoa.Gateway.Budgets;

/// <summary>
/// Counts what a batch of usage has cost in the budgets it falls under, and takes back what was reserved for its calls, in the
/// transaction that adds its rows: once, whatever dies in between.
/// </summary>
internal static class BudgetCharges
{
    public static async Task AddAsync(NpgsqlConnection connection, IReadOnlyList<UsageRecord> batch, CancellationToken ct)
    {
        // Periods begin and end with quarters of an hour.
        var charges = batch
            .Where(row => row.Cost > 0)
            .SelectMany(row => ScopesOf(row)
                .Select(scope => (row.OrganizationId, Scope: scope, Start: UsageSums.StartOf(row.At, UsageSums.Quarter), row.Cost)))
            .GroupBy(charge => (charge.OrganizationId, charge.Scope, charge.Start))
            .Select(group => (group.Key, Cost: group.Sum(charge => charge.Cost!.Value)))
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
                        new() { Value = charges.Select(charge => charge.Key.OrganizationId).ToArray() },
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

    private static IEnumerable<BudgetScope> ScopesOf(UsageRecord row)
    {
        yield return BudgetScope.Organization;
        yield return BudgetScope.Key(row.KeyId);
        yield return BudgetScope.ProviderKey(row.ProviderKeyId);
        if (row.AgentId.Length > 0)
        {
            yield return BudgetScope.Agent(row.AgentId);
        }
        if (row.FolderId.Length > 0)
        {
            yield return BudgetScope.Folder(row.FolderId);
        }
    }
}
