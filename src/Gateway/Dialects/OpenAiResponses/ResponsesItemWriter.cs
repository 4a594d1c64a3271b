using System.Text.Json;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>The <c>input</c> of a request for a provider.</summary>
internal static class ResponsesItemWriter
{
    public static void Write(Utf8JsonWriter json, ChatRequest request)
    {
        json.WriteStartArray("input");
        foreach (var turn in request.Turns)
        {
            switch (turn.Role)
            {
                case TurnRole.System:
                    WriteMessage(json, "developer", turn.Parts, request);
                    break;
                case TurnRole.User:
                    WriteMessage(json, "user", turn.Parts, request);
                    break;
                case TurnRole.Assistant:
                    WriteAssistant(json, turn.Parts, request);
                    break;
                case TurnRole.Tool:
                    foreach (var result in turn.Parts.OfType<Part.ToolResult>())
                    {
                        WriteResult(json, result, request);
                    }
                    break;
            }
        }
        json.WriteEndArray();
    }

    private static void WriteMessage(Utf8JsonWriter json, string role, IReadOnlyList<Part> parts, ChatRequest request)
    {
        var kept = parts.Where(part => Survives(part, request)).ToList();
        if (kept.Count == 0)
        {
            return;
        }
        json.WriteStartObject();
        json.WriteString("type", "message");
        json.WriteString("role", role);
        json.WriteStartArray("content");
        kept.ForEach(part => WritePart(json, part));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteAssistant(Utf8JsonWriter json, IReadOnlyList<Part> parts, ChatRequest request)
    {
        foreach (var part in parts.Where(part => Survives(part, request)))
        {
            switch (part)
            {
                case Part.Text or Part.Refusal:
                    json.WriteStartObject();
                    json.WriteString("type", "message");
                    json.WriteString("role", "assistant");
                    json.WriteStartArray("content");
                    ResponsesItems.WriteContent(json, part);
                    json.WriteEndArray();
                    json.WriteEndObject();
                    break;
                case Part.ToolCall call:
                    json.WriteStartObject();
                    json.WriteString("type", call.Custom ? "custom_tool_call" : "function_call");
                    json.WriteString("call_id", ToolNames.OpenAiId(call.Id));
                    json.WriteString("name", ToolNames.Alias(call.Name, ToolNames.OpenAiLimit));
                    json.WriteString(call.Custom ? "input" : "arguments", call.Arguments.Length > 0 || call.Custom ? call.Arguments : "{}");
                    json.WriteEndObject();
                    break;
                // Without its seal a thought is of no use to a provider that kept nothing.
                case Part.Thinking { Redacted: not null, Signature: { } id } thinking:
                    ResponsesThoughts.Write(json, thinking, id);
                    break;
                case Part.Foreign foreign:
                    foreign.Block.WriteTo(json);
                    break;
            }
        }
    }

    private static void WriteResult(Utf8JsonWriter json, Part.ToolResult result, ChatRequest request)
    {
        var parts = result.Parts.Where(part => Survives(part, request)).ToList();
        json.WriteStartObject();
        json.WriteString("type", "function_call_output");
        json.WriteString("call_id", ToolNames.OpenAiId(result.Id));
        if (parts.TrueForAll(part => part is Part.Text))
        {
            json.WriteString(
                "output", (result.IsError ? "Error: " : "") + string.Join('\n', parts.Cast<Part.Text>().Select(part => part.Value)));
        }
        else
        {
            json.WriteStartArray("output");
            parts.ForEach(part => WritePart(json, part));
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WritePart(Utf8JsonWriter json, Part part)
    {
        json.WriteStartObject();
        switch (part)
        {
            case Part.Text text:
                json.WriteString("type", "input_text");
                json.WriteString("text", text.Value);
                break;
            case Part.Image image:
                json.WriteString("type", "input_image");
                WriteImage(json, image.Media);
                json.WriteString("detail", image.Detail ?? "auto");
                break;
            case Part.File file:
                WriteFile(json, file);
                break;
            case Part.Audio or Part.Video:
                throw Unsupported(part is Part.Audio ? "Audio" : "Video");
            default:
                throw Unsupported($"A part of the kind {part.GetType().Name}");
        }
        json.WriteEndObject();
    }

    private static void WriteImage(Utf8JsonWriter json, Media media)
    {
        switch (media)
        {
            case Media.Url url:
                json.WriteString("image_url", url.Address);
                break;
            case Media.Bytes bytes:
                json.WriteString("image_url", $"data:{bytes.MimeType};base64,{bytes.Base64}");
                break;
            case Media.Stored { Origin: Dialect.OpenAi } stored:
                json.WriteString("file_id", stored.Id);
                break;
            default:
                throw Unsupported("An image kept by another provider");
        }
    }

    private static void WriteFile(Utf8JsonWriter json, Part.File file)
    {
        if (file.Media is Media.PlainText text)
        {
            json.WriteString("type", "input_text");
            json.WriteString("text", text.Value);
            return;
        }
        json.WriteString("type", "input_file");
        switch (file.Media)
        {
            case Media.Stored { Origin: Dialect.OpenAi } stored:
                json.WriteString("file_id", stored.Id);
                break;
            case Media.Bytes bytes:
                json.WriteString("filename", file.Name ?? (bytes.MimeType == "application/pdf" ? "document.pdf" : "file"));
                json.WriteString("file_data", $"data:{bytes.MimeType};base64,{bytes.Base64}");
                break;
            case Media.Url url:
                json.WriteString("file_url", url.Address);
                break;
            default:
                throw Unsupported("A file kept by another provider");
        }
    }

    private static bool Survives(Part part, ChatRequest request)
    {
        switch (part)
        {
            case Part.Text { Value.Length: 0 }:
                return false;
            case Part.Thinking { Origin: not Dialect.OpenAiResponses }:
                request.Warn("thoughts of another provider dropped");
                return false;
            case Part.Foreign { Origin: not Dialect.OpenAiResponses } foreign:
                request.Warn($"{foreign.Kind} block dropped: the Responses API has none");
                return false;
            default:
                return true;
        }
    }

    private static Failure Unsupported(string what) =>
        Failure.Invalid($"{what} cannot be sent to this provider.", "messages", "unsupported_content");
}
