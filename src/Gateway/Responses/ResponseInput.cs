using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.OpenAiResponses;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Responses;

/// <summary>What a response is made from, as items: those of the response that it goes on from, then its own.</summary>
internal static class ResponseInput
{
    private const int MaxBytes = 32 << 20;

    /// <summary>The items of an earlier response: its input and its output.</summary>
    public static byte[] ItemsOf(StoredResponse response)
    {
        var output = new ArrayBufferWriter<byte>(response.Input.Length + response.Response.Length);
        var json = JsonOutput.Open(output);
        json.WriteStartArray();
        using var input = JsonDocument.Parse(response.Input);
        using var answer = JsonDocument.Parse(response.Response);
        foreach (var item in input.RootElement.EnumerateArray().Concat(answer.RootElement.ItemsOf("output")))
        {
            item.WriteTo(json);
        }
        json.WriteEndArray();
        JsonOutput.Close(json);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The input of a request behind earlier items, each item with an id and a type.</summary>
    /// <param name="earlier">A list of items, or nothing.</param>
    public static byte[] Normalize(JsonElement input, ReadOnlyMemory<byte> earlier)
    {
        var output = new ArrayBufferWriter<byte>(earlier.Length + 1_024);
        var json = JsonOutput.Open(output);
        json.WriteStartArray();
        if (!earlier.IsEmpty)
        {
            using var items = JsonDocument.Parse(earlier);
            foreach (var item in items.RootElement.EnumerateArray())
            {
                item.WriteTo(json);
            }
        }
        if (input.AsText() is { } text)
        {
            WriteMessage(json, text);
        }
        else if (input.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in input.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object))
            {
                WriteItem(json, item);
            }
        }
        json.WriteEndArray();
        JsonOutput.Close(json);
        return output.WrittenCount <= MaxBytes ? output.WrittenSpan.ToArray() : throw TooLarge();
    }

    /// <summary>The request with these items as its input.</summary>
    /// <param name="isForwarded">
    /// It goes to a provider that never saw the earlier items: their ids would mean nothing there, nor do thoughts of others.
    /// </param>
    /// <exception cref="Failure">Together they are more than any request may be.</exception>
    public static void WriteJoined(JsonElement request, ReadOnlyMemory<byte> items, bool isForwarded, PooledBytes output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        foreach (var field in request.EnumerateObject())
        {
            if (field.NameEquals("input") || (field.NameEquals("previous_response_id") && isForwarded))
            {
                continue;
            }
            field.WriteTo(json);
        }
        json.WriteStartArray("input");
        using var all = JsonDocument.Parse(items);
        foreach (var item in all.RootElement.EnumerateArray())
        {
            if (!isForwarded)
            {
                item.WriteTo(json);
            }
            else if (item.TextOf("type") != "reasoning")
            {
                WriteWithoutId(json, item);
            }
            else if (item.TextOf("encrypted_content") is { } data && !ResponsesThoughts.IsOfAnother(data))
            {
                item.WriteTo(json);
            }
        }
        json.WriteEndArray();
        json.WriteEndObject();
        JsonOutput.Close(json);
        if (output.Length > MaxBytes)
        {
            throw TooLarge();
        }
    }

    private static Failure TooLarge() =>
        new(FailureKind.TooLarge, "request_too_large", "The request and what it goes on from are too large together");

    private static void WriteWithoutId(Utf8JsonWriter json, JsonElement item)
    {
        json.WriteStartObject();
        foreach (var field in item.EnumerateObject().Where(field => !field.NameEquals("id")))
        {
            field.WriteTo(json);
        }
        json.WriteEndObject();
    }

    private static void WriteMessage(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject();
        json.WriteString("id", AnswerIds.New("msg_"));
        json.WriteString("type", "message");
        json.WriteString("status", "completed");
        json.WriteString("role", "user");
        json.WriteStartArray("content");
        json.WriteStartObject();
        json.WriteString("type", "input_text");
        json.WriteString("text", text);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteItem(Utf8JsonWriter json, JsonElement item)
    {
        json.WriteStartObject();
        json.WriteString("id", item.TextOf("id") is { Length: > 0 } id ? id : AnswerIds.New("msg_"));
        json.WriteString("type", item.TextOf("type") ?? "message");
        // Of a repeated name the last one counts; written twice, nobody could read the item again.
        foreach (var name in item.EnumerateObject().Select(field => field.Name).Except(["id", "type"], StringComparer.Ordinal))
        {
            if (item.GetProperty(name) is { ValueKind: not JsonValueKind.Null } value)
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
        }
        json.WriteEndObject();
    }
}
