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

    public static readonly OasstErrors Instance = new();

    // The numbers of the surface. Features add their own.
    private static readonly Dictionary<string, int> Numbers = new(StringComparer.Ordinal)
    {
        [ApiClientNotAuthorized] = 2,
        [RootTokenNotAuthorized] = 3,
        ["rate_limit_exceeded"] = 429,
    };

    /// <summary>A wrong body is 422; 400 is what the original's own code says.</summary>
    public override int StatusOf(Failure failure) => failure is { Kind: FailureKind.Invalid } && !Numbers.ContainsKey(failure.Code)
        ? StatusCodes.Status422UnprocessableEntity
        : base.StatusOf(failure);

    protected override void Write(Utf8JsonWriter json, Failure failure)
    {
        if (failure.Kind is FailureKind.Internal)
        {
            json.WriteString("message", "INTERNAL_SERVER_ERROR");
            json.WriteNumber("error_code", 0);
        }
        else if (Numbers.TryGetValue(failure.Code, out var number))
        {
            json.WriteNumber("error_code", number);
            json.WriteString("message", failure.Message);
        }
        else if (failure.Kind == FailureKind.Invalid)
        {
            WriteFields(json, failure);
        }
        else
        {
            json.WriteString("detail", failure.Kind switch
            {
                FailureKind.NotFound => "Not Found",
                FailureKind.MethodNotAllowed => "Method Not Allowed",
                _ => failure.Message,
            });
        }
    }

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
