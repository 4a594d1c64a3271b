using System.Text.Json;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>The items of <c>output</c>: one for each part of the answer.</summary>
internal static class ResponsesItems
{
    /// <summary>An id that nobody else has, as the response's own is random.</summary>
    public static string IdOf(Part part, string responseId, int index)
    {
        var prefix = part switch
        {
            Part.ToolCall { Custom: true } => "ctc_",
            Part.ToolCall => "fc_",
            Part.Thinking => "rs_",
            _ => "msg_",
        };
        return $"{prefix}{responseId[(responseId.IndexOf('_', StringComparison.Ordinal) + 1)..]}{index}";
    }

    public static void Write(Utf8JsonWriter json, Part part, string id, string status)
    {
        switch (part)
        {
            case Part.Text or Part.Refusal:
                OpenMessage(json, id, status);
                WriteContent(json, part);
                CloseMessage(json);
                break;
            case Part.ToolCall call:
                WriteCall(json, call, id, status);
                break;
            case Part.Thinking thinking:
                ResponsesThoughts.Write(json, thinking, id);
                break;
            case Part.Foreign { Origin: Dialect.OpenAiResponses } foreign:
                foreign.Block.WriteTo(json);
                break;
        }
    }

    /// <summary>Whether the part has a form here: pictures and blocks of other dialects have none.</summary>
    public static bool Has(Part part) =>
        part is Part.Text or Part.Refusal or Part.ToolCall or Part.Thinking or Part.Foreign { Origin: Dialect.OpenAiResponses };

    public static void OpenMessage(Utf8JsonWriter json, string id, string status)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("type"u8, "message"u8);
        json.WriteString("status"u8, status);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteStartArray("content"u8);
    }

    public static void CloseMessage(Utf8JsonWriter json)
    {
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void WriteContent(Utf8JsonWriter json, Part part)
    {
        json.WriteStartObject();
        if (part is Part.Refusal refusal)
        {
            json.WriteString("type"u8, "refusal"u8);
            json.WriteString("refusal"u8, refusal.Value);
        }
        else
        {
            json.WriteString("type"u8, "output_text"u8);
            var text = part as Part.Text ?? new("");
            json.WriteString("text"u8, text.Value);
            json.WriteStartArray("annotations"u8);
            foreach (var words in OpenAiAnnotations.Of(text))
            {
                OpenAiAnnotations.WriteOne(json, words, text.Value.Length);
            }
            json.WriteEndArray();
            json.WriteStartArray("logprobs"u8);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteCall(Utf8JsonWriter json, Part.ToolCall call, string id, string status)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("type"u8, call.Custom ? "custom_tool_call"u8 : "function_call"u8);
        json.WriteString("status"u8, status);
        json.WriteString("call_id"u8, ToolNames.OpenAiId(call.Id));
        json.WriteString("name"u8, call.Name);
        json.WriteString(call.Custom ? "input"u8 : "arguments"u8, call.Arguments);
        json.WriteEndObject();
    }
}
