using Microsoft.Extensions.Options;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Budgets;

/// <summary>
/// Holds back for a call what it may cost, in all budgets that it falls under, or refuses it. What it did cost is counted by the
/// usage loader, in the transaction that adds the call's row and takes back what was held for it: a budget's spending is the sum of rows.
/// </summary>
/// <remarks>Who has no budget is known in memory, and costs nothing; a budget costs one round trip.</remarks>
internal sealed class BudgetGate(BudgetBook book, BudgetStore store, IOptions<GatewayOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    /// <summary>No call lives longer than all its attempts and its whole stream: then it has a row, or its process died.</summary>
    private readonly TimeSpan lifetime = Grace + TimeSpan.FromMilliseconds(
        ((options.Value.Retries + 1.0) * Math.Max(options.Value.Timeouts.NonStreamMs, options.Value.Timeouts.FirstByteMs))
        + options.Value.Timeouts.TotalMs);

    /// <summary>False when nothing of the organization has a budget: nothing needs to be reserved.</summary>
    public bool Concerns(Guid organizationId) => book.Concerns(organizationId);

    /// <param name="scopes">Everything the call falls under; what has no budget is passed over.</param>
    /// <param name="estimate">US dollars; less is held when less is left. 0 when the price is unknown.</param>
    /// <exception cref="Failure">Quota: one of the budgets is used up. Unavailable: nobody can say.</exception>
    public async ValueTask<Reservation> ReserveAsync(
        Guid organizationId, IReadOnlyList<BudgetScope> scopes, decimal estimate, CancellationToken ct)
    {
        var limited = book.Among(organizationId, scopes);
        if (limited.Count == 0)
        {
            return Reservation.None;
        }
        var call = Guid.CreateVersion7(time.GetUtcNow());
        try
        {
            return await store.ReserveAsync(organizationId, limited, estimate, call, lifetime, ct) is { } exhausted
                ? throw exhausted.Refusal()
                : new Reservation(store, call);
        }
        catch (Exception failure) when (Outage.Is(failure))
        {
            throw Failure.Unavailable("The budget of this call cannot be checked now", TimeSpan.FromSeconds(2));
        }
    }
}
