using System.Runtime.InteropServices;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>A whole <c>chat.completion</c> of a provider.</summary>
internal static class OpenAiAnswerReader
{
    public static ChatAnswer Read(ReadOnlyMemory<byte> body, ChatRequest request)
    {
        using var document = JsonBody.OpenAnswer(body);
        var root = document.RootElement;
        if (root.Member("error").IsPresent())
        {
            throw OpenAiErrors.Map(new(200), root);
        }
        var originals = ToolNames.Originals(request, ToolNames.OpenAiLimit);
        var choices = root.ItemsOf("choices").Select((choice, index) => ReadChoice(choice, index, originals)).ToList();
        if (choices.Count == 0)
        {
            throw ProviderRefusals.Unreadable("it holds no choices");
        }
        return new()
        {
            Id = root.TextOf("id") ?? "",
            Model = root.TextOf("model") is { Length: > 0 } model ? model : request.Model,
            Choices = choices,
            Usage = ReadUsage(root.Member("usage")) ?? Estimate(request, choices),
            ServiceTier = root.TextOf("service_tier"),
            SystemFingerprint = root.TextOf("system_fingerprint"),
        };
    }

    /// <summary>The canonical reason. Some servers say <c>stop</c> after a tool call, and <c>tool_calls</c> after none.</summary>
    public static FinishReason ReasonOf(string? finish, bool hasCalls, bool hasRefusal) => finish switch
    {
        "length" => FinishReason.Length,
        "model_length" => FinishReason.ContextFull,
        "content_filter" => FinishReason.ContentFilter,
        "error" => FinishReason.Error,
        _ when hasCalls => FinishReason.ToolCalls,
        _ when hasRefusal => FinishReason.Refusal,
        _ => FinishReason.Stop,
    };

    private static TokenUsage? ReadUsage(JsonElement usage) =>
        usage.ValueKind == JsonValueKind.Object
            && OpenAiUsage.TryReadUsage(JsonMarshal.GetRawUtf8Value(usage), out var tokens) ? tokens : null;

    private static TokenUsage Estimate(ChatRequest request, List<Choice> choices) =>
        new(TokenEstimate.Of(request), choices.Sum(choice => TokenEstimate.Of(choice.Parts)), Estimated: true);

    private static Choice ReadChoice(JsonElement choice, int index, Dictionary<string, string>? originals)
    {
        var message = choice.Member("message");
        if (message.ValueKind != JsonValueKind.Object)
        {
            throw ProviderRefusals.Unreadable("a choice has no message");
        }
        var parts = new List<Part>();
        ReadThoughts(message, parts);
        ReadContent(message.Member("content"), parts);
        if (OpenAiAnnotations.Read(message.Member("annotations")) is { Count: > 0 } citations
            && parts.FindIndex(part => part is Part.Text) is >= 0 and var first)
        {
            parts[first] = (Part.Text)parts[first] with { Citations = citations };
        }
        if (message.TextOf("refusal") is { Length: > 0 } refusal)
        {
            parts.Add(new Part.Refusal(refusal));
        }
        foreach (var call in message.ItemsOf("tool_calls"))
        {
            parts.Add(ReadCall(call, call.TextOf("id"), index, parts.Count, originals));
        }
        if (message.Member("function_call") is { ValueKind: JsonValueKind.Object } function)
        {
            parts.Add(ReadFunction(function, null, index, parts.Count, originals));
        }

        var reason = ReasonOf(
            choice.TextOf("finish_reason"), parts.Exists(part => part is Part.ToolCall), parts.Exists(part => part is Part.Refusal));
        if (reason == FinishReason.Error)
        {
            throw ProviderRefusals.Map(new(500), "", "The provider stopped with an error.");
        }
        return new(parts, reason,
            Logprobs: choice.Member("logprobs") is { ValueKind: JsonValueKind.Object } logprobs ? logprobs.Clone() : null);
    }

    private static void ReadThoughts(JsonElement message, List<Part> parts)
    {
        if ((message.TextOf("reasoning_content") ?? message.TextOf("reasoning")) is { Length: > 0 } thoughts)
        {
            parts.Add(new Part.Thinking(thoughts, null, null, Dialect.OpenAi));
        }
    }

    // Text, or a list of chunks from servers that mix thoughts into it.
    private static void ReadContent(JsonElement content, List<Part> parts)
    {
        if (content.AsText() is { Length: > 0 } text)
        {
            parts.Add(new Part.Text(text));
        }
        if (content.ValueKind != JsonValueKind.Array)
        {
            return;
        }
        foreach (var chunk in content.EnumerateArray())
        {
            if (chunk.TextOf("text") is { Length: > 0 } piece)
            {
                parts.Add(new Part.Text(piece));
            }
            foreach (var thought in chunk.ItemsOf("thinking"))
            {
                parts.Add(new Part.Thinking(thought.TextOf("text") ?? "", null, null, Dialect.OpenAi));
            }
        }
    }

    private static Part.ToolCall ReadCall(JsonElement call, string? id, int choice, int index, Dictionary<string, string>? originals) =>
        call.Member("custom") is { ValueKind: JsonValueKind.Object } custom
            ? new(id ?? "", originals.Original(custom.TextOf("name") ?? ""), custom.TextOf("input") ?? "") { Custom = true }
            : ReadFunction(call.Member("function"), id, choice, index, originals);

    private static Part.ToolCall ReadFunction(
        JsonElement function, string? id, int choice, int index, Dictionary<string, string>? originals)
    {
        if (function.TextOf("name") is not { Length: > 0 } name)
        {
            throw ProviderRefusals.Unreadable("a tool call has no name");
        }
        var arguments = function.Member("arguments");
        var text = arguments.AsText() ?? (arguments.IsPresent() ? JsonOutput.Compact(arguments) : "");
        return new(id is { Length: > 0 } ? id : ToolNames.MakeId(choice, index, name, text), originals.Original(name), text);
    }
}
