namespace Stoa.Assistants.HomeChats;

/// <summary>The chat that greets a user in a week; it begins when he first answers.</summary>
internal sealed class HomeChatRow
{
    public int Id { get; init; }

    public required string UserId { get; init; }

    public required string SessionId { get; init; }

    /// <summary>Its Monday, by the user's clock.</summary>
    public required DateOnly Week { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; set; }
}
