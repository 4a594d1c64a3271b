using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Budgets;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Gtwy;

/// <summary>
/// GTWY's runtime: <c>{"detail": "…"}</c> where the framework of the original answered, <c>{"detail": {"success", "error"}}</c> where
/// its own code did.
/// </summary>
internal sealed class RuntimeErrors : JsonErrors
{
    /// <summary>No token where a chatbot's is needed: a status of its own.</summary>
    public const string TokenMissing = "chatbot_token_missing";

    /// <summary>An answer was to come later, and could not be kept until then.</summary>
    public const string QueueFailed = "queue_failed";

    public static readonly RuntimeErrors Instance = new();

    private const int InvalidToken = 498;

    public override int StatusOf(Failure failure) => failure.Code == TokenMissing ? InvalidToken
        : failure.Code == ExhaustedBudget.Code ? StatusCodes.Status400BadRequest
        : base.StatusOf(failure);

    protected override void Write(Utf8JsonWriter json, Failure failure)
    {
        if (failure.Code == QueueFailed
            || failure.Kind is FailureKind.Unauthenticated or FailureKind.NotFound or FailureKind.MethodNotAllowed or FailureKind.TooMany)
        {
            json.WriteString("detail", failure.Kind == FailureKind.NotFound ? "Not Found" : failure.Message);
            return;
        }
        json.WriteStartObject("detail");
        json.WriteBoolean("success", value: false);
        json.WriteString("error", failure.Message);
        foreach (var (name, value) in failure.Details ?? [])
        {
            json.WritePropertyName(name);
            value!.WriteTo(json);
        }
        json.WriteEndObject();
    }
}
