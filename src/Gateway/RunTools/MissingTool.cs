using System.Text.Json.Nodes;
using Stoa.Gateway.Runs;

namespace Stoa.Gateway.RunTools;

/// <summary>A tool that an agent has and this installation has not: the model is told so when it calls.</summary>
internal sealed class MissingTool(string name, string description, JsonObject schema, string error, string type)
    : RunTool(name, description, schema)
{
    public static MissingTool KnowledgeBase(IEnumerable<string> documents) => new(
        "get_knowledge_base_data", "Looks up what the attached documents say",
        new()
        {
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["resource_id"] =
                    new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. documents.Select(id => (JsonNode)id)]) },
                ["query"] = new JsonObject { ["type"] = "string" },
            },
            ["required"] = new JsonArray("resource_id", "query"),
        },
        "knowledge base is not configured", "RAG");

    public override Task<ToolOutcome> CallAsync(JsonObject arguments, Run run, CancellationToken ct) =>
        Task.FromResult(ToolOutcome.Failed(error, type));
}
