using System.Text.Json.Serialization;
using Stoa.Feedback.Trees;

namespace Stoa.Feedback.Wire;

/// <summary>A message as part of a conversation.</summary>
/// <param name="UserEmojis">Those of the acting user.</param>
/// <param name="UserIsAuthor">Null without an acting user.</param>
/// <param name="Synthetic">Null where it must not be told.</param>
internal record ConversationMessage(
    Guid? Id, Guid? UserId, string? FrontendMessageId, string Text, string? Lang, bool IsAssistant,
    IReadOnlyDictionary<string, int>? Emojis, IReadOnlyList<string>? UserEmojis, bool? UserIsAuthor, bool? Synthetic);

internal sealed record WireMessage(
    Guid? Id, Guid? UserId, string? FrontendMessageId, string Text, string? Lang, bool IsAssistant,
    IReadOnlyDictionary<string, int>? Emojis, IReadOnlyList<string>? UserEmojis, bool? UserIsAuthor, bool? Synthetic,
    Guid? ParentId, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? CreatedDate, bool? ReviewResult, int? ReviewCount,
    bool? Deleted, bool? Edited, string? ModelName, Guid? MessageTreeId, int? RankingCount, int? Rank)
    : ConversationMessage(Id, UserId, FrontendMessageId, Text, Lang, IsAssistant, Emojis, UserEmojis, UserIsAuthor, Synthetic)
{
    /// <summary>Only with <c>include_user</c>.</summary>
    public FrontEndUser? User { get; init; }
}

internal sealed record Conversation(IReadOnlyList<ConversationMessage> Messages);

internal sealed record MessageTree(Guid Id, IReadOnlyList<WireMessage> Messages);

/// <param name="UserIsAuthor">False without an acting user, as in the original.</param>
internal sealed record MessageRevision(
    Guid Id, string Text, Guid MessageId, Guid? UserId, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? CreatedDate,
    bool? UserIsAuthor);

internal sealed record MessageTreeStateResponse(
    Guid MessageTreeId, [property: JsonConverter(typeof(WireEnum<TreeState>))] TreeState State, int GoalTreeSize, int MaxDepth,
    int MaxChildrenCount, bool Active, string? Origin);

internal sealed record FlaggedMessageResponse(
    Guid MessageId, bool Processed, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? CreatedDate);
