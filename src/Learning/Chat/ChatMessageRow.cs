using System.Text.Json.Serialization;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Chat;

[JsonConverter(typeof(WireEnum<ChatRole>))]
internal enum ChatRole
{
    User,
    Assistant,
}

[JsonConverter(typeof(WireEnum<ChatResponseType>))]
internal enum ChatResponseType
{
    Text,
    Code,
    Audio,
    File,
}

/// <summary>One turn between a learner and the tutor, about a question or about a task.</summary>
internal sealed class ChatMessageRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int UserId { get; init; }

    public int? QuestionId { get; init; }

    public int? TaskId { get; init; }

    public required ChatRole Role { get; init; }

    public string? Content { get; init; }

    public ChatResponseType? ResponseType { get; init; }

    /// <summary>When it came. Days of activity and all figures are counted by it.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was said by the sender's clock, which pages show; null where that is not known.</summary>
    public DateTimeOffset? SaidAt { get; init; }

    public DateTimeOffset? DeletedAt { get; set; }
}
