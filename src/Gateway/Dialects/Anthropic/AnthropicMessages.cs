using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>The conversation as Anthropic wants it: users and assistants in turn, beginning with a user, no blank text.</summary>
internal sealed class AnthropicMessages
{
    private const string Opening = "(continue)";

    private readonly ChatRequest request;
    private readonly List<(string Role, List<Part> Parts)> messages = [];
    private readonly List<SystemBlock> lateSystem = [];
    private readonly List<string> calledTools = [];

    public AnthropicMessages(ChatRequest request, bool isNewer)
    {
        this.request = request;
        foreach (var turn in request.Turns)
        {
            if (turn.Role == TurnRole.System && !isNewer)
            {
                lateSystem.AddRange(turn.Parts.OfType<Part.Text>().Select(part => new SystemBlock(part.Value, part.Cache)));
                continue;
            }
            Add(turn);
        }
        if (messages.Find(message => message.Role != "system").Role is not "user")
        {
            messages.Insert(0, ("user", [new Part.Text(Opening)]));
        }
        TrimPrefill();
    }

    /// <summary>System messages from the middle of the conversation, for the version that has no place for them there.</summary>
    public IReadOnlyList<SystemBlock> LateSystem => lateSystem;

    public IReadOnlyList<string> CalledTools => calledTools;

    /// <summary>Thinking needs the thoughts that led to the last calls, and it cannot go on from a half-written answer.</summary>
    public bool ForbidThinking
    {
        get
        {
            if (messages[^1].Role == "assistant")
            {
                return true;
            }
            var last = messages.FindLast(message => message.Role == "assistant");
            return messages[^1].Parts.Exists(part => part is Part.ToolResult) && last.Parts is [not Part.Thinking, ..];
        }
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray("messages");
        foreach (var (role, parts) in messages)
        {
            json.WriteStartObject();
            json.WriteString("role", role);
            if (parts is [Part.Text { Cache: null } text])
            {
                json.WriteString("content", text.Value);
            }
            else
            {
                json.WriteStartArray("content");
                parts.ForEach(part => WriteBlock(json, part));
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void Add(Turn turn)
    {
        var parts = turn.Parts.Where(Survives).Select(part => part is Part.Refusal refusal ? new Part.Text(refusal.Value) : part).ToList();
        if (parts.Count == 0)
        {
            return;
        }
        foreach (var call in parts.OfType<Part.ToolCall>().Where(call => !calledTools.Contains(call.Name)))
        {
            calledTools.Add(call.Name);
        }
        var role = turn.Role switch
        {
            TurnRole.Assistant => "assistant",
            TurnRole.System => "system",
            TurnRole.User or TurnRole.Tool => "user",
        };
        if (messages.Count > 0 && messages[^1].Role == role)
        {
            messages[^1].Parts.AddRange(parts);
        }
        else
        {
            messages.Add((role, parts));
        }
    }

    // A prefill must not end in white space.
    private void TrimPrefill()
    {
        if (messages[^1] is ("assistant", { } parts) && parts[^1] is Part.Text text)
        {
            parts[^1] = text with { Value = text.Value.TrimEnd() };
        }
    }

    private bool Survives(Part part)
    {
        switch (part)
        {
            case Part.Text text:
                return !string.IsNullOrWhiteSpace(text.Value);
            case Part.Refusal refusal:
                return !string.IsNullOrWhiteSpace(refusal.Value);
            case Part.Thinking { Origin: Dialect.Anthropic,
                Redacted.Length: > 0 } or Part.Thinking { Origin: Dialect.Anthropic, Signature.Length: > 0 }:
                return true;
            case Part.Thinking:
                request.Warn("thoughts of another provider dropped");
                return false;
            case Part.Foreign { Origin: not Dialect.Anthropic } foreign:
                request.Warn($"{foreign.Kind} dropped: Anthropic's dialect has none");
                return false;
            default:
                return true;
        }
    }

    private void WriteBlock(Utf8JsonWriter json, Part part)
    {
        if (part is Part.Foreign foreign)
        {
            foreign.Block.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        switch (part)
        {
            case Part.Text text:
                json.WriteString("type", "text");
                json.WriteString("text", text.Value);
                break;
            case Part.Image image:
                json.WriteString("type", "image");
                json.WriteStartObject("source");
                WriteImageSource(json, image.Media);
                json.WriteEndObject();
                break;
            case Part.File file:
                json.WriteString("type", "document");
                json.WriteStartObject("source");
                WriteDocumentSource(json, file.Media);
                json.WriteEndObject();
                json.WriteIfAny("title", file.Name);
                break;
            case Part.ToolCall call:
                json.WriteString("type", "tool_use");
                json.WriteString("id", ToolNames.AnthropicId(call.Id));
                json.WriteString("name", ToolNames.Alias(call.Name, ToolNames.AnthropicLimit));
                json.WritePropertyName("input");
                ToolArguments.WriteObject(json, call.Arguments);
                break;
            case Part.ToolResult result:
                WriteResult(json, result);
                break;
            case Part.Thinking { Redacted: { } data }:
                json.WriteString("type", "redacted_thinking");
                json.WriteString("data", data);
                break;
            case Part.Thinking thinking:
                json.WriteString("type", "thinking");
                json.WriteString("thinking", thinking.Value);
                json.WriteString("signature", thinking.Signature);
                break;
            default:
                throw Unsupported(part is Part.Audio or Part.Recording ? "Audio"
                    : part is Part.Video ? "Video" : $"A part of the kind {part.GetType().Name}");
        }
        AnthropicRequestWriter.WriteCache(json, part.Cache);
        json.WriteEndObject();
    }

    private void WriteResult(Utf8JsonWriter json, Part.ToolResult result)
    {
        json.WriteString("type", "tool_result");
        json.WriteString("tool_use_id", ToolNames.AnthropicId(result.Id));
        var parts = result.Parts.Where(Survives).ToList();
        if (parts is [Part.Text { Cache: null } only])
        {
            json.WriteString("content", only.Value);
        }
        else if (parts.Count > 0)
        {
            json.WriteStartArray("content");
            parts.ForEach(part => WriteBlock(json, part));
            json.WriteEndArray();
        }
        if (result.IsError)
        {
            json.WriteBoolean("is_error", true);
        }
    }

    private static void WriteImageSource(Utf8JsonWriter json, Media media)
    {
        switch (media)
        {
            case Media.Bytes { MimeType: "image/jpeg" or "image/png" or "image/gif" or "image/webp" } bytes:
                WriteBase64(json, bytes);
                break;
            case Media.Bytes bytes:
                throw Unsupported($"An image of the type {bytes.MimeType}");
            case Media.Url url:
                json.WriteString("type", "url");
                json.WriteString("url", url.Address);
                break;
            default:
                WriteStored(json, media);
                break;
        }
    }

    private static void WriteDocumentSource(Utf8JsonWriter json, Media media)
    {
        switch (media)
        {
            case Media.Bytes { MimeType: "application/pdf" } bytes:
                WriteBase64(json, bytes);
                break;
            case Media.Bytes bytes:
                throw Unsupported($"A document of the type {bytes.MimeType}");
            case Media.PlainText text:
                json.WriteString("type", "text");
                json.WriteString("media_type", "text/plain");
                json.WriteString("data", text.Value);
                break;
            case Media.Url url:
                json.WriteString("type", "url");
                json.WriteString("url", url.Address);
                break;
            default:
                WriteStored(json, media);
                break;
        }
    }

    private static void WriteBase64(Utf8JsonWriter json, Media.Bytes bytes)
    {
        json.WriteString("type", "base64");
        json.WriteString("media_type", bytes.MimeType);
        json.WriteString("data", bytes.Base64);
    }

    private static void WriteStored(Utf8JsonWriter json, Media media)
    {
        if (media is not Media.Stored { Origin: Dialect.Anthropic } stored)
        {
            throw Unsupported("A file kept by another provider");
        }
        json.WriteString("type", "file");
        json.WriteString("file_id", stored.Id);
    }

    private static Failure Unsupported(string what) =>
        Failure.Invalid($"{what} cannot be sent to this provider.", "messages", "unsupported_content");
}
