using Stoa.Gateway.Budgets;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>
/// Holds back what a call without an agent may cost: of its key's budget, of its organization's, and of the one for the provider's key.
/// </summary>
internal sealed class CallBudget(BudgetGate budgets, PriceBook prices, CallMeter meter)
{
    /// <param name="maxOutput">The longest answer that the request asks for; 0 when it does not say.</param>
    /// <exception cref="Failure">Quota: a budget is used up. Unavailable: nobody can say.</exception>
    public ValueTask ReserveAsync(GatewayCall call, long maxOutput, CancellationToken ct) =>
        budgets.Concerns(call.Key.OrganizationId) ? new(HoldAsync(call, maxOutput, ct)) : ValueTask.CompletedTask;

    private async Task HoldAsync(GatewayCall call, long maxOutput, CancellationToken ct)
    {
        try
        {
            var estimate = prices.Estimate(call.Target, call.EstimatedInput, maxOutput);
            BudgetScope[] scopes = [BudgetScope.ProviderKey(call.ProviderKeyId), BudgetScope.Key(call.Key.Id), BudgetScope.Organization];
            // On the pool: a connection that must be opened first takes more than the event thread may give.
            await EventThread.RunOnPool(
                async () => call.Reservation = await budgets.ReserveAsync(call.Key.OrganizationId, scopes, estimate, ct));
        }
        catch
        {
            meter.Refused(call);
            throw;
        }
    }
}
