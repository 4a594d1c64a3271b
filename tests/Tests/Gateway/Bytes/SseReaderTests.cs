using System.Text;
using Stoa.Gateway.Bytes;

namespace Stoa.Tests.Gateway.Bytes;

public sealed class SseReaderTests
{
    [Theory]
    [InlineData("data: a\n\ndata: b", 9)]
    [InlineData("data: a\r\n\r\ndata: b\r\n", 11)]
    [InlineData("data: a\r\rdata", 9)]
    [InlineData("data: a\n", 0)]
    [InlineData("data: a\n\n", 9)]
    public void Whole_events_are_told_from_the_beginning_of_the_next(string bytes, int complete) =>
        Assert.Equal(complete, SseReader.CompleteLength(Encoding.UTF8.GetBytes(bytes)));

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void Events_carry_their_name_and_all_their_lines(string newline)
    {
        string[] lines = [": comment", "", "event: ping", "data:x", "", "event: empty", "", "data: one", "data:  two", "id: 7", ""];
        Assert.Equal([("ping", "x"), ("message", "one\n two")], Read(string.Concat(lines.Select(line => line + newline))));
    }

    private static List<(string Type, string Data)> Read(string text)
    {
        var frames = new SseReader(Encoding.UTF8.GetBytes(text));
        var read = new List<(string, string)>();
        while (frames.Next())
        {
            read.Add((frames.Type, Encoding.UTF8.GetString(frames.Data)));
        }
        return read;
    }
}
