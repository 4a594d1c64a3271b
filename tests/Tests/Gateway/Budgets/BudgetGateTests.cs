using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Gateway;
using Stoa.Gateway.Budgets;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Tests.Gateway.Usage;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Budgets;

public sealed class BudgetGateTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly DateTimeOffset FirstOfMonth = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_a_thousand_calls_at_once_on_two_nodes_exactly_as_many_pass_as_the_budget_holds()
    {
        var key = BudgetScope.Key(Guid.CreateVersion7());
        await SetAsync(key, 37 * 0.01m);
        await using var first = Node();
        await using var second = Node();

        var passed = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(number => Task.Run(
            () => PassesAsync(number % 2 == 0 ? first : second, 0.01m, BudgetScope.Organization, key), Ct)));

        Assert.Equal(37, passed.Count(one => one));
        Assert.Equal(0.37m, (await FindAsync(key)).Reserved);
    }

    [Fact]
    public async Task A_call_is_refused_in_all_budgets_or_in_none_and_told_the_first_that_is_used_up()
    {
        var (folder, agent) = (BudgetScope.Folder("000000000000000000000001"), BudgetScope.Agent("000000000000000000000002"));
        await SetAsync(folder, 10);
        await SetAsync(agent, 0.5m);
        await using var node = Node();
        await ReserveAsync(node, 0.5m, agent, folder);

        var refusal = await Assert.ThrowsAsync<Failure>(() => ReserveAsync(node, 0.5m, agent, folder));

        Assert.Equal((FailureKind.Quota, "BUDGET_EXCEEDED"), (refusal.Kind, refusal.Code));
        Assert.Equal("Bridge limit exceeded. Used: 0.5/0.5", refusal.Message);
        Assert.Equal("BRIDGE_LIMIT_EXCEEDED", (string?)refusal.Details!["error_code"]);
        Assert.Equal(0.5m, (await FindAsync(folder)).Reserved);
    }

    [Fact]
    public async Task What_a_dead_process_held_is_given_back_in_time()
    {
        var key = BudgetScope.Key(Guid.CreateVersion7());
        await SetAsync(key, 1);
        await using var node = Node();
        var dead = await ReserveAsync(node, 1, key);
        Assert.False(await PassesAsync(node, 1, key));

        await database.ExecuteAsync($"update gateway.budget_reservations set expires_at = now() where call_id = '{dead.CallId}'");

        Assert.True(await PassesAsync(node, 1, key));
    }

    [Fact]
    public async Task A_call_that_never_reached_its_provider_gives_back_what_was_held()
    {
        var key = BudgetScope.Key(Guid.CreateVersion7());
        await SetAsync(key, 1);
        await using var node = Node();

        await (await ReserveAsync(node, 1, key)).DisposeAsync();

        Assert.Equal(0, (await FindAsync(key)).Reserved);
        Assert.True(await PassesAsync(node, 1, key));
    }

    [Fact]
    public async Task The_row_of_a_call_settles_it_once_and_the_spending_is_the_sum_of_rows()
    {
        var keyId = Guid.CreateVersion7();
        var key = BudgetScope.Key(keyId);
        await SetAsync(key, 1);
        await using var node = Node();
        var reservation = await ReserveAsync(node, 0.4m, key);
        var usage = new UsageStore(database.Source, TimeProvider.System);
        var spool = Guid.CreateVersion7();
        UsageRecord[] batch = [Row(keyId, reservation.CallId, 0.1000000001m),
            Row(keyId, Guid.CreateVersion7(), 0.2m), Row(keyId, Guid.CreateVersion7(), null)];

        await usage.AddAsync(spool, default, new(1, 100), batch, Ct);
        await Assert.ThrowsAsync<IOException>(() => usage.AddAsync(spool, default, new(1, 100), batch, Ct));

        var settled = await FindAsync(key);
        Assert.Equal((0.3000000001m, 0m), (settled.Spent, settled.Reserved));
        Assert.Equal(settled.Spent, await database.ScalarAsync<decimal>($"select sum(cost) from gateway.usage where key_id = '{keyId}'"));
    }

    [Fact]
    public async Task A_new_budget_counts_what_its_period_has_cost_already()
    {
        var keyId = Guid.CreateVersion7();
        await new UsageStore(database.Source, TimeProvider.System)
            .AddAsync(Guid.CreateVersion7(), default, new(1, 100), [Row(keyId, Guid.CreateVersion7(), 0.25m)], Ct);

        await SetAsync(BudgetScope.Key(keyId), 1);

        Assert.Equal(0.25m, (await FindAsync(BudgetScope.Key(keyId))).Spent);
    }

    [Fact]
    public async Task A_period_that_began_within_a_day_counts_from_its_quarter_of_an_hour()
    {
        var keyId = Guid.CreateVersion7();
        var start = new DateTimeOffset(2026, 1, 10, 13, 45, 0, TimeSpan.Zero);
        TimeSpan[] offsets = [TimeSpan.FromSeconds(-1), TimeSpan.Zero, TimeSpan.FromHours(1), TimeSpan.FromHours(11), TimeSpan.FromDays(3)];
        await new UsageStore(database.Source, TimeProvider.System).AddAsync(
            Guid.CreateVersion7(), default, new(1, 100),
            [.. offsets.Select(
                (offset, index) => Row(keyId, Guid.CreateVersion7(), (decimal)Math.Pow(10, index)) with { At = start + offset })], Ct);

        await new BudgetStore(database.Source).SetAsync(
            Organization.DefaultId, BudgetScope.Key(keyId), 1_000_000, BudgetPeriod.Never, start.AddMinutes(7), Ct);

        Assert.Equal(11_110, (await FindAsync(BudgetScope.Key(keyId))).Spent);
    }

    [Fact]
    public async Task Nobody_waits_for_the_database_who_has_no_budget()
    {
        var book = new BudgetBook();
        book.Replace([]);
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Timeout=1");
        var gate = new BudgetGate(book, new(nowhere), Options.Create(new GatewayOptions()), TimeProvider.System);

        Assert.Same(Reservation.None, await gate.ReserveAsync(Organization.DefaultId, [BudgetScope.Organization], 1, Ct));
    }

    [Fact]
    public async Task Nobody_passes_while_nobody_can_say_what_is_left()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Timeout=1");
        var gate = new BudgetGate(new(), new(nowhere), Options.Create(new GatewayOptions()), TimeProvider.System);

        var failure =
            await Assert.ThrowsAsync<Failure>(() => gate.ReserveAsync(Organization.DefaultId, [BudgetScope.Organization], 1, Ct).AsTask());

        Assert.Equal(FailureKind.Unavailable, failure.Kind);
    }

    [Theory]
    [InlineData("monthly", "2026-01-31T10:00Z", "2026-02-28T09:59Z", "2026-01-31T10:00Z")]
    [InlineData("monthly", "2026-01-31T10:00Z", "2026-02-28T10:00Z", "2026-02-28T10:00Z")]
    [InlineData("monthly", "2026-01-31T10:00Z", "2026-03-31T10:00Z", "2026-03-31T10:00Z")]
    [InlineData("monthly", "2025-12-01T00:00Z", "2026-12-31T23:59Z", "2026-12-01T00:00Z")]
    [InlineData("weekly", "2026-01-05T00:00Z", "2026-01-18T23:59Z", "2026-01-12T00:00Z")]
    [InlineData("daily", "2026-01-05T06:00Z", "2026-01-09T05:59Z", "2026-01-08T06:00Z")]
    [InlineData("never", "2026-01-05T06:00Z", "2030-01-09T05:59Z", "2026-01-05T06:00Z")]
    [InlineData("daily", "2026-01-05T06:00Z", "2020-01-01T00:00Z", "2026-01-05T06:00Z")]
    public async Task A_period_begins_when_the_last_one_is_over(string period, string start, string moment, string expected) => Assert.True(
        await database.ScalarAsync<bool>($"select gateway.period_start('{start}', '{period}', '{moment}') = '{expected}'::timestamptz"));

    [Fact]
    public async Task A_new_period_begins_with_nothing_spent()
    {
        var keyId = Guid.CreateVersion7();
        var key = BudgetScope.Key(keyId);
        await SetAsync(key, 1);
        await database.ExecuteAsync(
            $"update gateway.budgets set spent = 1, period_start = period_start - interval '1 month' where subject = '{keyId}'");
        await using var node = Node();

        Assert.True(await PassesAsync(node, 0.1m, key));
        Assert.Equal(0, (await FindAsync(key)).Spent);
    }

    private static UsageRecord Row(Guid key, Guid call, decimal? cost) =>
        UsageSpoolTests.Record(
            1) with { Id = call, KeyId = key, OrganizationId = Organization.DefaultId, Cost = cost, At = TimeProvider.System.GetUtcNow() };

    private Task SetAsync(BudgetScope scope, decimal amount) =>
        new BudgetStore(database.Source).SetAsync(Organization.DefaultId, scope, amount, BudgetPeriod.Monthly, FirstOfMonth, Ct);

    private async Task<Budget> FindAsync(BudgetScope scope) =>
        (await new BudgetStore(database.Source).ListAsync(Organization.DefaultId, Ct)).Single(budget => budget.Scope == scope);

    private TestNode Node() => new(database.ConnectionString);

    private static async Task<Reservation> ReserveAsync(TestNode node, decimal estimate, params BudgetScope[] scopes) =>
        await node.Gate.ReserveAsync(Organization.DefaultId, scopes, estimate, Ct);

    private static async Task<bool> PassesAsync(TestNode node, decimal estimate, params BudgetScope[] scopes)
    {
        try
        {
            await ReserveAsync(node, estimate, scopes);
            return true;
        }
        catch (Failure refused) when (refused.Kind == FailureKind.Quota)
        {
            return false;
        }
    }

    /// <summary>What a host has: connections and a book of its own.</summary>
    private sealed class TestNode : IAsyncDisposable
    {
        private readonly NpgsqlDataSource source;

        public TestNode(string database)
        {
            source = NpgsqlDataSource.Create($"{database};Maximum Pool Size=10;Timeout=60");
            Gate = new(new(), new(source), Options.Create(new GatewayOptions()), TimeProvider.System);
        }

        public BudgetGate Gate { get; }

        public ValueTask DisposeAsync() => source.DisposeAsync();
    }
}
