using System.Text;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary>The conversation as Gemini wants it: <c>user</c> and <c>model</c> in turn, beginning with a user.</summary>
internal sealed class GeminiContents
{
    private const string Opening = "(continue)";

    /// <summary>What Google documents for calls that no model of its own made; without it Gemini 3 refuses the history.</summary>
    private const string NoSignature = "skip_thought_signature_validator";

    private readonly ChatRequest request;
    private readonly GeminiModel model;
    private readonly List<(string Role, List<Part> Parts)> contents = [];
    private readonly Dictionary<string, string> calledNames = new(StringComparer.Ordinal);
    private readonly List<string> callOrder = [];

    public GeminiContents(ChatRequest request, GeminiModel model)
    {
        this.request = request;
        this.model = model;
        foreach (var turn in request.Turns)
        {
            Add(turn);
        }
        if (contents is not [("user", _), ..])
        {
            contents.Insert(0, ("user", [new Part.Text(Opening)]));
        }
    }

    /// <summary>System messages from the middle of the conversation, which has no place for them there.</summary>
    public List<string> LateSystem { get; } = [];

    public List<Part.Image> Images { get; } = [];

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray("contents");
        foreach (var (role, parts) in contents)
        {
            json.WriteStartObject();
            json.WriteString("role", role);
            json.WriteStartArray("parts");
            WriteParts(json, parts);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void Add(Turn turn)
    {
        if (turn.Role == TurnRole.System)
        {
            LateSystem.AddRange(turn.Parts.OfType<Part.Text>().Select(part => part.Value));
            return;
        }
        var parts = (turn.Role == TurnRole.Tool ? Results(turn) : turn.Parts).Where(Survives).ToList();
        foreach (var call in parts.OfType<Part.ToolCall>())
        {
            calledNames[call.Id] = call.Name;
            callOrder.Add(call.Id);
        }
        Images.AddRange(parts.OfType<Part.Image>());
        if (parts.Count == 0)
        {
            return;
        }
        var role = turn.Role == TurnRole.Assistant ? "model" : "user";
        if (contents.Count > 0 && contents[^1].Role == role)
        {
            contents[^1].Parts.AddRange(parts);
        }
        else
        {
            contents.Add((role, parts));
        }
    }

    /// <summary>The results in the order of their calls; what they show follows behind the last, where pictures may stand.</summary>
    private IEnumerable<Part> Results(Turn turn)
    {
        var results = turn.Parts.OfType<Part.ToolResult>().OrderBy(result => callOrder.LastIndexOf(result.Id)).ToList();
        var shown = results.SelectMany(result => result.Parts)
            .Where(part => part is Part.Image or Part.File { Media: not Media.PlainText });
        return results.Concat(shown);
    }

    private bool Survives(Part part)
    {
        switch (part)
        {
            case Part.Text { Value.Length: 0 } or Part.Refusal { Value.Length: 0 }:
                return false;
            case Part.Thinking { Origin: Dialect.Gemini } thought:
                return thought.Value.Length > 0 || thought.Signature is not null || thought.Redacted is not null;
            case Part.Thinking:
                request.Warn("thoughts of another provider dropped");
                return false;
            case Part.Foreign foreign:
                request.Warn($"{foreign.Kind} dropped: Gemini's dialect has none");
                return false;
            default:
                return true;
        }
    }

    private void WriteParts(Utf8JsonWriter json, List<Part> parts)
    {
        var isFirstCall = true;
        for (var index = 0; index < parts.Count; index++)
        {
            var part = parts[index];

            // On a dialect without a place for it, a call's signature came as the block before the call.
            var loose = part is Part.Thinking { Redacted: { } data } ? data : null;
            if (loose is not null && index + 1 < parts.Count && parts[index + 1] is Part.ToolCall { Signature: null } next)
            {
                (part, index) = (next with { Signature = loose }, index + 1);
            }
            json.WriteStartObject();
            if (part is Part.ToolCall call)
            {
                WriteCall(json, call, call.Signature ?? (isFirstCall && model.HasLevels ? NoSignature : null));
                isFirstCall = false;
            }
            else
            {
                WritePart(json, part);
            }
            json.WriteEndObject();
        }
    }

    private static void WriteCall(Utf8JsonWriter json, Part.ToolCall call, string? signature)
    {
        json.WriteStartObject("functionCall");
        json.WriteString("id", call.Id);
        json.WriteString("name", ToolNames.GeminiAlias(call.Name));
        json.WritePropertyName("args");
        ToolArguments.WriteObject(json, call.Arguments);
        json.WriteEndObject();
        json.WriteIfAny("thoughtSignature", signature);
    }

    private void WritePart(Utf8JsonWriter json, Part part)
    {
        switch (part)
        {
            case Part.Text text:
                json.WriteString("text", text.Value);
                break;
            case Part.Refusal refusal:
                json.WriteString("text", refusal.Value);
                break;
            case Part.Thinking { Redacted: { } signature }:
                json.WriteString("text", "");
                json.WriteString("thoughtSignature", signature);
                break;
            case Part.Thinking thought:
                json.WriteString("text", thought.Value);
                json.WriteBoolean("thought", true);
                json.WriteIfAny("thoughtSignature", thought.Signature);
                break;
            case Part.Image image:
                WriteMedia(json, image.Media);
                break;
            case Part.File file:
                WriteMedia(json, file.Media);
                break;
            case Part.Audio audio:
                WriteMedia(json, new Media.Bytes($"audio/{audio.Format}", audio.Base64));
                break;
            case Part.Video { Media: Media.Url url } video:
                json.WriteStartObject("fileData");
                json.WriteIfAny("mimeType", video.MimeType);
                json.WriteString("fileUri", url.Address);
                json.WriteEndObject();
                break;
            case Part.Video video:
                WriteMedia(json, video.Media);
                break;
            case Part.ToolResult result:
                WriteResult(json, result);
                break;
            default:
                throw Unsupported($"A part of the kind {part.GetType().Name}");
        }
    }

    private void WriteResult(Utf8JsonWriter json, Part.ToolResult result)
    {
        var name = calledNames.GetValueOrDefault(result.Id)
            ?? throw Failure.Invalid($"The result '{result.Id}' answers no call of this conversation.", "messages", "orphan_tool_result");
        json.WriteStartObject("functionResponse");
        json.WriteString("id", result.Id);
        json.WriteString("name", ToolNames.GeminiAlias(name));
        json.WritePropertyName("response");
        WriteResponse(json, string.Join('\n', result.Parts.Select(TextOf).OfType<string>()), result.IsError);
        json.WriteEndObject();
    }

    private static string? TextOf(Part part) => part switch
    {
        Part.Text text => text.Value,
        Part.File { Media: Media.PlainText text } => text.Value,
        _ => null,
    };

    /// <summary>An object stands for itself, any other value under <c>result</c>, an error's text under <c>error</c>.</summary>
    private static void WriteResponse(Utf8JsonWriter json, string text, bool isError)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var kind = isError ? JsonValueKind.Undefined : JsonBody.KindOf(bytes);
        if (kind == JsonValueKind.Object)
        {
            json.WriteRawValue(bytes, skipInputValidation: true);
            return;
        }
        json.WriteStartObject();
        json.WritePropertyName(isError ? "error" : "result");
        if (kind == JsonValueKind.Undefined)
        {
            json.WriteStringValue(text);
        }
        else
        {
            json.WriteRawValue(bytes, skipInputValidation: true);
        }
        json.WriteEndObject();
    }

    private static void WriteMedia(Utf8JsonWriter json, Media media)
    {
        var (mimeType, base64) = media switch
        {
            Media.Bytes bytes => (bytes.MimeType, bytes.Base64),
            Media.PlainText text => ("text/plain", Convert.ToBase64String(Encoding.UTF8.GetBytes(text.Value))),
            Media.Url => throw Unsupported("A file given by its address"),
            _ => throw Unsupported("A file kept by another provider"),
        };
        json.WriteStartObject("inlineData");
        json.WriteString("mimeType", mimeType);
        json.WriteString("data", base64);
        json.WriteEndObject();
    }

    private static Failure Unsupported(string what) =>
        Failure.Invalid($"{what} cannot be sent to this provider.", "messages", "unsupported_content");
}
