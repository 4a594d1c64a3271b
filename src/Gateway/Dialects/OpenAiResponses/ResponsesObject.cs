using System.Text.Json;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>How a response stands, in the words of the API.</summary>
/// <param name="Reason">Why it is incomplete.</param>
internal readonly record struct ResponsesState(string Status, string? Reason = null, (string Code, string Message)? Error = null)
{
    public static readonly ResponsesState InProgress = new("in_progress");

    public static ResponsesState Of(FinishReason reason) => reason switch
    {
        FinishReason.Length or FinishReason.ContextFull => new("incomplete", "max_output_tokens"),
        FinishReason.ContentFilter => new("incomplete", "content_filter"),
        FinishReason.Error => new("failed", Error: ("server_error", "The provider stopped with an error.")),
        FinishReason.Stop or FinishReason.StopSequence or FinishReason.ToolCalls or FinishReason.Refusal or FinishReason.Pause =>
            new("completed"),
    };
}

/// <summary>The <c>response</c> object: what the client asked for, repeated, and around it what came of it.</summary>
internal static class ResponsesObject
{
    // In the order of the API; what the client did not send has these values.
    private static readonly (string Name, string Absent)[] Repeated =
    [
        ("instructions", "null"), ("max_output_tokens", "null"), ("max_tool_calls", "null"), ("parallel_tool_calls", "true"),
        ("previous_response_id", "null"), ("prompt_cache_key", "null"), ("reasoning", """{"effort":null,"summary":null}"""),
        ("safety_identifier", "null"), ("store", "true"), ("temperature", "1"), ("text", """{"format":{"type":"text"}}"""),
        ("tool_choice", "\"auto\""), ("tools", "[]"), ("top_logprobs", "0"),
        ("top_p", "1"), ("truncation", "\"disabled\""), ("user", "null"),
        ("metadata", "{}"),
    ];

    public static bool Echoes(string name) => name == "background" || Array.Exists(Repeated, field => field.Name == name);

    /// <param name="usage">Null while the answer is not complete.</param>
    public static void Write<T>(
        Utf8JsonWriter json, ChatRequest request, AnswerHead head, string model, ResponsesState state, T output,
        Action<Utf8JsonWriter, T> writeOutput, TokenUsage? usage, string? serviceTier = null)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, head.Id);
        json.WriteString("object"u8, "response"u8);
        json.WriteNumber("created_at"u8, head.Created);
        json.WriteString("status"u8, state.Status);
        json.WriteBoolean(
            "background"u8, request.Echo.Any(field => field.Name == "background" && field.Value.ValueKind == JsonValueKind.True));
        WriteEnd(json, state);
        json.WriteString("model"u8, model);
        json.WriteStartArray("output"u8);
        writeOutput(json, output);
        json.WriteEndArray();
        foreach (var (name, absent) in Repeated)
        {
            json.WritePropertyName(name);
            if (request.Echo.FirstOrDefault(field => field.Name == name) is { Name: not null } sent)
            {
                sent.Value.WriteTo(json);
            }
            else
            {
                json.WriteRawValue(absent, skipInputValidation: true);
            }
        }
        json.WriteString("service_tier"u8, serviceTier ?? request.ServiceTier ?? "default");
        if (usage is { } tokens)
        {
            WriteUsage(json, tokens);
        }
        else
        {
            json.WriteNull("usage"u8);
        }
        json.WriteEndObject();
    }

    private static void WriteEnd(Utf8JsonWriter json, ResponsesState state)
    {
        if (state.Error is var (code, message))
        {
            json.WriteStartObject("error"u8);
            json.WriteString("code"u8, code);
            json.WriteString("message"u8, message);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("error"u8);
        }
        if (state.Reason is { } reason)
        {
            json.WriteStartObject("incomplete_details"u8);
            json.WriteString("reason"u8, reason);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("incomplete_details"u8);
        }
    }

    private static void WriteUsage(Utf8JsonWriter json, TokenUsage usage)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, usage.Input);
        json.WriteStartObject("input_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, usage.CacheRead);
        json.WriteEndObject();
        json.WriteNumber("output_tokens"u8, usage.Output);
        json.WriteStartObject("output_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, usage.Reasoning);
        json.WriteEndObject();
        json.WriteNumber("total_tokens"u8, usage.Total);
        json.WriteEndObject();
    }
}
