namespace Stoa.Assistants.Sessions;

internal enum SessionMode
{
    Chat,
    Form,
}

/// <summary>A conversation of a user with the assistant.</summary>
internal sealed class SessionRow
{
    /// <summary>32 hex digits, or what another installation called it.</summary>
    public required string Id { get; init; }

    public required string UserId { get; init; }

    public string Language { get; set; } = "en";

    /// <summary>chrome, webapp, outlook or mobile.</summary>
    public string Platform { get; init; } = "webapp";

    public required SessionMode StartingMode { get; init; }

    public string? Title { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? EndedAt { get; set; }

    public bool IsDeleted { get; set; }
}
