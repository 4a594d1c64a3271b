using System.Runtime.InteropServices;
using System.Text.Json;

namespace Stoa.Platform.Http;

/// <summary>
/// What somebody has sent, and whether the database can keep it: not all that is valid JSON is text (half of a surrogate pair) or a number
/// that anything can hold.
/// </summary>
public static class StorableJson
{
    private const int MostDigits = 400;

    /// <summary>Null for what is no text, and for NUL, which no database keeps.</summary>
    public static string? TextOf(JsonElement value)
    {
        try
        {
            return value.GetString() is { } text && !text.Contains('\0', StringComparison.Ordinal) ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whether all of a document can be kept, its names included.</summary>
    public static bool Holds(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().All(Holds),
        JsonValueKind.Object => value.EnumerateObject().All(member => HoldsName(member) && Holds(member.Value)),
        JsonValueKind.String => TextOf(value) is not null,
        JsonValueKind.Number => HoldsNumber(value),
        _ => true,
    };

    /// <summary>
    /// The member of an object, also where another's name is no text, over which the framework's own search breaks. Of two the last.
    /// </summary>
    public static JsonElement? Member(JsonElement within, string name)
    {
        try
        {
            return within.TryGetProperty(name, out var value) ? value : null;
        }
        catch (InvalidOperationException)
        {
            return within.EnumerateObject().Where(member => NameOf(member) == name)
                .Select(member => (JsonElement?)member.Value).LastOrDefault();
        }
    }

    /// <summary>Null for what is no text.</summary>
    public static string? NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static bool HoldsName(JsonProperty member) => NameOf(member) is { } name && !name.Contains('\0', StringComparison.Ordinal);

    /// <summary>
    /// JSON's numbers have no end, those of the database have, and it writes out what is short (<c>1e99999</c>): what a double can hold is
    /// far within.
    /// </summary>
    private static bool HoldsNumber(JsonElement value)
    {
        var digits = JsonMarshal.GetRawUtf8Value(value);
        return digits.Length <= MostDigits && value.TryGetDouble(out var number) && double.IsFinite(number)
            && (number != 0 || digits.IndexOfAny((byte)'e', (byte)'E') < 0);
    }
}
