using Microsoft.Extensions.Hosting;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Budgets;

/// <summary>Keeps the budget book as the table says: at start, and within a second of every change.</summary>
internal sealed class BudgetWatch(BudgetBook book, BudgetStore store, ChangeFeed changes) : IHostedService, IDisposable
{
    private IDisposable? subscription;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        subscription = changes.Subscribe(BudgetStore.Channel, ReadAsync);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => subscription?.Dispose();

    /// <param name="payload">The organization whose budgets have changed; null for all.</param>
    private async Task ReadAsync(string? payload, CancellationToken ct)
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
