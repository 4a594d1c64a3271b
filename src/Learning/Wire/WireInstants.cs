using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stoa.Learning.Wire;

/// <summary>A typed time: <c>2099-01-01T00:00:00Z</c>, with a fraction only where there is one.</summary>
internal sealed class WireInstant() : InstantForm("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'");

/// <summary>A typed time that the original's database has set: UTC without saying so, <c>2026-11-20T09:42:54</c>.</summary>
internal sealed class WireNaiveInstant() : InstantForm("yyyy-MM-dd'T'HH:mm:ss");

/// <summary>The database's own text of a time, in UTC: <c>2026-11-20 09:41:06</c>.</summary>
internal sealed class WireDatabaseInstant() : InstantForm("yyyy-MM-dd HH:mm:ss");

/// <summary>The database's own text of a time that a client has set: <c>2026-11-20 09:41:10.250000+00:00</c>.</summary>
internal sealed class WireClientInstant() : InstantForm("yyyy-MM-dd HH:mm:ss.FFFFFF'+00:00'");

internal abstract class InstantForm(string form) : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        LenientInstant.Parse(ref reader) ?? throw new JsonException();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        // "+" would be escaped.
        var text = value.UtcDateTime.ToString(form, CultureInfo.InvariantCulture);
        writer.WriteRawValue($"\"{text}\"", skipInputValidation: true);
    }
}
