using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>
/// Structured output on a version of the API that has none: the model is made to call a tool whose input is the wanted object.
/// </summary>
internal static class AnthropicFormat
{
    public const string ToolName = "JSON_Schema_Response_Format";
    public const string AskForObject = "Answer with exactly one JSON object and nothing else: no explanation and no code fence.";

    private const string Wrapper = "value";

    public static bool IsEmulated(ChatRequest request, DialectTarget target) =>
        request.Format?.Schema is not null && !AnthropicDialect.IsNewer(target.Version);

    public static bool WantsBareObject(ChatRequest request) => request.Format is { Schema: null };

    /// <summary>A tool's input is an object, so any other schema is put under one key and taken out again.</summary>
    public static bool IsWrapped(ChatRequest request) =>
        request.Format?.Schema is { } schema
            && schema.Member("type") is { ValueKind: not JsonValueKind.Undefined } type && type.AsText() != "object";

    public static void WriteTool(Utf8JsonWriter json, ChatRequest request)
    {
        var format = request.Format!;
        json.WriteStartObject();
        json.WriteString("name", ToolName);
        json.WriteString(
            "description", format.Description ?? "Gives the answer in the form the user asked for. Always answer by calling this tool.");
        json.WritePropertyName("input_schema");
        WriteSchema(json, format.Schema!.Value, IsWrapped(request));
        json.WriteEndObject();
    }

    /// <summary>The wanted JSON out of the tool's input.</summary>
    public static string Unwrap(string input, ChatRequest request)
    {
        if (!IsWrapped(request))
        {
            return input;
        }
        try
        {
            using var document = JsonBody.OpenAnswer(System.Text.Encoding.UTF8.GetBytes(input));
            return document.RootElement.Member(Wrapper) is { ValueKind: not JsonValueKind.Undefined } value
                ? JsonOutput.Compact(value) : input;
        }
        catch (Platform.Http.Failure)
        {
            // Cut off by the output limit: half an answer is better than none.
            return input;
        }
    }

    private static void WriteSchema(Utf8JsonWriter json, JsonElement schema, bool wrapped)
    {
        json.WriteStartObject();
        if (!wrapped)
        {
            if (schema.Member("type").ValueKind == JsonValueKind.Undefined)
            {
                json.WriteString("type", "object");
            }
            foreach (var member in schema.EnumerateObject())
            {
                member.WriteTo(json);
            }
            json.WriteEndObject();
            return;
        }
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        json.WriteElement(Wrapper, schema);
        json.WriteEndObject();
        json.WriteStartArray("required");
        json.WriteStringValue(Wrapper);
        json.WriteEndArray();

        // References inside the schema start at the root, which is now the wrapper.
        foreach (var member in schema.EnumerateObject().Where(member => member.Name is "$defs" or "definitions"))
        {
            member.WriteTo(json);
        }
        json.WriteEndObject();
    }
}
