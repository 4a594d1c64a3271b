using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Secrets;

namespace Stoa.Gateway.Tools;

/// <summary>The functions of an organization. Their credentials are sealed in the database, and open in what this answers.</summary>
internal sealed class ToolStore(GatewayDb db, DocumentSeal seal, TimeProvider time)
{
    public async Task<List<AgentTool>> ListAsync(Guid organizationId, int? page, int? limit, CancellationToken ct)
    {
        var tools = db.Tools.AsNoTracking().Where(tool => tool.OrganizationId == organizationId)
            .OrderBy(tool => tool.CreatedAt).ThenBy(tool => tool.Id);
        return Opened(await (limit is { } most ? tools.Skip(((page ?? 1) - 1) * most).Take(most) : tools).ToListAsync(ct));
    }

    /// <summary>Null when the organization has no such function.</summary>
    public async Task<AgentTool?> FindAsync(Guid organizationId, string id, CancellationToken ct) =>
        await db.Tools.AsNoTracking().FirstOrDefaultAsync(tool => tool.Id == id && tool.OrganizationId == organizationId, ct) is { } tool
            ? Opened(tool) : null;

    /// <summary>Those of the functions with these ids, or of these scripts, that there are.</summary>
    public async Task<List<AgentTool>> NamedAsync(Guid organizationId, string[] names, CancellationToken ct) =>
        Opened(await db.Tools.AsNoTracking()
        .Where(tool => tool.OrganizationId == organizationId && (names.Contains(tool.Id) || names.Contains(tool.ScriptId)))
        .ToListAsync(ct));

    /// <summary>The functions that a document names.</summary>
    public async Task<List<AgentTool>> OfAsync(Guid organizationId, JsonObject document, CancellationToken ct)
    {
        var ids = IdsOf(document).ToList();
        return ids.Count == 0 ? []
            : Opened(await db.Tools.AsNoTracking()
                .Where(tool => ids.Contains(tool.Id) && tool.OrganizationId == organizationId).ToListAsync(ct));
    }

    public static IEnumerable<string> IdsOf(JsonObject document) => (document["function_ids"] as JsonArray ?? [])
        .Select(id => id?.GetValueKind() == JsonValueKind.String ? id.GetValue<string>() : null).OfType<string>();

    /// <summary>Makes the function of this script, or changes it.</summary>
    public async Task<AgentTool> SaveAsync(
        GtwyCaller caller, string script, string title, Func<JsonObject?, JsonObject> document, CancellationToken ct)
    {
        while (true)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var tool = await LockAsync(caller.OrganizationId, script, ct);
            var now = time.GetUtcNow();
            if (tool is null)
            {
                tool = new()
                {
                    Id = HexId.Create(time),
                    OrganizationId = caller.OrganizationId,
                    ScriptId = script,
                    Title = title,
                    Document = seal.Sealed(document(null)),
                    CreatedAt = now,
                    UpdatedAt = now,
                };
                db.Tools.Add(tool);
            }
            else
            {
                tool.Title = title;
                tool.Document = seal.Sealed(document(seal.Opened(tool.Document)));
                tool.UpdatedAt = now;
            }
            // Lost only to somebody who made the same at this moment: then it is there to be changed.
            if (await db.TrySaveAsync(ct) == Saved.Kept)
            {
                await transaction.CommitAsync(ct);
                return Opened(tool);
            }
        }
    }

    /// <summary>The changed function; null when there is none.</summary>
    public async Task<AgentTool?> ChangeAsync(Guid organizationId, string id, Action<AgentTool> change, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var tool = !HexId.IsOne(id) ? null : await db.Tools
            .FromSql($"select * from gateway.tools where id = {id} and organization_id = {organizationId} for update")
            .FirstOrDefaultAsync(ct);
        if (tool is null)
        {
            return null;
        }
        tool.Document = seal.Opened(tool.Document);
        change(tool);
        tool.Document = seal.Sealed(tool.Document);
        tool.UpdatedAt = time.GetUtcNow();
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return Opened(tool);
    }

    /// <summary>Also takes it out of all agents and versions that name it.</summary>
    public async Task<bool> RemoveAsync(Guid organizationId, string script, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await LockAsync(organizationId, script, ct) is not { } tool
            || await db.Tools.Where(row => row.Id == tool.Id).ExecuteDeleteAsync(ct) == 0)
        {
            return false;
        }
        var named = new JsonArray(JsonValue.Create(tool.Id)).ToJsonString();
        await db.Database.ExecuteSqlAsync($"""
            update gateway.agents set document = jsonb_set(document, array['function_ids'], (document -> 'function_ids') - {tool.Id})
            where organization_id = {organizationId} and document -> 'function_ids' @> {named}::jsonb
            """, ct);
        await db.Database.ExecuteSqlAsync($"""
            update gateway.agent_versions version
            set document = jsonb_set(version.document, array['function_ids'], (version.document -> 'function_ids') - {tool.Id})
            from gateway.agents agent
            where agent.organization_id = {organizationId}
              and version.agent_id = agent.id and version.document -> 'function_ids' @> {named}::jsonb
            """, ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <summary>Which agents and versions name which function.</summary>
    public Task<List<AgentUse>> UsesAsync(Guid organizationId, CancellationToken ct) => db.Database.SqlQuery<AgentUse>($"""
        select what, agent.id as agent_id, null as version_id, agent.name
        from gateway.agents agent, jsonb_array_elements_text(coalesce(agent.document -> 'function_ids', jsonb_build_array())) what
        where agent.organization_id = {organizationId} and agent.deleted_at is null
        union all
        select what, agent.id, version.id, agent.name
        from gateway.agents agent join gateway.agent_versions version on version.agent_id = agent.id and version.deleted_at is null,
          jsonb_array_elements_text(coalesce(version.document -> 'function_ids', jsonb_build_array())) what
        where agent.organization_id = {organizationId} and agent.deleted_at is null
        """).ToListAsync(ct);

    private AgentTool Opened(AgentTool tool) => tool with { Document = seal.Opened(tool.Document) };

    private List<AgentTool> Opened(List<AgentTool> tools) => tools.ConvertAll(Opened);

    // Locked, so that what somebody else changes in it at the same time is kept.
    private Task<AgentTool?> LockAsync(Guid organizationId, string script, CancellationToken ct) => db.Tools
        .FromSql($"select * from gateway.tools where organization_id = {organizationId} and script_id = {script} for update")
        .FirstOrDefaultAsync(ct);
}
