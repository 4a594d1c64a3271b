using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning;

/// <summary>SensAI's errors: <c>{"detail": "…"}</c>, and a list of what is wrong where a request cannot be read.</summary>
internal sealed class FastApiErrors : ErrorDialect
{
    public static readonly FastApiErrors Instance = new();

    public override int StatusOf(Failure failure) => failure is { Kind: FailureKind.Invalid, Code: not Refusal.BadRequestCode }
        ? StatusCodes.Status422UnprocessableEntity
        : base.StatusOf(failure);

    public override async Task WriteAsync(HttpContext context, Failure failure)
    {
        context.Response.StatusCode = StatusOf(failure);
        context.Response.ContentType = "application/json";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter))
        {
            json.WriteStartObject();
            if (context.Response.StatusCode == StatusCodes.Status422UnprocessableEntity)
            {
                json.WritePropertyName("detail");
                (failure.Details ?? Describe(context, failure).Details)!["detail"]!.WriteTo(json);
            }
            else
            {
                json.WriteString("detail", TextOf(failure));
            }
            json.WriteEndObject();
        }
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static string TextOf(Failure failure) => failure switch
    {
        { Code: "google_not_configured" } => failure.Message,
        { Kind: FailureKind.Internal } => "An unexpected error occurred",
        { Kind: FailureKind.MethodNotAllowed } => "Method Not Allowed",
        // Of the framework, which found no route.
        { Kind: FailureKind.NotFound, Message: "Not found" } => "Not Found",
        _ => failure.Message,
    };

    private static Failure Describe(HttpContext context, Failure failure)
    {
        var errors = BindingErrors.Of(context);
        foreach (var field in failure.Fields)
        {
            errors.Add("value_error", ["body", .. field.Field.Split('.')], $"Value error, {field.Message}");
        }
        if (errors.IsEmpty)
        {
            errors.Add("value_error", ["body"], $"Value error, {failure.Message}");
        }
        return errors.ToFailure();
    }
}
