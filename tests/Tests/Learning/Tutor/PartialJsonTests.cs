using System.Text;
using System.Text.Json.Nodes;
using Stoa.Learning.Tutor;

namespace Stoa.Tests.Learning.Tutor;

public sealed class PartialJsonTests
{
    private const string Whole = """
        {"analysis":"a \"quoted\" wörd \ud83d\ude42 and\n😀 more","scorecard":{"A":{"score":1.5,"list":[1,2]}},"is_correct":true,"n":12}
        """;

    [Fact]
    public void Whatever_has_come_is_the_beginning_of_what_will()
    {
        var whole = JsonNode.Parse(Whole)!;
        var bytes = Encoding.UTF8.GetBytes(Whole.Trim());

        for (var length = 0; length < bytes.Length; length++)
        {
            // Pieces of text are whole characters; only their number is not known.
            if ((bytes[length] & 0xC0) == 0x80)
            {
                continue;
            }
            var read = PartialJson.Read(bytes.AsSpan(0, length), out var isWhole, out var open);
            Assert.False(isWhole);
            foreach (var (name, value) in read ?? [])
            {
                if (name == open)
                {
                    Assert.StartsWith((string)value!, (string)whole[name]!, StringComparison.Ordinal);
                }
                else
                {
                    Assert.True(JsonNode.DeepEquals(whole[name], value), $"{name} after {length} bytes: {value?.ToJsonString()}");
                }
            }
        }
        Assert.True(JsonNode.DeepEquals(whole, PartialJson.Read(bytes, out var isEnd, out _)));
        Assert.True(isEnd);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no object")]
    [InlineData("""{"a": what}""")]
    [InlineData("[1]")]
    public void What_is_no_object_is_nothing(string text) => Assert.Null(PartialJson.Read(Encoding.UTF8.GetBytes(text), out _, out _));

    [Fact]
    public void A_fence_around_the_object_is_passed_over()
    {
        var read = PartialJson.Read("```json\n{\"a\":1}\n```"u8, out var isWhole, out _);

        Assert.Equal((1, true), ((int)read!["a"]!, isWhole));
    }

    [Fact]
    public void Of_what_is_nested_only_whole_members_are_taken()
    {
        const string Text = """{"modules":[{"name":"First","concepts":[{"name":"One","tasks":[{"name":"Rea""";

        var read = PartialJson.ReadNested(Encoding.UTF8.GetBytes(Text))!;

        Assert.Equal("""{"modules":[{"name":"First","concepts":[{"name":"One","tasks":[{}]}]}]}""", read.ToJsonString());
    }
}
