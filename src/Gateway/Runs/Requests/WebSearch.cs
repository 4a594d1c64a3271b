using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Runs.Requests;

/// <summary>
/// The provider's own search of the web, where an agent or a request has <c>web_search</c> among its built-in tools and the provider has
/// one. The provider runs it itself; a model without one answers without it.
/// </summary>
internal static class WebSearch
{
    private const string Name = "web_search";

    /// <returns>The dialect to ask in, and the tool in its words.</returns>
    public static (Dialect Dialect, IReadOnlyList<Tool> Tools) Of(Run run)
    {
        var provider = run.Choice.Target.Provider;
        var dialect = provider.Kind.Dialect ?? Dialect.OpenAi;
        if (!run.BuiltInTools.Contains(Name, StringComparer.Ordinal))
        {
            return (dialect, []);
        }
        // OpenAI has it in its Responses API only.
        var spoken = provider.HasResponses ? Dialect.OpenAiResponses : dialect;
        return DefinitionOf(spoken, run.Plan.Configured("web_search_filters") ?? run.Plan.Stored("web_search_filters")) is { } definition
            ? (spoken, [new(Name) { Native = JsonSerializer.SerializeToElement(definition, GatewayJson.Default.JsonObject) }])
            : (dialect, []);
    }

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
