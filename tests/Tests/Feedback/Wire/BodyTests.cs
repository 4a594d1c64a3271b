using System.Text.Json;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Tests.Feedback.Wire;

public sealed class BodyTests
{
    [Theory]
    [InlineData("""{"text":"x","te\ud800":1}""")]
    [InlineData("""{"text":"y","te\ud800":1,"text":"x"}""")]
    public void A_name_that_is_no_text_hides_no_other(string json) => Assert.Equal("x", Read(json));

    [Theory]
    [InlineData("""{"te\ud800":1}""")]
    [InlineData("""{"text":null,"te\ud800":1}""")]
    [InlineData("""{"text":"\ud800"}""")]
    [InlineData("""{"text":"\u0000"}""")]
    public void What_is_no_text_is_refused(string json) => Assert.Equal(FailureKind.Invalid, Assert.Throws<Failure>(() => Read(json)).Kind);

    private static string Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return WireBody.Read(document, body => body.Text("text"));
    }
}
