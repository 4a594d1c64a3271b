using System.Text.Json;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Gtwy;

/// <summary>GTWY's management: <c>{"success": false, "message"}</c>; a caller who is nobody gets the message alone.</summary>
internal sealed class ManagementErrors : JsonErrors
{
    public static readonly ManagementErrors Instance = new();

    protected override void Write(Utf8JsonWriter json, Failure failure)
    {
        if (failure.Kind != FailureKind.Unauthenticated)
        {
            json.WriteBoolean("success", value: false);
        }
        json.WriteString("message", failure.Message);
    }
}
