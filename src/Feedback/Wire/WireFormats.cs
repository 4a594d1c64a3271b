using System.Text.Json;
using System.Text.Json.Serialization;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Wire;

/// <summary>Dates with microseconds and <c>+00:00</c>.</summary>
internal sealed class WireInstant : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        WireValues.InstantOf(reader.GetString() ?? "") ?? throw new JsonException();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        // Microseconds are all the database keeps; the serializer's own form leaves zeros at the end out.
        Span<byte> text = stackalloc byte[32];
        value.UtcDateTime.TryFormat(text, out var length, "yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", provider: null);
        // "+" would be escaped.
        Span<byte> quoted = stackalloc byte[34];
        quoted[0] = quoted[length + 1] = (byte)'"';
        text[..length].CopyTo(quoted[1..]);
        writer.WriteRawValue(quoted[..(length + 2)], skipInputValidation: true);
    }
}

/// <summary>An enum by its name in snake_case.</summary>
internal sealed class WireEnum<T> : JsonConverter<T>
    where T : struct, Enum
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        EnumNames<T>.Read(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(EnumNames<T>.Write(value));
}
