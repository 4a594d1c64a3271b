namespace Stoa.Learning.Wire;

/// <summary><c>{"success": true}</c>.</summary>
internal sealed record Success
{
    public static readonly Success Instance = new();

    // The property's name, not this one, is the wire's.
    [System.Text.Json.Serialization.JsonPropertyName("success")]
    public bool IsSuccess => true;
}

/// <summary><c>{"message": "…"}</c>.</summary>
internal sealed record Message([property: System.Text.Json.Serialization.JsonPropertyName("message")] string Text);

/// <summary>The id of what was made.</summary>
internal sealed record Made(int Id);

internal sealed record IdName(int Id, string Name);

/// <summary>A body that gives something another name.</summary>
internal sealed record NameRequest
{
    public required string Name { get; init; }
}
