using Microsoft.EntityFrameworkCore;

namespace Stoa.Gateway;

/// <summary>
/// What organizations may spend with the installation's keys of model providers in a month (UTC), for modules where anybody may make one.
/// Calls with keys of their own do not count, nor do models without a price.
/// </summary>
public interface IModelBudgets
{
    /// <summary>In the transaction of the context.</summary>
    /// <param name="amount">US dollars; 0 for as much as they like.</param>
    Task SetAsync(DbContext db, IReadOnlyCollection<Guid> organizationIds, decimal amount, CancellationToken ct);

    /// <summary>Null where there is none.</summary>
    Task<ModelBudget?> FindAsync(Guid organizationId, CancellationToken ct);

    /// <summary>
    /// For work that begins with many calls: whoever brings keys may begin it, as it is not known yet which key is asked.
    /// </summary>
    /// <exception cref="Stoa.Platform.Http.Failure">Quota: the month's budget is used up.</exception>
    Task RequireAsync(Guid organizationId, CancellationToken ct);
}

/// <summary>US dollars.</summary>
/// <param name="PeriodStart">When the month began.</param>
/// <param name="Reserved">What is held back for calls under way.</param>
public sealed record ModelBudget(decimal Amount, DateTimeOffset PeriodStart, decimal Spent, decimal Reserved)
{
    /// <summary>The code of the failure that says that a budget is used up.</summary>
    public const string ExceededCode = "BUDGET_EXCEEDED";
}
