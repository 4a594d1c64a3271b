using System.Text.Json;
using Stoa.Platform.Http;

namespace Stoa.Learning;

/// <summary>SensAI's errors: <c>{"detail": "…"}</c>.</summary>
internal sealed class FastApiErrors : JsonErrors
{
    public static readonly FastApiErrors Instance = new();

    protected override void Write(Utf8JsonWriter json, Failure failure) => json.WriteString("detail", failure switch
    {
        { Code: "google_not_configured" } => failure.Message,
        { Kind: FailureKind.Internal } => "An unexpected error occurred",
        { Kind: FailureKind.MethodNotAllowed } => "Method Not Allowed",
        _ => failure.Message,
    });
}
