using System.Text.Json.Nodes;

namespace Stoa.Gateway.Agents;

/// <summary>
/// What differs between two versions: each member of the configuration and of the settings by itself, everything else as a whole.
/// </summary>
internal static class VersionDiff
{
    private static readonly string[] Parts = ["configuration", "settings", "agent_info"];

    /// <summary><c>[{field, a, b}]</c>, where <c>field</c> is a path such as <c>configuration.prompt</c>.</summary>
    public static JsonArray Of(JsonObject a, JsonObject b)
    {
        var changes = new JsonArray();
        Compare("", a, b, changes);
        return changes;
    }

    private static void Compare(string path, JsonObject a, JsonObject b, JsonArray changes)
    {
        foreach (var name in a.Select(field => field.Key)
            .Union(b.Select(field => field.Key), StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var (before, after) = (a[name], b[name]);
            if (JsonNode.DeepEquals(before, after))
            {
                continue;
            }
            if (path.Length == 0 && Parts.Contains(name, StringComparer.Ordinal))
            {
                Compare($"{name}.", before as JsonObject ?? [], after as JsonObject ?? [], changes);
                continue;
            }
            changes.Add((JsonNode)new JsonObject { ["field"] = path + name, ["a"] = before?.DeepClone(), ["b"] = after?.DeepClone() });
        }
    }
}
