using System.Globalization;
using Stoa.Gateway.Pages;
using Stoa.Platform.Pages;

namespace Stoa.Tests.Gateway.Pages;

public sealed class PageTextTests
{
    [Theory]
    [InlineData("https://api.example.org/v1", "https://api.example.org/v1")]
    [InlineData("https://user:word@api.example.org:8443/v1?key=hush#part", "https://api.example.org:8443/v1")]
    [InlineData("https://api.example.org", "https://api.example.org")]
    [InlineData("nonsense", "")]
    [InlineData(null, "")]
    public void An_address_is_shown_without_what_may_be_a_secret(string? url, string shown) => Assert.Equal(shown, PageText.Address(url));

    [Theory]
    [InlineData("0", "$0.00")]
    [InlineData("1234567.891", "$1,234,567.89")]
    [InlineData("0.12345", "$0.1235")]
    [InlineData("0.0000000001", "$0.0000000001")]
    public void Small_amounts_keep_their_digits(string amount, string shown) =>
        Assert.Equal(shown, PageText.Dollars(decimal.Parse(amount, CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData(1, "1 second")]
    [InlineData(59, "59 seconds")]
    [InlineData(3_599, "59 minutes")]
    [InlineData(3_660, "1 hour 1 minute")]
    [InlineData(180_000, "2 days 2 hours")]
    public void Durations_are_told_in_the_two_largest_units(int seconds, string shown) =>
        Assert.Equal(shown, PageText.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Samples_hold_whatever_a_model_is_called()
    {
        var samples = ClientSamples.For("http://host", "key", "a/it's \"odd\" \\", "b");

        Assert.Contains("""-d '{"model": "a/it'\''s \"odd\" \\", """, samples[0].Text, StringComparison.Ordinal);
        Assert.Contains("""model="a/it's \"odd\" \\",""", samples[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_known_key_samples_read_it_from_the_environment() =>
        Assert.All(ClientSamples.For("http://host", token: null, "m", "m"), sample =>
            Assert.Contains("STOA_API_KEY", sample.Text, StringComparison.Ordinal));

    [Fact]
    public void Models_that_do_not_fit_are_one_line_so_that_the_total_is_the_sum_of_the_lines()
    {
        var report = UsageReport.Of(Enumerable.Range(1, 60).Select(n => new UsageLine("p", $"m{n}", n, 1, 0, n, 0, n, n * 0.001m)));

        Assert.Equal(51, report.Rows.Count);
        Assert.Equal(("10 more", 55L), (report.Rows[^1].Model, report.Rows[^1].Calls));
        Assert.Equal((1830L, 60L, 1.830m), (report.Total.Calls, report.Total.Failed, report.Total.Cost));
        Assert.Equal(report.Total.Cost, report.Rows.Sum(row => row.Cost));
    }
}
