using System.Text.Json.Nodes;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Tools;

/// <summary>The one step before the model: of a version, or of the agent itself where none is named.</summary>
internal sealed class PreTools(GatewayDb db, AgentStore agents, VersionStore versions, TimeProvider time)
{
    private static readonly string[] Kinds = ["custom_function", "query_refiner", "rag_knowledgebase", "gtwy_web_search"];

    /// <returns>The changed version or agent, as clients read it.</returns>
    public async Task<JsonObject> SetAsync(GtwyCaller caller, string agentId, JsonObject body, AgentView view, CancellationToken ct)
    {
        var isSet = (body.Word("status", "1", "0") ?? throw GtwyFields.Wrong("status", "is required")) == "1";
        var tool = body.Object("pre_tools") ?? throw GtwyFields.Wrong("pre_tools", "is required");
        var kind = tool.Word("type", Kinds) ?? throw GtwyFields.Wrong("pre_tools.type", "is required");
        tool.Object("config");
        tool.Object("args");

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (body.Text("version_id", 64) is not { Length: > 0 } versionId)
        {
            var agent = await agents.LockAsync(caller, agentId, ct);
            agent.Document = With(agent.Document, tool, kind, isSet);
            await agents.SaveAsync(caller, agent, ["pre_tools"], ct);
            await transaction.CommitAsync(ct);
            var own = await agents.VersionsAsync(caller.OrganizationId, [agentId], ct);
            return view.Of(agent, own.GetValueOrDefault(agentId) ?? []);
        }
        var (version, whose) = await versions.LockAsync(caller, versionId, ct);
        if (whose.Id != agentId)
        {
            throw VersionStore.Missing();
        }
        version.Document = With(version.Document, tool, kind, isSet);
        version.IsDraft = true;
        version.UpdatedAt = time.GetUtcNow();
        agents.Note(caller, agentId, versionId, "pre_tools");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return view.Of(version, whose);
    }

    private static JsonObject With(JsonObject document, JsonObject tool, string kind, bool isSet)
    {
        var old = document["pre_tools"] as JsonArray ?? [];
        // The same one again is a change of it.
        if (isSet && old.Any(one => (one as JsonObject)?["type"]?.ToString() != kind))
        {
            throw Failure.Invalid("A pre-tool exists already", "pre_tools", "pre_tool_exists");
        }
        var changed = (JsonObject)document.DeepClone();
        changed["pre_tools"] = isSet ? new JsonArray(tool.DeepClone()) : new JsonArray();
        return changed;
    }
}
