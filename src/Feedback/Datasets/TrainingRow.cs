using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stoa.Feedback.Datasets;

/// <summary>A turn as chat formats write it: <c>user</c>, <c>assistant</c>.</summary>
internal sealed record ChatTurn(string Role, string Content);

/// <summary>A turn as ShareGPT writes it: <c>human</c>, <c>gpt</c>.</summary>
internal sealed record ShareGptTurn(string From, string Value);

/// <summary>A row of a training file; what its format does not have stays null and is not written.</summary>
internal sealed record TrainingRow
{
    /// <summary>Chat language modelling (TRL) and OpenAI's fine-tuning.</summary>
    public IReadOnlyList<ChatTurn>? Messages { get; init; }

    /// <summary>Plain language modelling (TRL).</summary>
    public string? Text { get; init; }

    /// <summary>A text or turns, as in all TRL formats with a prompt.</summary>
    public JsonElement? Prompt { get; init; }
    public JsonElement? Completion { get; init; }
    public bool? Label { get; init; }
    public JsonElement? Chosen { get; init; }
    public JsonElement? Rejected { get; init; }

    public IReadOnlyList<ShareGptTurn>? Conversations { get; init; }

    /// <summary>OpenAI's preference format, with the two outputs below.</summary>
    public PreferenceInput? Input { get; init; }
    public IReadOnlyList<ChatTurn>? PreferredOutput { get; init; }
    public IReadOnlyList<ChatTurn>? NonPreferredOutput { get; init; }

    internal sealed record PreferenceInput(IReadOnlyList<ChatTurn> Messages)
    {
        public IReadOnlyList<string> Tools { get; } = [];
        [JsonPropertyName("parallel_tool_calls")]
        public bool AreToolCallsParallel { get; } = true;
    }
}
