using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Wire;

/// <summary>
/// An object of a request's body, read as leniently as pydantic reads it: numbers in texts are numbers, unknown members are ignored, null
/// is as good as absent. What is wrong is collected, and <see cref="WireErrors.ThrowIfAny"/> tells all of it at once.
/// </summary>
internal sealed class WireBody(JsonElement element, WireErrors errors, WirePlace place, OpenApiSchema? described = null)
{
    private static readonly JsonElement Nothing = JsonElement.Parse("{}");

    public WireErrors Errors => errors;

    /// <summary>As it was sent, which may be null; null where nothing was.</summary>
    public JsonElement? Sent(string name) => StorableJson.Member(element, name);

    /// <summary>Reads the whole body as an object and makes of it what the route takes.</summary>
    /// <exception cref="Platform.Http.Failure">Invalid: it is no JSON object, or something in it is wrong.</exception>
    public static async ValueTask<T> ReadAsync<T>(HttpContext context, Func<WireBody, T> read)
    {
        using var document = await ParseAsync(context);
        return Read(document, read);
    }

    /// <summary>The same, where no body at all is an answer too.</summary>
    public static async ValueTask<T?> ReadOptionalAsync<T>(HttpContext context, Func<WireBody, T> read)
        where T : class
    {
        using var document = await ParseAsync(context);
        return document is null || document.RootElement.ValueKind == JsonValueKind.Null ? null : Read(document, read);
    }

    /// <summary>Null when the body is empty.</summary>
    public static async Task<JsonDocument?> ParseAsync(HttpContext context)
    {
        using var bytes = new MemoryStream();
        await context.Request.Body.CopyToAsync(bytes, context.RequestAborted);
        if (bytes.Length == 0)
        {
            return null;
        }
        try
        {
            return JsonDocument.Parse(bytes.GetBuffer().AsMemory(0, (int)bytes.Length).ToArray());
        }
        catch (JsonException wrong)
        {
            throw WireErrors.Of(
                WirePlace.Body.At((int)(wrong.BytePositionInLine ?? 0)), "value_error.jsondecode", "The body is not valid JSON");
        }
    }

    public static T Read<T>(JsonDocument? document, Func<WireBody, T> read)
    {
        if (document is null)
        {
            throw WireErrors.Of(WirePlace.Body, "value_error.missing", "field required");
        }
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw WireErrors.Of(WirePlace.Body, "type_error.dict", "value is not a valid dict");
        }
        var errors = new WireErrors();
        var result = read(new(document.RootElement, errors, WirePlace.Body));
        errors.ThrowIfAny();
        return result;
    }

    /// <summary>The schema of what is read, for the document: found out by reading.</summary>
    public static OpenApiSchema Describe<T>(Func<WireBody, T> read)
    {
        var schema = NewObject();
        read(new(Nothing, new(), WirePlace.Body, schema));
        return schema;
    }

    /// <summary>The same object, with errors of its own: for one shape of several.</summary>
    public WireBody With(WireErrors own) => new(element, own, place);

    public string Text(string name, int most = int.MaxValue) => OptionalText(name, most) ?? Missing(name, "");

    /// <summary>May be left out, and must be this when it is not.</summary>
    public void Constant(string name, string value)
    {
        described?.Properties![name] = new OpenApiSchema { Type = JsonSchemaType.String, Enum = [value], Default = value };
        if (Member(name) is not null)
        {
            Choice(name, [value]);
        }
    }

    /// <summary>At least one character when what stands around it is taken away.</summary>
    public string TrimmedText(string name)
    {
        var text = Text(name).Trim();
        if (text.Length == 0 && Member(name) is not null)
        {
            errors.Add(place.In(name), "value_error.any_str.min_length",
                "ensure this value has at least 1 characters", new() { ["limit_value"] = 1 });
        }
        return text;
    }

    public string? OptionalText(string name, int most = int.MaxValue)
    {
        described?.Properties![name] = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = most == int.MaxValue ? null : most };
        return TextOf(name, most);
    }

    private string? TextOf(string name, int most)
    {
        if (Member(name) is not { } value)
        {
            return null;
        }
        var text = value.ValueKind switch
        {
            JsonValueKind.String => StorableJson.TextOf(value),
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.True => "True",
            JsonValueKind.False => "False",
            _ => null,
        };
        if (text is null)
        {
            errors.Add(place.In(name), "type_error.str", "str type expected");
            return "";
        }
        if (text.Length > most)
        {
            errors.Add(place.In(name), "value_error.any_str.max_length",
                $"ensure this value has at most {most} characters", new() { ["limit_value"] = most });
            return "";
        }
        return text;
    }

    /// <summary>One of the words of an enumeration.</summary>
    public string EnumMember(string name, IReadOnlyCollection<string> allowed, string? otherwise = null) =>
        Choice(name, allowed, otherwise, "type_error.enum", "value is not a valid enumeration member");

    /// <summary>One of these words.</summary>
    public string Choice(string name, IReadOnlyCollection<string> allowed) =>
        Choice(name, allowed, null, "value_error.const", "unexpected value");

    private string Choice(string name, IReadOnlyCollection<string> allowed, string? otherwise, string type, string message)
    {
        described?.Properties![name] = new OpenApiSchema
        {
            Type = JsonSchemaType.String, Enum = [.. allowed.Select(word => JsonValue.Create(word))], Default = otherwise,
        };
        if (Member(name) is null)
        {
            return otherwise ?? Missing(name, "");
        }
        var text = TextOf(name, int.MaxValue);
        if (text is null || !allowed.Contains(text, StringComparer.Ordinal))
        {
            errors.Add(place.In(name), type, $"{message}; permitted: {string.Join(", ", allowed.Select(word => $"'{word}'"))}",
                new() { ["given"] = text, ["permitted"] = new JsonArray([.. allowed.Select(word => JsonValue.Create(word))]) });
        }
        return text ?? "";
    }

    public int Integer(string name)
    {
        described?.Properties![name] = new OpenApiSchema { Type = JsonSchemaType.Integer };
        if (Member(name) is not { } value)
        {
            return Missing(name, 0);
        }
        if (IntegerOf(value) is { } number)
        {
            return number;
        }
        errors.Add(place.In(name), "type_error.integer", "value is not a valid integer");
        return 0;
    }

    public bool Flag(string name, bool otherwise) => FlagOf(name, otherwise) ?? otherwise;

    public bool? OptionalFlag(string name) => FlagOf(name, otherwise: null);

    private bool? FlagOf(string name, bool? otherwise)
    {
        described?.Properties![name] = new OpenApiSchema { Type = JsonSchemaType.Boolean, Default = otherwise };
        if (Member(name) is not { } value)
        {
            return null;
        }
        var flag = value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.String => WireValues.FlagOf(StorableJson.TextOf(value)),
            JsonValueKind.Number => WireValues.FlagOf(value.GetRawText()),
            _ => null,
        };
        if (flag is null)
        {
            errors.Add(place.In(name), "type_error.bool", "value could not be parsed to a boolean");
        }
        return flag;
    }

    public Guid Id(string name)
    {
        var id = OptionalId(name);
        return Member(name) is null ? Missing(name, Guid.Empty) : id ?? Guid.Empty;
    }

    public Guid? OptionalId(string name)
    {
        described?.Properties![name] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" };
        if (Member(name) is not { } value)
        {
            return null;
        }
        if (value.ValueKind == JsonValueKind.String && WireValues.IdOf(StorableJson.TextOf(value)) is { } id)
        {
            return id;
        }
        errors.Add(place.In(name), "type_error.uuid", "value is not a valid uuid");
        return null;
    }

    public IReadOnlyList<Guid> Ids(string name) => List(name, JsonSchemaType.String, "uuid", "type_error.uuid", "value is not a valid uuid",
        value => value.ValueKind == JsonValueKind.String ? WireValues.IdOf(StorableJson.TextOf(value)) : null);

    public IReadOnlyList<int> Integers(string name) =>
        List(name, JsonSchemaType.Integer, null, "type_error.integer", "value is not a valid integer", IntegerOf);

    /// <summary>Null, with the error noted, where it is absent or no object.</summary>
    public WireBody? Object(string name)
    {
        var inner = OptionalObject(name);
        return Member(name) is null ? Missing(name, inner) : inner;
    }

    public WireBody? OptionalObject(string name)
    {
        if (described is not null)
        {
            var inner = NewObject();
            described.Properties![name] = inner;
            return new(Nothing, errors, place.In(name), inner);
        }
        return Member(name) is { } value ? OptionalObject(name, value) : null;
    }

    /// <summary>Names with numbers; an empty list counts as an empty map.</summary>
    public Dictionary<string, double> Numbers(string name, IReadOnlyCollection<string> allowed)
    {
        var numbers = new Dictionary<string, double>(StringComparer.Ordinal);
        described?.Properties![name] = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = allowed.ToDictionary(label => label, IOpenApiSchema (_) => new OpenApiSchema { Type = JsonSchemaType.Number }),
        };
        if (Member(name) is not { } value)
        {
            return Missing(name, numbers);
        }
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0)
        {
            return numbers;
        }
        if (value.ValueKind != JsonValueKind.Object)
        {
            errors.Add(place.In(name), "type_error.dict", "value is not a valid dict");
            return numbers;
        }
        foreach (var (label, number) in value.EnumerateObject()
            .Select(member => (StorableJson.NameOf(member), WireValues.NumberOf(member.Value))))
        {
            if (label is null || !allowed.Contains(label, StringComparer.Ordinal))
            {
                errors.Add(place.In(name).In("__key__"), "type_error.enum", "value is not a valid enumeration member");
            }
            else if (number is not { } given)
            {
                errors.Add(place.In(name).In(label), "type_error.float", "value is not a valid float");
            }
            else
            {
                numbers[label] = given;
            }
        }
        return numbers;
    }

    private WireBody? OptionalObject(string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Object)
        {
            return new(value, errors, place.In(name));
        }
        errors.Add(place.In(name), "type_error.dict", "value is not a valid dict");
        return null;
    }

    private List<T> List<T>(string name, JsonSchemaType item, string? format, string type, string message, Func<JsonElement, T?> read)
        where T : struct
    {
        described?.Properties![name] =
            new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = item, Format = format } };
        var list = new List<T>();
        if (Member(name) is not { } value)
        {
            return Missing(name, list);
        }
        if (value.ValueKind != JsonValueKind.Array)
        {
            errors.Add(place.In(name), "type_error.list", "value is not a valid list");
            return list;
        }
        foreach (var entry in value.EnumerateArray())
        {
            if (read(entry) is { } one)
            {
                list.Add(one);
            }
            else
            {
                errors.Add(place.In(name).At(list.Count), type, message);
                return list;
            }
        }
        return list;
    }

    private T Missing<T>(string name, T instead)
    {
        if (described is not null)
        {
            described.Required!.Add(name);
            return instead;
        }
        if (Sent(name) is not null)
        {
            errors.Add(place.In(name), "type_error.none.not_allowed", "none is not an allowed value");
        }
        else
        {
            errors.Add(place.In(name), "value_error.missing", "field required");
        }
        return instead;
    }

    private static OpenApiSchema NewObject() => new()
    {
        Type = JsonSchemaType.Object,
        Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal),
        Required = new HashSet<string>(StringComparer.Ordinal),
    };

    private JsonElement? Member(string name) => Sent(name) is { ValueKind: not JsonValueKind.Null } value ? value : null;

    private static int? IntegerOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.TryGetInt32(out var number) ? number
            : value.TryGetDouble(out var real) && Math.Abs(real) < int.MaxValue ? (int)real : null,
        JsonValueKind.String => int.TryParse(StorableJson.TextOf(value), out var number) ? number : null,
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        _ => null,
    };
}
