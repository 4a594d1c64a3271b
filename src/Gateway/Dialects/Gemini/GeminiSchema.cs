using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary>
/// A JSON Schema in the subset of OpenAPI that older models take: types in capitals, references replaced by what they mean, and
/// nothing that the dialect does not name, for it refuses unknown members.
/// </summary>
internal sealed class GeminiSchema(JsonElement root, string field)
{
    private const int MaxReferences = 5;

    /// <summary>Definitions that each refer to the next many times multiply: a small request could become one of gigabytes.</summary>
    private const int MaxSchemas = 5_000;

    /// <summary>The same for long texts in them; more than any request that came in whole.</summary>
    private const long MaxRequestBytes = 64 << 20;

    private int written;

    public static void Write(Utf8JsonWriter json, JsonElement schema, string field) =>
        new GeminiSchema(schema, field).Write(json, schema, references: 0);

    private void Write(Utf8JsonWriter json, JsonElement schema, int references)
    {
        if (++written > MaxSchemas || json.BytesCommitted + json.BytesPending > MaxRequestBytes)
        {
            throw Failure.Invalid(
                $"With its references replaced, a schema for this provider is too large (at most {MaxSchemas} schemas).",
                field, "unsupported_schema");
        }
        while (schema.TextOf("$ref") is { } reference)
        {
            schema = Resolve(reference);
            references++;
            if (references > MaxReferences)
            {
                throw Failure.Invalid(
                    $"A schema for this provider may refer to itself or others at most {MaxReferences} deep.", field, "unsupported_schema");
            }
        }
        if (!schema.Member("type").IsPresent()
            && schema.Member("allOf") is { ValueKind: JsonValueKind.Array } all && all.GetArrayLength() == 1)
        {
            Write(json, all[0], references);
            return;
        }
        json.WriteStartObject();
        if (schema.ValueKind == JsonValueKind.Object)
        {
            WriteType(json, schema);
            foreach (var member in schema.EnumerateObject())
            {
                WriteMember(json, member, references);
            }
        }
        json.WriteEndObject();
    }

    private static void WriteType(Utf8JsonWriter json, JsonElement schema)
    {
        var type = schema.Member("type");
        string?[] names = type.ValueKind == JsonValueKind.Array
            ? [.. type.EnumerateArray().Select(item => item.AsText())] : [type.AsText()];
        var name = Array.Find(names, name => name is not (null or "null")) ?? (schema.Member("properties").IsPresent() ? "object" : null);
        name ??= schema.Member("const").ValueKind == JsonValueKind.String || schema.Member("enum").IsPresent() ? "string" : null;
        json.WriteIfAny("type", name?.ToUpperInvariant());
        if (names.Contains("null"))
        {
            json.WriteBoolean("nullable", true);
        }
    }

    private void WriteMember(Utf8JsonWriter json, JsonProperty member, int references)
    {
        switch (member.Name)
        {
            case "title" or "description" or "nullable" or "minItems" or "maxItems" or "minProperties" or "maxProperties" or "minLength"
                or "maxLength" or "pattern" or "minimum" or "maximum" or "default" or "example" or "required" or "propertyOrdering":
                member.WriteTo(json);
                break;
            case "format" when member.Value.AsText() is "date-time" or "enum" or "float" or "double" or "int32" or "int64":
                member.WriteTo(json);
                break;
            case "properties" when member.Value.ValueKind == JsonValueKind.Object:
                json.WriteStartObject("properties");
                foreach (var property in member.Value.EnumerateObject())
                {
                    json.WritePropertyName(property.Name);
                    Write(json, property.Value, references);
                }
                json.WriteEndObject();
                break;
            case "items":
                json.WritePropertyName("items");
                Write(json, member.Value, references);
                break;
            case "anyOf" or "oneOf" when member.Value.ValueKind == JsonValueKind.Array:
                json.WriteStartArray("anyOf");
                foreach (var option in member.Value.EnumerateArray())
                {
                    Write(json, option, references);
                }
                json.WriteEndArray();
                break;
            case "enum" when member.Value.ValueKind == JsonValueKind.Array:
                WriteEnum(json, member.Value.EnumerateArray());
                break;
            case "const":
                WriteEnum(json, [member.Value]);
                break;
        }
    }

    // The dialect's enum is a list of strings; other constants stay unsaid.
    private static void WriteEnum(Utf8JsonWriter json, IEnumerable<JsonElement> values)
    {
        var texts = values.Select(value => value.AsText()).OfType<string>().ToList();
        if (texts.Count > 0)
        {
            json.WriteStartArray("enum");
            texts.ForEach(json.WriteStringValue);
            json.WriteEndArray();
        }
    }

    private JsonElement Resolve(string reference)
    {
        var found = reference.StartsWith('#') ? root : default;
        foreach (var step in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = Uri.UnescapeDataString(step).Replace("~1", "/", StringComparison.Ordinal)
                .Replace("~0", "~", StringComparison.Ordinal);
            found = found.Member(name);
        }
        return found.ValueKind == JsonValueKind.Object
            ? found
            : throw Failure.Invalid($"The schema's reference '{reference}' leads nowhere.", field, "unsupported_schema");
    }
}
