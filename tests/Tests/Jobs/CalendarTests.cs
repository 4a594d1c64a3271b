using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

public sealed class CalendarTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const string Tick = "test.tick";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan TenSeconds = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly FakeClock clock = new();
    private readonly List<CalendarNode> nodes = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        await database.ExecuteAsync(
            "delete from platform.jobs; delete from platform.finished_jobs; delete from platform.job_keys; delete from platform.schedules; delete from platform.audit");

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task Two_calendars_over_one_database_fire_each_slot_once_and_one_goes_on_alone()
    {
        var first = Node(services => services.AddSchedule(Tick, new Step("tick"), Minute, overlap: Overlap.Allow));
        var second = Node(services => services.AddSchedule(Tick, new Step("tick"), Minute, overlap: Overlap.Allow));
        await Task.WhenAll(first.StartAsync(), second.StartAsync());
        await UntilAsync("select count(*) = 1 from platform.schedules");

        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        for (var slot = 1; slot <= 5; slot++)
        {
            await ToAsync(slot);
        }
        // What it had picked up for its next turn is the other's as soon as it has been silent for two check-ins.
        await first.StopAsync();
        for (var slot = 6; slot <= 8; slot++)
        {
            await ToAsync(slot);
        }

        Assert.Equal(
            "00:01:00,00:02:00,00:03:00,00:04:00,00:05:00,00:06:00,00:07:00,00:08:00",
            await database.ScalarAsync<string>("""
                select string_agg(substring(correlation_id from 'T(.*)Z'), ',' order by correlation_id) from platform.jobs
                where created_by = 'schedule:test.tick' and kind = 'test.step'
                """));

        async Task ToAsync(int slot)
        {
            clock.Advance(start.AddMinutes(slot) - clock.GetUtcNow());
            await UntilAsync($"select count(*) = {slot} from platform.jobs");
        }
    }

    [Theory]
    [InlineData(MissedRuns.Skip, 0)]
    [InlineData(MissedRuns.Once, 1)]
    [InlineData(MissedRuns.All, 30)]
    public async Task Slots_that_nobody_was_there_for_are_made_up_for_as_declared(MissedRuns missed, int runs)
    {
        var before = Node(services => Declare(services, missed));
        await before.StartAsync();
        await UntilAsync("select count(*) = 1 from platform.schedules");
        await before.StopAsync();
        Assert.Equal(0L, await CountAsync());

        // Between two slots, so that none of them is in time.
        clock.Advance(TimeSpan.FromHours(10) + TimeSpan.FromMinutes(7));
        var after = Node(services => Declare(services, missed));
        await after.StartAsync();
        await UntilAsync($"select count(*) = {runs} from platform.jobs");
        // The next slot comes in its turn, also after none was made up for.
        clock.Advance(TimeSpan.FromMinutes(3));
        await UntilAsync($"select count(*) = {runs + 1} from platform.jobs");

        static void Declare(IServiceCollection services, MissedRuns missed) => services.AddSchedule(
            Tick, new Step("tick"), "*/10 * * * *", missed: missed, overlap: Overlap.Allow, reach: TimeSpan.FromHours(5));
    }

    [Fact]
    public async Task Declarations_are_reconciled_when_a_worker_starts()
    {
        var before = Node(services => services
            .AddSchedule(Tick, new Step("tick"), "0 3 * * *", "Europe/Berlin")
            .AddSchedule("test.gone", new Step("gone"), TenSeconds));
        await before.StartAsync();
        await UntilAsync("select count(*) = 2 from calendars.triggers");
        await before.StopAsync();

        await database.ExecuteAsync("update platform.schedules set declared_at = now() - interval '25 hours'");
        var after = Node(
            services => services.AddSchedule(Tick, new Step("tock"), "30 4 * * *", "Europe/Berlin", overlap: Overlap.BufferOne));
        await after.StartAsync();
        await UntilAsync("select count(*) = 1 from calendars.triggers");

        var row = Assert.Single(await after.Store.ListAsync(Ct));
        Assert.Equal((Tick, "30 4 * * *", Overlap.BufferOne), (row.Schedule.Name, row.Schedule.Timetable.Cron, row.Schedule.Overlap));
        Assert.Contains("tock", row.Schedule.Arguments, StringComparison.Ordinal);
        Assert.Equal("0 30 4 * * ?", await database.ScalarAsync<string>("select cron_expression from calendars.cron_triggers"));
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 3, 30, 0, TimeSpan.Zero), row.Next(clock.GetUtcNow()));
    }

    [Fact]
    public async Task An_older_worker_that_starts_last_neither_removes_nor_runs_what_only_a_newer_one_declares()
    {
        var newer = Node(services => services.AddSchedule(Tick, new Step("tick"), Minute).AddSchedule("test.new", new Step("new"), Minute));
        await newer.StartAsync();
        await UntilAsync("select count(*) = 2 from calendars.triggers");
        var older = Node(services => services.AddSchedule(Tick, new Step("tick"), Minute));
        await older.StartAsync();
        await UntilAsync("select count(distinct declared_at) = 2 from platform.schedules");

        clock.Advance(Minute);
        Assert.Empty(await older.Firing.FireAsync("test.new", clock.GetUtcNow(), Ct));
        Assert.DoesNotContain("test.new", await older.Firing.BehindAsync(Ct));
        // Should the older one have been woken, the newer one sweeps.
        clock.Advance(TimeSpan.FromSeconds(30));
        await UntilAsync("select count(distinct created_by) = 2 from platform.jobs");

        Assert.Equal(2, (await older.Store.ListAsync(Ct)).Count);
        Assert.Equal(2L, await database.ScalarAsync<long>("select count(*) from calendars.triggers"));
    }

    [Fact]
    public async Task A_schedule_that_nobody_has_declared_for_a_day_is_forgotten()
    {
        await Node(services => services.AddSchedule(Tick, new Step("tick"), Minute).AddSchedule("test.old", new Step("old"), Minute))
            .DeclareAsync();
        var newer = await Node(services => services.AddSchedule(Tick, new Step("tick"), Minute)).DeclareAsync();
        Assert.Equal(2, (await newer.Store.ListAsync(Ct)).Count);
        await database.ExecuteAsync("update platform.schedules set declared_at = now() - interval '25 hours'");

        await newer.DeclareAsync();

        Assert.Equal(Tick, Assert.Single(await newer.Store.ListAsync(Ct)).Schedule.Name);
    }

    [Fact]
    public async Task A_schedule_that_goes_by_another_timetable_owes_nothing_for_the_past()
    {
        await Node(services => services.AddSchedule(Tick, new Step("tick"), "0 3 * * *")).DeclareAsync();
        clock.Advance(TimeSpan.FromDays(5));
        var changed = await Node(services => services.AddSchedule(Tick, new Step("tick"), "* * * * *", missed: MissedRuns.Once))
            .DeclareAsync();

        Assert.Empty(await changed.Firing.BehindAsync(Ct));
    }

    [Fact]
    public async Task Of_many_who_wake_for_a_slot_one_runs_it()
    {
        var node = await Node(services => services.AddSchedule(Tick, new Step("tick"), TenSeconds, overlap: Overlap.Allow)).DeclareAsync();
        clock.Advance(TenSeconds);

        var decided = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => node.Firing.FireAsync(Tick, clock.GetUtcNow(), Ct)));

        Assert.Single(decided, slots => slots.Count == 1);
        Assert.Equal(1L, await CountAsync());
    }

    [Fact]
    public async Task Overlapping_runs_are_skipped()
    {
        var node = await NodeWithAsync(Overlap.Skip);

        await FireTwiceAsync(node);

        Assert.Equal(1L, await CountAsync());
    }

    [Fact]
    public async Task One_overlapping_run_waits_for_the_one_that_runs()
    {
        var node = await NodeWithAsync(Overlap.BufferOne);
        await FireAsync(node);
        await database.ExecuteAsync("update platform.jobs set state = 'running', attempt = 1, lease_until = now() + interval '1 minute'");

        await FireTwiceAsync(node);

        Assert.Equal(1L, await CountAsync());
        Assert.Equal("{\"name\": \"tick\"}", await database.ScalarAsync<string>("select next_args::text from platform.jobs"));
    }

    [Fact]
    public async Task The_run_before_is_cancelled_and_the_new_one_follows_its_end()
    {
        var node = await NodeWithAsync(Overlap.CancelPrevious);
        await FireAsync(node);
        var first = await database.ScalarAsync<Guid>("select id from platform.jobs");
        await database.ExecuteAsync("update platform.jobs set state = 'running', attempt = 1, lease_until = now() + interval '1 minute'");

        await FireAsync(node);

        Assert.True(await database.ScalarAsync<bool>($"select cancel_requested_at is not null from platform.jobs where id = '{first}'"));
        Assert.Equal(first, await database.ScalarAsync<Guid>("select after_id from platform.jobs where state = 'waiting'"));

        // A third slot takes the place of the second, which had not begun.
        await FireAsync(node);
        Assert.Equal(2L, await CountAsync());
        Assert.Equal(1L, await database.ScalarAsync<long>("select count(*) from platform.finished_jobs where state = 'cancelled'"));
    }

    [Fact]
    public async Task Overlapping_runs_are_allowed()
    {
        var node = await NodeWithAsync(Overlap.Allow);

        await FireTwiceAsync(node);

        Assert.Equal(2L, await CountAsync());
    }

    [Fact]
    public async Task Slots_of_a_pause_are_not_made_up_for()
    {
        var node = await NodeWithAsync(Overlap.Allow);
        await node.Acts.PauseAsync(Tick, "test", Ct);
        Assert.Null(Assert.Single(await node.Store.ListAsync(Ct)).Next(clock.GetUtcNow()));

        await FireTwiceAsync(node);
        clock.Advance(TimeSpan.FromSeconds(5));
        await node.Acts.ResumeAsync(Tick, "test", Ct);
        await node.Firing.FireAsync(Tick, clock.GetUtcNow(), Ct);
        Assert.Equal(0L, await CountAsync());

        await FireAsync(node);
        Assert.Equal(1L, await CountAsync());
        Assert.Equal(
            "schedule.pause,schedule.resume",
            await database.ScalarAsync<string>(
                "select string_agg(act, ',' order by id) from platform.audit where subject = 'schedule:test.tick' and actor = 'test'"));
    }

    [Fact]
    public async Task A_schedule_runs_out_of_turn_unless_its_last_run_is_not_over()
    {
        var node = await NodeWithAsync(Overlap.Skip);

        var job = await node.Acts.RunAsync(Tick, "test", Ct);
        var conflict = await Assert.ThrowsAsync<Failure>(() => node.Acts.RunAsync(Tick, "test", Ct));
        var unknown = await Assert.ThrowsAsync<Failure>(() => node.Acts.RunAsync("test.unknown", "test", Ct));

        Assert.Equal((FailureKind.Conflict, FailureKind.NotFound), (conflict.Kind, unknown.Kind));
        var row = Assert.Single(await node.Store.ListAsync(Ct));
        Assert.Equal((job, clock.GetUtcNow()), (row.LastJobId, row.LastFiredAt));
        Assert.Equal(1L, await database.ScalarAsync<long>("select count(*) from platform.audit where act = 'schedule.run'"));
    }

    [Fact]
    public void What_cannot_be_meant_is_refused_when_it_is_declared()
    {
        var services = new ServiceCollection();

        Assert.All(["Test Tick", "", "2.tick", "tick\n", new string('t', 101)],
            name => Assert.Throws<ArgumentException>(() => services.AddSchedule(name, new Step("x"), TenSeconds)));
        services.AddSchedule("t2_test-tick." + new string('t', 87), new Step("x"), TenSeconds);
        Assert.Throws<ArgumentException>(() => services.AddSchedule(Tick, new Step("x"), "* * * *"));
        Assert.Throws<ArgumentException>(() => services.AddSchedule(Tick, new Step("x"), TenSeconds, MissedRuns.All, Overlap.Skip));
    }

    private CalendarNode Node(Action<IServiceCollection> declare)
    {
        var node = CalendarNode.Of(database.Source, clock, declare);
        nodes.Add(node);
        return node;
    }

    private Task<CalendarNode> NodeWithAsync(Overlap overlap) =>
        Node(services => services.AddSchedule(Tick, new Step("tick"), TenSeconds, overlap: overlap)).DeclareAsync();

    private async Task FireAsync(CalendarNode node)
    {
        clock.Advance(TenSeconds);
        await node.Firing.FireAsync(Tick, clock.GetUtcNow(), Ct);
    }

    private async Task FireTwiceAsync(CalendarNode node)
    {
        await FireAsync(node);
        await FireAsync(node);
    }

    private Task<long> CountAsync() => database.ScalarAsync<long>("select count(*) from platform.jobs");

    private async Task UntilAsync(string condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await IsTrueAsync(condition))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, condition);
            await Task.Delay(Look, TimeProvider.System, Ct);
            // Whoever waits for a moment of the clock shall see it pass.
            clock.Advance(Look);
        }
    }

    private async Task<bool> IsTrueAsync(string condition)
    {
        try
        {
            return await database.ScalarAsync<bool>(condition);
        }
        catch (Npgsql.PostgresException absent) when (absent.SqlState == Npgsql.PostgresErrorCodes.UndefinedTable)
        {
            return false;
        }
    }
}
