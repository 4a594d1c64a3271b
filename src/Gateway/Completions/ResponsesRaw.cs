using System.Buffers;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>OpenAI's Responses API as bytes.</summary>
internal sealed class ResponsesRaw : IRawDialect
{
    public static readonly ResponsesRaw Instance = new();

    public PooledBytes? Rewrite(ReadOnlySpan<byte> body, RequestOutline outline, ModelTarget target) =>
        BodyChanges.Rename(body, outline, target);

    public TokenUsage? ReadUsage(ReadOnlySpan<byte> answer)
    {
        var members = new JsonMembers(answer);
        TokenUsage? usage = null;
        var hasError = false;
        while (members.Next())
        {
            var name = answer[members.Current.Name];
            hasError |= name.SequenceEqual("error"u8) && !answer[members.Current.Value].SequenceEqual("null"u8);
            if (name.SequenceEqual("usage"u8) && OpenAiUsage.TryReadUsage(answer[members.Current.Value], out var found))
            {
                usage = found;
            }
        }
        if (hasError && members.IsValid)
        {
            throw OpenAiErrors.Read(new(200), answer.ToArray());
        }
        return members.IsValid ? usage : throw ProviderFaults.InvalidAnswer("The provider's answer is not JSON");
    }

    public RawStream OpenStream(ReadOnlySpan<byte> body, RequestOutline outline) => new Stream();

    public void KeepAlive(IBufferWriter<byte> output) => output.Write(": keep-alive\n\n"u8);

    /// <summary>
    /// The response that the provider began is not known here, so the failure stands alone; the vendor's clients throw on it.
    /// </summary>
    public void WriteError(Failure failure, string requestId, IBufferWriter<byte> output)
    {
        output.Write("event: error\ndata: {\"type\":\"error\","u8);
        var error = new ArrayBufferWriter<byte>(256);
        OpenAiErrors.WriteBody(failure, error);
        output.Write(error.WrittenSpan[1..]);
        output.Write("\n\n"u8);
    }

    private sealed class Stream : RawStream
    {
        public override ReadOnlyMemory<byte> Ending => default;

        public override int Read(Span<byte> events)
        {
            // Cheap, and true for text that names an event too; what the event is says its frame.
            return events.IndexOf("response.completed"u8) >= 0 || events.IndexOf("response.incomplete"u8) >= 0
                || events.IndexOf("response.failed"u8) >= 0 || events.IndexOf("\"error\""u8) >= 0 ? ReadEnd(events) : events.Length;
        }

        /// <returns>How many bytes stand before an error, if it ends with one.</returns>
        private int ReadEnd(ReadOnlySpan<byte> events)
        {
            var frames = new SseReader(events);
            for (var before = 0; frames.Next(); before = events.Length - frames.Left)
            {
                var type = JsonMembers.Find(frames.Data, "type"u8);
                if (type.SequenceEqual("\"response.completed\""u8) || type.SequenceEqual("\"response.incomplete\""u8))
                {
                    IsFinished = true;
                    var response = JsonMembers.Find(frames.Data, "response"u8);
                    Usage = OpenAiUsage.TryReadUsage(JsonMembers.Find(response, "usage"u8), out var usage) ? usage : null;
                }
                else if (type.SequenceEqual("\"response.failed\""u8))
                {
                    Refusal = OpenAiErrors.Read(new(200), JsonMembers.Find(frames.Data, "response"u8).ToArray());
                    return before;
                }
                else if (type.SequenceEqual("\"error\""u8))
                {
                    Refusal = OpenAiErrors.Read(new(200), frames.Data.ToArray());
                    return before;
                }
            }
            return events.Length;
        }
    }
}
