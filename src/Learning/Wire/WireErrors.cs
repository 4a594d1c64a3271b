using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Platform.Http;

namespace Stoa.Learning.Wire;

/// <summary>
/// What is wrong with a request, in pydantic's words: <c>{"detail": [{"type", "loc", "msg", "input", "ctx"?}]}</c>, answered with 422.
/// </summary>
internal sealed class WireErrors
{
    // What somebody has sent is told back to him, but not by the megabyte.
    private const int MostErrors = 100, MostInput = 4_096;

    private readonly JsonArray all = [];

    public bool IsEmpty => all.Count == 0;

    public void Add(string type, ReadOnlySpan<object> place, string message, JsonElement? input = null, JsonObject? context = null)
    {
        if (all.Count == MostErrors)
        {
            return;
        }
        var path = new JsonArray();
        foreach (var part in place)
        {
            path.Add(part is int index ? JsonValue.Create(index) : JsonValue.Create((string)part));
        }
        var error = new JsonObject
        {
            ["type"] = type, ["loc"] = path, ["msg"] = message,
            ["input"] = input is { } sent && CanBeTold(sent) ? JsonNode.Parse(sent.GetRawText()) : null,
        };
        if (context is not null)
        {
            error["ctx"] = context;
        }
        all.Add(error);
    }

    private static bool CanBeTold(JsonElement sent)
    {
        if (JsonMarshal.GetRawUtf8Value(sent).Length > MostInput)
        {
            return false;
        }
        try
        {
            using var nowhere = new Utf8JsonWriter(Stream.Null);
            sent.WriteTo(nowhere);
            return true;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair can be read, and not written.
            return false;
        }
    }

    public Failure ToFailure() =>
        new(FailureKind.Invalid, "invalid_request", "The request is not valid") { Details = new() { ["detail"] = all } };

    /// <exception cref="Failure">422 with everything that was added; nothing happens where nothing was.</exception>
    public void ThrowIfAny()
    {
        if (!IsEmpty)
        {
            throw ToFailure();
        }
    }

    /// <summary>The framework takes a list that is not there for an empty one.</summary>
    /// <exception cref="Failure">422: nothing was sent.</exception>
    public static void RequireQuery(int[] sent, string name)
    {
        if (sent.Length == 0)
        {
            var errors = new WireErrors();
            errors.Add("missing", ["query", name], "Field required");
            throw errors.ToFailure();
        }
    }

    /// <summary>A field of the body that has the right type and a value that cannot be taken.</summary>
    public static Failure Value(string message, params ReadOnlySpan<object> place)
    {
        var errors = new WireErrors();
        errors.Add("value_error", ["body", .. place], $"Value error, {message}");
        return errors.ToFailure();
    }
}

/// <summary>Refusals of the routes themselves: <c>{"detail": "…"}</c>.</summary>
internal static class Refusal
{
    internal const string BadRequestCode = "bad_request";

    /// <summary>400.</summary>
    public static Failure BadRequest(string detail) => new(FailureKind.Invalid, BadRequestCode, detail);

    /// <summary>403 <c>Forbidden</c>.</summary>
    public static Failure Forbidden() => Failure.Forbidden("Forbidden");

    /// <summary>401 with a text of its own: the join page shows another message for it.</summary>
    public static Failure Unauthorized(string detail) => Failure.Unauthenticated(detail);
}
