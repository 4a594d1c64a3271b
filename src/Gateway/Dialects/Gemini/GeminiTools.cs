using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary>The <c>tools</c> and the <c>toolConfig</c> of a request.</summary>
internal sealed class GeminiTools(ChatRequest request, GeminiModel model)
{
    /// <summary>What OpenAI's chat has for a search of the web; Anthropic has a tool for it.</summary>
    public const string SearchField = "web_search_options";

    public void Write(Utf8JsonWriter json)
    {
        var tools = request.Tools.Where(tool => tool.Native is null && !IsCut(tool)).ToList();
        if (request.Tools.Any(tool => tool.Native is not null && !IsSearch(tool)))
        {
            request.Warn("provider-specific tools dropped");
        }
        var searches = Searches(tools);
        if (tools.Count == 0 && !searches)
        {
            return;
        }
        json.WriteStartArray("tools");
        if (tools.Count > 0)
        {
            json.WriteStartObject();
            json.WriteStartArray("functionDeclarations");
            tools.ForEach(tool => WriteTool(json, tool));
            json.WriteEndArray();
            json.WriteEndObject();
        }
        if (searches)
        {
            json.WriteStartObject();
            json.WriteStartObject("googleSearch");
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (tools.Count > 0)
        {
            WriteChoice(json);
        }
    }

    private bool Searches(List<Tool> functions)
    {
        var isAsked = request.Tools.Any(IsSearch) || request.Extra.Any(field => field.Name == SearchField);
        if (isAsked && functions.Count > 0 && !model.HasLevels)
        {
            // It would refuse the request.
            request.Warn("web search dropped: this model takes it only without functions");
            return false;
        }
        return isAsked;
    }

    private static bool IsSearch(Tool tool) =>
        tool.Native?.TextOf("type")?.StartsWith("web_search", StringComparison.Ordinal) == true;

    // Names may be allowed only where a call is demanded; where the model is free, the others are not shown to it.
    private bool IsCut(Tool tool) =>
        request.ToolChoice is { Mode: ToolChoiceMode.Auto, Allowed: { } allowed } && !allowed.Contains(tool.Name);

    private void WriteTool(Utf8JsonWriter json, Tool tool)
    {
        json.WriteStartObject();
        json.WriteString("name", ToolNames.GeminiAlias(tool.Name));
        json.WriteIfAny("description", tool.Description);
        if (tool.Schema is { } schema && HasParameters(schema))
        {
            if (model.TakesJsonSchema)
            {
                json.WriteElement("parametersJsonSchema", schema);
            }
            else
            {
                json.WritePropertyName("parameters");
                GeminiSchema.Write(json, schema, "tools");
            }
        }
        json.WriteEndObject();
        if (tool.Strict == true)
        {
            request.Warn("strict dropped: Gemini's dialect has none");
        }
    }

    private static bool HasParameters(JsonElement schema) =>
        schema.Member("properties") is { ValueKind: JsonValueKind.Object } properties
            ? properties.EnumerateObject().Any()
            : schema.EnumerateObject().Any(member => member.Name is not ("type" or "additionalProperties" or "required" or "$schema"));

    private void WriteChoice(Utf8JsonWriter json)
    {
        if (request.ToolChoice is not { } choice)
        {
            return;
        }
        json.WriteStartObject("toolConfig");
        json.WriteStartObject("functionCallingConfig");
        json.WriteString("mode", choice.Mode switch
        {
            ToolChoiceMode.Auto => "AUTO",
            ToolChoiceMode.None => "NONE",
            ToolChoiceMode.Required or ToolChoiceMode.One => "ANY",
        });
        var names = choice.Mode switch
        {
            ToolChoiceMode.One when choice.Name is { } name => [name],
            ToolChoiceMode.Required => choice.Allowed,
            _ => null,
        };
        if (names is not null)
        {
            json.WriteStartArray("allowedFunctionNames");
            foreach (var name in names)
            {
                json.WriteStringValue(ToolNames.GeminiAlias(name));
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
