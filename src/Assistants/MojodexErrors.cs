using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Stoa.Assistants.Executions;
using Stoa.Platform.Http;

namespace Stoa.Assistants;

/// <summary>Mojodex's errors: <c>{"error": "…"}</c>.</summary>
internal sealed class MojodexErrors : JsonErrors
{
    public static readonly MojodexErrors Instance = new();

    /// <summary>Who has bought nothing is told so by a status that no other surface uses.</summary>
    public override int StatusOf(Failure failure) =>
        failure.Code == NewExecutions.NoPurchase ? StatusCodes.Status402PaymentRequired : base.StatusOf(failure);

    protected override void Write(Utf8JsonWriter json, Failure failure) => json.WriteString("error", failure.Message);
}
