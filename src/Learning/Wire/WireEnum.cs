using System.Text.Json;
using System.Text.Json.Serialization;
using Stoa.Platform.Data;

namespace Stoa.Learning.Wire;

/// <summary>An enum by its name in snake_case.</summary>
internal sealed class WireEnum<T> : JsonConverter<T>
    where T : struct, Enum
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        EnumNames<T>.Read(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(EnumNames<T>.Write(value));
}
