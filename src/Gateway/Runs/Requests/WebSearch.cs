using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Runs.Requests;

/// <summary>
/// The provider's own search of the web, where an agent or a request has <c>web_search</c> among its built-in tools and the provider has
/// one, and OpenAI's own drawing. The provider runs them itself; a model without them answers without.
/// </summary>
internal static class WebSearch
{
    private const string Name = "web_search";

    /// <returns>The dialect to ask in, and the tool in its words.</returns>
    public static (Dialect Dialect, IReadOnlyList<Tool> Tools) Of(Run run)
    {
        var provider = run.Choice.Target.Provider;
        var dialect = provider.Kind.Dialect ?? Dialect.OpenAi;
        if (!run.BuiltInTools.Any())
        {
            return (dialect, []);
        }
        var tools = new List<Tool>();
        if (run.BuiltInTools.Contains(Name, StringComparer.Ordinal)
            // OpenAI has it in its Responses API only.
            && DefinitionOf(provider.HasResponses ? Dialect.OpenAiResponses : dialect,
                run.Plan.Configured("web_search_filters") ?? run.Plan.Stored("web_search_filters")) is { } search)
        {
            tools.Add(Native(Name, search));
        }
        if (DrawnPictures.AreWanted(run))
        {
            tools.Add(Native(DrawnPictures.ToolName, new() { ["type"] = DrawnPictures.ToolName }));
        }
        return (tools.Count > 0 && provider.HasResponses ? Dialect.OpenAiResponses : dialect, tools);
    }

    private static Tool Native(string name, JsonObject definition) =>
        new(name) { Native = JsonSerializer.SerializeToElement(definition, GatewayJson.Default.JsonObject) };

    private static JsonObject? DefinitionOf(Dialect dialect, JsonNode? filters)
    {
        var domains = (filters as JsonArray).Texts().Where(domain => domain.Length > 0).Select(domain => (JsonNode)domain).ToArray();
        var allowed = domains.Length == 0 ? null : new JsonArray(domains);
        switch (dialect)
        {
            case Dialect.OpenAiResponses:
                var search = new JsonObject { ["type"] = Name };
                if (allowed is not null)
                {
                    search["filters"] = new JsonObject { ["allowed_domains"] = allowed };
                }
                return search;
            case Dialect.Anthropic:
                var tool = new JsonObject { ["type"] = "web_search_20250305", ["name"] = Name };
                if (allowed is not null)
                {
                    tool["allowed_domains"] = allowed;
                }
                return tool;
            case Dialect.Gemini:
                return new() { ["type"] = Name };
            case Dialect.OpenAi:
            default:
                return null;
        }
    }
}
