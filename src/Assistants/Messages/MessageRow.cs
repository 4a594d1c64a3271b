namespace Stoa.Assistants.Messages;

internal enum MessageSender
{
    User,
    Mojo,
    System,
}

/// <summary>
/// What was said in a session. Messages without <c>text</c> in their JSON are no part of the conversation that models see.
/// </summary>
internal sealed class MessageRow
{
    public int Id { get; init; }

    public required string SessionId { get; init; }

    public required MessageSender Sender { get; init; }

    /// <summary>An object: <c>text</c> and the wire's other members.</summary>
    public required string Message { get; set; }

    public string? EventName { get; init; }

    /// <summary>When it was said, by the client's clock; it orders the conversation.</summary>
    public required DateTimeOffset MessageDate { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Of an answer: the newest message of the user that it knew.</summary>
    public int? AnsweredId { get; init; }

    public DateTimeOffset? ReadAt { get; set; }

    public DateTimeOffset? InErrorAt { get; set; }
}
