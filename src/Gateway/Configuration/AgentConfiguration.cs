using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Tools;

namespace Stoa.Gateway.Configuration;

/// <summary>
/// Everything a run of an agent needs, as one snapshot: shared by all runs of a node and never changed. A run that wants to change a part
/// makes its own copy of it. Documents are in the words of GTWY's wire, in the settings generation.
/// </summary>
internal sealed record AgentConfiguration
{
    public required Guid OrganizationId { get; init; }

    public required string AgentId { get; init; }

    public required string Name { get; init; }

    public required string Slug { get; init; }

    public required AgentKind Kind { get; init; }

    /// <summary>The version that runs: the one asked for, that of the environment, or the published one.</summary>
    public required string VersionId { get; init; }

    public string? FolderId { get; init; }

    public bool IsPaused { get; init; }

    /// <summary>IANA, of the organization; null where it has set none.</summary>
    public string? TimeZone { get; init; }

    public required ProviderService Service { get; init; }

    public required string Model { get; init; }

    /// <summary><c>chat</c>, <c>embedding</c>, <c>image</c>, …</summary>
    public required string Type { get; init; }

    /// <summary>What the model takes: pass it with <see cref="Parameters"/> to <see cref="ModelParameters.Resolve"/>.</summary>
    public required ModelDocument ModelDocument { get; init; }

    /// <summary>The stored <c>configuration</c>: parameters, prompt, response type and the like, unresolved.</summary>
    public required JsonElement Parameters { get; init; }

    /// <summary>
    /// <c>configuration.prompt</c>: a text, or <c>{role, goal, instruction}</c>, or a map of fields; undefined when there is none.
    /// </summary>
    public required JsonElement Prompt { get; init; }

    /// <summary>By the service's name: that of this service, and those of other services for a fallback.</summary>
    public required IReadOnlyDictionary<string, StoredKey> Keys { get; init; }

    /// <summary>The key of the agent's own service; null where the service needs none.</summary>
    public StoredKey? Key => Keys.GetValueOrDefault(Service.Name);

    /// <summary>In the order of <c>function_ids</c>.</summary>
    public required IReadOnlyList<AgentTool> Tools { get; init; }

    /// <summary>The function that the pre-tool calls.</summary>
    public AgentTool? PreFunction { get; init; }

    /// <summary>The function that gets the final answer.</summary>
    public AgentTool? PostFunction { get; init; }

    public required IReadOnlyList<ConnectedAgent> ConnectedAgents { get; init; }

    public required JsonElement Settings { get; init; }

    public required JsonElement VariablesState { get; init; }

    public required JsonElement VariablesPath { get; init; }

    /// <summary>An array; empty when there is none.</summary>
    public required JsonElement PreTools { get; init; }

    /// <summary>The text around its prompt; null where it names none, or one that is no more.</summary>
    public string? Wrapper { get; init; }

    /// <summary>An object; undefined when there is none.</summary>
    public required JsonElement PostTool { get; init; }

    public required IReadOnlyList<string> BuiltInTools { get; init; }

    /// <summary>Folder, agent and key, in the order in which they are checked; only those that have a limit.</summary>
    public required IReadOnlyList<CostLimit> Limits { get; init; }

    /// <summary>
    /// The whole document that runs, with the agent's own fields over those of its version: for what has no property here.
    /// </summary>
    public required JsonElement Document { get; init; }

    /// <summary>What runs look up by names that their requests may give too.</summary>
    public AgentNodes Nodes => field ??= new(this);

    /// <summary>For runs that bring no key of their own.</summary>
    /// <exception cref="Stoa.Platform.Http.Failure">Invalid: there is neither a key of the organization nor one of the
    /// operator.</exception>
    public void RequireKey()
    {
        if (Key is null && Service is { NeedsKey: true, HasOperatorKey: false })
        {
            throw ConfigurationFailures.KeyMissing();
        }
    }
}

/// <summary>
/// Documents of a configuration as nodes. They are those of all its runs, at the same time: nobody changes them, and who wants to keep a
/// part copies it. Reading them is safe, also for the first time.
/// </summary>
internal sealed class AgentNodes(AgentConfiguration agent)
{
    public JsonObject? Parameters { get; } = NodeOf(agent.Parameters);

    public JsonObject? Settings { get; } = NodeOf(agent.Settings);

    public JsonObject? VariablesState { get; } = NodeOf(agent.VariablesState);

    public JsonObject? VariablesPath { get; } = NodeOf(agent.VariablesPath);

    public JsonObject? Document { get; } = NodeOf(agent.Document);

    private static JsonObject? NodeOf(JsonElement element) => element.ValueKind == JsonValueKind.Object ? JsonObject.Create(element) : null;
}

/// <summary>An agent that another one may call. Whether it can run is asked when it is called.</summary>
/// <param name="Name">What the calling agent knows it by; the name of the tool.</param>
/// <param name="Description">From its <c>agent_info</c>; the connection's own description wins.</param>
/// <param name="Link">The connection: <c>{bridge_id, thread_id, version_id, environment, …}</c>.</param>
/// <param name="AgentInfo">Its <c>agent_info</c>, whose <c>agent_variables{fields, required}</c> are the tool's parameters.</param>
internal sealed record ConnectedAgent(
    string Name, string AgentId, string? VersionId, string? Environment, string? Description, JsonElement Link, JsonElement AgentInfo);

/// <summary>An agent as a line in a list of models.</summary>
/// <param name="Service">With <paramref name="Model"/>: what it runs on.</param>
internal sealed record ListedAgent(string Id, string Slug, string Service, string Model, DateTimeOffset CreatedAt);

/// <summary>A provider's key as it is kept: sealed until <see cref="ProviderKeys.KeySeal.Open"/>.</summary>
internal sealed record StoredKey(string Id, string Service, byte[] Sealed, string Status);

/// <summary>What may be spent. <see cref="Usage"/> is what the document says, which may be behind.</summary>
/// <param name="Scope"><c>folder</c>, <c>bridge</c> or <c>apikey</c>, as in the names of fields and error codes.</param>
/// <param name="Period"><c>monthly</c>, <c>weekly</c>, <c>daily</c>; null when it never starts anew.</param>
internal sealed record CostLimit(string Scope, string Id, decimal Limit, decimal Usage, string? Period, DateTimeOffset? StartDate);
