using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>The <c>messages</c> of a chat completion request.</summary>
internal static class OpenAiMessageWriter
{
    public static void Write(Utf8JsonWriter json, ChatRequest request, DialectTarget target)
    {
        var systemRole = target.Genuine && OpenAiModels.Reasons(target.Model) ? "developer" : "system";
        json.WriteStartArray("messages");
        var system = string.Join("\n\n", request.System.Select(block => block.Text).Where(text => text.Length > 0));
        if (system.Length > 0)
        {
            WriteText(json, systemRole, system);
        }
        foreach (var turn in request.Turns)
        {
            switch (turn.Role)
            {
                case TurnRole.System:
                    WriteText(json, systemRole, string.Join("\n\n", turn.Parts.OfType<Part.Text>().Select(part => part.Value)));
                    break;
                case TurnRole.User:
                    WriteUser(json, turn, request, target);
                    break;
                case TurnRole.Assistant:
                    WriteAssistant(json, turn, request, target);
                    break;
                case TurnRole.Tool:
                    WriteResults(json, turn, request, target);
                    break;
            }
        }
        json.WriteEndArray();
    }

    private static void WriteText(Utf8JsonWriter json, string role, string text)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteString("content", text);
        json.WriteEndObject();
    }

    private static void WriteUser(Utf8JsonWriter json, Turn turn, ChatRequest request, DialectTarget target)
    {
        var parts = turn.Parts.Where(part => Survives(part, request)).Select(Inlined).ToList();
        if (parts.Count == 0)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role", "user");
        json.WriteIfAny("name", turn.Name);
        if (parts.Count == 1 && parts[0] is Part.Text single)
        {
            json.WriteString("content", single.Value);
        }
        else if (!target.Genuine && parts.TrueForAll(part => part is Part.Text))
        {
            // Small servers know a list of parts only from pictures, if at all.
            json.WriteString("content", string.Join("\n\n", parts.Cast<Part.Text>().Select(part => part.Value)));
        }
        else
        {
            json.WriteStartArray("content");
            parts.ForEach(part => WritePart(json, part));
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteAssistant(Utf8JsonWriter json, Turn turn, ChatRequest request, DialectTarget target)
    {
        var parts = turn.Parts.Where(part => Survives(part, request)).ToList();
        var calls = parts.OfType<Part.ToolCall>().ToList();
        var text = string.Concat(parts.OfType<Part.Text>().Select(part => part.Value));
        var refusal = string.Concat(parts.OfType<Part.Refusal>().Select(part => part.Value));
        var audio = parts.OfType<Part.Foreign>().FirstOrDefault(part => part.Kind == "audio");
        if (calls.Count == 0 && text.Length == 0 && refusal.Length == 0 && audio is null)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role", "assistant");
        json.WriteIfAny("name", turn.Name);
        json.WriteString("content", text.Length > 0 || (calls.Count == 0 && refusal.Length == 0) ? text : null);
        if (refusal.Length > 0)
        {
            json.WriteString("refusal", refusal);
        }
        if (audio is not null)
        {
            json.WriteElement("audio", audio.Block);
        }
        if (!target.Genuine)
        {
            OpenAiReasoning.Write(json, parts);
        }
        if (calls.Count > 0)
        {
            json.WriteStartArray("tool_calls");
            calls.ForEach(call => WriteCall(json, call));
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteCall(Utf8JsonWriter json, Part.ToolCall call)
    {
        json.WriteStartObject();
        json.WriteString("id", ToolNames.OpenAiId(call.Id));
        json.WriteString("type", call.Custom ? "custom" : "function");
        json.WriteStartObject(call.Custom ? "custom" : "function");
        json.WriteString("name", ToolNames.Alias(call.Name, ToolNames.OpenAiLimit));
        json.WriteString(call.Custom ? "input" : "arguments", call.Arguments.Length > 0 || call.Custom ? call.Arguments : "{}");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteResults(Utf8JsonWriter json, Turn turn, ChatRequest request, DialectTarget target)
    {
        var media = new List<Part>();
        foreach (var result in turn.Parts.OfType<Part.ToolResult>())
        {
            var texts = new List<string>();
            foreach (var part in result.Parts.Where(part => Survives(part, request)).Select(Inlined))
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
            json.WriteString("tool_call_id", ToolNames.OpenAiId(result.Id));
            json.WriteString("content", (result.IsError ? "Error: " : "") + string.Join('\n', texts));
            json.WriteEndObject();
        }
        if (media.Count > 0)
        {
            // Results must stand together, so what they showed follows after the last of them.
            WriteUser(json, new(TurnRole.User, media), request, target);
        }
    }

    private static void WritePart(Utf8JsonWriter json, Part part)
    {
        json.WriteStartObject();
        switch (part)
        {
            case Part.Text text:
                json.WriteString("type", "text");
                json.WriteString("text", text.Value);
                break;
            case Part.Image image:
                json.WriteString("type", "image_url");
                json.WriteStartObject("image_url");
                json.WriteString("url", image.Media switch
                {
                    Media.Url url => url.Address,
                    Media.Bytes bytes => $"data:{bytes.MimeType};base64,{bytes.Base64}",
                    _ => throw Unsupported("An image kept by another provider"),
                });
                json.WriteIfAny("detail", image.Detail);
                json.WriteEndObject();
                break;
            case Part.File file:
                json.WriteString("type", "file");
                json.WriteStartObject("file");
                WriteFile(json, file);
                json.WriteEndObject();
                break;
            case Part.Audio audio:
                json.WriteString("type", "input_audio");
                json.WriteStartObject("input_audio");
                json.WriteString("data", audio.Base64);
                json.WriteString("format", audio.Format);
                json.WriteEndObject();
                break;
            default:
                throw Unsupported($"A part of the kind {part.GetType().Name}");
        }
        json.WriteEndObject();
    }

    private static void WriteFile(Utf8JsonWriter json, Part.File file)
    {
        switch (file.Media)
        {
            case Media.Stored { Origin: Dialect.OpenAi } stored:
                json.WriteString("file_id", stored.Id);
                break;
            case Media.Bytes bytes:
                json.WriteString("file_data", $"data:{bytes.MimeType};base64,{bytes.Base64}");
                json.WriteString("filename", file.Name ?? (bytes.MimeType == "application/pdf" ? "document.pdf" : "file"));
                break;
            case Media.Url:
                throw Unsupported("A document given by its address");
            default:
                throw Unsupported("A file kept by another provider");
        }
    }

    private static Part Inlined(Part part) => part is Part.File { Media: Media.PlainText text } ? new Part.Text(text.Value) : part;

    private static bool Survives(Part part, ChatRequest request)
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

    private static Failure Unsupported(string what) => Failure.Invalid($"{what} cannot be sent to this provider.", "messages", "unsupported_content");
}
