using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Stoa.Platform.Http;

/// <summary>RFC 9457 problem details: our own API, and every path that belongs to no other surface.</summary>
public sealed class ProblemErrors : ErrorDialect
{
    public static readonly ProblemErrors Instance = new();

    public override async Task WriteAsync(HttpContext context, Failure failure)
    {
        var status = StatusOf(failure);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter))
        {
            json.WriteStartObject();
            json.WriteString("type", "about:blank");
            json.WriteString("title", TitleOf(failure.Kind));
            json.WriteNumber("status", status);
            json.WriteString("detail", failure.Message);
            json.WriteString("code", failure.Code);
            if (failure.Fields.Count > 0)
            {
                json.WriteStartArray("errors");
                foreach (var field in failure.Fields)
                {
                    json.WriteStartObject();
                    json.WriteString("field", field.Field);
                    json.WriteString("message", field.Message);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
            json.WriteString("request_id", context.RequestId());
            json.WriteEndObject();
        }
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    internal static string TitleOf(FailureKind kind) => kind switch
    {
        FailureKind.Invalid => "The request is not valid",
        FailureKind.Unauthenticated => "Sign in first",
        FailureKind.Forbidden => "Not allowed",
        FailureKind.NotFound => "Not found",
        FailureKind.MethodNotAllowed => "Method not allowed",
        FailureKind.Conflict => "Conflict",
        FailureKind.TooLarge => "Too large",
        FailureKind.UnsupportedMedia => "Content type not supported",
        FailureKind.TooMany => "Too many requests",
        FailureKind.Quota => "Quota used up",
        FailureKind.Overloaded => "The provider is overloaded",
        FailureKind.Upstream => "The provider failed",
        FailureKind.Timeout => "The provider did not answer in time",
        FailureKind.Unavailable => "Not available now",
        FailureKind.Internal => "Internal error",
    };
}
