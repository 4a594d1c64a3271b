using Stoa.Platform.Limits;

namespace Stoa.Tests.Platform.Limits;

public sealed class LimitTextTests
{
    [Theory]
    [InlineData(0, "0ms")]
    [InlineData(11.2, "12ms")]
    [InlineData(1000, "1s")]
    [InlineData(59_001, "1m0s")]
    [InlineData(360_000, "6m0s")]
    [InlineData(3_661_000, "1h1m1s")]
    public void Durations_are_written_as_the_sdks_read_them(double milliseconds, string text) =>
        Assert.Equal(text, LimitText.Duration(TimeSpan.FromMilliseconds(milliseconds)));

    [Theory]
    [InlineData(0, "1")]
    [InlineData(1.001, "2")]
    [InlineData(60, "60")]
    public void Seconds_to_wait_are_whole_and_never_too_few(double seconds, string text) =>
        Assert.Equal(text, LimitText.Seconds(TimeSpan.FromSeconds(seconds)));
}
