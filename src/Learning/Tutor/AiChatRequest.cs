using System.Text.Json.Nodes;
using Stoa.Learning.Chat;
using Stoa.Learning.Tasks;

namespace Stoa.Learning.Tutor;

/// <summary>What <c>/ai/chat</c> and <c>/ai/assignment</c> take.</summary>
internal sealed record AiChatRequest
{
    /// <summary>A text, code, or the id of an upload for a spoken answer and for a file.</summary>
    public required string UserResponse { get; init; }

    public required TaskType TaskType { get; init; }

    /// <summary>A question that is not saved yet: its author tries it.</summary>
    public DraftQuestion? Question { get; init; }

    public List<SentTurn>? ChatHistory { get; init; }

    public int? QuestionId { get; init; }

    public required int UserId { get; init; }

    /// <summary>Not looked at: the caller's own address counts.</summary>
    public string? UserEmail { get; init; }

    public required int TaskId { get; init; }

    public ChatResponseType? ResponseType { get; init; }
}

internal sealed record SentTurn
{
    public ChatRole? Role { get; init; }

    public string? Content { get; init; }

    public ChatResponseType? ResponseType { get; init; }
}

internal sealed record DraftQuestion
{
    public required JsonArray Blocks { get; init; }

    public JsonArray? Answer { get; init; }

    public required QuestionType Type { get; init; }

    public InputType? InputType { get; init; }

    public ResponseType? ResponseType { get; init; }

    public JsonObject? Context { get; init; }

    public List<string>? CodingLanguages { get; init; }

    public int? ScorecardId { get; init; }

    public string? Title { get; init; }
}
