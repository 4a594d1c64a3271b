using System.Text.Json;
using Stoa.Platform.Http;

namespace Stoa.Assistants;

/// <summary>Mojodex's errors: <c>{"error": "…"}</c>.</summary>
internal sealed class MojodexErrors : JsonErrors
{
    public static readonly MojodexErrors Instance = new();

    protected override void Write(Utf8JsonWriter json, Failure failure) => json.WriteString("error", failure.Message);
}
