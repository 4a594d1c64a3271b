using Stoa.Platform.Http;

namespace Stoa.Gateway.Chat;

/// <summary>
/// One step of a streamed answer. A stream is one Start, any number of deltas, then per choice one Finish, or one Failed for all;
/// then End. Usage may come several times and after Finish; the last one counts. <c>Index</c> numbers the blocks of a choice.
/// </summary>
internal abstract record ChatEvent
{
    private ChatEvent()
    {
    }

    /// <summary>Which of several answers (<c>n &gt; 1</c>) this belongs to.</summary>
    public int Choice { get; init; }

    internal sealed record Start(string Id, string Model) : ChatEvent;

    internal sealed record TextDelta(int Index, string Text) : ChatEvent;

    internal sealed record ThinkDelta(int Index, string Text, Dialect Origin) : ChatEvent;

    internal sealed record ThinkSignature(int Index, string Signature, Dialect Origin) : ChatEvent;

    internal sealed record ThinkRedacted(int Index, string Data, Dialect Origin) : ChatEvent;

    internal sealed record ToolStart(int Index, string Id, string Name) : ChatEvent
    {
        /// <summary>As in <see cref="Part.ToolCall.Signature"/>.</summary>
        public string? Signature { get; init; }
    }

    internal sealed record ToolArgs(int Index, string Fragment) : ChatEvent;

    internal sealed record ToolEnd(int Index) : ChatEvent;

    internal sealed record RefusalDelta(int Index, string Text) : ChatEvent;

    internal sealed record Cited(int Index, Citation Citation) : ChatEvent;

    internal sealed record Usage(TokenUsage Tokens) : ChatEvent;

    internal sealed record Finish(FinishReason Reason, string? StopSequence = null) : ChatEvent;

    internal sealed record Failed(Failure Failure) : ChatEvent;

    internal sealed record End : ChatEvent;
}
