using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway;
using Stoa.Gateway.Configuration;
using Stoa.Tests.Support;
using Stoa.Tests.Wires;

namespace Stoa.Tests.Gateway.Agents;

/// <summary>A host for those who manage agents: users of several organizations, by the tokens of another system.</summary>
public sealed class ManagementSite : IAsyncLifetime
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ScriptedProvider OpenAi { get; private set; } = null!;

    public HostUnderTest Host { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        OpenAi = await ScriptedProvider.StartAsync();
        Host = await HostUnderTest.StartAsync(new()
        {
            // What a route breaks at is worth reading.
            ["Logging:LogLevel:Default"] = "Error",
            ["Gateway:Auth:TokenSecret"] = WireSite.GtwySecret,
            ["Gateway:OriginalKeys:EncryptionKey"] = "material",
            ["Gateway:OriginalKeys:SecretIv"] = "vector",
            ["Gateway:Providers:openai:Kind"] = "openai",
            ["Gateway:Providers:openai:BaseUrl"] = new Uri(OpenAi.BaseAddress, "/v1").ToString(),
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await OpenAi.DisposeAsync();
    }

    /// <summary>An admin of an organization that nobody else uses.</summary>
    internal ManagementUser Admin() => User($"org-{Guid.CreateVersion7()}", "admin");

    /// <param name="role"><c>admin</c>, <c>editor</c> or <c>viewer</c>.</param>
    internal ManagementUser User(string org, string role, string id = "12", string? folder = null)
    {
        string[] permissions = role switch
        {
            "admin" => ["get_agent", "create_agent", "clone_agent"],
            "editor" => ["get_agent", "create_agent"],
            _ => ["get_agent"],
        };
        var claims = new JsonObject
        {
            ["user"] = new JsonObject { ["id"] = id,
                ["permissions"] = new JsonArray([.. permissions.Select(one => JsonValue.Create(one))]) },
            ["org"] = new JsonObject { ["id"] = org, ["name"] = "Porch" },
        };
        if (folder is not null)
        {
            claims["extraDetails"] = new JsonObject { ["type"] = "embed", ["folder_id"] = folder };
        }
        return new(Host.Client, org, WireSite.Sign(claims, WireSite.GtwySecret));
    }

    internal AgentConfigurations Configurations => Host.Services.GetRequiredService<AgentConfigurations>();

    internal async Task<Guid> OrganizationAsync(string agentId)
    {
        await using var scope = Host.Services.CreateAsyncScope();
        return (await scope.ServiceProvider.GetRequiredService<GatewayDb>().Agents.FindAsync([agentId], Ct))!.OrganizationId;
    }
}

/// <summary>Somebody who manages agents, and what he is answered.</summary>
internal sealed class ManagementUser(HttpClient client, string org, string token)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public string Org => org;

    public string Token => token;

    public async Task<(int Status, JsonObject Body)> SendAsync(string method, string path, string? body = null, string? shape = null)
    {
        using var request = new HttpRequestMessage(new(method), new Uri(path, UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", token);
        if (shape is not null)
        {
            request.Headers.Add("x-gtwy-shape", shape);
        }
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        }
        using var answer = await client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return ((int)answer.StatusCode, JsonNode.Parse(text) as JsonObject ?? throw new InvalidOperationException(text));
    }

    /// <summary>Where it must succeed.</summary>
    public async Task<JsonObject> DoAsync(string method, string path, string? body = null, string? shape = null)
    {
        var (status, answer) = await SendAsync(method, path, body, shape);
        Assert.True(status is >= 200 and < 300, $"{method} {path}: {status} {answer.ToJsonString()}");
        return answer;
    }

    /// <summary>A new agent and its first version; on the offline provider unless said otherwise.</summary>
    public async Task<(string Agent, string Version)> AgentAsync(string name = "Helper", string? model = "demo")
    {
        var agent = (await DoAsync("POST", "/api/agent", $$"""{"name":"{{name}}","flag":true}"""))["agent"]!;
        var (id, version) = ((string)agent["_id"]!, (string)agent["versions"]![0]!);
        if (model is not null)
        {
            await DoAsync("PUT", $"/api/versions/{version}", $$$"""{"service":"demo","configuration":{"model":"{{{model}}}"}}""");
        }
        return (id, version);
    }

    public async Task<JsonObject> VersionAsync(string version) => (JsonObject)(await DoAsync("GET", $"/api/versions/{version}"))["agent"]!;
}
