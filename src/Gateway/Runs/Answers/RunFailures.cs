using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs.Answers;

/// <summary>
/// How a failed run is told: one status and the words that GTWY's clients take apart, or, where they ask for it, real statuses.
/// </summary>
internal sealed class RunFailures(IOptions<GatewayOptions> options)
{
    /// <summary>Of a run that failed with its first model, and with the one that took its place.</summary>
    public RunResult Of(Run run, Failure failure)
    {
        if (failure.Details is { } details)
        {
            return new(new JsonObject { ["detail"] = Detail(failure, details) }, StatusCodes.Status400BadRequest) { Failure = failure };
        }
        var text = run.FirstAttemptError.Length > 0
            ? $"Initial Error: {run.FirstAttemptError}. Fallback Error: {WordsOf(run.Choice, failure)}"
            : WordsOf(run.Choice, failure);
        return new(
            new JsonObject
            {
                ["success"] = false,
                ["error"] = $"{text}. For more support contact us at {options.Value.SupportContact}",
                ["message_id"] = run.Request.MessageId,
            },
            failure.Kind == FailureKind.Internal ? 500 : 400)
        { Failure = failure };
    }

    private static JsonObject Detail(Failure failure, JsonObject details)
    {
        var detail = new JsonObject { ["success"] = false, ["error"] = failure.Message };
        foreach (var (name, value) in details)
        {
            detail[name] = value?.DeepClone();
        }
        return detail;
    }

    /// <summary><c>message (Type: Kind)</c>.</summary>
    public static string WordsOf(ModelChoice choice, Failure failure)
    {
        var kind = KindOf(failure);
        var isProviders = kind is not ("InternalError" or "ToolError");
        return $"{(isProviders ? $"error occurs from {choice.Service.Name} api {failure.Message.TrimEnd('.')}" : failure.Message.TrimEnd('.'))} (Type: {kind})";
    }

    /// <summary>The kinds that clients know.</summary>
    public static string KindOf(Failure failure) => failure switch
    {
        { Code: "upstream_authentication" } => "AuthenticationError",
        { Code: "context_length_exceeded" } => "ContextLengthError",
        { Code: "content_policy_violation" } => "ContentFilterError",
        { Code: "upstream_connection" } => "ConnectionError",
        { Code: "upstream_invalid_response" } => "ParseError",
        _ => failure.Kind switch
        {
            FailureKind.Unauthenticated => "AuthenticationError",
            FailureKind.Forbidden => "PermissionError",
            FailureKind.TooMany => "RateLimitError",
            FailureKind.Quota => "QuotaError",
            FailureKind.NotFound => "NotFoundError",
            FailureKind.Timeout => "TimeoutError",
            FailureKind.Overloaded or FailureKind.Unavailable => "OverloadedError",
            FailureKind.Upstream => "ProviderError",
            FailureKind.Internal => "InternalError",
            FailureKind.Invalid or FailureKind.MethodNotAllowed or FailureKind.Conflict or FailureKind.TooLarge or FailureKind.UnsupportedMedia =>
                "InvalidRequestError",
        },
    };

    /// <summary>The status for clients that ask for real ones (<c>x-gtwy-errors: v2</c>), and for the record.</summary>
    public static int StatusOf(Failure failure) => failure switch
    {
        { Code: "upstream_authentication" } => 401,
        { Kind: FailureKind.Quota } => 402,
        { Kind: FailureKind.Overloaded } => 503,
        _ => Dialects.Gtwy.RuntimeErrors.Instance.StatusOf(failure),
    };

    /// <summary>The body for them.</summary>
    public static JsonObject Second(Failure failure, string requestId) => new()
    {
        ["success"] = false,
        ["error"] = failure.Message,
        ["error_code"] = failure.Code,
        ["error_type"] = KindOf(failure),
        ["retryable"] = failure.Kind is FailureKind.TooMany or FailureKind.Overloaded or FailureKind.Timeout or FailureKind.Unavailable
            or FailureKind.Conflict or FailureKind.Upstream && failure.Code != "upstream_authentication",
        ["provider_status"] = null,
        ["request_id"] = requestId,
    };
}
