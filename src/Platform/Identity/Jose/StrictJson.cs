using System.Text.Json;
using System.Text.Unicode;

namespace Stoa.Platform.Identity.Jose;

/// <summary>Headers and claims: a JSON object that two readers cannot read differently.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    /// <summary>Null for anything but one object without duplicate names.</summary>
    public static JsonElement? ReadObject(ReadOnlyMemory<byte> utf8)
    {
        if (!Utf8.IsValid(utf8.Span))
        {
            return null;
        }
        try
        {
            using var document = JsonDocument.Parse(utf8, Options);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second is what a lone surrogate in a name does.
            return null;
        }
    }

    /// <summary>False when the member is there and is no text.</summary>
    public static bool TryText(JsonElement from, string name, out string? value)
    {
        value = null;
        if (!from.TryGetProperty(name, out var member))
        {
            return true;
        }
        if (member.ValueKind != JsonValueKind.String)
        {
            return false;
        }
        try
        {
            value = member.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate.
            return false;
        }
    }
}
