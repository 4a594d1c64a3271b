using Stoa.Platform.Webhooks;

namespace Stoa.Tests.Platform.Webhooks;

public sealed class WebhookSignatureTests
{
    /// <summary>The worked example that Standard Webhooks' libraries test themselves with.</summary>
    [Fact]
    public void A_body_is_signed_as_the_published_vector_says() => Assert.Equal(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        WebhookSignature.Standard(
            ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", DateTimeOffset.FromUnixTimeSeconds(1614265330),
            """{"test": 2432232314}"""));

    [Fact]
    public void Each_live_secret_signs()
    {
        string[] secrets = [WebhookSignature.NewSecret(), WebhookSignature.NewSecret()];

        var standard = WebhookSignature.Standard(secrets, "id", DateTimeOffset.UnixEpoch, "{}").Split(' ');
        var dated = WebhookSignature.Dated(secrets, DateTimeOffset.UnixEpoch, "{}").Split(',');

        Assert.Equal(2, standard.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal("t=0", dated[0]);
        Assert.Equal(2, dated[1..].Distinct(StringComparer.Ordinal).Count(part => part.StartsWith("v1=", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(1, 0.5, 5)]
    [InlineData(2, 0.5, 295)]
    [InlineData(9, 0.5, 4 * 3600)]
    [InlineData(1, 0, 4)]
    [InlineData(1, 1, 6)]
    public void Attempts_come_as_planned(int attempt, double random, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), SendWebhook.WaitAfter(attempt, random));

    [Fact]
    public void After_the_tenth_attempt_there_is_none() => Assert.Null(SendWebhook.WaitAfter(10, 0.5));
}
