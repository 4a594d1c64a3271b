using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Tests.Jobs;

/// <summary>Which slots are run after a gap; that none is run twice is a property of every history of wake-ups.</summary>
public sealed class ScheduleTests
{
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(1);
    private static readonly DateTimeOffset Noon = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(MissedRuns.Skip)]
    [InlineData(MissedRuns.Once)]
    [InlineData(MissedRuns.All)]
    public void A_slot_that_has_just_come_is_run(MissedRuns missed) =>
        Assert.Equal([Noon], EveryTenMinutes(missed).Due(Noon.AddMinutes(-10), Noon.AddMilliseconds(3), Late));

    [Theory]
    [InlineData(MissedRuns.Skip)]
    [InlineData(MissedRuns.Once)]
    [InlineData(MissedRuns.All)]
    public void Nothing_is_due_before_the_next_slot(MissedRuns missed) =>
        Assert.Empty(EveryTenMinutes(missed).Due(Noon, Noon.AddMinutes(9), Late));

    [Fact]
    public void A_missed_slot_is_gone_when_missed_runs_are_skipped() =>
        Assert.Empty(EveryTenMinutes(MissedRuns.Skip).Due(Noon.AddHours(-3), Noon.AddMinutes(5), Late));

    [Theory]
    [InlineData(1)]
    [InlineData(60)]
    [InlineData(60 * 24 * 400)]
    public void A_gap_of_any_length_is_made_up_for_by_one_run(int minutes) =>
        Assert.Equal([Noon], EveryTenMinutes(MissedRuns.Once).Due(Noon.AddMinutes(-10 - minutes), Noon.AddMinutes(5), Late));

    [Fact]
    public void All_slots_within_the_reach_are_made_up_for_oldest_first() =>
        Assert.Equal(
            [Noon.AddMinutes(-20), Noon.AddMinutes(-10), Noon],
            EveryTenMinutes(MissedRuns.All, TimeSpan.FromMinutes(30)).Due(Noon.AddDays(-2), Noon.AddMinutes(5), Late));

    [Fact]
    public void A_backlog_has_an_end()
    {
        var due = EveryTenMinutes(MissedRuns.All, TimeSpan.FromDays(365)).Due(Noon.AddDays(-365), Noon, Late);

        Assert.Equal((1_000, Noon), (due.Count, due[^1]));
    }

    [Theory]
    [InlineData(MissedRuns.Skip)]
    [InlineData(MissedRuns.Once)]
    [InlineData(MissedRuns.All)]
    public void No_history_of_wake_ups_runs_a_slot_twice_or_out_of_order(MissedRuns missed)
    {
        var random = new Random((int)missed + 1);
        for (var round = 0; round < 200; round++)
        {
            var schedule = new Schedule(
                "test", "test", "{}",
                random.Next(2) == 0 ? Timetable.ByInterval(TimeSpan.FromSeconds(random.Next(1, 5_000)))
                : Timetable.ByCron("*/3 1-4 * * *", "Europe/Berlin"),
                missed, TimeSpan.FromMinutes(random.Next(1, 600)), Overlap.Allow);
            var (last, now) = (Noon, Noon);
            for (var step = 0; step < 50; step++)
            {
                // Clocks jump back too, and gaps are of every size.
                now += TimeSpan.FromSeconds(Math.Pow(10, random.NextDouble() * 6) * (random.Next(5) == 0 ? -1 : 1));
                var due = schedule.Due(last, now, Late);
                Assert.All(due, slot => Assert.True(slot > last && slot <= now && schedule.Timetable.Latest(slot) == slot));
                Assert.Equal(due.Order().Distinct(), due);
                Assert.True(missed == MissedRuns.All || due.Count <= 1);
                last = due.Count > 0 ? due[^1] : last;
            }
        }
    }

    private static Schedule EveryTenMinutes(MissedRuns missed, TimeSpan? reach = null) => new(
        "test", "test", "{}", Timetable.ByInterval(TimeSpan.FromMinutes(10)), missed, reach ?? TimeSpan.FromDays(1), Overlap.Allow);
}
