using System.Text.Json.Serialization;

namespace Stoa.Assistants.Wire;

/// <summary><c>{"success": true}</c>.</summary>
internal sealed record Success
{
    public static readonly Success Instance = new();

    // The property's name, not this one, is the wire's.
    [JsonPropertyName("success")]
    public bool IsSuccess => true;
}

/// <summary><c>{"success": "…"}</c>.</summary>
internal sealed record SuccessText([property: JsonPropertyName("success")] string Text);
