using System.Buffers;
using System.Text.Json;

namespace Stoa.Gateway.Cache;

/// <summary>One form for JSON that says the same: members in order of their names, no white space, one way of escaping.</summary>
internal static class CanonicalJson
{
    /// <param name="leftOut">Members of the outermost object that do not change the answer.</param>
    public static ReadOnlyMemory<byte> Of(ReadOnlySpan<byte> json, params ReadOnlySpan<string> leftOut)
    {
        var reader = new Utf8JsonReader(json);
        using var document = JsonDocument.ParseValue(ref reader);
        var output = new ArrayBufferWriter<byte>(json.Length);
        using (var writer = new Utf8JsonWriter(output))
        {
            Write(writer, document.RootElement, leftOut);
        }
        return output.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element, ReadOnlySpan<string> leftOut)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in element.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    if (!leftOut.Contains(member.Name))
                    {
                        writer.WritePropertyName(member.Name);
                        Write(writer, member.Value, []);
                    }
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                {
                    Write(writer, item, []);
                }
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(element.GetString());
                break;
            default:
                // Numbers as they were written: 1 and 1.0 may differ to a provider.
                writer.WriteRawValue(element.GetRawText());
                break;
        }
    }
}
