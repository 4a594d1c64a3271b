using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Stoa.Platform.Http;

namespace Stoa.Learning.Wire;

/// <summary>
/// Compares a body with the type that it is to become and collects everything that is wrong, as pydantic 2 words it. Members that the type
/// calls <c>required</c> must be there; null is taken where the type takes it; what the type does not have is ignored.
/// </summary>
internal sealed class BodyCheck(JsonSerializerOptions options, WireErrors errors)
{
    public void Check(JsonElement value, Type type, object[] place)
    {
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        if (bare == typeof(int))
        {
            CheckInteger(value, place);
        }
        else if (bare == typeof(double))
        {
            Require(LenientValues.Number(value) is not null, value, place, "float", "number", "unable to parse string as a number");
        }
        else if (bare == typeof(bool))
        {
            Require(LenientValues.Flag(value) is not null, value, place, "bool", "boolean", "unable to interpret input");
        }
        else if (bare == typeof(string))
        {
            CheckText(value, place);
        }
        else if (bare == typeof(DateTimeOffset))
        {
            if (LenientInstant.Parse(value) is null)
            {
                errors.Add("datetime_from_date_parsing", place, "Input should be a valid datetime or date, input is not a date", value,
                    new() { ["error"] = "input is not a date" });
            }
        }
        else if (bare.IsEnum)
        {
            CheckEnum(value, bare, place);
        }
        else if (bare == typeof(JsonArray))
        {
            RequireKind(value, JsonValueKind.Array, place, "list_type", "list");
            CheckDocument(value, place);
        }
        else if (bare == typeof(JsonObject))
        {
            RequireKind(value, JsonValueKind.Object, place, "dict_type", "dictionary");
            CheckDocument(value, place);
        }
        else if (bare == typeof(JsonNode) || bare == typeof(JsonElement))
        {
            CheckDocument(value, place);
        }
        else
        {
            CheckParts(value, options.GetTypeInfo(bare), place);
        }
    }

    private void CheckParts(JsonElement value, JsonTypeInfo type, object[] place)
    {
        if (type.Kind == JsonTypeInfoKind.Enumerable)
        {
            if (!RequireKind(value, JsonValueKind.Array, place, "list_type", "list"))
            {
                return;
            }
            var index = 0;
            foreach (var item in value.EnumerateArray())
            {
                if (item.ValueKind != JsonValueKind.Null || Nullable.GetUnderlyingType(type.ElementType!) is null)
                {
                    Check(item, type.ElementType!, [.. place, index]);
                }
                index++;
            }
            return;
        }
        if (value.ValueKind != JsonValueKind.Object)
        {
            errors.Add("model_attributes_type", place, "Input should be a valid dictionary or object to extract fields from", value);
            return;
        }
        foreach (var property in type.Properties)
        {
            CheckMember(value, property, [.. place, property.Name]);
        }
    }

    private void CheckMember(JsonElement within, JsonPropertyInfo property, object[] place)
    {
        if (!within.TryGetProperty(property.Name, out var value))
        {
            if (property.IsRequired)
            {
                errors.Add("missing", place, "Field required", within);
            }
        }
        else if (value.ValueKind != JsonValueKind.Null || !TakesNull(property))
        {
            Check(value, property.PropertyType, place);
        }
    }

    private static bool TakesNull(JsonPropertyInfo property) => property.PropertyType.IsValueType
        ? Nullable.GetUnderlyingType(property.PropertyType) is not null
        : property.IsSetNullable;

    private void CheckInteger(JsonElement value, object[] place)
    {
        if (LenientValues.WholeNumber(value) is { } number)
        {
            if (number is < int.MinValue or > int.MaxValue)
            {
                errors.Add("int_parsing_size", place, "Unable to parse input string as an integer, exceeded maximum size", value);
            }
        }
        else if (value.ValueKind == JsonValueKind.Number)
        {
            errors.Add("int_from_float", place, "Input should be a valid integer, got a number with a fractional part", value);
        }
        else
        {
            Require(false, value, place, "int", "integer", "unable to parse string as an integer");
        }
    }

    private void CheckText(JsonElement value, object[] place)
    {
        if (RequireKind(value, JsonValueKind.String, place, "string_type", "string") && StorableJson.TextOf(value) is null)
        {
            errors.Add("string_unicode", place, "Input should be a valid string, unable to parse raw data as a unicode string");
        }
    }

    /// <summary>Whatever is in it, all of it can be kept.</summary>
    private void CheckDocument(JsonElement value, object[] place)
    {
        if (!StorableJson.Holds(value))
        {
            errors.Add("string_unicode", place, "Input should hold texts and numbers that can be kept");
        }
    }

    private void CheckEnum(JsonElement value, Type type, object[] place)
    {
        var names = Enum.GetNames(type).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName).ToList();
        if (value.ValueKind == JsonValueKind.String && names.Contains(StorableJson.TextOf(value), StringComparer.Ordinal))
        {
            return;
        }
        var quoted = names.ConvertAll(name => $"'{name}'");
        var expected = quoted.Count == 1 ? quoted[0] : $"{string.Join(", ", quoted[..^1])} or {quoted[^1]}";
        errors.Add("enum", place, $"Input should be {expected}", value, new() { ["expected"] = expected });
    }

    private void Require(bool holds, JsonElement value, object[] place, string type, string noun, string why)
    {
        if (!holds)
        {
            var isText = value.ValueKind == JsonValueKind.String;
            errors.Add(
                string.Create(CultureInfo.InvariantCulture, $"{type}_{(isText ? "parsing" : "type")}"), place,
                isText ? $"Input should be a valid {noun}, {why}" : $"Input should be a valid {noun}", value);
        }
    }

    private bool RequireKind(JsonElement value, JsonValueKind kind, object[] place, string type, string noun)
    {
        if (value.ValueKind != kind)
        {
            errors.Add(type, place, $"Input should be a valid {noun}", value);
        }
        return value.ValueKind == kind;
    }
}
