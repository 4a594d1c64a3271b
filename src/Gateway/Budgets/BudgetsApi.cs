using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Budgets;

/// <summary>
/// What an organization and its keys may spend. Those of folders, agents and provider keys are listed here too, and set where the rest of
/// them is.
/// </summary>
internal static class BudgetsApi
{
    public static void MapBudgets(this IEndpointRouteBuilder routes)
    {
        var budgets = routes.MapGroup("/budgets").WithTags("Budgets").RequireCaller(MemberRole.Admin);
        budgets.MapGet("/", ListAsync).WithSummary("List all budgets of the organization with what is spent");
        budgets.MapPut("/organization", SetOrganizationAsync).WithSummary("Set what the organization may spend");
        budgets.MapDelete("/organization", RemoveOrganizationAsync).WithSummary("Let the organization spend without a budget");
        budgets.MapPut("/keys/{id:guid}", SetKeyAsync).WithSummary("Set what may be spent with an API key");
        budgets.MapDelete("/keys/{id:guid}", RemoveKeyAsync).WithSummary("Let an API key spend without a budget of its own");
    }

    internal static async Task<Ok<BudgetList>> ListAsync(Caller caller, BudgetStore budgets, CancellationToken ct)
    {
        var found = await budgets.ListAsync(caller.OrganizationId, ct);
        return TypedResults.Ok(new BudgetList([.. found.Select(BudgetView.Of)]));
    }

    internal static Task<Ok<BudgetView>> SetOrganizationAsync(
        BudgetTerms body, Caller caller, BudgetStore budgets, TimeProvider time, CancellationToken ct) =>
        SetAsync(body, BudgetScope.Organization, caller, budgets, time, ct);

    internal static async Task<NoContent> RemoveOrganizationAsync(Caller caller, BudgetStore budgets, CancellationToken ct)
    {
        await budgets.RemoveAsync(caller.OrganizationId, BudgetScope.Organization, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Ok<BudgetView>> SetKeyAsync(
        Guid id, BudgetTerms body, Caller caller, KeyStore keys, BudgetStore budgets, TimeProvider time, CancellationToken ct)
    {
        await RequireKeyAsync(id, caller, keys, ct);
        return await SetAsync(body, BudgetScope.Key(id), caller, budgets, time, ct);
    }

    internal static async Task<NoContent> RemoveKeyAsync(Guid id, Caller caller, KeyStore keys, BudgetStore budgets, CancellationToken ct)
    {
        await RequireKeyAsync(id, caller, keys, ct);
        await budgets.RemoveAsync(caller.OrganizationId, BudgetScope.Key(id), ct);
        return TypedResults.NoContent();
    }

    private static async Task RequireKeyAsync(Guid id, Caller caller, KeyStore keys, CancellationToken ct)
    {
        if (await keys.FindAsync(caller.OrganizationId, id, ct) is null)
        {
            throw Failure.NotFound("Key");
        }
    }

    private static async Task<Ok<BudgetView>> SetAsync(
        BudgetTerms body, BudgetScope scope, Caller caller, BudgetStore budgets, TimeProvider time, CancellationToken ct)
    {
        Failure.ThrowIfAny(body.Check());
        var now = time.GetUtcNow();
        var firstOfMonth = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        await budgets.SetAsync(
            caller.OrganizationId, scope, body.Amount!.Value, body.ParsedPeriod!.Value, body.StartsAt ?? firstOfMonth, ct);
        var set = await budgets.ListAsync(caller.OrganizationId, ct);
        return TypedResults.Ok(BudgetView.Of(set.Find(budget => budget.Scope == scope) ?? throw Failure.NotFound("Budget")));
    }

    /// <summary>Items are few: one for each thing that somebody has set a budget for.</summary>
    internal sealed record BudgetList(IReadOnlyList<BudgetView> Items);

    /// <summary>Amounts in US dollars. <c>Subject</c> is the id of what is limited; null for the organization.</summary>
    internal sealed record BudgetView(
        string Scope, string? Subject, decimal Amount, string Period,
        DateTimeOffset StartsAt, DateTimeOffset PeriodStart, decimal Spent, decimal Reserved)
    {
        public static BudgetView Of(Budget budget) => new(
            budget.Scope.Name, budget.Scope.Subject.Length > 0 ? budget.Scope.Subject : null,
            budget.Amount, EnumNames<BudgetPeriod>.Write(budget.Period),
            budget.StartsAt, budget.PeriodStart, budget.Spent, budget.Reserved);
    }

    /// <summary>
    /// <c>monthly</c> (the default), <c>weekly</c>, <c>daily</c> or <c>never</c>, from a day on (the first of this month by default).
    /// </summary>
    internal sealed record BudgetTerms(decimal? Amount, string? Period, DateTimeOffset? StartsAt)
    {
        // As many places as are kept.
        private const decimal MinAmount = 0.0000000001m;
        private const decimal MaxAmount = 1_000_000_000;

        internal BudgetPeriod? ParsedPeriod => Period switch
        {
            null or "monthly" => BudgetPeriod.Monthly,
            "weekly" => BudgetPeriod.Weekly,
            "daily" => BudgetPeriod.Daily,
            "never" => BudgetPeriod.Never,
            _ => null,
        };

        public IEnumerable<FieldError> Check()
        {
            if (Amount is not (>= MinAmount and <= MaxAmount))
            {
                yield return new("amount", $"amount must be given, in US dollars between {MinAmount} and {MaxAmount}");
            }
            if (ParsedPeriod is null)
            {
                yield return new("period", "period must be monthly, weekly, daily or never");
            }
            if (StartsAt is { Year: < 1971 or > 9000 })
            {
                yield return new("starts_at", "starts_at must be between 1971 and 9000");
            }
        }
    }
}
