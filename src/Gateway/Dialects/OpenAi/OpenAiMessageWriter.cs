using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>The <c>messages</c> of a chat completion request.</summary>
internal sealed class OpenAiMessageWriter(Utf8JsonWriter json, ChatRequest request, DialectTarget target)
{
    private readonly ChatTraits traits = target.Traits;
    private readonly Dictionary<string, string> calledNames = new(StringComparer.Ordinal);

    public void Write()
    {
        var systemRole = traits.Developer switch
        {
            DeveloperRole.Always => "developer",
            DeveloperRole.ForReasoningModels when OpenAiModels.Reasons(target.Model) => "developer",
            DeveloperRole.ForReasoningModels or DeveloperRole.Never => "system",
        };
        json.WriteStartArray("messages");
        var system = string.Join("\n\n", request.System.Select(block => block.Text).Append(Demand() ?? "").Where(text => text.Length > 0));
        if (system.Length > 0)
        {
            WriteText(systemRole, system);
        }
        for (var index = 0; index < request.Turns.Count; index++)
        {
            var turn = request.Turns[index];
            switch (turn.Role)
            {
                // Most turns are one text.
                case TurnRole.User when turn.Parts is [Part.Text { Value.Length: > 0 } only]:
                    WriteText("user", only.Value, NameOf(turn));
                    break;
                case TurnRole.Assistant
                    when turn.Parts is [Part.Text { Value.Length: > 0 } only] && !(traits.MarksPrefix && index == request.Turns.Count - 1):
                    WriteText("assistant", only.Value, NameOf(turn));
                    break;
                case TurnRole.System:
                    WriteText(systemRole, string.Join("\n\n", turn.Parts.OfType<Part.Text>().Select(part => part.Value)));
                    break;
                case TurnRole.User:
                    WriteUser(turn);
                    break;
                case TurnRole.Assistant:
                    WriteAssistant(turn, isLast: index == request.Turns.Count - 1);
                    break;
                case TurnRole.Tool:
                    WriteResults(turn);
                    break;
            }
        }
        json.WriteEndArray();
    }

    /// <summary>The schema in words, for a provider that takes none; its JSON mode also wants to read of JSON in the prompt.</summary>
    private string? Demand() => traits.TakesSchema ? null : request.Format switch
    {
        null => null,
        { Schema: { } schema } =>
            $"Answer with one JSON value that is valid against this JSON Schema, and nothing else:\n{JsonOutput.Compact(schema)}",
        _ => "Answer with one JSON object, and nothing else.",
    };

    private string? NameOf(Turn turn) => traits.Forwards ? turn.Name : null;

    private void WriteText(string role, string text, string? name = null)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteIfAny("name", name);
        json.WriteString("content", text);
        json.WriteEndObject();
    }

    private void WriteUser(Turn turn)
    {
        var parts = turn.Parts.Where(Survives).Select(Inlined).ToList();
        if (parts.Count == 0)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role", "user");
        json.WriteIfAny("name", NameOf(turn));
        if (parts.Count == 1 && parts[0] is Part.Text single)
        {
            json.WriteString("content", single.Value);
        }
        else if (!traits.TakesPartsOfText && parts.TrueForAll(part => part is Part.Text))
        {
            json.WriteString("content", string.Join("\n\n", parts.Cast<Part.Text>().Select(part => part.Value)));
        }
        else
        {
            json.WriteStartArray("content");
            var media = new OpenAiMediaWriter(json, traits);
            parts.ForEach(media.Write);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private void WriteAssistant(Turn turn, bool isLast)
    {
        var parts = turn.Parts.Where(Survives).ToList();
        var calls = parts.OfType<Part.ToolCall>().ToList();
        var text = string.Concat(parts.OfType<Part.Text>().Select(part => part.Value));
        var refusal = string.Concat(parts.OfType<Part.Refusal>().Select(part => part.Value));
        var audio = parts.OfType<Part.Foreign>().FirstOrDefault(part => part.Kind == "audio");
        if (calls.Count == 0 && text.Length == 0 && refusal.Length == 0 && audio is null)
        {
            return;
        }
        if (!traits.Forwards && refusal.Length > 0)
        {
            (text, refusal) = (text + refusal, "");
        }

        json.WriteStartObject();
        json.WriteString("role", "assistant");
        json.WriteIfAny("name", NameOf(turn));
        if (traits.Thoughts != ThoughtForm.Chunks || !OpenAiReasoning.WriteChunks(json, parts, text))
        {
            json.WriteString("content", text.Length > 0 || (calls.Count == 0 && refusal.Length == 0) ? text : null);
        }
        if (refusal.Length > 0)
        {
            json.WriteString("refusal", refusal);
        }
        if (audio is not null)
        {
            json.WriteElement("audio", audio.Block);
        }
        OpenAiReasoning.Write(json, parts, traits.Thoughts);
        if (calls.Count > 0)
        {
            json.WriteStartArray("tool_calls");
            calls.ForEach(WriteCall);
            json.WriteEndArray();
        }
        else if (isLast && traits.MarksPrefix)
        {
            json.WriteBoolean("prefix", true);
        }
        json.WriteEndObject();
    }

    private void WriteCall(Part.ToolCall call)
    {
        calledNames[call.Id] = call.Name;
        json.WriteStartObject();
        json.WriteString("id", traits.CallId(call.Id));
        json.WriteString("type", call.Custom ? "custom" : "function");
        json.WriteStartObject(call.Custom ? "custom" : "function");
        json.WriteString("name", ToolNames.Alias(call.Name, ToolNames.OpenAiLimit));
        json.WriteString(call.Custom ? "input" : "arguments", call.Arguments.Length > 0 || call.Custom ? call.Arguments : "{}");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteResults(Turn turn)
    {
        var media = new List<Part>();
        foreach (var result in turn.Parts.OfType<Part.ToolResult>())
        {
            var texts = new List<string>();
            foreach (var part in result.Parts.Where(Survives).Select(Inlined))
            {
                if (part is Part.Text text)
                {
                    texts.Add(text.Value);
                    continue;
                }
                media.Add(part);
                texts.Add(part is Part.Image ? "[image omitted, see next message]" : "[file omitted, see next message]");
            }
            json.WriteStartObject();
            json.WriteString("role", "tool");
            json.WriteString("tool_call_id", traits.CallId(result.Id));
            if (traits.NamesResults && calledNames.GetValueOrDefault(result.Id) is { } name)
            {
                json.WriteString("name", ToolNames.Alias(name, ToolNames.OpenAiLimit));
            }
            json.WriteString("content", (result.IsError ? "Error: " : "") + string.Join('\n', texts));
            json.WriteEndObject();
        }
        if (media.Count > 0)
        {
            // Results must stand together, so what they showed follows after the last of them.
            WriteUser(new(TurnRole.User, media));
        }
    }

    private static Part Inlined(Part part) => part is Part.File { Media: Media.PlainText text } ? new Part.Text(text.Value) : part;

    private bool Survives(Part part)
    {
        switch (part)
        {
            case Part.Text { Value.Length: 0 }:
                return false;
            case Part.Thinking { Origin: not Dialect.OpenAi }:
                request.Warn("thoughts of another provider dropped");
                return false;
            case Part.Foreign { Origin: not Dialect.OpenAi } foreign:
                request.Warn($"{foreign.Kind} block dropped: OpenAI's dialect has none");
                return false;
            default:
                return true;
        }
    }
}
