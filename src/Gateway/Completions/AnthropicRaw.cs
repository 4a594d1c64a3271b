using System.Buffers;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>Anthropic's messages as bytes.</summary>
internal sealed class AnthropicRaw : IRawDialect
{
    public static readonly AnthropicRaw Instance = new();

    public PooledBytes? Rewrite(ReadOnlySpan<byte> body, RequestOutline outline, ModelTarget target) =>
        BodyChanges.Rename(body, outline, target);

    public TokenUsage? ReadUsage(ReadOnlySpan<byte> answer)
    {
        var members = new JsonMembers(answer);
        TokenUsage? usage = null;
        var isError = false;
        while (members.Next())
        {
            isError |= answer[members.Current.Name].SequenceEqual("type"u8) && answer[members.Current.Value].SequenceEqual("\"error\""u8);
            if (answer[members.Current.Name].SequenceEqual("usage"u8)
                && AnthropicUsage.TryReadUsage(answer[members.Current.Value], out var found))
            {
                usage = found;
            }
        }
        if (isError && members.IsValid)
        {
            throw AnthropicErrors.Read(new(200), answer.ToArray());
        }
        return members.IsValid ? usage : throw ProviderFaults.InvalidAnswer("The provider's answer is not JSON");
    }

    public RawStream OpenStream(ReadOnlySpan<byte> body, RequestOutline outline) => new Stream();

    public void KeepAlive(IBufferWriter<byte> output) => output.Write("event: ping\ndata: {\"type\":\"ping\"}\n\n"u8);

    public void WriteError(Failure failure, string requestId, IBufferWriter<byte> output) =>
        AnthropicErrors.WriteFrame(failure, requestId, output);

    private sealed class Stream : RawStream
    {
        private AnthropicUsage figures;

        public override ReadOnlyMemory<byte> Ending => default;

        public override int Read(Span<byte> events)
        {
            var position = 0;
            // Inside text a quote is escaped, so this finds names only. The opening event carries the prompt's tokens, the closing one the
            // answer's.
            while (events[position..].IndexOf("\"usage\""u8) is >= 0 and var found)
            {
                position += found + "\"usage\""u8.Length;
                ReadOnlySpan<byte> value = events[position..].TrimStart(" :"u8);
                if (!value.IsEmpty && value[0] == '{' && figures.Merge(value))
                {
                    Usage = figures.Tokens;
                }
            }
            // With its quotes, which cannot stand like this inside text.
            IsFinished = events.IndexOf("\"type\":\"message_stop\""u8) >= 0 || events.IndexOf("\"type\": \"message_stop\""u8) >= 0;
            return events.IndexOf("event: error"u8) >= 0 || events.IndexOf("event:error"u8) >= 0 ? ReadError(events) : events.Length;
        }

        /// <returns>How many bytes stand before it.</returns>
        private int ReadError(ReadOnlySpan<byte> events)
        {
            var frames = new SseReader(events);
            for (var before = 0; frames.Next(); before = events.Length - frames.Left)
            {
                if (frames.Type == "error")
                {
                    Refusal = AnthropicErrors.Read(new(200), frames.Data.ToArray());
                    return before;
                }
            }
            return events.Length;
        }
    }
}
