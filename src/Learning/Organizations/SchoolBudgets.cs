using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Gateway;
using Stoa.Learning.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Learning.Organizations;

/// <summary>
/// What schools may spend in a month with the installation's keys: anybody may make one. The Gateway keeps to it; one with keys of its own
/// spends its own money.
/// </summary>
internal sealed class SchoolBudgets(LearningDb db, NpgsqlDataSource source, IModelBudgets budgets, IOptions<SchoolOptions> options)
{
    /// <summary>For a school that is being made, in its transaction.</summary>
    public Task GiveAsync(Guid organizationId, CancellationToken ct) =>
        budgets.SetAsync(db, [organizationId], options.Value.MonthlyBudget, ct);

    /// <summary>Null where it may spend what it likes.</summary>
    public async Task<SchoolBudget?> FindAsync(int orgId, CancellationToken ct) =>
        await OwnAsync(orgId, ct) is { } own && await budgets.FindAsync(own, ct) is { } found
            ? new(found.Amount, found.Spent, found.Reserved, found.PeriodStart)
            : null;

    /// <param name="amount">Null for what the settings say, 0 for no limit.</param>
    public async Task SetAsync(int orgId, decimal? amount, CancellationToken ct)
    {
        var own = await OwnAsync(orgId, ct) ?? throw Refusal.BadRequest("Another organization pays for this one, and its budget holds");
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Organizations.Where(row => row.Id == orgId)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.MonthlyBudget, amount), ct);
        await budgets.SetAsync(db, [own], amount ?? options.Value.MonthlyBudget, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>After the settings have changed, and for schools that are older than budgets.</summary>
    public async Task FollowSettingsAsync(CancellationToken ct)
    {
        // Plain SQL: what each start asks need not build the model of all schools first. What belongs to the installation itself is
        // limited as its operator says.
        await using var wanted = source.CreateCommand("""
            select coalesce(array_agg(organization_id), '{}') from learning.organizations
            where monthly_budget is null and not is_paid_for and organization_id <> $1
            """);
        wanted.Parameters.Add(new() { Value = Organization.DefaultId });
        var schools = (Guid[])(await wanted.ExecuteScalarAsync(ct))!;
        if (schools.Length > 0)
        {
            await budgets.SetAsync(db, schools, options.Value.MonthlyBudget, ct);
        }
    }

    /// <exception cref="Failure">TooMany: the month's budget is used up.</exception>
    public async Task RequireAsync(Guid organizationId, CancellationToken ct)
    {
        try
        {
            await budgets.RequireAsync(organizationId, ct);
        }
        catch (Failure failure) when (failure.Code == ModelBudget.ExceededCode)
        {
            throw UsedUp();
        }
    }

    /// <summary>How whoever asks is told; how much it was is for those who run the school.</summary>
    public static Failure UsedUp() => new(FailureKind.Quota, ModelBudget.ExceededCode, "The school's budget for this month is used up");

    /// <summary>Null where another organization pays.</summary>
    private Task<Guid?> OwnAsync(int orgId, CancellationToken ct) =>
        db.Organizations.Where(row => row.Id == orgId).Select(row => row.IsPaidFor ? (Guid?)null : row.OrganizationId).FirstAsync(ct);
}

/// <summary>US dollars, since the first of the month.</summary>
internal sealed record SchoolBudget(
    decimal Amount, decimal Spent, decimal Reserved,
    [property: System.Text.Json.Serialization.JsonConverter(typeof(Wire.WireInstant))] DateTimeOffset PeriodStart);

/// <summary>Gives all schools the budget of the settings once the database is there.</summary>
internal sealed class SchoolBudgetsAtStart(IServiceScopeFactory scopes, DatabaseReadiness readiness, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(async () =>
    {
        await readiness.WhenReady(stoppingToken);
        while (!await TryAsync(stoppingToken))
        {
            await Task.Delay(Pause, time, stoppingToken);
        }
    });

    private async Task<bool> TryAsync(CancellationToken ct)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<SchoolBudgets>().FollowSettingsAsync(ct);
            return true;
        }
        catch (Exception error) when (Outage.Is(error))
        {
            return false;
        }
    }
}
