using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Agents;

/// <summary>
/// The variables that an agent wants from its caller: those of its prompt, its variable states, and the paths into its tools.
/// </summary>
internal static partial class AgentVariables
{
    private static readonly string[] BuiltIn =
        ["_user_message", "current_time_date_and_current_identifier", "pre_function", "system_prompt"];

    public static IEnumerable<string> NamesOf(JsonObject document) =>
        InPrompt(document).Concat((document["variables_state"] as JsonObject ?? []).Select(state => state.Key)).Concat(InPaths(document))
            .Where(name => !BuiltIn.Contains(name, StringComparer.Ordinal)).Distinct(StringComparer.Ordinal);

    /// <summary>
    /// <c>{fields{name: {type, description}}, required[]}</c>, as an agent that calls this one is told. A name with dots is one of an
    /// object, whose first part is asked for. Optional is what its state calls optional.
    /// </summary>
    public static JsonObject SchemaOf(JsonObject document)
    {
        var states = document["variables_state"] as JsonObject ?? [];
        var fields = new JsonObject();
        var required = new JsonArray();
        foreach (var name in NamesOf(document))
        {
            var dot = name.IndexOf('.', StringComparison.Ordinal);
            var root = dot > 0 ? name[..dot] : name;
            if (!fields.ContainsKey(root))
            {
                fields[root] = new JsonObject { ["type"] = dot > 0 ? "object" : "string", ["description"] = "" };
                if (TextOf((states[root] as JsonObject)?["status"]) != "optional")
                {
                    required.Add((JsonNode)root);
                }
            }
        }
        return new() { ["fields"] = fields, ["required"] = required };
    }

    public static long TokensOf(JsonObject document) => TextsOf(Prompt(document)).Sum(text => TokenEstimate.Of(text));

    private static JsonNode? Prompt(JsonObject document) => (document["configuration"] as JsonObject)?["prompt"];

    private static IEnumerable<string> InPrompt(JsonObject document) =>
        TextsOf(Prompt(document)).SelectMany(text => Hole().Matches(text)).Select(hole => hole.Groups["name"].Value);

    /// <summary><c>variables_path{tool: {argument: "path"}}</c> and the arguments of pre-tools.</summary>
    private static IEnumerable<string> InPaths(JsonObject document)
    {
        var paths = (document["variables_path"] as JsonObject ?? []).Select(tool => tool.Value)
            .Concat((document["pre_tools"] as JsonArray ?? []).Select(tool => (tool as JsonObject)?["args"]));
        return paths.OfType<JsonObject>().SelectMany(arguments => arguments).Select(argument => TextOf(argument.Value))
            .OfType<string>().Select(path => path.Trim('{', '}', ' ')).Where(path => path.Length > 0);
    }

    private static IEnumerable<string> TextsOf(JsonNode? node) => node switch
    {
        JsonValue when TextOf(node) is { } text => [text],
        JsonObject fields => fields.SelectMany(field => TextsOf(field.Value)),
        JsonArray items => items.SelectMany(TextsOf),
        _ => [],
    };

    private static string? TextOf(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    [GeneratedRegex(@"\{\{\s*(?<name>[A-Za-z0-9_.\-]{1,128})\s*\}\}", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Hole();
}
