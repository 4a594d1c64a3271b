using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects.Gtwy;

namespace Stoa.Gateway.Agents;

/// <summary>Whether what a changed document refers to is there and is the organization's own.</summary>
internal sealed class References(GatewayDb db, ServiceRegistry services)
{
    /// <exception cref="Stoa.Platform.Http.Failure">Invalid, naming the field.</exception>
    public async Task CheckAsync(GtwyCaller caller, DocumentChange change, CancellationToken ct)
    {
        CheckSettings(change.Document["settings"] as JsonObject);
        if (change.Fields.Contains("apikey_object_id"))
        {
            await CheckKeysAsync(caller, change.Document, ct);
        }
        if (change.Fields.Contains("function_ids"))
        {
            var ids = TextsOf(change.Document["function_ids"]);
            var known = await db.Tools.Where(tool => ids.Contains(tool.Id) && tool.OrganizationId == caller.OrganizationId)
                .Select(tool => tool.Id).ToListAsync(ct);
            ThrowIfAny("function_ids", ids.Except(known, StringComparer.Ordinal));
        }
        if (change.Fields.Contains("connected_agents"))
        {
            var ids = (change.Document["connected_agents"] as JsonObject ?? []).Select(link => AgentOf(link.Value)).ToList();
            var known = await db.Agents.Where(agent => ids.Contains(agent.Id)
                && agent.OrganizationId == caller.OrganizationId && agent.DeletedAt == null)
                .Select(agent => agent.Id).ToListAsync(ct);
            ThrowIfAny("agents.connected_agents", ids.Except(known, StringComparer.Ordinal));
            await CheckVersionsAsync(caller, "agents.connected_agents", change.Document["connected_agents"] as JsonObject, ct);
        }
        if (change.Fields.Contains("settings"))
        {
            await CheckVersionsAsync(
                caller, "settings.environment_config",
                (change.Document["settings"] as JsonObject)?["environment_config"] as JsonObject, ct);
        }
    }

    /// <summary>Of <c>{name: {version_id}}</c>.</summary>
    private async Task CheckVersionsAsync(GtwyCaller caller, string field, JsonObject? holders, CancellationToken ct)
    {
        var ids = (holders ?? []).Select(holder => TextOf((holder.Value as JsonObject)?["version_id"]))
            .OfType<string>().Where(id => id.Length > 0).ToList();
        if (ids.Count == 0)
        {
            return;
        }
        var known = await db.AgentVersions.Where(version => ids.Contains(version.Id) && version.OrganizationId == caller.OrganizationId)
            .Select(version => version.Id).ToListAsync(ct);
        ThrowIfAny(field, ids.Except(known, StringComparer.Ordinal));
    }

    /// <summary>Those of the settings that are read by others than who gave them.</summary>
    /// <exception cref="Stoa.Platform.Http.Failure">Invalid, naming the field.</exception>
    public static void CheckSettings(JsonObject? settings)
    {
        settings?.Texts("editAccess");
        settings?.Texts("publicUsers");
        settings?.Object("environment_config");
        settings?.Amount("maximum_iterations");
    }

    public static string AgentOf(
        JsonNode? link) => TextOf((link as JsonObject)?["bridge_id"]) ?? TextOf((link as JsonObject)?["agent_id"]) ?? "";

    private async Task CheckKeysAsync(GtwyCaller caller, JsonObject document, CancellationToken ct)
    {
        // An empty id is how a client takes a key away.
        var keys = (document["apikey_object_id"] as JsonObject ?? []).Where(key => TextOf(key.Value) is not "").ToList();
        var ids = keys.ConvertAll(key => TextOf(key.Value) ?? throw GtwyFields.Wrong("apikey_object_id", "must hold the ids of keys"));
        var known = await db.ProviderKeys.AsNoTracking().Where(key => ids.Contains(key.Id) && key.OrganizationId == caller.OrganizationId)
            .Select(key => new { key.Id, key.Service }).ToListAsync(ct);
        foreach (var (service, id) in keys)
        {
            if (services.Find(service) is null || !known.Exists(key => key.Id == TextOf(id) && key.Service == service))
            {
                throw GtwyFields.Wrong($"apikey_object_id.{service}", "names no key of that service");
            }
        }
    }

    private static void ThrowIfAny(string field, IEnumerable<string> missing)
    {
        if (missing.FirstOrDefault() is { } first)
        {
            throw GtwyFields.Wrong(field, $"names what is not there: {first[..Math.Min(first.Length, 64)]}");
        }
    }

    private static List<string> TextsOf(JsonNode? array) => [.. (array as JsonArray ?? []).Select(TextOf).OfType<string>()];

    private static string? TextOf(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;
}
