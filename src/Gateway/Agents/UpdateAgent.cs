using System.Text.Json.Nodes;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.Secrets;

namespace Stoa.Gateway.Agents;

/// <summary>Changes what belongs to an agent and not to a version of it.</summary>
internal sealed class UpdateAgent(GatewayDb db, AgentStore agents, References references, DocumentSeal seal, TimeProvider time)
{
    // Of the fields of a version those that the wire takes here too.
    private static readonly string[] Shared =
    [
        "settings", "agent_info", "variables_path", "built_in_tools_data",
        "agents", "functionData", "starterQuestion", "IsstarterQuestionEnable",
        "version_description", "web_search_filters", "gtwy_web_search_filters", "actions", "chatbot_auto_answers",
    ];

    /// <param name="body">In the settings generation.</param>
    public async Task<Agent> RunAsync(GtwyCaller caller, string id, JsonObject body, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var agent = await agents.LockAsync(caller, id, ct);
        var change = DocumentChange.Apply(
            seal.Opened(agent.Document),
            new(Shared.Where(body.ContainsKey).Select(name => KeyValuePair.Create(name, body[name]?.DeepClone()))));
        await references.CheckAsync(caller, change, ct);
        var changed = change.Fields;
        changed.AddRange(SpendingTerms.Of(body, "bridge").ApplyTo(change.Document, time.GetUtcNow(), "bridge"));
        if (body.ContainsKey("meta"))
        {
            change.Set("meta", body.Object("meta")?.DeepClone());
        }
        if (body.Text("bridge_summary", 20_000) is { } summary)
        {
            change.Set("bridge_summary", summary);
        }
        agent.Document = seal.Sealed(change.Document.Bounded());
        changed.AddRange(await RenameAsync(caller, agent, body, ct));
        await agents.SaveAsync(caller, agent, changed, ct);
        await transaction.CommitAsync(ct);
        return agent;
    }

    private async Task<List<string>> RenameAsync(GtwyCaller caller, Agent agent, JsonObject body, CancellationToken ct)
    {
        List<string> changed = [];
        void Set<T>(string field, T old, T next, Action set)
        {
            if (!Equals(old, next))
            {
                set();
                changed.Add(field);
            }
        }

        if (NewAgent.NameOf(body, "name") is { } name)
        {
            Set("name", agent.Name, name, () => agent.Name = name);
        }
        if (NewAgent.NameOf(body, "slugName") is { } slug)
        {
            Set("slugName", agent.Slug, slug, () => agent.Slug = slug);
        }
        if (NewAgent.KindOf(body) is { } kind)
        {
            Set("bridgeType", agent.Kind, kind, () => agent.Kind = kind);
        }
        if (body.Amount("bridge_status") is { } status)
        {
            var isPaused = status switch
            {
                0 => true,
                1 => false,
                _ => throw GtwyFields.Wrong("bridge_status", "must be 0 or 1"),
            };
            Set("bridge_status", agent.IsPaused, isPaused, () => agent.IsPaused = isPaused);
        }
        if (body.ContainsKey("folder_id") && caller.FolderId is null)
        {
            var folder = await agents.FolderAsync(caller.OrganizationId, body.Text("folder_id", 64), ct);
            Set("folder_id", agent.FolderId, folder?.Id, () => agent.FolderId = folder?.Id);
        }
        return changed;
    }
}
