using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>A whole <c>chat.completion</c> for a client.</summary>
internal static class OpenAiAnswerWriter
{
    public static void Write(ChatAnswer answer, ChatRequest request, AnswerHead head, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("id"u8, head.Id);
        json.WriteString("object"u8, "chat.completion"u8);
        json.WriteNumber("created"u8, head.Created);
        json.WriteString("model"u8, answer.Model);
        json.WriteStartArray("choices"u8);
        for (var index = 0; index < answer.Choices.Count; index++)
        {
            WriteChoice(json, answer.Choices[index], index, request.LegacyFunctions);
        }
        json.WriteEndArray();
        OpenAiUsage.Write(json, answer.Usage);
        json.WriteIfAny("service_tier", answer.ServiceTier);
        json.WriteString("system_fingerprint"u8, answer.SystemFingerprint);
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    public static string FinishOf(FinishReason reason, bool legacy) => reason switch
    {
        FinishReason.Stop or FinishReason.StopSequence or FinishReason.Refusal or FinishReason.Pause or FinishReason.Error => "stop",
        FinishReason.Length or FinishReason.ContextFull => "length",
        FinishReason.ToolCalls => legacy ? "function_call" : "tool_calls",
        FinishReason.ContentFilter => "content_filter",
    };

    private static void WriteChoice(Utf8JsonWriter json, Choice choice, int index, bool legacy)
    {
        json.WriteStartObject();
        json.WriteNumber("index"u8, index);
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        WriteContent(json, choice.Parts);
        OpenAiAnnotations.WriteChat(json, choice.Parts);
        OpenAiReasoning.Write(json, choice.Parts);
        WriteCalls(json, choice.Parts, legacy);
        json.WriteEndObject();
        if (choice.Logprobs is { } logprobs)
        {
            json.WriteElement("logprobs", logprobs);
        }
        else
        {
            json.WriteNull("logprobs"u8);
        }
        json.WriteString("finish_reason"u8, FinishOf(choice.FinishReason, legacy));
        json.WriteEndObject();
    }

    private static void WriteContent(Utf8JsonWriter json, IReadOnlyList<Part> parts)
    {
        var text = string.Concat(parts.OfType<Part.Text>().Select(part => part.Value));
        var refusal = string.Concat(parts.OfType<Part.Refusal>().Select(part => part.Value));
        var other = refusal.Length > 0 || parts.Any(part => part is Part.ToolCall);
        json.WriteString("content"u8, text.Length == 0 && other ? null : text);
        json.WriteString("refusal"u8, refusal.Length > 0 ? refusal : null);
    }

    private static void WriteCalls(Utf8JsonWriter json, IReadOnlyList<Part> parts, bool legacy)
    {
        var calls = parts.OfType<Part.ToolCall>().ToList();
        if (calls.Count == 0)
        {
            return;
        }
        if (legacy)
        {
            json.WritePropertyName("function_call"u8);
            WriteFunction(json, calls[0], "arguments");
            return;
        }
        json.WriteStartArray("tool_calls"u8);
        foreach (var call in calls)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, ToolNames.OpenAiId(call.Id));
            json.WriteString("type"u8, call.Custom ? "custom"u8 : "function"u8);
            json.WritePropertyName(call.Custom ? "custom"u8 : "function"u8);
            WriteFunction(json, call, call.Custom ? "input" : "arguments");
            OpenAiReasoning.WriteSignature(json, call.Signature);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteFunction(Utf8JsonWriter json, Part.ToolCall call, string field)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, call.Name);
        json.WriteString(field, call.Arguments.Length > 0 || call.Custom ? call.Arguments : "{}");
        json.WriteEndObject();
    }
}
