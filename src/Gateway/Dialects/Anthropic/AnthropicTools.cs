using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>The <c>tools</c> and the <c>tool_choice</c> of a request.</summary>
internal sealed class AnthropicTools(ChatRequest request, DialectTarget target)
{
    private const int WorthCaching = 1024;

    private static readonly JsonElement NoParameters = JsonElement.Parse("""{"type":"object","properties":{}}""");

    public void Write(Utf8JsonWriter json, AnthropicMessages messages, bool isThinking, bool marks)
    {
        var hasFormat = AnthropicFormat.IsEmulated(request, target);
        var tools = request.Tools
            .Where(tool => tool.Native is null || request.Source == Dialect.Anthropic)
            .Where(tool => request.ToolChoice?.Allowed?.Contains(tool.Name) ?? true)
            .ToList();
        if (request.Tools.Any(tool => tool.Native is not null && request.Source != Dialect.Anthropic))
        {
            request.Warn("provider-specific tools dropped");
        }

        // A history with tool blocks is refused without definitions.
        var areStubs = tools.Count == 0 && !hasFormat && messages.CalledTools.Count > 0;
        if (areStubs)
        {
            tools.AddRange(messages.CalledTools.Select(name => new Tool(name)));
        }
        if (tools.Count == 0 && !hasFormat)
        {
            return;
        }

        if (marks && tools.Count > 0 && tools.Sum(TokenEstimate.Of) >= WorthCaching)
        {
            tools[^1] = tools[^1] with { Cache = new(null) };
        }
        json.WriteStartArray("tools");
        tools.ForEach(tool => WriteTool(json, tool));
        if (hasFormat)
        {
            AnthropicFormat.WriteTool(json, request);
        }
        json.WriteEndArray();
        WriteChoice(json, Choose(hasFormat, tools.Count, areStubs, isThinking), hasFormat && tools.Count == 0);
    }

    private void WriteTool(Utf8JsonWriter json, Tool tool)
    {
        if (tool.Native is { } native)
        {
            native.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        json.WriteString("name", ToolNames.Alias(tool.Name, ToolNames.AnthropicLimit));
        json.WriteIfAny("description", tool.Description);
        json.WritePropertyName("input_schema");
        WriteSchema(json, tool.Schema ?? NoParameters);
        if (AnthropicDialect.IsNewer(target.Version))
        {
            json.WriteIfAny("strict", tool.Strict);
        }
        else if (tool.Strict == true)
        {
            request.Warn("strict dropped: this version of Anthropic's API has none");
        }
        AnthropicRequestWriter.WriteCache(json, tool.Cache);
        json.WriteEndObject();
    }

    private static void WriteSchema(Utf8JsonWriter json, JsonElement schema)
    {
        if (schema.Member("type").ValueKind != JsonValueKind.Undefined)
        {
            schema.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        json.WriteString("type", "object");
        foreach (var member in schema.EnumerateObject())
        {
            member.WriteTo(json);
        }
        json.WriteEndObject();
    }

    private readonly record struct Choice(string? Type, string? Name = null);

    private Choice Choose(bool hasFormat, int tools, bool areStubs, bool isThinking)
    {
        var choice = areStubs ? new("none") : request.ToolChoice switch
        {
            { Mode: ToolChoiceMode.One, Name: { } name } => new("tool", ToolNames.Alias(name, ToolNames.AnthropicLimit)),
            { Mode: ToolChoiceMode.None } when !hasFormat => new("none"),
            { Mode: ToolChoiceMode.None } => new("tool", AnthropicFormat.ToolName),
            _ when hasFormat => tools == 0 ? new("tool", AnthropicFormat.ToolName) : new("any"),
            { Mode: ToolChoiceMode.Required } => new("any"),
            null => new Choice(null),
            _ => new("auto"),
        };
        if (isThinking && choice.Type is ("any" or "tool"))
        {
            request.Warn("tool_choice lowered to auto: thinking forbids a forced call");
            return new("auto");
        }
        return choice;
    }

    private void WriteChoice(Utf8JsonWriter json, Choice choice, bool isFormatOnly)
    {
        var single = request.Parallel == false || isFormatOnly;
        var type = choice.Type ?? (single ? "auto" : null);
        if (type is null)
        {
            return;
        }
        json.WriteStartObject("tool_choice");
        json.WriteString("type", type);
        json.WriteIfAny("name", choice.Name);
        if (single && type != "none")
        {
            json.WriteBoolean("disable_parallel_tool_use", true);
        }
        json.WriteEndObject();
    }
}
