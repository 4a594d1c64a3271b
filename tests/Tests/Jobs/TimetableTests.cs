using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Tests.Jobs;

public sealed class TimetableTests
{
    private static readonly string[] Crons =
    [
        "* * * * *", "*/7 * * * *", "0 * * * *", "30 2 * * *", "0 */4 * * *",
        "15,45 1-3 * * *", "0 0 * * *", "5 3 1 * *", "0 9 * * mon-fri",
        "59 23 31 12 *", "0 0 29 2 *",
    ];

    private static readonly string[] Zones =
        ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"];

    [Theory]
    [InlineData("2026-03-28T12:00Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z")] // 02:30 does not exist on the 29th: the clocks jump to 03:00
    [InlineData("2026-10-24T12:00Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z")] // 02:30 comes twice on the 25th: the first counts
    public void A_time_of_day_comes_once_on_the_days_when_the_clocks_change(string after, string first, string second)
    {
        var nightly = Timetable.ByCron("30 2 * * *", "Europe/Berlin");

        var slot = nightly.Next(At(after))!.Value;

        Assert.Equal((At(first), At(second)), (slot, nightly.Next(slot)!.Value));
    }

    [Theory]
    [InlineData("2026-03-28T23:00Z")]
    [InlineData("2026-10-24T22:00Z")]
    public void Every_half_hour_goes_by_elapsed_time_on_the_days_when_the_clocks_change(string midnight)
    {
        var halfHourly = Timetable.ByCron("*/30 * * * *", "Europe/Berlin");

        var slots = Slots(halfHourly, At(midnight), At(midnight).AddHours(6));

        Assert.Equal(Enumerable.Range(1, 12).Select(half => At(midnight).AddMinutes(30 * half)), slots);
    }

    [Fact]
    public void An_interval_is_counted_from_one_origin_whoever_starts_when()
    {
        var every = Timetable.ByInterval(TimeSpan.FromHours(4));

        Assert.Equal(At("2026-05-01T08:00Z"), every.Next(At("2026-05-01T04:00Z")));
        Assert.Equal(At("2026-05-01T04:00Z"), every.Latest(At("2026-05-01T04:00Z")));
        Assert.Equal(At("2026-05-01T04:00Z"), every.Latest(At("2026-05-01T07:59:59Z")));
        Assert.Equal(At("2026-05-01T00:00Z"), every.Before(At("2026-05-01T04:00Z")));
    }

    [Fact]
    public void Forwards_and_backwards_agree_in_every_zone()
    {
        var random = new Random(20261121);
        foreach (var timetable in Crons.SelectMany(cron => Zones.Select(zone => Timetable.ByCron(cron, zone))))
        {
            for (var round = 0; round < 20; round++)
            {
                var at = At("2026-01-01T00:00Z").AddSeconds(random.NextInt64(0, 8L * 365 * 86_400));
                var next = timetable.Next(at)!.Value;
                var told = $"{timetable.Cron} {timetable.Zone.Id} {at:O}";
                Assert.True(next > at, told);
                Assert.True(timetable.Latest(next) == next, told);
                Assert.True(timetable.Latest(next.AddMilliseconds(-1)) == timetable.Latest(at), told);
                Assert.True(timetable.Before(next) is not { } before || before <= at, told);
            }
        }
    }

    [Theory]
    [InlineData("", "UTC")]
    [InlineData("* * * *", "UTC")]
    [InlineData("61 * * * *", "UTC")]
    [InlineData("0 0 * * * *", "UTC")]
    [InlineData("0 0 31 4 *", "UTC")]
    [InlineData("* * * * *", "Middle/Earth")]
    [InlineData("* * * * *", "W. Europe Standard Time")]
    public void What_is_no_timetable_is_refused_when_it_is_declared(string cron, string zone) =>
        Assert.Throws<ArgumentException>(() => Timetable.ByCron(cron, zone));

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(1.25)]
    [InlineData(-60)]
    [InlineData(367 * 86_400)]
    public void An_interval_is_whole_seconds_up_to_a_year(double seconds) =>
        Assert.Throws<ArgumentException>(() => Timetable.ByInterval(TimeSpan.FromSeconds(seconds)));

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static List<DateTimeOffset> Slots(Timetable timetable, DateTimeOffset after, DateTimeOffset until)
    {
        var slots = new List<DateTimeOffset>();
        for (var slot = timetable.Next(after); slot <= until; slot = timetable.Next(slot.Value))
        {
            slots.Add(slot.Value);
        }
        return slots;
    }
}
