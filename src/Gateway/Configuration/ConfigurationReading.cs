using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Folders;
using Stoa.Gateway.ProviderKeys;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Tools;

namespace Stoa.Gateway.Configuration;

/// <summary>Puts together what an agent's run needs. Every query is the organization's own.</summary>
internal sealed class ConfigurationReading(GatewayDb db, ModelStore models, ToolStore functions, ServiceRegistry services)
{
    private const int MaxListed = 10_000;

    private static readonly JsonElement EmptyArray = JsonDocument.Parse("[]").RootElement;
    private static readonly JsonElement EmptyObject = JsonDocument.Parse("{}").RootElement;

    /// <inheritdoc cref="AgentConfigurations.FindAsync"/>
    public async Task<AgentConfiguration> AgentAsync(Guid organizationId, string? name, string? versionId, CancellationToken ct)
    {
        var version = versionId is null ? null : await VersionAsync(organizationId, versionId, ct);
        var agent = await FindAsync(organizationId, name ?? version?.AgentId, ct) ?? throw ConfigurationFailures.AgentMissing();
        if (version is not null && version.AgentId != agent.Id)
        {
            throw ConfigurationFailures.AgentMissing();
        }
        if ((version?.Id ?? agent.PublishedVersionId) is not { } runs)
        {
            throw ConfigurationFailures.KeyMissing();
        }
        var document = version is null ? agent.Document : AgentLevel.Over(version.Document, agent.Document);
        return await FillAsync(agent, runs, JsonSerializer.SerializeToElement(document, GatewayJson.Default.JsonObject), ct);
    }

    /// <summary>The version that an agent keeps for an environment; null when it keeps none.</summary>
    /// <exception cref="Stoa.Platform.Http.Failure">Invalid: there is no such agent.</exception>
    public async Task<string?> VersionInAsync(Guid organizationId, string name, string environment, CancellationToken ct)
    {
        var agent = await FindAsync(organizationId, name, ct) ?? throw ConfigurationFailures.AgentMissing();
        return agent.Document["settings"]?["environment_config"] is JsonObject environments
            && environments[environment] is JsonObject chosen
            && chosen["version_id"] is JsonValue id && id.TryGetValue<string>(out var version) ? version : null;
    }

    /// <inheritdoc cref="AgentConfigurations.FindModelAsync"/>
    public async Task<ModelDocument> ModelAsync(Guid organizationId, string? service, string? model, CancellationToken ct) =>
        services.Find(service) is { } known && model is not null
        && await models.FindAsync(organizationId, known.Name, model, ct) is { } found && found.IsUsableBy(organizationId)
            ? found
            : throw ConfigurationFailures.ModelMissing();

    /// <inheritdoc cref="AgentConfigurations.ListAsync"/>
    public async Task<IReadOnlyList<ListedAgent>> AgentsAsync(Guid organizationId, CancellationToken ct)
    {
        var agents = await db.Agents.AsNoTracking()
            .Where(agent => agent.OrganizationId == organizationId && agent.DeletedAt == null
                && !agent.IsPaused && agent.PublishedVersionId != null)
            .OrderBy(agent => agent.Slug).Take(MaxListed)
            .Select(agent => new { agent.Id, agent.Slug, agent.Document, agent.CreatedAt }).ToListAsync(ct);
        return agents.ConvertAll(agent => new ListedAgent(
            agent.Id, agent.Slug, agent.Document.Text("service") ?? "",
            agent.Document.Object("configuration").Text("model") ?? "", agent.CreatedAt));
    }

    private async Task<AgentConfiguration> FillAsync(Agent agent, string versionId, JsonElement document, CancellationToken ct)
    {
        var parameters = ObjectOf(document, "configuration");
        var model = await ModelAsync(agent.OrganizationId, document.TextOf("service"), parameters.TextOf("model"), ct);
        var folder = agent.FolderId is null ? null : await db.Folders.AsNoTracking()
            .FirstOrDefaultAsync(folder => folder.Id == agent.FolderId && folder.OrganizationId == agent.OrganizationId, ct);
        var keys = await KeysAsync(agent.OrganizationId, document, folder, ct);
        var (tools, pre, post) = await ToolsAsync(agent.OrganizationId, document, ct);
        return new()
        {
            OrganizationId = agent.OrganizationId,
            AgentId = agent.Id,
            Name = agent.Name,
            Slug = agent.Slug,
            Kind = agent.Kind,
            VersionId = versionId,
            FolderId = agent.FolderId,
            IsPaused = agent.IsPaused,
            TimeZone = await TimeZoneAsync(agent.OrganizationId, ct),
            Service = services.Find(model.Service)!,
            Model = model.ModelName,
            Type = parameters.TextOf("type") ?? model.Type,
            ModelDocument = model,
            Parameters = parameters,
            Prompt = parameters.Member("prompt"),
            Keys = keys.ToDictionary(
                key => key.Service, key => new StoredKey(key.Id, key.Service, key.Secret, key.Status), StringComparer.Ordinal),
            Tools = tools,
            PreFunction = pre,
            PostFunction = post,
            ConnectedAgents = await ConnectedAsync(agent.OrganizationId, document, ct),
            Wrapper = await WrapperAsync(agent.OrganizationId, document.TextOf("wrapper_id") ?? parameters.TextOf("wrapper_id"), ct),
            Settings = ObjectOf(document, "settings"),
            VariablesState = ObjectOf(document, "variables_state"),
            VariablesPath = ObjectOf(document, "variables_path"),
            PreTools = document.Member("pre_tools") is { ValueKind: JsonValueKind.Array } preTools ? preTools : EmptyArray,
            PostTool = document.Member("post_tool") is { ValueKind: JsonValueKind.Object } postTool ? postTool : default,
            BuiltInTools = [.. document.ItemsOf("built_in_tools").Select(tool => tool.AsText()).OfType<string>()],
            Limits = [.. LimitsOf(agent, folder, keys.FirstOrDefault(key => key.Service == model.Service))],
            Document = document,
        };
    }

    /// <summary>The template of a wrapper of prompts; null when the organization has no such one.</summary>
    public Task<string?> WrapperAsync(Guid organizationId, string? id, CancellationToken ct) => string.IsNullOrEmpty(id) || !HexId.IsOne(id)
        ? Task.FromResult<string?>(null)
        : db.PromptWrappers.AsNoTracking().Where(wrapper => wrapper.Id == id && wrapper.OrganizationId == organizationId)
            .Select(wrapper => wrapper.Template).FirstOrDefaultAsync(ct);

    private Task<string?> TimeZoneAsync(Guid organizationId, CancellationToken ct) => db.Database.SqlQuery<string?>($"""
        select document ->> 'timezone' as "Value" from gateway.organization_settings where organization_id = {organizationId}
        """).FirstOrDefaultAsync(ct);

    private Task<Agent?> FindAsync(
        Guid organizationId, string? name,
        CancellationToken ct) => name is null or { Length: > 512 } || name.Contains('\0', StringComparison.Ordinal)
        ? Task.FromResult<Agent?>(null)
        : db.Agents.AsNoTracking()
            .Where(agent => agent.OrganizationId == organizationId && agent.DeletedAt == null && (agent.Id == name || agent.Slug == name))
            .OrderByDescending(agent => agent.Id == name)
            .FirstOrDefaultAsync(ct);

    private async Task<AgentVersion> VersionAsync(Guid organizationId, string id, CancellationToken ct) => HexId.IsOne(id)
        && await db.AgentVersions.AsNoTracking().FirstOrDefaultAsync(
            version => version.Id == id && version.OrganizationId == organizationId && version.DeletedAt == null, ct) is { } found
            ? found
            : throw ConfigurationFailures.AgentMissing();

    /// <summary>Those of the agent; for services that it has none for, those of its folder.</summary>
    private async Task<List<ProviderKey>> KeysAsync(Guid organizationId, JsonElement document, Folder? folder, CancellationToken ct)
    {
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (service, id) in folder?.Document["apikey_object_id"] as JsonObject ?? [])
        {
            if (id is JsonValue value && value.TryGetValue<string>(out var text))
            {
                ids[service] = text;
            }
        }
        foreach (var own in ObjectOf(document, "apikey_object_id").EnumerateObject())
        {
            if (own.Value.AsText() is { } text)
            {
                ids[own.Name] = text;
            }
        }
        if (ids.Count == 0)
        {
            return [];
        }
        var wanted = ids.Values.ToArray();
        var keys = await db.ProviderKeys.AsNoTracking()
            .Where(key => wanted.Contains(key.Id) && key.OrganizationId == organizationId).ToListAsync(ct);
        return [.. keys.Where(key => ids.GetValueOrDefault(key.Service) == key.Id)];
    }

    private async Task<(List<AgentTool> Tools, AgentTool? Pre, AgentTool? Post)> ToolsAsync(
        Guid organizationId, JsonElement document, CancellationToken ct)
    {
        var ids = document.ItemsOf("function_ids").Select(id => id.AsText()).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        var preTool = document.ItemsOf("pre_tools").FirstOrDefault();
        var pre = preTool.AsText() ?? preTool.Member("config").TextOf("script_id") ?? preTool.Member("config").TextOf("function_id");
        var post = document.Member("post_tool").TextOf("id") ?? document.Member("post_tool").TextOf("script_id");
        var names = ids.Append(pre).Append(post).OfType<string>().ToArray();
        if (names.Length == 0)
        {
            return ([], null, null);
        }
        var tools = await functions.NamedAsync(organizationId, names, ct);
        return (
            [.. ids.Select(id => tools.Find(tool => tool.Id == id)).OfType<AgentTool>()],
            pre is null ? null : tools.Find(tool => tool.Id == pre || tool.ScriptId == pre),
            post is null ? null : tools.Find(tool => tool.Id == post || tool.ScriptId == post));
    }

    /// <summary>Only the next agents: each is resolved when it is called, so that a circle of agents is no circle here.</summary>
    private async Task<List<ConnectedAgent>> ConnectedAsync(Guid organizationId, JsonElement document, CancellationToken ct)
    {
        var links = ObjectOf(document, "connected_agents").EnumerateObject()
            .Select(link => (link.Name, link.Value, Id: link.Value.TextOf("bridge_id") ?? link.Value.TextOf("agent_id"))).ToList();
        if (links.Count == 0)
        {
            return [];
        }
        var ids = links.Select(link => link.Id).ToArray();
        var agents = await db.Agents.AsNoTracking()
            .Where(agent => ids.Contains(agent.Id) && agent.OrganizationId == organizationId && agent.DeletedAt == null)
            .ToDictionaryAsync(agent => agent.Id, ct);
        return [.. links.Select(link => link.Id is not null && agents.TryGetValue(link.Id, out var agent)
            ? Connected(link.Name, agent, link.Value)
            : throw ConfigurationFailures.Unresolvable())];
    }

    private static ConnectedAgent Connected(string name, Agent agent, JsonElement link)
    {
        var info = agent.Document["agent_info"] is JsonObject own
            ? JsonSerializer.SerializeToElement(own, GatewayJson.Default.JsonObject) : EmptyObject;
        return new(
            name, agent.Id, link.TextOf("version_id") is { Length: > 0 } version ? version : null,
            link.TextOf("environment") is { Length: > 0 } environment ? environment : null,
            link.TextOf("description") ?? info.TextOf("description"), link, info);
    }

    private static IEnumerable<CostLimit> LimitsOf(Agent agent, Folder? folder, ProviderKey? key)
    {
        var limits = (CostLimit?[])
        [
            folder is null ? null : LimitOf("folder", folder.Id, folder.Document),
            LimitOf("bridge", agent.Id, agent.Document),
            key is null ? null : LimitOf("apikey", key.Id, key.Document),
        ];
        return limits.OfType<CostLimit>();
    }

    private static CostLimit? LimitOf(string scope, string id, JsonObject document)
    {
        var element = JsonSerializer.SerializeToElement(document, GatewayJson.Default.JsonObject);
        return Number(element, $"{scope}_limit") is > 0 and var limit
            ? new(
                scope, id, limit, Number(element, $"{scope}_usage") ?? 0, element.TextOf($"{scope}_limit_reset_period"),
                DateTimeOffset.TryParse(element.TextOf($"{scope}_limit_start_date"), System.Globalization.CultureInfo.InvariantCulture,
                    System.Globalization.DateTimeStyles.AssumeUniversal, out var start) ? start : null)
            : null;
    }

    private static decimal? Number(JsonElement holder, string name) =>
        holder.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetDecimal(out var value) ? value : null;

    private static JsonElement ObjectOf(JsonElement holder, string name) =>
        holder.Member(name) is { ValueKind: JsonValueKind.Object } found ? found : EmptyObject;
}
