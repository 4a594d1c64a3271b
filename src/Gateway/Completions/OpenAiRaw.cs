using System.Buffers;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>OpenAI's chat completions as bytes.</summary>
internal sealed class OpenAiRaw : IRawDialect
{
    public static readonly OpenAiRaw Instance = new();

    public PooledBytes? Rewrite(ReadOnlySpan<byte> body, RequestOutline outline, ModelTarget target)
    {
        var renames = !BodyChanges.NamesModel(body, outline, target);
        var asks = outline.IsStream && target.Provider.Kind.AsksForStreamUsage && !IncludesUsage(body, outline);
        if (!renames && !asks)
        {
            return null;
        }
        var changes = new BodyChanges(body);
        if (renames)
        {
            changes.Rename(outline, target);
        }
        if (asks)
        {
            if (outline.StreamOptions is { } given)
            {
                changes.Replace(given, WithUsage(body[given]));
            }
            else
            {
                changes.Insert(outline.FirstMember, "\"stream_options\":{\"include_usage\":true},"u8);
            }
        }
        return changes.Apply();
    }

    public TokenUsage? ReadUsage(ReadOnlySpan<byte> answer)
    {
        var members = new JsonMembers(answer);
        TokenUsage? usage = null;
        var (hasError, hasChoices) = (false, false);
        while (members.Next())
        {
            var name = answer[members.Current.Name];
            hasChoices |= name.SequenceEqual("choices"u8);
            hasError |= name.SequenceEqual("error"u8) && !answer[members.Current.Value].SequenceEqual("null"u8);
            if (name.SequenceEqual("usage"u8) && OpenAiUsage.TryReadUsage(answer[members.Current.Value], out var found))
            {
                usage = found;
            }
        }
        if (hasError && !hasChoices && members.IsValid)
        {
            throw OpenAiErrors.Read(new(200), answer.ToArray());
        }
        return members.IsValid ? usage : throw ProviderFaults.InvalidAnswer("The provider's answer is not JSON");
    }

    public RawStream OpenStream(ReadOnlySpan<byte> body, RequestOutline outline) => new Stream(hidesUsage: !IncludesUsage(body, outline));

    public void KeepAlive(IBufferWriter<byte> output) => output.Write(": keep-alive\n\n"u8);

    public void WriteError(Failure failure, string requestId, IBufferWriter<byte> output) => OpenAiErrors.WriteFrame(failure, output);

    private static bool IncludesUsage(ReadOnlySpan<byte> body, RequestOutline outline) =>
        outline.StreamOptions is { } given && JsonMembers.Find(body[given], "include_usage"u8).SequenceEqual("true"u8);

    /// <summary>
    /// The client's stream options, with the wish for usage added. In the place of theirs, also of a null: of two the last one would count.
    /// </summary>
    /// <exception cref="Failure">They are not an object.</exception>
    private static byte[] WithUsage(ReadOnlySpan<byte> options)
    {
        var output = new ArrayBufferWriter<byte>(options.Length + 32);
        output.Write("{\"include_usage\":true"u8);
        var members = new JsonMembers(options);
        while (members.Next())
        {
            if (!options[members.Current.Name].SequenceEqual("include_usage"u8))
            {
                output.Write(",\""u8);
                output.Write(options[members.Current.Name]);
                output.Write("\":"u8);
                output.Write(options[members.Current.Value]);
            }
        }
        output.Write("}"u8);
        return members.IsValid || options.SequenceEqual("null"u8)
            ? output.WrittenSpan.ToArray()
            : throw Failure.Invalid("stream_options must be an object", "stream_options", "invalid_type");
    }

    /// <param name="hidesUsage">We asked for usage, the client did not: the extra event that carries it stays with us.</param>
    private sealed class Stream(bool hidesUsage) : RawStream
    {
        public override ReadOnlyMemory<byte> Ending { get; } = "data: [DONE]\n\n"u8.ToArray();

        public override int Read(Span<byte> events)
        {
            MayEnd = MayEnd || events.IndexOf("\"finish_reason\":\""u8) >= 0 || events.IndexOf("\"finish_reason\": \""u8) >= 0;
            IsFinished = events.LastIndexOf("[DONE]"u8) is >= 0 and var mark && IsDataOf(events, mark);
            var shown = !MayEnd && !IsFinished && events.IndexOf("\"error\""u8) >= 0 ? ReadError(events) : events.Length;
            return ReadUsage(events[..shown]);
        }

        private static bool IsDataOf(ReadOnlySpan<byte> events, int mark) =>
            events[..mark].TrimEnd((byte)' ').EndsWith("data:"u8)
                && events[mark..].Length >= 7 && events[mark + 6] is (byte)'\n' or (byte)'\r';

        /// <summary>Takes the figures, and closes up what only stands there because we asked.</summary>
        private int ReadUsage(Span<byte> events)
        {
            var (position, kept, next) = (0, 0, 0);
            // Inside text a quote is escaped, so this finds names only.
            while (events[position..].IndexOf("\"usage\""u8) is >= 0 and var found)
            {
                var name = position + found;
                position = name + "\"usage\""u8.Length;
                ReadOnlySpan<byte> value = events[position..].TrimStart(" :"u8);
                if (value.StartsWith("{"u8) && OpenAiUsage.TryReadUsage(value, out var usage))
                {
                    Usage = usage;
                }
                if (hidesUsage && Hidden(events, name, value) is (var start, var end))
                {
                    events[next..start].CopyTo(events[kept..]);
                    kept += start - next;
                    position = next = end;
                }
            }
            events[next..].CopyTo(events[kept..]);
            return kept + events.Length - next;
        }

        /// <summary>The event that carries nothing but usage, or the member that says there is none yet.</summary>
        private static (int Start, int End)? Hidden(ReadOnlySpan<byte> events, int name, ReadOnlySpan<byte> value)
        {
            if (value.StartsWith("null"u8))
            {
                var before = events[..name].TrimEnd((byte)' ');
                return before.EndsWith(","u8) ? (before.Length - 1, events.Length - value.Length + "null"u8.Length) : null;
            }
            var (start, end) = EventAround(events, name);
            var data = events[start..end];
            return data.IndexOf("\"choices\":[]"u8) >= 0 || data.IndexOf("\"choices\": []"u8) >= 0 ? (start, end) : null;
        }

        private static (int Start, int End) EventAround(ReadOnlySpan<byte> events, int at)
        {
            var start = Math.Max(events[..at].LastIndexOf("\n\n"u8), events[..at].LastIndexOf("\n\r\n"u8) + 1);
            return (start <= 0 ? 0 : start + 2, at + SseReader.FirstLength(events[at..]));
        }

        /// <returns>How many bytes stand before it.</returns>
        private int ReadError(ReadOnlySpan<byte> events)
        {
            var frames = new SseReader(events);
            for (var before = 0; frames.Next(); before = events.Length - frames.Left)
            {
                var error = JsonMembers.Find(frames.Data, "error"u8);
                if (!error.IsEmpty && !error.SequenceEqual("null"u8))
                {
                    Refusal = OpenAiErrors.Read(new(200), frames.Data.ToArray());
                    return before;
                }
            }
            return events.Length;
        }
    }
}
