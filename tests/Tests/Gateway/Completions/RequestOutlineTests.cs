using System.Text;
using Stoa.Gateway.Completions;
using Stoa.Platform.Http;

namespace Stoa.Tests.Gateway.Completions;

public sealed class RequestOutlineTests
{
    [Fact]
    public void It_finds_what_routing_needs_and_where_it_stands()
    {
        var body = """{"messages":[{"role":"user","content":"\"model\":\"x\""}],"model":"openai/gpt-4o","stream":true,"max_tokens":50}"""u8;
        var outline = RequestOutline.Read(body);
        Assert.Equal("openai/gpt-4o", Encoding.UTF8.GetString(outline.ModelName(body)));
        Assert.Equal("\"openai/gpt-4o\"", Encoding.UTF8.GetString(body[outline.Model]));
        Assert.True(outline.IsStream);
        Assert.Equal(50, outline.MaxOutput);
        Assert.Null(outline.StreamOptions);
    }

    [Fact]
    public void An_escaped_member_name_is_the_same_member()
    {
        var body = """{"mod\u0065l":"g\u0070t"}"""u8;
        Assert.Equal("gpt", Encoding.UTF8.GetString(RequestOutline.Read(body).ModelName(body)));
    }

    [Theory]
    [InlineData("""{"model":"a","model":"b"}""", "duplicate_parameter")]
    [InlineData("""{"model":"a","mod\u0065l":"b"}""", "duplicate_parameter")]
    [InlineData("""{"model":"a","Model":"b"}""", "unknown_parameter")]
    [InlineData("""{"model":7}""", "invalid_type")]
    [InlineData("""{"model":null}""", "invalid_type")]
    [InlineData("""{"model":"a","stream":"yes"}""", "invalid_type")]
    [InlineData("""{"messages":[]}""", "missing_required_parameter")]
    [InlineData("""{"model":"a","m\ud800":1""", "invalid_json")]
    [InlineData("""[]""", "invalid_json")]
    [InlineData("""{"model":"a\q"}""", "invalid_json")]
    public void What_cannot_be_routed_is_refused_by_name(string body, string code)
    {
        var failure = Assert.Throws<Failure>(() =>
        {
            var bytes = Encoding.UTF8.GetBytes(body);
            RequestOutline.Read(bytes).ModelName(bytes);
        });
        Assert.Equal(FailureKind.Invalid, failure.Kind);
        Assert.Equal(code, failure.Code);
    }

    [Fact]
    public void Bytes_that_are_not_text_are_refused() =>
        Assert.Equal(
            "invalid_json", Assert.Throws<Failure>(() => RequestOutline.Read([.. "{\"model\":\""u8, 0xC3, 0x28, .. "\"}"u8])).Code);

    [Theory]
    [InlineData("data:image/png;base64,")]
    [InlineData("")]
    public void A_file_in_base64_counts_as_one_picture_however_large(string head)
    {
        var file = Convert.ToBase64String(new byte[300_000]);
        var empty = RequestOutline.Read(WithContent(""));
        Assert.Equal(empty.EstimatedInput + 1_000, RequestOutline.Read(WithContent(head + file)).EstimatedInput);
    }

    [Theory]
    [InlineData("A sentence with spaces. ")]
    [InlineData("没有空格的长句子")]
    [InlineData("data:,words-and words")]
    public void Long_prose_counts_by_its_length(string sentence)
    {
        var body = WithContent(string.Concat(Enumerable.Repeat(sentence, 1_000)));
        Assert.Equal(body.Length / 4, RequestOutline.Read(body).EstimatedInput);
    }

    private static byte[] WithContent(string text) =>
        Encoding.UTF8.GetBytes($$"""{"model":"a","messages":[{"role":"user","content":"{{text}}"}]}""");
}
