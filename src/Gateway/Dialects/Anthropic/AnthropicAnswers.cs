using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>A whole <c>message</c>, from a provider and for a client.</summary>
internal static class AnthropicAnswers
{
    public static ChatAnswer Read(ReadOnlyMemory<byte> body, ChatRequest request, DialectTarget target)
    {
        using var document = JsonBody.OpenAnswer(body);
        var root = document.RootElement;
        if (root.TextOf("type") == "error" || root.Member("error").IsPresent())
        {
            throw AnthropicErrors.Map(new(200), root);
        }
        if (root.Member("content").ValueKind != JsonValueKind.Array)
        {
            throw ProviderRefusals.Unreadable("it holds no content");
        }

        var originals = ToolNames.Originals(request, ToolNames.AnthropicLimit);
        var parts = root.ItemsOf("content").Select(block => ReadBlock(block, originals)).OfType<Part>().ToList();
        var given = root.TextOf("stop_reason");
        if (AnthropicFormat.IsEmulated(request, target) && parts.Find(IsFormat) is Part.ToolCall format)
        {
            // Words around the forced call would spoil the JSON that the client asked for.
            parts.RemoveAll(part => part is Part.Text || IsFormat(part));
            parts.Insert(
                parts.FindLastIndex(part => part is Part.Thinking) + 1, new Part.Text(AnthropicFormat.Unwrap(format.Arguments, request)));
            given = given == "tool_use" ? "end_turn" : given;
        }
        else if (AnthropicFormat.WantsBareObject(request))
        {
            parts = parts.ConvertAll(part => part is Part.Text text ? text with { Value = CodeFence.Strip(text.Value) } : part);
        }
        return new()
        {
            Id = root.TextOf("id") ?? "",
            Model = root.TextOf("model") is { Length: > 0 } model ? model : request.Model,
            Choices = [new(parts, ReasonOf(given, parts.Exists(part => part is Part.ToolCall)), root.TextOf("stop_sequence"))],
            Usage = ReadUsage(root.Member("usage")) ?? new(TokenEstimate.Of(request), TokenEstimate.Of(parts), Estimated: true),
        };
    }

    public static FinishReason ReasonOf(string? reason, bool hasCalls) => reason switch
    {
        "max_tokens" => FinishReason.Length,
        "model_context_window_exceeded" => FinishReason.ContextFull,
        "refusal" => FinishReason.ContentFilter,
        "pause_turn" => FinishReason.Pause,
        _ when hasCalls => FinishReason.ToolCalls,
        "stop_sequence" => FinishReason.StopSequence,
        _ => FinishReason.Stop,
    };

    public static string ReasonFor(FinishReason reason, bool isNewer) => reason switch
    {
        FinishReason.Stop or FinishReason.Error => "end_turn",
        FinishReason.StopSequence => "stop_sequence",
        FinishReason.Length => "max_tokens",
        FinishReason.ContextFull => isNewer ? "model_context_window_exceeded" : "max_tokens",
        FinishReason.ToolCalls => "tool_use",
        FinishReason.ContentFilter or FinishReason.Refusal => "refusal",
        FinishReason.Pause => "pause_turn",
    };

    public static void Write(ChatAnswer answer, AnswerHead head, bool isNewer, IBufferWriter<byte> output)
    {
        var choice = answer.Choices[0];
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("id"u8, head.Id);
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("model"u8, answer.Model);
        json.WriteStartArray("content"u8);
        foreach (var part in choice.Parts)
        {
            WriteBlock(json, part);
        }
        json.WriteEndArray();
        json.WriteString("stop_reason"u8, ReasonFor(choice.FinishReason, isNewer));
        json.WriteString("stop_sequence"u8, choice.StopSequence);
        WriteExtras(json, isNewer);
        AnthropicUsage.Write(json, answer.Usage, isNewer);
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    /// <summary>What the newer version always shows.</summary>
    public static void WriteExtras(Utf8JsonWriter json, bool isNewer)
    {
        if (isNewer)
        {
            json.WriteNull("container"u8);
            json.WriteNull("diagnostics"u8);
            json.WriteNull("stop_details"u8);
        }
    }

    /// <summary>The body of <c>count_tokens</c>.</summary>
    public static void WriteCount(long inputTokens, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteNumber("input_tokens", inputTokens);
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    private static bool IsFormat(Part part) => part is Part.ToolCall { Name: AnthropicFormat.ToolName };

    private static TokenUsage? ReadUsage(JsonElement usage) =>
        usage.ValueKind == JsonValueKind.Object
            && AnthropicUsage.TryReadUsage(JsonMarshal.GetRawUtf8Value(usage), out var tokens) ? tokens : null;

    private static Part? ReadBlock(JsonElement block, Dictionary<string, string>? originals)
    {
        switch (block.TextOf("type"))
        {
            case "text":
                return new Part.Text(block.TextOf("text") ?? "") { Citations = AnthropicCitations.Read(block.Member("citations")) };
            case "thinking":
                return new Part.Thinking(block.TextOf("thinking") ?? "", block.TextOf("signature"), null, Dialect.Anthropic);
            case "redacted_thinking":
                return new Part.Thinking("", null, block.TextOf("data") ?? "", Dialect.Anthropic);
            case "tool_use":
                var name = block.TextOf("name") is { Length: > 0 } given
                    ? given
                    : throw ProviderRefusals.Unreadable("a tool call has no name");
                var input = block.Member("input");
                var arguments = input.IsPresent() ? JsonOutput.Compact(input) : "{}";
                return new Part.ToolCall(
                    block.TextOf("id") is { Length: > 0 } id ? id : ToolNames.MakeId(0, 0, name, arguments),
                    originals.Original(name), arguments);
            case { } other:
                return new Part.Foreign(Dialect.Anthropic, other, block.Clone());
            case null:
                return null;
        }
    }

    private static void WriteBlock(Utf8JsonWriter json, Part part)
    {
        switch (part)
        {
            case Part.Text { Value.Length: > 0 } text:
                WriteText(json, text.Value, text.Citations);
                break;
            case Part.Refusal refusal:
                WriteText(json, refusal.Value);
                break;
            case Part.Thinking { Redacted: { } data } thinking:
                WriteRedacted(json, ThoughtOrigin.Mark(data, thinking.Origin));
                break;
            case Part.Thinking thinking:
                json.WriteStartObject();
                json.WriteString("type"u8, "thinking"u8);
                json.WriteString("thinking"u8, thinking.Value);
                json.WriteString("signature"u8, ThoughtOrigin.Mark(thinking.Signature ?? "", thinking.Origin));
                json.WriteEndObject();
                break;
            case Part.ToolCall call:
                if (call.Signature is { } signature)
                {
                    WriteRedacted(json, ThoughtOrigin.Mark(signature, Dialect.Gemini));
                }
                json.WriteStartObject();
                json.WriteString("type"u8, "tool_use"u8);
                json.WriteString("id"u8, ToolNames.AnthropicId(call.Id));
                json.WriteString("name"u8, call.Name);
                json.WritePropertyName("input"u8);
                ToolArguments.WriteObject(json, call.Arguments);
                json.WriteEndObject();
                break;
            case Part.Foreign { Origin: Dialect.Anthropic } foreign:
                foreign.Block.WriteTo(json);
                break;
        }
    }

    private static void WriteRedacted(Utf8JsonWriter json, string data)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "redacted_thinking"u8);
        json.WriteString("data"u8, data);
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, string text, IReadOnlyList<Citation>? citations = null)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "text"u8);
        json.WriteString("text"u8, text);
        AnthropicCitations.Write(json, citations ?? []);
        json.WriteEndObject();
    }
}
