using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace Stoa.Gateway.Budgets;

/// <summary>Who has a budget, in memory. Before it was read, everybody might.</summary>
internal sealed class BudgetBook
{
    private volatile ConcurrentDictionary<Guid, FrozenSet<BudgetScope>>? known;

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

    public void Replace(IEnumerable<Budget> budgets) => known = new(budgets
        .GroupBy(budget => budget.OrganizationId)
        .Select(group => KeyValuePair.Create(group.Key, ScopesOf(group))));

    /// <summary>All those of one organization.</summary>
    public void Replace(Guid organizationId, IReadOnlyList<Budget> budgets)
    {
        if (budgets.Count > 0)
        {
            known?[organizationId] = ScopesOf(budgets);
        }
        else
        {
            known?.TryRemove(organizationId, out _);
        }
    }

    private static FrozenSet<BudgetScope> ScopesOf(IEnumerable<Budget> budgets) => budgets.Select(budget => budget.Scope).ToFrozenSet();
}
