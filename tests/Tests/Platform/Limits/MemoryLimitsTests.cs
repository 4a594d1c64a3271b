using FsCheck;
using FsCheck.Fluent;
using Stoa.Platform.Limits;

namespace Stoa.Tests.Platform.Limits;

public sealed class MemoryLimitsTests : IDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly StepTime time = new();
    private readonly MemoryLimits limits;
    private readonly LimitKey owner = new(Guid.CreateVersion7(), "requests");

    public MemoryLimitsTests() => limits = new(time);

    public void Dispose() => limits.Dispose();

    [Fact]
    public async Task A_thousand_parallel_takes_get_exactly_the_limit()
    {
        using var real = new MemoryLimits(TimeProvider.System);
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var takes = Enumerable.Range(0, 1000).Select(async _ =>
        {
            await start.Task;
            return await real.TakeAsync(owner, limit: 137, TimeSpan.FromHours(1), amount: 1, TestContext.Current.CancellationToken);
        }).ToList();
        start.SetResult();
        var readings = await Task.WhenAll(takes);
        Assert.Equal(137, readings.Count(reading => reading.Allowed));
        Assert.Equal(0, readings.Min(reading => reading.Remaining));
    }

    [Fact]
    public void No_window_ever_holds_more_than_the_limit() => Prop.ForAll(
        Gen.Choose(0, 9_000).Two().ListOf().ToArbitrary(),
        steps =>
        {
            const long limit = 20;
            var clock = new StepTime();
            using var tried = new MemoryLimits(clock);
            List<(TimeSpan At, long Amount)> taken = [];
            var now = TimeSpan.Zero;
            foreach (var (wait, size) in steps)
            {
                var step = TimeSpan.FromMilliseconds(wait);
                clock.Advance(step);
                now += step;
                var amount = (size % 9) + 1;
                if (Take(tried, amount, limit).Allowed)
                {
                    taken.Add((now, amount));
                }
                else if (size % 3 == 0 && taken.Count > 0)
                {
                    // A correction downwards of the last take, as far back as it may be.
                    var (at, held) = taken[^1];
                    tried.Settle(owner, Minute, -held, at.Ticks + 1);
                    taken[^1] = (at, now - at >= Minute ? held : 0);
                }
            }
            return taken.All(last => taken.Where(one => one.At <= last.At && one.At > last.At - Minute).Sum(one => one.Amount) <= limit);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_was_taken_is_free_again_after_the_window_and_at_most_a_sixtieth_of_it()
    {
        Assert.True(Take(limits, 10, limit: 10).Allowed);
        time.Advance(Minute - TimeSpan.FromMilliseconds(1));
        Assert.False(Take(limits, 1, limit: 10).Allowed);
        time.Advance(TimeSpan.FromMilliseconds(1001));
        Assert.True(Take(limits, 10, limit: 10).Allowed);
    }

    [Fact]
    public void Waiting_as_long_as_it_says_is_enough_and_less_is_not()
    {
        Take(limits, 4, limit: 10);
        time.Advance(TimeSpan.FromSeconds(20));
        Take(limits, 6, limit: 10);
        time.Advance(TimeSpan.FromSeconds(5));
        var refused = Take(limits, 7, limit: 10);
        Assert.False(refused.Allowed);
        Assert.InRange(refused.RetryAfter, TimeSpan.FromSeconds(55), TimeSpan.FromSeconds(56));
        time.Advance(refused.RetryAfter - TimeSpan.FromTicks(1));
        Assert.False(Take(limits, 7, limit: 10).Allowed);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.True(Take(limits, 7, limit: 10).Allowed);
    }

    [Fact]
    public void A_reading_tells_limit_remaining_and_reset()
    {
        var reading = Take(limits, 4, limit: 10);
        Assert.Equal((10, 6, TimeSpan.Zero), (reading.Limit, reading.Remaining, reading.RetryAfter));
        time.Advance(reading.Reset);
        Assert.Equal(10, Take(limits, 0, limit: 10).Remaining);
    }

    [Fact]
    public void A_correction_upwards_may_pass_the_limit_and_holds_back_what_follows()
    {
        var first = Take(limits, 5, limit: 10);
        limits.Settle(owner, Minute, delta: 20, first.TakenAt);
        var next = Take(limits, 1, limit: 10);
        Assert.False(next.Allowed);
        Assert.Equal(0, next.Remaining);
    }

    [Fact]
    public void A_correction_downwards_frees_what_was_estimated_too_high()
    {
        var first = Take(limits, 10, limit: 10);
        limits.Settle(owner, Minute, delta: -7, first.TakenAt);
        Assert.Equal(7, Take(limits, 0, limit: 10).Remaining);
    }

    [Fact]
    public void A_correction_of_what_no_longer_counts_frees_nothing()
    {
        var first = Take(limits, 10, limit: 10);
        time.Advance(TimeSpan.FromSeconds(90));
        Take(limits, 10, limit: 10);
        limits.Settle(owner, Minute, delta: -10, first.TakenAt);
        Assert.False(Take(limits, 1, limit: 10).Allowed);
    }

    [Fact]
    public void More_than_the_limit_is_refused_whatever_the_wait()
    {
        var refused = Take(limits, 11, limit: 10);
        Assert.False(refused.Allowed);
        Assert.Equal(Minute, refused.RetryAfter);
        Assert.Equal(10, refused.Remaining);
    }

    [Fact]
    public void Owners_and_dimensions_do_not_share()
    {
        Take(limits, 10, limit: 10);
        Assert.True(Read(limits.TakeAsync(owner with { Dimension = "tokens" }, 10, Minute, 10, CancellationToken.None)).Allowed);
        Assert.True(Read(limits.TakeAsync(owner with { Owner = Guid.CreateVersion7() }, 10, Minute, 10, CancellationToken.None)).Allowed);
    }

    [Fact]
    public void Setting_the_wall_clock_opens_nothing()
    {
        Take(limits, 10, limit: 10);
        time.Wall += TimeSpan.FromDays(1);
        Assert.False(Take(limits, 1, limit: 10).Allowed);
        time.Wall -= TimeSpan.FromDays(2);
        Assert.False(Take(limits, 1, limit: 10).Allowed);
    }

    [Fact]
    public void Idle_owners_are_forgotten_and_busy_ones_are_not()
    {
        Take(limits, 1, limit: 10);
        time.Advance(TimeSpan.FromSeconds(30));
        Read(limits.TakeAsync(new(Guid.CreateVersion7(), "requests"), 10, Minute, 3, CancellationToken.None));
        limits.Sweep();
        Assert.Equal(2, limits.Count);
        time.Advance(TimeSpan.FromSeconds(40));
        limits.Sweep();
        Assert.Equal(1, limits.Count);
    }

    private LimitReading Take(MemoryLimits from, long amount, long limit) =>
        Read(from.TakeAsync(owner, limit, Minute, amount, CancellationToken.None));

    private static LimitReading Read(ValueTask<LimitReading> taken)
    {
        Assert.True(taken.IsCompletedSuccessfully);
        return taken.GetAwaiter().GetResult();
    }
}
