using System.Globalization;
using System.Text.Json.Nodes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Budgets;

internal enum BudgetPeriod
{
    Monthly,
    Weekly,
    Daily,
    /// <summary>The period that began once never ends.</summary>
    Never,
}

/// <summary>How much may be spent in each period. Amounts are US dollars.</summary>
/// <param name="StartsAt">When the first period begins; the others follow from it.</param>
/// <param name="PeriodStart">When the current one began.</param>
/// <param name="Spent">The cost of the usage rows of the current period.</param>
/// <param name="Reserved">What is held back for calls under way.</param>
internal sealed record Budget(
    Guid OrganizationId, BudgetScope Scope, decimal Amount, BudgetPeriod Period, DateTimeOffset StartsAt, DateTimeOffset PeriodStart,
    decimal Spent, decimal Reserved);

/// <summary>The first of a call's budgets that has nothing left.</summary>
/// <param name="Used">Spent, or held back for calls under way.</param>
internal sealed record ExhaustedBudget(BudgetScope Scope, decimal Used, decimal Amount)
{
    public const string Code = ModelBudget.ExceededCode;

    /// <summary>GTWY's clients know the limits as those of a bridge and an apikey.</summary>
    public Failure Refusal()
    {
        var type = Scope.Kind switch
        {
            BudgetKind.Folder => "folder",
            BudgetKind.Agent => "bridge",
            BudgetKind.ProviderKey when Scope == BudgetScope.Installation => "installation",
            BudgetKind.ProviderKey => "apikey",
            BudgetKind.Key => "key",
            BudgetKind.Organization => "organization",
        };
        var message = string.Create(
            CultureInfo.InvariantCulture,
            $"{char.ToUpperInvariant(type[0])}{type[1..]} limit exceeded. Used: {Used:0.##########}/{Amount:0.##########}");
        return new(FailureKind.Quota, Code, message)
        {
            Details = new JsonObject
            {
                ["error_code"] = $"{type.ToUpperInvariant()}_LIMIT_EXCEEDED",
                ["limit_type"] = type,
                ["current_usage"] = Used,
                ["limit_value"] = Amount,
            },
        };
    }
}
