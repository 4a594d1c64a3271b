using System.Text.Json;

namespace Stoa.Gateway.Chat;

/// <summary>A request for an answer, independent of any dialect. Every dialect reads into it and writes from it.</summary>
internal sealed record ChatRequest
{
    public required string Model { get; init; }

    /// <summary>The dialect whose <see cref="Extra"/> fields and foreign parts this request holds.</summary>
    public required Dialect Source { get; init; }

    /// <summary>The leading system text. Later system messages are turns of <see cref="TurnRole.System"/>.</summary>
    public IReadOnlyList<SystemBlock> System { get; init; } = [];

    public IReadOnlyList<Turn> Turns { get; init; } = [];

    public IReadOnlyList<Tool> Tools { get; init; } = [];

    public ToolChoice? ToolChoice { get; init; }

    public bool? Parallel { get; init; }

    public Sampling Sampling { get; init; } = Sampling.Default;

    /// <summary>Whether some part is a <see cref="Part.Recording"/>, which has to be fetched whatever the provider takes.</summary>
    public bool HasRecordings { get; init; }

    public int? MaxOutput { get; init; }

    public IReadOnlyList<string> Stop { get; init; } = [];

    public AnswerFormat? Format { get; init; }

    public Reasoning? Reasoning { get; init; }

    public long? Seed { get; init; }

    /// <summary>How many answers are wanted; null means one.</summary>
    public int? N { get; init; }

    public bool Logprobs { get; init; }

    public int? TopLogprobs { get; init; }

    public string? UserId { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    public string? ServiceTier { get; init; }

    public bool Stream { get; init; }

    /// <summary>The client asked for a usage chunk at the end of an OpenAI stream.</summary>
    public bool IncludeUsage { get; init; }

    /// <summary>The client spoke the deprecated <c>functions</c>, so its answer is worded that way too.</summary>
    public bool LegacyFunctions { get; init; }

    /// <summary>Fields without a canonical form, as the client sent them; they go out to a provider of the same dialect only.</summary>
    public IReadOnlyList<ExtraField> Extra { get; init; } = [];

    /// <summary>What the answer repeats of the request, as the client sent it, where its dialect does that.</summary>
    public IReadOnlyList<ExtraField> Echo { get; init; } = [];

    /// <summary>What was dropped or changed on the way to a provider. For the log, never for the client.</summary>
    public List<string> Warnings { get; } = [];

    public void Warn(string warning)
    {
        if (!Warnings.Contains(warning))
        {
            Warnings.Add(warning);
        }
    }
}

/// <summary>The format of a model's API, as its clients and its providers speak it.</summary>
internal enum Dialect
{
    OpenAi,
    Anthropic,
    Gemini,
    OpenAiResponses,
}

internal readonly record struct ExtraField(string Name, JsonElement Value);

internal sealed record SystemBlock(string Text, CacheHint? Cache = null);

/// <summary>The client marked the end of a prefix worth caching.</summary>
/// <param name="Lifetime">As the dialect writes it (<c>5m</c>, <c>1h</c>); null means the provider's default.</param>
internal sealed record CacheHint(string? Lifetime);

internal sealed record Sampling(
    double? Temperature = null,
    double? TopP = null,
    int? TopK = null,
    double? FrequencyPenalty = null,
    double? PresencePenalty = null)
{
    public static readonly Sampling Default = new();
}

/// <summary>Without a schema any JSON object will do.</summary>
internal sealed record AnswerFormat(JsonElement? Schema, string? Name = null, string? Description = null, bool? Strict = null);

/// <summary>How much the model should think. Either figure may be missing; a budget wins where the target takes one.</summary>
/// <param name="Mode">The word of Anthropic's <c>thinking.type</c> when the client used it (<c>adaptive</c>, <c>between_tools</c>).</param>
internal sealed record Reasoning(Effort? Effort = null, int? Budget = null, string? Mode = null, string? Display = null)
{
    /// <summary>For a target that takes no budget; null when neither figure is known.</summary>
    public Effort? NearestEffort => Effort ?? Budget switch
    {
        null => null,
        <= 1024 => Chat.Effort.Low,
        <= 8192 => Chat.Effort.Medium,
        _ => Chat.Effort.High,
    };
}

internal enum Effort
{
    None,
    Minimal,
    Low,
    Medium,
    High,
    ExtraHigh,
    Max,
}
