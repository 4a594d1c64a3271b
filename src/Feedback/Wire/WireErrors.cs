using System.Text.Json.Nodes;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Wire;

/// <summary>What is wrong with a request, in pydantic's words: <c>{"detail": [{"loc", "msg", "type", "ctx"?}]}</c>.</summary>
internal sealed class WireErrors
{
    private readonly JsonArray all = [];

    public bool IsEmpty => all.Count == 0;

    public void Add(WirePlace place, string type, string message, JsonObject? context = null)
    {
        var error = new JsonObject { ["loc"] = place.ToJson(), ["msg"] = message, ["type"] = type };
        if (context is not null)
        {
            error["ctx"] = context;
        }
        all.Add(error);
    }

    public void AddAll(WireErrors others)
    {
        foreach (var error in others.all)
        {
            all.Add(error!.DeepClone());
        }
    }

    /// <exception cref="Failure">Invalid, with everything that was added; nothing happens where nothing was.</exception>
    public void ThrowIfAny()
    {
        if (!IsEmpty)
        {
            throw new Failure(FailureKind.Invalid, "invalid_request", "The request is not valid") { Details = new() { ["detail"] = all } };
        }
    }

    /// <summary>For the one thing that makes all others moot.</summary>
    public static Failure Of(WirePlace place, string type, string message)
    {
        var errors = new WireErrors();
        errors.Add(place, type, message);
        return new(FailureKind.Invalid, "invalid_request", message) { Details = new() { ["detail"] = errors.all } };
    }
}

/// <summary>Where in a request: <c>["body", "user", "id"]</c>.</summary>
internal sealed record WirePlace(WirePlace? Within, string Name)
{
    public static readonly WirePlace Body = new(null, "body"), Query = new(null, "query"), Path = new(null, "path");

    /// <summary>Of a list's entry: a number on the wire.</summary>
    public int? Index { get; init; }

    public WirePlace In(string name) => new(this, name);

    public WirePlace At(int index) => new(this, "") { Index = index };

    public JsonArray ToJson()
    {
        var path = Within?.ToJson() ?? [];
        path.Add(Index is { } index ? JsonValue.Create(index) : JsonValue.Create(Name));
        return path;
    }
}
