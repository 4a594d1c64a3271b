using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary>A whole <c>GenerateContentResponse</c>, and what its chunks in a stream share with it.</summary>
internal static class GeminiAnswers
{
    /// <summary>The model tried to call a tool and wrote nonsense; asked again it mostly does better.</summary>
    public const string MalformedCall = "upstream_malformed_call";

    public static ChatAnswer Read(ReadOnlyMemory<byte> body, ChatRequest request)
    {
        using var document = JsonBody.OpenAnswer(body);
        var root = document.RootElement;
        if (FailureOf(root) is { } failure)
        {
            throw failure;
        }
        var originals = ToolNames.GeminiOriginals(request);
        var choices = root.ItemsOf("candidates").Select((candidate, index) => ReadCandidate(candidate, index, originals)).ToList();
        if (choices.Count == 0)
        {
            throw ProviderRefusals.Unreadable("it holds no candidates");
        }
        return new()
        {
            Id = root.TextOf("responseId") ?? "",
            Model = root.TextOf("modelVersion") is { Length: > 0 } model ? model : request.Model,
            Choices = choices,
            Usage = UsageOf(root.Member("usageMetadata"))
                ?? new(TokenEstimate.Of(request), choices.Sum(choice => TokenEstimate.Of(choice.Parts)), Estimated: true),
        };
    }

    /// <summary>An error in spite of the status, or a prompt that was blocked.</summary>
    public static Failure? FailureOf(JsonElement root)
    {
        if (root.Member("error").IsPresent())
        {
            return GeminiErrors.Map(new(200), root);
        }
        var isEmpty = !root.ItemsOf("candidates").Any();
        return isEmpty && root.Member("promptFeedback").TextOf("blockReason") is { } reason ? GeminiErrors.Blocked(reason) : null;
    }

    /// <summary>The canonical reason; a failure where the candidate broke off. Gemini says <c>STOP</c> after calls too.</summary>
    public static (FinishReason Reason, Failure? Failure) ReasonOf(string finish, bool hasCalls) => finish switch
    {
        "MAX_TOKENS" => (FinishReason.Length, null),
        "SAFETY" or "RECITATION" or "BLOCKLIST" or "PROHIBITED_CONTENT" or "SPII" or "LANGUAGE" or "MODEL_ARMOR"
            or "IMAGE_SAFETY" or "IMAGE_PROHIBITED_CONTENT" or "IMAGE_RECITATION" => (FinishReason.ContentFilter, null),
        "MALFORMED_FUNCTION_CALL" =>
            (FinishReason.Error, new(FailureKind.Upstream, MalformedCall, "The provider's model wrote a tool call that cannot be read.")),
        "OTHER" or "UNEXPECTED_TOOL_CALL" or "TOO_MANY_TOOL_CALLS" or "MISSING_THOUGHT_SIGNATURE" or "IMAGE_OTHER" or "NO_IMAGE" =>
            (FinishReason.Error, ProviderRefusals.Map(new(500), "", $"The provider stopped with an error ({finish}).")),
        _ => (hasCalls ? FinishReason.ToolCalls : FinishReason.Stop, null),
    };

    public static Part.ToolCall ReadCall(JsonElement part, int choice, int index, Dictionary<string, string>? originals)
    {
        var call = part.Member("functionCall");
        if (call.TextOf("name") is not { Length: > 0 } name)
        {
            throw ProviderRefusals.Unreadable("a tool call has no name");
        }
        var args = call.Member("args");
        var arguments = args.IsPresent() ? JsonOutput.Compact(args) : "{}";
        var id = call.TextOf("id") is { Length: > 0 } given ? given : ToolNames.MakeId(choice, index, name, arguments);
        return new(id, originals.Original(name), arguments) { Signature = part.TextOf("thoughtSignature") };
    }

    /// <summary>Null when the object holds no believable figures.</summary>
    public static TokenUsage? UsageOf(JsonElement usage)
    {
        var prompt = Figure(usage, "promptTokenCount");
        var candidates = Figure(usage, "candidatesTokenCount");
        var thoughts = Figure(usage, "thoughtsTokenCount");
        if (prompt is null && candidates is null && thoughts is null)
        {
            return null;
        }
        return new(
            (prompt ?? 0) + (Figure(usage, "toolUsePromptTokenCount") ?? 0),
            (candidates ?? 0) + (thoughts ?? 0),
            CacheRead: Figure(usage, "cachedContentTokenCount") ?? 0,
            Reasoning: thoughts ?? 0,
            AudioIn: Audio(usage, "promptTokensDetails"),
            AudioOut: Audio(usage, "candidatesTokensDetails"));
    }

    private static long? Figure(JsonElement holder, string name) =>
        holder.Member(name) is { ValueKind: JsonValueKind.Number } number
            && number.TryGetInt64(out var figure) && figure is >= 0 and <= TokenUsage.MaxFigure
            ? figure
            : null;

    private static long Audio(JsonElement usage, string name) =>
        usage.ItemsOf(name).Where(detail => detail.TextOf("modality") == "AUDIO").Sum(detail => Figure(detail, "tokenCount") ?? 0);

    private static Choice ReadCandidate(JsonElement candidate, int choice, Dictionary<string, string>? originals)
    {
        var parts = new List<Part>();
        foreach (var part in candidate.Member("content").ItemsOf("parts"))
        {
            ReadPart(part, choice, parts, originals);
        }
        if (candidate.TextOf("finishReason") is not { } finish)
        {
            throw ProviderRefusals.Unreadable("a candidate has no finishReason");
        }
        var citations = GeminiCitations.Read(candidate.Member("groundingMetadata"), candidate.Member("citationMetadata")).ToList();
        if (citations.Count > 0 && parts.FindIndex(part => part is Part.Text) is >= 0 and var first)
        {
            foreach (var cited in citations.GroupBy(citation => Holder(parts, citation) is >= 0 and var holder ? holder : first).ToList())
            {
                parts[cited.Key] = (Part.Text)parts[cited.Key] with { Citations = [.. cited] };
            }
        }
        var (reason, failure) = ReasonOf(finish, parts.Exists(part => part is Part.ToolCall));
        return failure is null ? new(parts, reason) : throw failure;
    }

    private static int Holder(List<Part> parts, Citation citation) => citation.Quote is not { Length: > 0 } quote ? -1
        : parts.FindIndex(part => part is Part.Text text && text.Value.Contains(quote, StringComparison.Ordinal));

    private static void ReadPart(JsonElement part, int choice, List<Part> parts, Dictionary<string, string>? originals)
    {
        if (part.Member("functionCall").IsPresent())
        {
            parts.Add(ReadCall(part, choice, parts.Count, originals));
            return;
        }
        var text = part.TextOf("text");
        var signature = part.TextOf("thoughtSignature");
        if (part.Member("thought").ValueKind == JsonValueKind.True)
        {
            parts.Add(new Part.Thinking(text ?? "", signature, null, Dialect.Gemini));
            return;
        }
        if (text is { Length: > 0 })
        {
            parts.Add(new Part.Text(text));
        }
        if (signature is not null)
        {
            parts.Add(new Part.Thinking("", null, signature, Dialect.Gemini));
        }
    }
}
