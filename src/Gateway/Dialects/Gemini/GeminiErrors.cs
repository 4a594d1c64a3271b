using System.Text.Json;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary><c>{"error": {"code", "message", "status", "details"}}</c>, where the details are objects of <c>google.rpc</c>.</summary>
internal static class GeminiErrors
{
    /// <summary>What a provider of this dialect answered instead of candidates.</summary>
    public static Failure Read(ProviderReply reply, ReadOnlyMemory<byte> body) => ProviderRefusals.Read(reply, body, Map);

    public static Failure Map(ProviderReply reply, JsonElement root)
    {
        var error = root.Member("error");
        if (reply.Status == 200
            && error.Member("code") is { ValueKind: JsonValueKind.Number } code
            && code.TryGetInt32(out var status) && status is >= 400 and < 600)
        {
            reply = reply with { Status = status };
        }
        var details = error.ItemsOf("details").ToList();
        var delay = details.Select(detail => detail.TextOf("retryDelay")).FirstOrDefault(text => text is not null);
        if (reply.Wait is null && delay is not null)
        {
            // The type is google.protobuf.Duration: seconds, maybe a fraction, and an s.
            reply = reply with { RetryAfter = delay.TrimEnd('s') };
        }
        var message = error.TextOf("message") ?? "";
        var words = details.Select(detail => detail.TextOf("reason")).Prepend(error.TextOf("status")).OfType<string>();
        var failure = ProviderRefusals.Map(reply, string.Join(' ', words), message);

        // Whether the minute's rate or the plan is used up, the words are the same; only the details tell.
        return failure.Kind == FailureKind.Quota && reply is { Status: 429, Wait: not null } && !details.Exists(IsOfTheDay)
            ? new(FailureKind.TooMany, "rate_limit_exceeded", failure.Message) { RetryAfter = reply.Wait }
            : failure;
    }

    /// <summary>No answer at all, because of what was asked.</summary>
    public static Failure Blocked(string reason) =>
        new(FailureKind.Invalid, "content_policy_violation", $"The provider refused the prompt ({Redaction.Clean(reason)}).");

    private static bool IsOfTheDay(JsonElement detail) =>
        detail.ItemsOf("violations").Any(violation => violation.TextOf("quotaId")?.Contains("PerDay", StringComparison.Ordinal) == true);
}
