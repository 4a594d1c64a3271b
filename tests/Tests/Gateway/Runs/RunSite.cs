using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Gateway;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Tools;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>A host with scripted providers and a server for tools, and what is needed to set up agents on it.</summary>
public class RunSite : IAsyncLifetime
{
    public const string Secret = "0123456789abcdef0123456789abcdef";

    /// <summary>Most tests read what agents ask in the words of chat completions.</summary>
    protected virtual bool HasResponses => false;

    /// <summary>What a site has besides.</summary>
    protected virtual void Configure(Dictionary<string, string?> settings)
    {
    }

    /// <summary>What the host takes for the time.</summary>
    protected virtual TimeProvider Clock => TimeProvider.System;

    public ScriptedProvider OpenAi { get; private set; } = null!;

    public ScriptedProvider Anthropic { get; private set; } = null!;

    internal ToolServer Tools { get; private set; } = null!;

    public HostUnderTest Host { get; private set; } = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        OpenAi = await ScriptedProvider.StartAsync();
        Anthropic = await ScriptedProvider.StartAsync();
        Tools = await ToolServer.StartAsync();
        Dictionary<string, string?> settings = new()
        {
            ["Gateway:Providers:openai:Kind"] = "openai",
            ["Gateway:Providers:openai:BaseUrl"] = new Uri(OpenAi.BaseAddress, "/v1").ToString(),
            ["Gateway:Providers:openai:ApiKey"] = OpenAi.Key,
            ["Gateway:Providers:openai:HasResponses"] = HasResponses ? "true" : "false",
            ["Gateway:Providers:openai_completion:Kind"] = "openai",
            ["Gateway:Providers:openai_completion:BaseUrl"] = new Uri(OpenAi.BaseAddress, "/v1").ToString(),
            ["Gateway:Providers:openai_completion:ApiKey"] = OpenAi.Key,
            ["Gateway:Providers:anthropic:Kind"] = "anthropic",
            ["Gateway:Providers:anthropic:BaseUrl"] = Anthropic.BaseAddress.ToString(),
            ["Gateway:Providers:anthropic:ApiKey"] = Anthropic.Key,
            ["Gateway:FunctionBaseUrl"] = Tools.Address,
            ["Gateway:Crawler:Url"] = Tools.Address,
            ["Gateway:Crawler:ApiKey"] = "of-the-crawler",
            // One test waits for it, and all others must be done by then.
            ["Gateway:Timeouts:ToolMs"] = "10000",
            ["Gateway:Retries"] = "0",
            // What a route breaks at is worth reading.
            ["Logging:LogLevel:Default"] = "Error",
            ["Gateway:Auth:TokenSecret"] = Secret,
            ["Egress:Allow"] = $"127.0.0.1:{new Uri(Tools.Address).Port}",
        };
        Configure(settings);
        Host = await HostUnderTest.StartAsync(settings, builder => builder.Services.AddSingleton(Clock));
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Tools.DisposeAsync();
        await OpenAi.DisposeAsync();
        await Anthropic.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A published agent of the organization <c>default</c>; the document in the words of the wire.</summary>
    public async Task<string> AgentAsync(string document, string kind = "api", Guid? organization = null)
    {
        using var scope = Host.Services.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<GatewayDb>();
        var id = HexId.Create(TimeProvider.System);
        var version = HexId.Create(TimeProvider.System);
        var now = TimeProvider.System.GetUtcNow();
        db.Add(new Agent
        {
            Id = id,
            OrganizationId = organization ?? Organization.DefaultId,
            Name = id,
            Slug = id,
            Kind = Enum.Parse<AgentKind>(kind, ignoreCase: true),
            IsPaused = false,
            PublishedVersionId = version,
            Document = JsonNode.Parse(document)!.AsObject(),
            CreatedAt = now,
            UpdatedAt = now,
        });
        await db.SaveChangesAsync(Ct);
        db.Add(new AgentVersion
        {
            Id = version,
            OrganizationId = organization ?? Organization.DefaultId,
            AgentId = id,
            IsDraft = false,
            Document = JsonNode.Parse(document)!.AsObject(),
            CreatedAt = now,
            UpdatedAt = now,
        });
        await db.SaveChangesAsync(Ct);
        return id;
    }

    /// <summary>A function that is answered by <see cref="Tools"/> at <c>/func/{title}</c>.</summary>
    public async Task<string> ToolAsync(string title, string document)
    {
        using var scope = Host.Services.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<GatewayDb>();
        var now = TimeProvider.System.GetUtcNow();
        var tool = new AgentTool
        {
            Id = HexId.Create(TimeProvider.System),
            OrganizationId = Organization.DefaultId,
            ScriptId = title,
            Title = title,
            Document = JsonNode.Parse(document)!.AsObject(),
            CreatedAt = now,
            UpdatedAt = now,
        };
        db.Add(tool);
        await db.SaveChangesAsync(Ct);
        return tool.Id;
    }

    public async Task<(HttpStatusCode Status, JsonNode Body)> RunAsync(string body, string path = "/api/v2/model/chat/completion")
    {
        using var answer = await SendAsync(body, path);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!);
    }

    public async Task<HttpResponseMessage> SendAsync(
        string body, string path = "/api/v2/model/chat/completion", params (string Name, string Value)[] headers)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("pauthkey", "stoa-dev");
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }
        return await Host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
    }

    public async Task<(HttpStatusCode Status, JsonNode Body)> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("pauthkey", "stoa-dev");
        using var answer = await Host.Client.SendAsync(request, Ct);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!);
    }

    /// <summary>The events of a streamed run.</summary>
    public async Task<List<JsonNode>> StreamAsync(string body)
    {
        using var answer = await SendAsync(body);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Where(frame => frame.StartsWith("data: ", StringComparison.Ordinal))
            .Select(frame => JsonNode.Parse(frame["data: ".Length..])!)];
    }

    /// <summary>The history of an agent, oldest first.</summary>
    internal async Task<List<Stoa.Gateway.History.AgentRun>> RowsAsync(string agentId)
    {
        using var scope = Host.Services.CreateScope();
        return await scope.ServiceProvider.GetRequiredService<GatewayDb>().Runs.AsNoTracking()
            .Where(run => run.AgentId == agentId).OrderBy(run => run.CreatedAt).ToListAsync(Ct);
    }

    public Task ExecuteAsync(string sql, params object[] values) => ReadAsync(sql, values);

    /// <summary>The first value that the statement gives.</summary>
    public async Task<object?> ReadAsync(string sql, params object[] values)
    {
        await using var command = Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }
        return await command.ExecuteScalarAsync(Ct);
    }

    internal async Task<List<Stoa.Gateway.Threads.AgentThread>> ThreadsAsync(string agentId)
    {
        using var scope = Host.Services.CreateScope();
        return await scope.ServiceProvider.GetRequiredService<GatewayDb>().Threads.AsNoTracking()
            .Where(thread => thread.AgentId == agentId).ToListAsync(Ct);
    }
}
