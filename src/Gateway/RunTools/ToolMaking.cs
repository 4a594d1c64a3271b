using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Secrets;
using Stoa.Gateway.Tools;
using Stoa.Platform.Egress;

namespace Stoa.Gateway.RunTools;

/// <summary>Makes the tools of a run: the agent's functions, its connected agents, and those that the request brought along.</summary>
internal sealed class ToolMaking(GuardedClient web, McpServers servers, WebCrawler crawler,
    SecretVault vault, IOptions<GatewayOptions> options, IServiceProvider services)
{
    private const int MaxExtraTools = 128;
    private const int LongestTimeout = 120;

    public async Task<ToolSet> MakeAsync(Run run, CancellationToken ct)
    {
        var agent = run.Plan.Agent;
        var tools = new List<RunTool>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tool in agent?.Tools ?? [])
        {
            tools.Add(FunctionOf(tool, Unique(ToolSchema.NameOf(tool.Title), names), run));
        }
        foreach (var connected in agent?.ConnectedAgents ?? [])
        {
            tools.Add(AgentOf(connected, Unique(ToolSchema.NameOf(connected.Name), names), run));
        }
        foreach (var extra in run.Input.Body.List("extra_tools").Objects().Take(MaxExtraTools))
        {
            if (extra.Name("url") is { } url && extra.Name("name") is { } name)
            {
                tools.Add(ExtraOf(extra, url, Unique(ToolSchema.NameOf(name), names), run));
            }
        }
        tools.AddRange(MissingOf(run));
        if (run.BuiltInTools.Contains(WebCrawler.ToolName, StringComparer.Ordinal))
        {
            tools.Add(new CrawlerTool(Unique(WebCrawler.ToolName, names), crawler));
        }
        if (PlanTool.IsWanted(run))
        {
            tools.Add(new PlanTool(Unique(PlanTool.UsualName, names)));
        }
        var open = await servers.OpenAsync(run, ct);
        foreach (var (server, client, offered) in open)
        {
            foreach (var tool in offered)
            {
                var name = ToolSchema.NameOf(tool.Name);
                name = names.Contains(name) ? ToolSchema.NameOf($"{server}_{tool.Name}") : name;
                tools.Add(new McpTool(Unique(name, names), tool, client, servers));
            }
        }
        return new(tools, [.. open.Select(server => (IAsyncDisposable)server.Client)]);
    }

    public FunctionPlace PlaceOf(AgentTool tool) => new(
        tool.ScriptId, MethodOf(tool.Document),
        tool.Document.Name("url") ?? $"{options.Value.FunctionBaseUrl}/func/{Uri.EscapeDataString(tool.ScriptId)}",
        HeadersOf(tool.Document), TimeoutOf(tool.Document));

    public Task<ToolOutcome> CallAsync(AgentTool tool, JsonObject arguments, CancellationToken ct) =>
        FunctionTool.PostAsync(web, PlaceOf(tool), arguments, WithSecrets(tool), ct);

    // Only for stored functions, which editors write: whoever may run an agent could else have the secrets sent to himself.
    private HeaderFilling WithSecrets(AgentTool tool) => (headers, ct) => vault.FillAsync(tool.OrganizationId, headers, ct);

    private FunctionTool FunctionOf(AgentTool tool, string name, Run run)
    {
        var schema = ToolSchema.Of(tool.Document.Object("fields"), tool.Document.List("required") ?? tool.Document.List("required_params"));
        var injected = ArgumentInjection.Find(PathsOf(run, name, tool.Title, tool.ScriptId, tool.Id), run.Variables);
        ArgumentInjection.Hide(schema, injected);
        return new(name, tool.Document.Text("description"), schema, PlaceOf(tool),
            web, WithSecrets(tool)) { Id = tool.ScriptId, Injected = injected };
    }

    private FunctionTool ExtraOf(JsonObject tool, string url, string name, Run run)
    {
        var schema = ToolSchema.Of(tool.Object("fields"), tool.List("required_params") ?? tool.List("required"));
        var injected = ArgumentInjection.Find(tool.Object("tool_and_variable_path"), run.Variables);
        ArgumentInjection.Hide(schema, injected);
        var place = new FunctionPlace(name, MethodOf(tool), url, HeadersOf(tool), TimeoutOf(tool));
        return new(name, tool.Text("description"), schema, place, web) { Id = name, Injected = injected };
    }

    private AgentAsTool AgentOf(ConnectedAgent connected, string name, Run run)
    {
        var variables = connected.AgentInfo.ValueKind == JsonValueKind.Object
            ? JsonObject.Create(connected.AgentInfo).Object("agent_variables") : null;
        var injected = ArgumentInjection.Find(PathsOf(run, name, connected.Name, connected.AgentId), run.Variables);
        var schema = AgentAsTool.SchemaOf(variables, run.Input.Body.Is("orchestrator_flag"));
        ArgumentInjection.Hide(schema, injected);
        return new(name, connected, schema, services) { Id = connected.AgentId, Injected = injected };
    }

    private static IEnumerable<RunTool> MissingOf(Run run)
    {
        if ((run.Plan.Stored("doc_ids") as JsonArray) is { Count: > 0 } documents)
        {
            yield return MissingTool.KnowledgeBase(
                documents.Select(id => id.AsText() ?? (id as JsonObject).Text("resource_id")).OfType<string>());
        }
    }

    /// <summary>The tool's part of <c>variables_path</c>, under whichever name it stands there.</summary>
    private static JsonObject? PathsOf(Run run, params ReadOnlySpan<string> names)
    {
        var paths = run.Plan.VariablesPath;
        foreach (var name in names)
        {
            if (paths.Object(name) is { } found)
            {
                return found;
            }
        }
        return null;
    }

    private static HttpMethod MethodOf(JsonObject tool) => tool.Name("method")?.ToUpperInvariant() switch
    {
        "GET" => HttpMethod.Get,
        "PUT" => HttpMethod.Put,
        "PATCH" => HttpMethod.Patch,
        "DELETE" => HttpMethod.Delete,
        _ => HttpMethod.Post,
    };

    /// <summary>What the tool says, and the credential it names: <c>{type: "bearer", token}</c> or <c>{header, value}</c>.</summary>
    private static List<KeyValuePair<string, string>> HeadersOf(JsonObject tool)
    {
        List<KeyValuePair<string, string>> headers =
            [.. (tool.Object("headers") ?? []).Where(header => header.Value is not null)
                .Select(header => KeyValuePair.Create(header.Key, header.Value.AsWords()))];
        if (tool.Object("auth") is { } auth)
        {
            if (auth.Name("token") is { } token)
            {
                headers.Add(new("Authorization", $"Bearer {token}"));
            }
            else if (auth.Name("header") is { } name && auth.Text("value") is { } value)
            {
                headers.Add(new(name, value));
            }
        }
        return headers;
    }

    private TimeSpan TimeoutOf(JsonObject tool) => tool["timeout"].AsNumber() is { } seconds and > 0
        ? TimeSpan.FromSeconds(Math.Min(seconds, LongestTimeout))
        : TimeSpan.FromMilliseconds(options.Value.Timeouts.ToolMs);

    private static string Unique(string name, HashSet<string> taken)
    {
        var unique = name;
        for (var number = 2; !taken.Add(unique); number++)
        {
            unique = $"{name[..Math.Min(name.Length, 60)]}_{number}";
        }
        return unique;
    }
}
