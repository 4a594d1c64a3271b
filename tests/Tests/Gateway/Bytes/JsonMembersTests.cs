using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Stoa.Gateway.Bytes;

namespace Stoa.Tests.Gateway.Bytes;

public sealed class JsonMembersTests
{
    [Theory]
    [InlineData("""{}""")]
    [InlineData("""  { "a" : 1 , "b":[{"c":"}"}], "d":"\"]" } """)]
    [InlineData("""{"text":"caf\u00e9 \\","n":-1.5e+10,"t":true,"f":false,"z":null}""")]
    [InlineData("""{"a":[[[]],{}],"b":{"c":{"d":[1,2,3]}}}""")]
    public void It_sees_the_same_members_as_a_full_parser(string json)
    {
        using var document = JsonDocument.Parse(json);
        var expected = document.RootElement.EnumerateObject().Select(member => (member.Name, member.Value.GetRawText()));
        Assert.Equal(expected, Read(json));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("{\"a\"")]
    [InlineData("{\"a\":")]
    [InlineData("{\"a\":1")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{\"a\" 1}")]
    [InlineData("{a:1}")]
    [InlineData("{\"a\":[1}")]
    [InlineData("{\"a\":{]}")]
    [InlineData("{\"a\":\"x}")]
    [InlineData("{\"a\":\"x\ny\"}")]
    [InlineData("{\"a\":tru}")]
    [InlineData("{\"a\":01}")]
    [InlineData("{\"a\":1.}")]
    [InlineData("{\"a\":NaN}")]
    [InlineData("{\"a\":1} x")]
    [InlineData("{\"a\":1}{\"b\":2}")]
    public void Broken_json_is_not_valid(string json)
    {
        var members = new JsonMembers(Encoding.UTF8.GetBytes(json));
        while (members.Next())
        {
        }
        Assert.False(members.IsValid);
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(20_000, false)]
    public void Depth_is_bounded(int depth, bool isValid)
    {
        var members = new JsonMembers(Encoding.UTF8.GetBytes($"{{\"a\":{new string('[', depth)}{new string(']', depth)}}}"));
        while (members.Next())
        {
        }
        Assert.Equal(isValid, members.IsValid);
    }

    [Fact]
    public void Whatever_a_serializer_writes_is_read_alike() => Prop.ForAll(
        ArbMap.Default.ArbFor<Dictionary<NonNull<string>, (string?[] Texts, long Number, bool Flag)>>(),
        source =>
        {
            var json = JsonSerializer.Serialize(source.GroupBy(entry => entry.Key.Get).ToDictionary(
                group => group.Key,
                group => group.First().Value is var (texts, number, flag) ? new { texts, number, flag, nested = new { texts } } : null));
            using var document = JsonDocument.Parse(json);
            Assert.Equal(document.RootElement.EnumerateObject().Select(member => member.Value.GetRawText()),
                Read(json).Select(member => member.Value));
        }).QuickCheckThrowOnFailure();

    private static List<(string Name, string Value)> Read(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        var members = new JsonMembers(bytes);
        var read = new List<(string, string)>();
        while (members.Next())
        {
            var current = members.Current;
            read.Add((Encoding.UTF8.GetString(bytes[current.Name]), Encoding.UTF8.GetString(bytes[current.Value])));
        }
        Assert.True(members.IsValid);
        return read;
    }
}
