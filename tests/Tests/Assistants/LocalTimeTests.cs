using System.Globalization;
using Stoa.Assistants.Users;

namespace Stoa.Tests.Assistants;

public sealed class LocalTimeTests
{
    [Theory]
    [InlineData(null, 660, "2027-03-10T10:59:00Z", "2027-03-09 23:59")] // UTC−11
    [InlineData(null, -840, "2027-03-10T10:00:00Z", "2027-03-11 00:00")] // UTC+14
    [InlineData("Pacific/Kiritimati", 0, "2027-03-10T10:00:00Z", "2027-03-11 00:00")] // the name outranks the offset
    [InlineData("Asia/Kathmandu", null, "2027-03-10T18:15:00Z", "2027-03-11 00:00")]
    [InlineData("Nowhere/Land", -60, "2027-03-10T23:30:00Z", "2027-03-11 00:30")]
    [InlineData(null, null, "2027-03-10T23:30:00Z", "2027-03-10 23:30")]
    [InlineData("Europe/Paris", -120, "2027-10-31T00:30:00Z", "2027-10-31 02:30")] // before the clocks go back
    [InlineData("Europe/Paris", -120, "2027-10-31T01:30:00Z", "2027-10-31 02:30")] // and after
    public void The_wall_clock_is_the_users(string? zone, int? offset, string instant, string wall) =>
        Assert.Equal(wall, new LocalTime(zone, offset).At(At(instant)).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("Europe/Paris", null, 2, "2027-03-27T12:00:00Z", "2027-03-28T01:00:00Z")] // 02:00 is left out: right behind the gap
    [InlineData("Europe/Paris", null, 2, "2027-03-28T01:00:00Z", "2027-03-29T00:00:00Z")] // and the day after at its hour
    [InlineData("Europe/Paris", null, 2, "2027-10-30T12:00:00Z", "2027-10-31T00:00:00Z")] // 02:00 comes twice: the first time
    [InlineData("Europe/Paris", null, 2, "2027-10-31T00:00:00Z", "2027-11-01T01:00:00Z")] // and not a second time
    [InlineData("America/New_York", null, 8, "2027-03-13T13:00:01Z", "2027-03-14T12:00:00Z")] // 23 hours later
    [InlineData(null, 660, 1, "2027-03-10T11:59:00Z", "2027-03-10T12:00:00Z")]
    [InlineData(null, -840, 1, "2027-03-10T11:00:00Z", "2027-03-11T11:00:00Z")]
    [InlineData(null, null, 1, "2027-03-10T00:00:00Z", "2027-03-10T01:00:00Z")]
    public void An_hour_comes_once_a_day_whatever_the_clocks_do(string? zone, int? offset, int hour, string after, string next) =>
        Assert.Equal(At(next), new LocalTime(zone, offset).Next(new TimeOnly(hour, 0), At(after)));

    [Theory]
    [InlineData("America/Santiago", "2027-09-05", "2027-09-05T04:00:00Z")] // midnight itself is left out
    [InlineData("America/Havana", "2027-11-07", "2027-11-07T04:00:00Z")] // midnight comes twice
    [InlineData("Pacific/Kiritimati", "2027-01-01", "2026-12-31T10:00:00Z")]
    public void A_day_begins_when_the_users_clock_says_so(string zone, string date, string start) =>
        Assert.Equal(At(start), new LocalTime(zone, timezoneOffset: null).StartOf(DateOnly.Parse(date, CultureInfo.InvariantCulture)));

    [Fact]
    public void Whose_zone_is_not_known_is_told_apart()
    {
        Assert.False(new LocalTime(timezoneName: null, timezoneOffset: null).IsKnown);
        Assert.False(new LocalTime("Nowhere/Land", timezoneOffset: null).IsKnown);
        Assert.True(new LocalTime(timezoneName: null, timezoneOffset: 0).IsKnown);
        Assert.True(new LocalTime("Europe/Paris", timezoneOffset: null).IsKnown);
    }

    private static DateTimeOffset At(string instant) => ThinkingSite.At(instant);
}
