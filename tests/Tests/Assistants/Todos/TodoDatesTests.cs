using System.Globalization;
using Stoa.Assistants.Todos;

namespace Stoa.Tests.Assistants.Todos;

public sealed class TodoDatesTests
{
    [Theory]
    [InlineData("2027-11-30", "2027-11-30")]
    [InlineData(" Today ", "2027-10-29")]
    [InlineData("tomorrow", "2027-10-30")]
    [InlineData("the day after tomorrow", "2027-10-31")]
    [InlineData("in 3 days", "2027-11-01")]
    [InlineData("in a week", "2027-11-05")]
    [InlineData("in two weeks", null)]
    [InlineData("in 2 weeks", "2027-11-12")]
    [InlineData("next month", "2027-11-29")]
    [InlineData("in 4 months", "2028-02-29")]
    [InlineData("friday", "2027-11-05")] // today is one
    [InlineData("next Monday", "2027-11-01")]
    [InlineData("end of the week", "2027-10-29")]
    [InlineData("end of month", "2027-10-31")]
    [InlineData("2027-02-30", null)]
    [InlineData("30/11/2027", null)]
    [InlineData("5", null)]
    [InlineData("next 3", null)]
    [InlineData("soon", null)]
    [InlineData("", null)]
    public void Days_are_read_as_models_write_them(string text, string? day) => Assert.Equal(Day(day), TodoDates.Read(text, Friday));

    [Theory]
    [InlineData("2027-10-28", "2027-10-29")]
    [InlineData("2027-10-29", "2027-10-29")]
    [InlineData("2032-10-29", "2032-10-29")]
    [InlineData("2032-10-30", null)]
    [InlineData("0001-01-01", "2027-10-29")]
    [InlineData("9999-12-31", null)]
    public void What_has_passed_is_due_today_and_what_is_out_of_sight_never(string date, string? due) =>
        Assert.Equal(Day(due), TodoDates.Due(Day(date)!.Value, Friday));

    [Theory]
    [InlineData("2027-10-29", false)]
    [InlineData("2027-10-30", true)]
    [InlineData("2028-04-26", true)]
    [InlineData("2028-04-27", false)]
    public void A_todo_moves_to_a_day_to_come_and_no_further_than_half_a_year(string date, bool can) =>
        Assert.Equal(can, TodoDates.CanMoveTo(Day(date)!.Value, Friday));

    [Fact]
    public void What_reads_the_same_has_the_same_key()
    {
        var key = TodoDates.KeyOf("Send the minutes to Bob", Friday);

        Assert.Equal(key, TodoDates.KeyOf("  send the\n minutes  to BOB ", Friday));
        Assert.NotEqual(key, TodoDates.KeyOf("Send the minutes to Bob", Friday.AddDays(1)));
        Assert.Equal(Friday.AddDays(3), TodoDates.NextWeekday(Friday));
    }

    private static DateOnly Friday => new(2027, 10, 29);

    private static DateOnly? Day(string? text) =>
        text is null ? null : DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);
}
