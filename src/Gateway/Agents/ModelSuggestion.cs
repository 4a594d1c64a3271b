using System.Text.Json.Nodes;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects;

namespace Stoa.Gateway.Agents;

internal static class ModelSuggestion
{
    // An agent reads about three times what it writes.
    private const int ReadPerWritten = 3;

    /// <summary>
    /// The cheapest that is switched on, of the same type, and takes tools where there are some; models without a price come last.
    /// </summary>
    public static ModelDocument? Of(JsonObject document, IEnumerable<ModelDocument> models)
    {
        var type = (document["configuration"] as JsonObject)?["type"]?.ToString() ?? "chat";
        var usesTools = document["function_ids"] is JsonArray { Count: > 0 } || document["connected_agents"] is JsonObject { Count: > 0 };
        return models
            .Where(model => model.IsEnabled && model.Type == type)
            .Where(model => !usesTools || model.ValidationConfig.Member("tools").ValueKind == System.Text.Json.JsonValueKind.True)
            .OrderBy(model => model.Price is null)
            .ThenBy(model => model.Price is { } price ? (price.Input * ReadPerWritten) + price.Output : 0)
            .ThenBy(model => model.ModelName, StringComparer.Ordinal)
            .FirstOrDefault();
    }
}
