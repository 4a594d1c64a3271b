using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Budgets;

/// <summary>The SQL of budgets. What must be exact happens in functions of the schema (0004_budgets.sql).</summary>
internal sealed class BudgetStore(NpgsqlDataSource source)
{
    public const string Channel = "gateway_budgets";

    /// <summary>The budgets of an organization, or of all. Spending of a period that is over reads as nothing.</summary>
    public async Task<List<Budget>> ListAsync(Guid? organizationId, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            """
            select b.organization_id, b.scope, b.subject, b.amount, b.period, b.starts_at, p.start,
              case when p.start > b.period_start then 0 else b.spent end,
              (select coalesce(sum(r.amount), 0) from gateway.budget_reservations r where r.budget_id = b.id and r.expires_at > now())
            from gateway.budgets b cross join lateral (select gateway.period_start(b.starts_at, b.period, now()) as start) p
            where $1::uuid is null or b.organization_id = $1
            order by b.organization_id, b.id
            """);
        command.Parameters.Add(new() { Value = (object?)organizationId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid });
        var budgets = new List<Budget>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            budgets.Add(new(
                reader.GetGuid(0), ScopeAt(reader, 1), reader.GetDecimal(3),
                EnumNames<BudgetPeriod>.Read(reader.GetString(4)), await reader.GetFieldValueAsync<DateTimeOffset>(5, ct),
                await reader.GetFieldValueAsync<DateTimeOffset>(6, ct), reader.GetDecimal(7), reader.GetDecimal(8)));
        }
        return budgets;
    }

    /// <summary>What is spent of each budget of the kind, by what it limits.</summary>
    public async Task<Dictionary<string, decimal>> SpentAsync(Guid organizationId, BudgetKind kind, CancellationToken ct) =>
        (await ListAsync(organizationId, ct)).Where(budget => budget.Scope.Kind == kind)
        .ToDictionary(budget => budget.Scope.Subject, budget => budget.Spent, StringComparer.Ordinal);

    /// <summary>Null when the call may go on; then the estimate is held in each budget.</summary>
    public async ValueTask<ExhaustedBudget?> ReserveAsync(
        Guid organizationId, IReadOnlyList<BudgetScope> scopes, decimal estimate, Guid callId, TimeSpan lifetime, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select scope, subject, used, amount from gateway.reserve($1, $2, $3, $4, $5, $6)");
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = scopes.Select(scope => scope.Name).ToArray() });
        command.Parameters.Add(new() { Value = scopes.Select(scope => scope.Subject).ToArray() });
        command.Parameters.Add(new() { Value = estimate });
        command.Parameters.Add(new() { Value = callId });
        command.Parameters.Add(new() { Value = lifetime });
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct)
            ? new(ScopeAt(reader, 0), reader.GetDecimal(2), reader.GetDecimal(3))
            : null;
    }

    /// <summary>Not bound to the request: it may be over because its client left.</summary>
    public async ValueTask ReleaseAsync(Guid callId)
    {
        await using var command = source.CreateCommand("delete from gateway.budget_reservations where call_id = $1");
        command.Parameters.Add(new() { Value = callId });
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }

    /// <summary>All nodes hear of it.</summary>
    public Task SetAsync(
        Guid organizationId, BudgetScope scope, decimal amount, BudgetPeriod period, DateTimeOffset startsAt, CancellationToken ct) =>
        WriteAsync(organizationId, scope, amount, period, startsAt, ct);

    public Task RemoveAsync(Guid organizationId, BudgetScope scope, CancellationToken ct) =>
        WriteAsync(organizationId, scope, amount: null, BudgetPeriod.Never, DateTimeOffset.UnixEpoch, ct);

    private async Task WriteAsync(
        Guid organizationId, BudgetScope scope, decimal? amount, BudgetPeriod period, DateTimeOffset startsAt, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select gateway.set_budget($1, $2, $3, $4, $5, $6)");
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = scope.Name });
        command.Parameters.Add(new() { Value = scope.Subject });
        command.Parameters.Add(new() { Value = (object?)amount ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Numeric });
        command.Parameters.Add(new() { Value = EnumNames<BudgetPeriod>.Write(period) });
        command.Parameters.Add(new() { Value = startsAt.ToUniversalTime() });
        await command.ExecuteNonQueryAsync(ct);
    }

    private static BudgetScope ScopeAt(NpgsqlDataReader reader, int column) =>
        new(EnumNames<BudgetKind>.Read(reader.GetString(column)), reader.GetString(column + 1));
}
