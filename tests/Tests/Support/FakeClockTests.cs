namespace Stoa.Tests.Support;

public sealed class FakeClockTests
{
    [Fact]
    public void Timers_fire_in_order_at_their_own_time()
    {
        var clock = new FakeClock();
        var start = clock.GetUtcNow();
        var fired = new List<(string Name, double After)>();
        using var late = clock.CreateTimer(_ => Note("late"), null, TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        using var often = clock.CreateTimer(_ => Note("often"), null, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));

        clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal([("often", 2), ("often", 4), ("late", 5)], fired);
        Assert.Equal(5, (clock.GetUtcNow() - start).TotalSeconds);
        Assert.Equal(TimeSpan.FromSeconds(5), clock.GetElapsedTime(0));

        void Note(string name) => fired.Add((name, (clock.GetUtcNow() - start).TotalSeconds));
    }

    [Fact]
    public async Task A_delay_ends_when_the_clock_has_moved_far_enough()
    {
        var clock = new FakeClock();
        var delay = Task.Delay(TimeSpan.FromMinutes(1), clock, TestContext.Current.CancellationToken);

        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(delay.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        await delay;

        Assert.Equal(0, clock.Waiting);
    }

    [Fact]
    public void A_timeout_cancels_by_the_clock()
    {
        var clock = new FakeClock();
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(3), clock);

        clock.Advance(TimeSpan.FromSeconds(3));

        Assert.True(timeout.IsCancellationRequested);
    }
}
