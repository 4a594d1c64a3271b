using System.Text.Json;

namespace Stoa.Gateway.Chat;

/// <summary>A whole answer, independent of any dialect.</summary>
internal sealed record ChatAnswer
{
    /// <summary>The provider's id; the client gets one in its own dialect.</summary>
    public required string Id { get; init; }

    /// <summary>The model that answered, as the provider names it.</summary>
    public required string Model { get; init; }

    public required IReadOnlyList<Choice> Choices { get; init; }

    public required TokenUsage Usage { get; init; }

    public string? ServiceTier { get; init; }

    public string? SystemFingerprint { get; init; }

    public IReadOnlyList<Part> Parts => Choices[0].Parts;

    public FinishReason FinishReason => Choices[0].FinishReason;

    /// <summary>The text of the first choice.</summary>
    public string Text => string.Concat(Parts.OfType<Part.Text>().Select(part => part.Value));
}

/// <param name="StopSequence">Which of the client's stop sequences ended the answer, where the provider says so.</param>
internal sealed record Choice(
    IReadOnlyList<Part> Parts, FinishReason FinishReason, string? StopSequence = null, JsonElement? Logprobs = null);

internal enum FinishReason
{
    Stop,
    StopSequence,
    Length,
    ContextFull,
    ToolCalls,
    ContentFilter,
    Refusal,
    Pause,
    Error,
}
