using Polly.CircuitBreaker;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.Gemini;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Providers;

/// <summary>What went wrong between us and a provider, and whether it counts for retries and for the circuit.</summary>
internal static class ProviderFaults
{
    /// <summary>A provider that asks for a longer wait than this is not waited for; the client is told instead.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    public static Failure Of(Dialect dialect, HttpResponseMessage response, ReadOnlyMemory<byte> body, DateTimeOffset now)
    {
        var headers = response.Headers.NonValidated;
        var reply = new ProviderReply(
            (int)response.StatusCode,
            headers.TryGetValues("retry-after", out var wait) ? wait.ToString() : null,
            headers.TryGetValues("retry-after-ms", out var exact) ? exact.ToString() : null,
            now);
        return dialect switch
        {
            Dialect.OpenAi or Dialect.OpenAiResponses => OpenAiErrors.Read(reply, body),
            Dialect.Anthropic => AnthropicErrors.Read(reply, body),
            Dialect.Gemini => GeminiErrors.Read(reply, body),
        };
    }

    /// <summary>What went wrong on the way: no connection, a broken one, or no answer in time.</summary>
    public static Failure Of(Exception failure) => failure switch
    {
        Failure known => known,
        OperationCanceledException { InnerException: TimeoutException } =>
            new(FailureKind.Upstream, "upstream_connection", "The provider could not be reached in time"),
        OperationCanceledException => OutOfTime(),
        HttpRequestException or IOException =>
            new(FailureKind.Upstream, "upstream_connection", "The provider could not be reached or broke off"),
        _ => new(FailureKind.Internal, "internal_error", "The request could not be completed"),
    };

    public static Failure OutOfTime() => new(FailureKind.Timeout, "upstream_timeout", "The provider did not answer in time");

    public static Failure NoStream() => InvalidAnswer("The provider did not answer with a stream");

    public static Failure ShuttingDown() => Failure.Unavailable("The server is shutting down", TimeSpan.FromSeconds(1));

    public static Failure InvalidAnswer(string message) => new(FailureKind.Upstream, "upstream_invalid_response", message);

    /// <summary>Whether the same call may succeed if it is repeated now.</summary>
    /// <param name="repeats">How often it was repeated already.</param>
    public static bool MayPass(Exception? exception, int repeats) => exception switch
    {
        BrokenCircuitException => false,
        Failure { RetryAfter: { } wait } when wait > LongestWait => false,
        Failure { Code: "upstream_authentication" } => false,
        Failure { Kind: FailureKind.Conflict } or Failure { Code: "upstream_invalid_response" } => repeats == 0,
        // A provider that was waited for in vain is not waited for again.
        Failure { Kind: FailureKind.TooMany or FailureKind.Overloaded or FailureKind.Upstream } => true,
        _ => false,
    };

    /// <summary>Whether a failure says that the provider is in trouble, as opposed to the request or our standing with it.</summary>
    public static bool IsProviderFault(Exception? exception) => exception is Failure
    {
        Kind: FailureKind.Overloaded or FailureKind.Upstream or FailureKind.Timeout, Code: not "upstream_authentication",
    };
}
