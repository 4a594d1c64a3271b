using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers.Demo;

namespace Stoa.Gateway.Runs.Requests;

/// <summary>The form that an answer is to have: text, any JSON object, or one of a schema.</summary>
internal static class ResponseType
{
    /// <param name="type">An object with a <c>type</c>, or its name alone; <c>default</c> is JSON for agents of an API.</param>
    public static AnswerFormat? FormatOf(JsonNode? type, bool isChatbot) => (type.AsText() ?? (type as JsonObject).Text("type")) switch
    {
        "json_object" => new(Schema: null),
        "default" when !isChatbot => new(Schema: null),
        "json_schema" when SchemaOf(type as JsonObject) is { } schema => schema,
        _ => null,
    };

    /// <summary>What is wrong with an answer of this form; null when nothing is.</summary>
    public static string? Fault(AnswerFormat format, string answer)
    {
        if (!JsonFields.TryParse(answer, out var value) || value is not JsonObject and not JsonArray)
        {
            return "The answer is not JSON";
        }
        return format.Schema is { } schema && JsonSerializer.Deserialize(schema, GatewayJson.Default.JsonNode) is { } root
            && !SchemaCheck.IsValid(value, root, root)
                ? "The answer does not match the JSON schema"
                : null;
    }

    private static AnswerFormat? SchemaOf(JsonObject? type)
    {
        var given = type?["json_schema"];
        if (given.AsText() is { } text && JsonFields.TryParse(text, out var parsed))
        {
            given = parsed;
        }
        if (given is not JsonObject named)
        {
            return null;
        }
        var schema = named.Object("schema") ?? named;
        return new(
            JsonSerializer.SerializeToElement(schema, GatewayJson.Default.JsonObject),
            named.Name("name"), named.Name("description"), named.Flag("strict"));
    }
}
