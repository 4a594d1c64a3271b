using Stoa.Platform.Egress;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Egress;

public sealed class AskedWaitTests
{
    [Theory]
    [InlineData("17", 17.0)]
    [InlineData("0.5", 0.5)]
    [InlineData("Sun, 22 Nov 2026 08:00:30 GMT", 30.0)]
    [InlineData("Sun, 22 Nov 2026 07:59:00 GMT", 0.0)]
    [InlineData("-3", 0.0)]
    [InlineData("1e9", 86_400.0)]
    [InlineData("Wed, 21 Oct 2099 07:28:00 GMT", 86_400.0)]
    [InlineData("soon", null)]
    [InlineData("NaN", null)]
    [InlineData(null, null)]
    public void A_wait_is_seconds_or_a_date_and_has_an_end(string? header, double? seconds)
    {
        var clock = new FakeClock(new(2026, 11, 22, 8, 0, 0, TimeSpan.Zero));
        using var answer = new HttpResponseMessage();
        if (header is not null)
        {
            answer.Headers.TryAddWithoutValidation("Retry-After", header);
        }

        Assert.Equal(seconds, AskedWait.Of(answer, clock)?.TotalSeconds);
    }
}
