using System.Collections.Frozen;

namespace Stoa.Gateway.Budgets;

/// <summary>Who has a budget, in memory. Before it was read, everybody might.</summary>
internal sealed class BudgetBook
{
    private volatile FrozenDictionary<Guid, FrozenSet<BudgetScope>>? known;

    public bool Concerns(Guid organizationId) => known?.ContainsKey(organizationId) ?? true;

    /// <summary>Those of the scopes that have a budget.</summary>
    public IReadOnlyList<BudgetScope> Among(Guid organizationId, IReadOnlyList<BudgetScope> scopes)
    {
        if (known is not { } budgets)
        {
            return scopes;
        }
        return budgets.TryGetValue(organizationId, out var limited) ? [.. scopes.Where(limited.Contains)] : [];
    }

    public void Replace(IEnumerable<Budget> budgets) => known = budgets
        .GroupBy(budget => budget.OrganizationId)
        .ToFrozenDictionary(group => group.Key, group => group.Select(budget => budget.Scope).ToFrozenSet());
}
