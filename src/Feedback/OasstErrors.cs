using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Feedback;

/// <summary>
/// Open-Assistant's errors: <c>{"error_code", "message"}</c> for what its own code refuses, <c>{"detail"}</c> for what its framework did.
/// </summary>
internal sealed class OasstErrors : JsonErrors
{
    public const string ApiClientNotAuthorized = "api_client_not_authorized";
    public const string RootTokenNotAuthorized = "root_token_not_authorized";

    /// <summary>A refusal of the framework: no number.</summary>
    public const string Framework = "framework";

    /// <summary>A bare 400 of the framework, where it does not name fields.</summary>
    public const string BadRequest = "bad_request";

    public static readonly OasstErrors Instance = new();

    /// <summary>A wrong body is 422; 400 is what the original's own code says.</summary>
    public override int StatusOf(Failure failure) => FeedbackFailures.NumberOf(failure) switch
    {
        (int)FeedbackCode.UserHasNotAcceptedTos => StatusCodes.Status451UnavailableForLegalReasons,
        null when failure is { Kind: FailureKind.Invalid, Code: not BadRequest } => StatusCodes.Status422UnprocessableEntity,
        _ => base.StatusOf(failure),
    };

    protected override void Write(Utf8JsonWriter json, Failure failure)
    {
        if (FeedbackFailures.NumberOf(failure) is { } number)
        {
            json.WriteNumber("error_code", number);
            json.WriteString("message", MessageOf(failure));
        }
        else if (failure.Kind is FailureKind.Internal)
        {
            json.WriteString("message", "INTERNAL_SERVER_ERROR");
            json.WriteNumber("error_code", 0);
        }
        else if (failure.Details?["detail"] is { } detail)
        {
            json.WritePropertyName("detail");
            detail.WriteTo(json);
        }
        else if (failure is { Kind: FailureKind.Invalid, Code: not BadRequest })
        {
            WriteFields(json, failure);
        }
        else
        {
            json.WriteString("detail", failure.Kind switch
            {
                FailureKind.NotFound => "Not Found",
                FailureKind.MethodNotAllowed => "Method Not Allowed",
                FailureKind.Invalid => "Bad Request",
                _ => failure.Message,
            });
        }
    }

    // Clients read the seconds from the end of the sentence.
    private static string MessageOf(Failure failure) => failure is { Kind: FailureKind.TooMany, RetryAfter: { } wait }
        ? $"Too Many Requests. Retry After {Math.Max(1, Math.Ceiling(wait.TotalSeconds))} seconds."
        : failure.Message;

    /// <summary><c>{"detail": [{"loc", "msg", "type"}]}</c>; the texts are free.</summary>
    private static void WriteFields(Utf8JsonWriter json, Failure failure)
    {
        json.WriteStartArray("detail");
        foreach (var field in failure.Fields.DefaultIfEmpty(new("", failure.Message)))
        {
            json.WriteStartObject();
            json.WriteStartArray("loc");
            json.WriteStringValue("body");
            if (field.Field.Length > 0)
            {
                json.WriteStringValue(field.Field);
            }
            json.WriteEndArray();
            json.WriteString("msg", field.Message);
            json.WriteString("type", field.Message == "field required" ? "value_error.missing" : "value_error");
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
