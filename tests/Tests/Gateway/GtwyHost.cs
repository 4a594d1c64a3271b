using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway;
using Stoa.Gateway.Agents;
using Stoa.Gateway.History;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway;

/// <summary>A host with GTWY's tokens on, called as the organization <c>default</c> and as another one, of the same clients.</summary>
public sealed class GtwyHost : IAsyncLifetime
{
    public const string Secret = "gtwy: the secret of users";

    internal string OtherKey { get; private set; } = "";

    internal HostUnderTest Host { get; private set; } = null!;

    internal Guid OtherId { get; private set; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Host = await HostUnderTest.StartAsync(new() { ["Gateway:Auth:TokenSecret"] = Secret });
        var keys = Host.Services.GetRequiredService<KeyStore>();
        OtherId = (await keys.EnsureOrganizationAsync("other", "test", Ct)).Id;
        OtherKey = (await keys.CreateAsync(OtherId, new("other", IsAdmin: true), "test", Ct)).Token;
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    internal Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(
        string method, string path, object? body = null, bool asOther = false) =>
        SendAsync(method, path, body, ("pauthkey", asOther ? OtherKey : "stoa-dev"));

    /// <param name="body">A text is sent as it is, anything else as JSON.</param>
    internal async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(
        string method, string path, object? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new(method), path)
        {
            Content = body switch
            {
                null => null,
                string json => new StringContent(json, Encoding.UTF8, "application/json"),
                _ => JsonContent.Create(body),
            },
        };
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }
        using var answer = await Host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return (answer.StatusCode, text.StartsWith('{') || text.StartsWith('[') ? JsonNode.Parse(text) : JsonValue.Create(text));
    }

    /// <summary>An agent without a version, for what only needs its id.</summary>
    internal async Task<string> AddAgentAsync(Guid? organizationId = null)
    {
        var id = HexId.Create(TimeProvider.System);
        await SaveAsync(new Agent
        {
            Id = id,
            OrganizationId = organizationId ?? Organization.DefaultId,
            Name = id,
            Slug = id,
            Kind = AgentKind.Api,
            IsPaused = false,
            Document = [],
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        });
        return id;
    }

    /// <summary>A run as the pipeline leaves it; those of later minutes are newer.</summary>
    internal async Task<AgentRun> AddRunAsync(
        string agent, string thread, int minute, Action<AgentRun>? change = null, JsonObject? document = null, string? messageId = null)
    {
        var at = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero).AddMinutes(minute);
        var run = new AgentRun
        {
            Id = Guid.CreateVersion7(at),
            CreatedAt = at,
            UpdatedAt = at,
            OrganizationId = Organization.DefaultId,
            AgentId = agent,
            ThreadId = thread,
            SubThreadId = thread,
            MessageId = messageId ?? $"{Guid.CreateVersion7(at)}",
            Service = "demo",
            Model = "demo",
            IsSuccess = true,
            UserMessage = $"question {minute}",
            Answer = $"answer {minute}",
            Document = document ?? [],
        };
        change?.Invoke(run);
        await SaveAsync(run);
        return run;
    }

    private async Task SaveAsync(object row)
    {
        await using var scope = Host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<GatewayDb>();
        db.Add(row);
        await db.SaveChangesAsync(Ct);
    }
}
