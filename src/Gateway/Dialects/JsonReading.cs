using System.Globalization;
using System.Text.Json;

namespace Stoa.Gateway.Dialects;

/// <summary>Reading what providers answer: what is missing or of a strange type is simply not there.</summary>
internal static class JsonReading
{
    public static JsonElement Member(this JsonElement holder, string name) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out var value) ? value : default;

    public static string? TextOf(this JsonElement holder, string name) => holder.Member(name).AsText();

    public static string? AsText(this JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A finite number, also where it was written as a text.</summary>
    public static double? AsNumber(this JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetDouble(out var number) && double.IsFinite(number) => number,
        JsonValueKind.String when double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number) => number,
        _ => null,
    };

    public static IEnumerable<JsonElement> ItemsOf(this JsonElement holder, string name) =>
        holder.Member(name) is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : [];

    public static bool IsPresent(this JsonElement value) => value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    /// <summary>The text of the next value, or null when it is something else.</summary>
    public static string? NextText(this ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
        {
            return StreamText.Read(ref reader);
        }
        reader.Skip();
        return null;
    }

    public static int? NextInteger(this ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number)
        {
            return reader.TryGetInt32(out var number) ? number : null;
        }
        reader.Skip();
        return null;
    }

    /// <summary>Moves into the next value when it is an object; passes over it otherwise.</summary>
    public static bool NextObject(this ref Utf8JsonReader reader) => reader.NextIs(JsonTokenType.StartObject);

    public static bool NextArray(this ref Utf8JsonReader reader) => reader.NextIs(JsonTokenType.StartArray);

    public static bool NextProperty(this ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    public static void SkipValue(this ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }

    private static bool NextIs(this ref Utf8JsonReader reader, JsonTokenType type)
    {
        reader.Read();
        if (reader.TokenType == type)
        {
            return true;
        }
        reader.Skip();
        return false;
    }
}
