using System.Text.Json.Nodes;

namespace Stoa.Gateway.Runs.Trials;

/// <summary>Compares the tools that were called with those that should have been.</summary>
internal static class TestScore
{
    /// <summary>The part of the expected calls that was made, with their arguments where the case gives some.</summary>
    /// <param name="expected"><c>{tool_calls: [{name, arguments | args}]}</c>.</param>
    public static double OfCalls(JsonObject? expected, JsonArray called)
    {
        var wanted = (expected.List("tool_calls") ?? expected.List("function") ?? []).Objects().ToList();
        if (wanted.Count == 0)
        {
            return called.Count == 0 ? 1 : 0;
        }
        var open = called.Objects().ToList();
        var found = 0;
        foreach (var call in wanted)
        {
            var name = call.Name("name") ?? call.Object("function").Name("name");
            var arguments = ArgumentsOf(call);
            var match = open.FindIndex(made => made.Name("name") == name
                && (arguments is null || JsonNode.DeepEquals(made["args"], arguments)));
            if (match >= 0)
            {
                open.RemoveAt(match);
                found++;
            }
        }
        return Math.Round((double)found / Math.Max(wanted.Count, called.Count), 4);
    }

    private static JsonNode? ArgumentsOf(JsonObject call)
    {
        var given = call["args"] ?? call["arguments"] ?? call.Object("function")?["arguments"];
        return given.AsText() is { } text && JsonFields.TryParse(text, out var parsed) ? parsed : given;
    }
}
