using System.Runtime.InteropServices;
using System.Text.Json;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>A whole <c>response</c> of a provider.</summary>
internal static class ResponsesAnswerReader
{
    public static ChatAnswer Read(ReadOnlyMemory<byte> body, ChatRequest request)
    {
        using var document = JsonBody.OpenAnswer(body);
        var root = document.RootElement;
        if (root.Member("error").IsPresent() || root.TextOf("status") == "failed")
        {
            throw OpenAiErrors.Map(new(200), root);
        }
        if (root.Member("output").ValueKind != JsonValueKind.Array)
        {
            throw ProviderRefusals.Unreadable("it holds no output");
        }
        var originals = ToolNames.Originals(request, ToolNames.OpenAiLimit);
        var parts = root.ItemsOf("output").SelectMany(item => ReadItem(item, originals)).ToList();
        return new()
        {
            Id = root.TextOf("id") ?? "",
            Model = root.TextOf("model") is { Length: > 0 } model ? model : request.Model,
            Choices = [new(parts, ReasonOf(root, parts.Exists(part => part is Part.ToolCall), parts.Exists(part => part is Part.Refusal)))],
            Usage = ReadUsage(root) ?? new(TokenEstimate.Of(request), TokenEstimate.Of(parts), Estimated: true),
            ServiceTier = root.TextOf("service_tier"),
        };
    }

    public static FinishReason ReasonOf(JsonElement response, bool hasCalls, bool hasRefusal) => response.TextOf("status") switch
    {
        "incomplete" when response.Member("incomplete_details").TextOf("reason") == "content_filter" => FinishReason.ContentFilter,
        "incomplete" => FinishReason.Length,
        _ when hasCalls => FinishReason.ToolCalls,
        _ when hasRefusal => FinishReason.Refusal,
        _ => FinishReason.Stop,
    };

    public static TokenUsage? ReadUsage(JsonElement response) =>
        response.Member("usage") is { ValueKind: JsonValueKind.Object } usage
        && OpenAiUsage.TryReadUsage(JsonMarshal.GetRawUtf8Value(usage), out var tokens) ? tokens : null;

    /// <summary>The thoughts of a reasoning item: the summary, or the text itself where a server shows it.</summary>
    public static string ThoughtsOf(JsonElement item) =>
        string.Concat(item.ItemsOf("summary").Concat(item.ItemsOf("content")).Select(part => part.TextOf("text")));

    private static IEnumerable<Part> ReadItem(JsonElement item, Dictionary<string, string>? originals)
    {
        switch (item.TextOf("type"))
        {
            case "message":
                foreach (var content in item.ItemsOf("content"))
                {
                    if (content.TextOf("text") is { Length: > 0 } text)
                    {
                        yield return new Part.Text(text) { Citations = OpenAiAnnotations.Read(content.Member("annotations")) };
                    }
                    else if (content.TextOf("refusal") is { Length: > 0 } refusal)
                    {
                        yield return new Part.Refusal(refusal);
                    }
                }
                break;
            case "function_call":
                yield return new Part.ToolCall(
                    item.TextOf("call_id") ?? "", originals.Original(NameOf(item)), item.TextOf("arguments") ?? "");
                break;
            case "custom_tool_call":
                yield return new Part.ToolCall(item.TextOf("call_id") ?? "", NameOf(item), item.TextOf("input") ?? "") { Custom = true };
                break;
            case "reasoning":
                yield return new Part.Thinking(
                    ThoughtsOf(item), item.TextOf("id"), item.TextOf("encrypted_content"), Dialect.OpenAiResponses);
                break;
            case { } kind:
                yield return new Part.Foreign(Dialect.OpenAiResponses, kind, item.Clone());
                break;
        }
    }

    private static string NameOf(JsonElement item) =>
        item.TextOf("name") is { Length: > 0 } name ? name : throw ProviderRefusals.Unreadable("a tool call has no name");
}
