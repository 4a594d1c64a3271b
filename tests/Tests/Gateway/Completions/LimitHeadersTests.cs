using Stoa.Gateway.Completions;

namespace Stoa.Tests.Gateway.Completions;

public sealed class LimitHeadersTests
{
    [Theory]
    [InlineData(0, "0ms")]
    [InlineData(11.2, "12ms")]
    [InlineData(1000, "1s")]
    [InlineData(59_001, "1m0s")]
    [InlineData(360_000, "6m0s")]
    [InlineData(3_661_000, "1h1m1s")]
    public void Durations_are_written_as_the_sdks_read_them(double milliseconds, string text) =>
        Assert.Equal(text, LimitHeaders.Duration(TimeSpan.FromMilliseconds(milliseconds)));
}
