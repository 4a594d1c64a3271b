using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>Tools and the choice of them: functions lie flat here, and OpenAI's own tools stand beside them.</summary>
internal static class ResponsesTools
{
    public static void Read(Node tool, List<Tool> tools)
    {
        var type = tool.Need("type").Text(atMost: 64);
        if (type is not ("function" or "custom"))
        {
            // Several tools of one kind may stand in a list (two `mcp` servers).
            tools.Add(new(type) { Native = tool.Object() });
            return;
        }
        var name = tool.Need("name");
        if (!ToolNames.IsValid(name.Text(), ToolNames.AnthropicLimit))
        {
            throw name.Wrong($"must be 1 to {ToolNames.AnthropicLimit} letters, digits, '_' or '-'");
        }
        OpenAiFields.Add(
            tools,
            type == "custom"
                ? new(name.Text()) { Native = tool.Object() }
                : new(name.Text(), tool.Get("description")?.Text(), tool.Get("parameters")?.Object(), tool.Get("strict")?.Flag()),
            tool);
    }

    public static ToolChoice ReadChoice(Node node, List<Tool> tools)
    {
        if (node.IsText)
        {
            return OpenAiFields.ReadChoiceWord(node);
        }
        switch (node.Need("type").Text())
        {
            case "function" or "custom":
                return new(ToolChoiceMode.One, Known(node.Need("name")));
            case "allowed_tools":
                var names = node.Need("tools").Items(atLeast: 1).ConvertAll(item => Known(item.Get("name") ?? item.Need("type")));
                return OpenAiFields.Subset(node.Need("mode"), names);
            default:
                return new(ToolChoiceMode.One, Known(node.Need("type")));
        }

        string Known(Node name) => OpenAiFields.ReadKnown(name, tools);
    }

    public static void Write(Utf8JsonWriter json, ChatRequest request)
    {
        var tools = request.Tools.Where(tool => tool.Native is null || request.Source == Dialect.OpenAiResponses).ToList();
        if (tools.Count < request.Tools.Count)
        {
            request.Warn("provider-specific tools dropped");
        }
        if (tools.Count == 0)
        {
            return;
        }
        json.WriteStartArray("tools");
        foreach (var tool in tools)
        {
            Write(json, tool);
        }
        json.WriteEndArray();
        if (request.ToolChoice is { } choice)
        {
            json.WritePropertyName("tool_choice");
            WriteChoice(json, choice, tools);
        }
        json.WriteIfAny("parallel_tool_calls", request.Parallel);
    }

    private static void Write(Utf8JsonWriter json, Tool tool)
    {
        if (tool.Native is { } native)
        {
            native.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        json.WriteString("type", "function");
        json.WriteString("name", ToolNames.Alias(tool.Name, ToolNames.OpenAiLimit));
        json.WriteIfAny("description", tool.Description);
        json.WritePropertyName("parameters");
        if (tool.Schema is { } schema)
        {
            schema.WriteTo(json);
        }
        else
        {
            json.WriteStartObject();
            json.WriteString("type", "object");
            json.WriteStartObject("properties");
            json.WriteEndObject();
            json.WriteEndObject();
        }
        // Left out, it would mean true here.
        json.WriteBoolean("strict", tool.Strict ?? false);
        json.WriteEndObject();
    }

    private static void WriteChoice(Utf8JsonWriter json, ToolChoice choice, List<Tool> tools)
    {
        switch (choice)
        {
            case { Mode: ToolChoiceMode.One, Name: { } name }:
                WriteReference(json, name, tools);
                break;
            case { Allowed: { } allowed }:
                json.WriteStartObject();
                json.WriteString("type", "allowed_tools");
                json.WriteString("mode", choice.Mode == ToolChoiceMode.Required ? "required" : "auto");
                json.WriteStartArray("tools");
                foreach (var name in allowed)
                {
                    WriteReference(json, name, tools);
                }
                json.WriteEndArray();
                json.WriteEndObject();
                break;
            default:
                json.WriteStringValue(OpenAiFields.Word(choice.Mode));
                break;
        }
    }

    private static void WriteReference(Utf8JsonWriter json, string name, List<Tool> tools)
    {
        var type = tools.Find(tool => tool.Name == name)?.Native is { } native ? native.TextOf("type") ?? "custom" : "function";
        json.WriteStartObject();
        json.WriteString("type", type);
        if (type is "function" or "custom")
        {
            json.WriteString("name", type == "function" ? ToolNames.Alias(name, ToolNames.OpenAiLimit) : name);
        }
        json.WriteEndObject();
    }
}
