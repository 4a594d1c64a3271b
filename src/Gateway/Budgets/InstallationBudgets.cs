using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.ProviderKeys;

namespace Stoa.Gateway.Budgets;

internal sealed class InstallationBudgets(BudgetStore budgets, StoredKeys keys) : IModelBudgets
{
    // The first of some month: all later ones begin with their first.
    private static readonly DateTimeOffset Origin = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public Task SetAsync(DbContext db, IReadOnlyCollection<Guid> organizationIds, decimal amount, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"""
        select gateway.set_budget(wanted.id, 'provider_key', '', {amount}, 'monthly', {Origin})
        from unnest({organizationIds.ToArray()}) as wanted (id)
        left join gateway.budgets b on b.organization_id = wanted.id and b.scope = 'provider_key' and b.subject = ''
        where coalesce(b.amount, 0) <> {amount}
        """, ct);

    public async Task<ModelBudget?> FindAsync(Guid organizationId, CancellationToken ct) =>
        (await budgets.ListAsync(organizationId, ct)).Find(budget => budget.Scope == BudgetScope.Installation) is { } found
            ? new(found.Amount, found.PeriodStart, found.Spent, found.Reserved)
            : null;

    public async Task RequireAsync(Guid organizationId, CancellationToken ct)
    {
        if (!keys.HasAny(organizationId) && await FindAsync(organizationId, ct) is { } budget
            && budget.Spent + budget.Reserved >= budget.Amount)
        {
            throw new ExhaustedBudget(BudgetScope.Installation, budget.Spent + budget.Reserved, budget.Amount).Refusal();
        }
    }
}
