using Stoa.Platform.Data;

namespace Stoa.Gateway.Budgets;

/// <summary>Keeps the budget book as the table says: at start, and within a second of every change.</summary>
internal sealed class BudgetWatch(BudgetBook book, BudgetStore store, ChangeFeed changes) : ChangeListener(changes, BudgetStore.Channel)
{
    /// <param name="payload">The organization whose budgets have changed; null for all.</param>
    protected override async Task HearAsync(string? payload, CancellationToken ct)
    {
        if (Guid.TryParse(payload, out var organization))
        {
            book.Replace(organization, await store.ListAsync(organization, ct));
        }
        else
        {
            book.Replace(await store.ListAsync(organizationId: null, ct));
        }
    }
}
