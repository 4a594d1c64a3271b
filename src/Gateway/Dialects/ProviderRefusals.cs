using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects;

/// <summary>What of a provider's refusal is not in its body.</summary>
/// <param name="RetryAfter">The header as sent: seconds or an HTTP date.</param>
/// <param name="RetryAfterMs">The header <c>retry-after-ms</c> as sent.</param>
internal readonly record struct ProviderReply(
    int Status, string? RetryAfter = null, string? RetryAfterMs = null, DateTimeOffset Now = default)
{
    public TimeSpan? Wait => double.TryParse(RetryAfterMs, NumberStyles.Float, CultureInfo.InvariantCulture, out var milliseconds)
        ? AskedWait.OfSeconds(milliseconds / 1000)
        : AskedWait.Read(RetryAfter, Now);
}

/// <summary>What providers answer instead of what they were asked for: one table from their words to ours.</summary>
internal static class ProviderRefusals
{
    private const StringComparison Any = StringComparison.OrdinalIgnoreCase;

    private static readonly SearchValues<string> ContextWords = SearchValues.Create(
        ["context length", "context_length", "context window", "maximum context",
            "prompt is too long", "input is too long", "too many tokens",
            "exceeds the maximum number of tokens"], Any);

    private static readonly SearchValues<string> QuotaWords = SearchValues.Create(
        ["insufficient_quota", "exceeded your current quota", "credit balance is too low", "insufficient credits", "billing_error"], Any);

    private static readonly SearchValues<string> KeyWords = SearchValues.Create(
        ["api_key_invalid", "invalid_api_key", "incorrect api key", "invalid api key"], Any);

    private static readonly SearchValues<string> FilterWords = SearchValues.Create(
        ["content_filter", "content_policy_violation", "content management policy", "safety system"], Any);

    /// <param name="map">How the provider's dialect understands the body.</param>
    public static Failure Read(ProviderReply reply, ReadOnlyMemory<byte> body, Func<ProviderReply, JsonElement, Failure> map)
    {
        try
        {
            using var document = JsonBody.OpenAnswer(body);
            return map(reply, document.RootElement);
        }
        catch (Failure)
        {
            // A proxy's page or an empty body; its text is of no use to a client.
            return Map(reply, "", "");
        }
    }

    /// <param name="code">The provider's own <c>code</c> and <c>type</c>, joined; empty when it gave none.</param>
    public static Failure Map(ProviderReply reply, string code, string message, string? field = null)
    {
        var words = code + " " + message;
        var text = Redaction.Clean(message.Length > 0 ? message : $"The provider answered with status {reply.Status}.");
        var fields = field is null ? null : new[] { new FieldError(field, text) };
        var status = reply.Status;

        // Inside a stream there is no status, only words.
        if (status is >= 200 and < 300)
        {
            status = StatusOf(words);
        }
        if (status is 402 || (status is 400 or 403 or 429 && words.AsSpan().ContainsAny(QuotaWords)))
        {
            return new(FailureKind.Quota, "insufficient_quota", text) { RetryAfter = reply.Wait };
        }
        return status switch
        {
            400 or 413 when words.AsSpan().ContainsAny(ContextWords) => new(FailureKind.Invalid, "context_length_exceeded", text, fields),
            400 or 403 when words.AsSpan().ContainsAny(FilterWords) => new(FailureKind.Invalid, "content_policy_violation", text, fields),
            400 when words.AsSpan().ContainsAny(KeyWords) => Authentication(),
            400 or 422 => new(FailureKind.Invalid, Known(code), text, fields),
            401 => Authentication(),
            403 => new(FailureKind.Forbidden, "permission_denied", text),
            404 => new(FailureKind.NotFound, "model_not_found", text),
            409 => new(FailureKind.Conflict, "conflict", text),
            413 => new(FailureKind.TooLarge, "request_too_large", text),
            429 or 498 => new(FailureKind.TooMany, "rate_limit_exceeded", text) { RetryAfter = reply.Wait },
            503 or 529 => Overloaded(),
            >= 500 when words.Contains("overloaded", Any) => Overloaded(),
            408 or 504 => new(FailureKind.Timeout, "upstream_timeout", text),
            _ => new(FailureKind.Upstream, "upstream_error", text) { RetryAfter = reply.Wait },
        };

        // The provider's words would speak of a key that the client never sent.
        static Failure Authentication() =>
            new(FailureKind.Upstream, "upstream_authentication", "The provider refused the gateway's credentials.");

        Failure Overloaded() => new(FailureKind.Overloaded, "overloaded", text) { RetryAfter = reply.Wait };
    }

    /// <summary>A reply of 200 that cannot be understood.</summary>
    public static Failure Unreadable(string what) =>
        new(FailureKind.Upstream, "upstream_invalid_response", $"The provider's answer could not be read: {what}.");

    public static Failure ClosedEarly() => new(FailureKind.Upstream, "upstream_connection", "upstream closed the stream");

    private static int StatusOf(string words) => words switch
    {
        _ when words.Contains("overloaded", Any) => 529,
        _ when words.Contains("rate_limit", Any) || words.Contains("rate limit", Any) => 429,
        _ when words.AsSpan().ContainsAny(QuotaWords) => 402,
        _ when words.AsSpan().ContainsAny(ContextWords) => 400,
        _ when words.Contains("authentication_error", Any) || words.Contains("invalid_api_key", Any) => 401,
        _ when words.Contains("permission_error", Any) => 403,
        _ when words.Contains("not_found", Any) => 404,
        _ when words.Contains("invalid_request", Any) => 400,
        _ when words.Contains("timeout", Any) => 504,
        _ => 500,
    };

    private static string Known(string code)
    {
        var word = code.Split(' ', 2)[0];
        return ToolNames.IsValid(word, 64) ? word : "invalid_request";
    }
}
