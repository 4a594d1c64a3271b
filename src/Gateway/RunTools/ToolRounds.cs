using System.Text.Json.Nodes;

namespace Stoa.Gateway.RunTools;

/// <summary>One call of a model and what came of it.</summary>
internal sealed record ToolRecord(string CallId, string Name, JsonNode? Arguments, ToolOutcome Outcome, string? Id, double Seconds)
{
    public JsonObject ToJson() => new()
    {
        ["name"] = Name,
        ["args"] = Arguments?.DeepClone(),
        ["error"] = Outcome.IsError,
        ["id"] = Id,
        ["latency_ms"] = (int)(Seconds * 1000),
        ["data"] = new JsonObject
        {
            ["response"] = Outcome.Response?.DeepClone(),
            ["metadata"] = Outcome.Metadata.DeepClone(),
            ["status"] = Outcome.IsError ? 0 : 1,
        },
    };
}

/// <summary>All calls of a run, round by round.</summary>
internal sealed class ToolRounds
{
    private readonly List<IReadOnlyList<ToolRecord>> rounds = [];

    public int Count => rounds.Count;

    public IEnumerable<ToolRecord> Calls => rounds.SelectMany(round => round);

    public void Add(IReadOnlyList<ToolRecord> round) => rounds.Add(round);

    /// <summary><c>tools_call_data</c> of the log: one object for each round, by the ids of the calls.</summary>
    public JsonArray ToLog() => [.. rounds.Select(round =>
        new JsonObject(round.DistinctBy(call => call.CallId)
            .Select(call => KeyValuePair.Create<string, JsonNode?>(call.CallId, call.ToJson()))))];

    /// <summary><c>tools_data</c> of the answer: the last result of each tool.</summary>
    public JsonObject ToAnswer()
    {
        var results = new JsonObject();
        foreach (var call in Calls)
        {
            results[call.Name] = call.Outcome.Response?.DeepClone();
        }
        return results;
    }
}
