using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.Secrets;
using Stoa.Gateway.Tools;

namespace Stoa.Gateway.Agents;

/// <summary>Agents and versions as GTWY's clients read them.</summary>
/// <param name="orgId">The organization as the caller names it.</param>
/// <param name="isForViewer">Leaves out what signs in at other services: viewers run agents and see them, no more.</param>
internal sealed class AgentView(string orgId, AgentShapeName shape, DocumentSeal seal, bool isForViewer = false)
{
    private static readonly string[] CredentialsOfTools = ["auth", "headers"];

    public JsonObject Of(Agent agent, IEnumerable<string> versions, DateTimeOffset? lastUsed = null)
    {
        var view = Head(agent.Id);
        view["name"] = agent.Name;
        view["slugName"] = agent.Slug;
        view["bridgeType"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(agent.Kind.ToString());
        view["bridge_status"] = agent.IsPaused ? 0 : 1;
        view["folder_id"] = agent.FolderId;
        Add(Shown(agent.Document), view);
        view["versions"] = new JsonArray([.. versions.Select(version => JsonValue.Create(version))]);
        view["published_version_id"] = agent.PublishedVersionId;
        view["last_used"] = lastUsed is null ? null : GtwyFields.InstantText(lastUsed.Value);
        return Tail(view, agent.CreatedAt, agent.UpdatedAt, agent.DeletedAt);
    }

    /// <param name="agent">Whose version it is: a version shows the fields of its agent too.</param>
    public JsonObject Of(AgentVersion version, Agent agent)
    {
        var view = Head(version.Id);
        view["parent_id"] = version.AgentId;
        view["name"] = agent.Name;
        view["slugName"] = agent.Slug;
        view["bridgeType"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(agent.Kind.ToString());
        view["bridge_status"] = agent.IsPaused ? 0 : 1;
        view["folder_id"] = agent.FolderId;
        Add(Shown(AgentLevel.Over(version.Document, agent.Document)), view);
        view["version_description"] = version.Document["version_description"]?.DeepClone();
        view["is_drafted"] = version.IsDraft;
        view["published_version_id"] = agent.PublishedVersionId;
        return Tail(view, version.CreatedAt, version.UpdatedAt, version.DeletedAt);
    }

    /// <summary>What the editor needs beside the document: its functions and the names of its variables.</summary>
    public JsonObject Joined(JsonObject view, JsonObject document, IEnumerable<AgentTool> tools)
    {
        view["apiCalls"] = new JsonObject(tools.Select(tool => KeyValuePair.Create<string, JsonNode?>(tool.Id, Of(tool))));
        view["all_varaibles"] = new JsonArray([.. AgentVariables.NamesOf(document).Select(name => JsonValue.Create(name))]);
        return view;
    }

    public JsonObject Of(AgentTool tool)
    {
        var view = Head(tool.Id);
        view["script_id"] = tool.ScriptId;
        view["title"] = tool.Title;
        Add(tool.Document, view);
        foreach (var name in isForViewer ? CredentialsOfTools : [])
        {
            view.Remove(name);
        }
        view["createdAt"] = GtwyFields.InstantText(tool.CreatedAt);
        view["updatedAt"] = GtwyFields.InstantText(tool.UpdatedAt);
        return shape == AgentShapeName.Flat ? AgentShape.ToolToFlat(view) : view;
    }

    /// <summary>Adds the agent to an answer; clients of the flat generation look for it as <c>bridge</c> too.</summary>
    public JsonObject Answer(JsonObject answer, JsonNode agent)
    {
        if (shape == AgentShapeName.Flat)
        {
            answer["bridge"] = agent.DeepClone();
        }
        answer["agent"] = agent;
        return answer;
    }

    /// <summary>The document of an agent or a version, without its seal.</summary>
    public JsonObject Shown(JsonObject document)
    {
        var shown = seal.Opened(document);
        if (isForViewer)
        {
            DocumentCredentials.TakeFromAgent(shown);
        }
        return shown;
    }

    private JsonObject Head(string id) => new() { ["_id"] = id, ["org_id"] = orgId };

    private JsonObject Tail(JsonObject view, DateTimeOffset created, DateTimeOffset updated, DateTimeOffset? deleted)
    {
        view["createdAt"] = GtwyFields.InstantText(created);
        view["updatedAt"] = GtwyFields.InstantText(updated);
        view["deletedAt"] = deleted is null ? null : GtwyFields.InstantText(deleted.Value);
        return shape == AgentShapeName.Flat ? AgentShape.ToFlat(view) : view;
    }

    private static void Add(JsonObject document, JsonObject view)
    {
        foreach (var (name, value) in document)
        {
            view[name] = value?.DeepClone();
        }
    }
}
