using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.ProviderKeys;
using Stoa.Platform.Identity;
using Stoa.Tests.Assistants;
using Stoa.Tests.Assistants.Events;
using Stoa.Tests.Feedback;
using Stoa.Tests.Learning;
using Stoa.Tests.Learning.Tutor;
using Stoa.Tests.Support;

namespace Stoa.Tests.Loop;

/// <summary>
/// One host with all modules, one provider of models that knows one key only, a mail server and an issuer of identities. The operator's own
/// key is none that the provider knows: whatever is answered was asked with the organization's.
/// </summary>
internal sealed class LoopSite : IAsyncDisposable
{
    public const string AgentModel = "gpt-4o", NewAgentModel = "gpt-4o-mini",
        TutorModel = TutorSite.Text, AssistantModel = "gpt-4.1-mini-2025-04-14";

    private const string Password = "a password of nine words";

    private LoopSite(LearningSite learning, ScriptedProvider provider, LoopbackSmtp smtp, ShiftedClock clock) =>
        (Learning, Provider, Smtp, Clock) = (learning, provider, smtp, clock);

    public LearningSite Learning { get; }

    public ScriptedProvider Provider { get; }

    public LoopbackSmtp Smtp { get; }

    public ShiftedClock Clock { get; }

    public HostUnderTest Host => Learning.Host;

    public ReadingSite Feedback => field ??= new(Host);

    public AssistantsSite Assistants => field ??= new(Host);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<LoopSite> StartAsync()
    {
        var provider = await ScriptedProvider.StartAsync();
        var smtp = new LoopbackSmtp();
        var clock = new ShiftedClock(TimeProvider.System.GetUtcNow());
        var learning = await LearningSite.StartAsync(
            clock,
            [
                ("Gateway:Providers:openai:Kind", "openai"), ("Gateway:Providers:openai:BaseUrl", $"{provider.BaseAddress}v1"),
                ("Gateway:Providers:openai:ApiKey", "a key that the provider does not know"),
                ("Gateway:Providers:openai:HasResponses", "false"),
                ("Gateway:Retries", "0"),
                ("Learning:Models:Reasoning", $"openai/{TutorModel}"),
                ("Assistants:Models:0", $"openai/{AssistantModel}"), ("Assistants:Todos:QuietMinutes", "0"),
                ("Assistants:Auth:TokenSecret", "what signs the tokens of users in tests"),
                ("Assistants:Auth:SchedulerSecret", AssistantsSite.Scheduler),
                .. EventsSite.MailSettings(smtp),
            ]);
        learning.Host.Client.DefaultRequestHeaders.Add("X-API-Key", "1234");
        return new(learning, provider, smtp, clock);
    }

    /// <summary>The browser of somebody whom Google vouched for on another surface, with a password of his own here.</summary>
    public async Task<Browser> BrowserAsync(string email)
    {
        var people = (await OwnAsync(HostProcess.DevelopmentKey, HttpMethod.Get, "/people"))["items"]!.AsArray();
        var person = Assert.Single(people, person => (string?)person!["email"] == email)!;
        var reset = await OwnAsync(HostProcess.DevelopmentKey, HttpMethod.Post, $"/people/{person["id"]}/password-reset");
        var browser = new Browser(Host.Client.BaseAddress!);
        var done = await browser.SendAsync("/password-reset", ("token", (string)reset["token"]!), ("password", Password));
        Assert.True(done.Status == System.Net.HttpStatusCode.Found, done.ToString());
        return browser;
    }

    /// <summary>Makes somebody an admin of the organization; his own key to it.</summary>
    public async Task<string> AdminAsync(string email)
    {
        var invitation = await OwnAsync(
            HostProcess.DevelopmentKey, HttpMethod.Post, "/invitations", new JsonObject { ["email"] = email, ["role"] = "admin" });
        using var browser = await BrowserAsync(email);
        await ReadAsync(
            await browser.CallAsync(HttpMethod.Post, "/api/stoa/invitations/accept", new { token = (string)invitation["token"]! }));
        await ReadAsync(
            await browser.CallAsync(HttpMethod.Put, "/api/stoa/me/organization", new { organization_id = Organization.DefaultId }));
        var key = await ReadAsync(await browser.CallAsync(HttpMethod.Post, "/api/stoa/keys", new { name = "ours", is_admin = true }));
        return (string)key["token"]!;
    }

    /// <summary>Below <c>/api/stoa</c>.</summary>
    public Task<JsonNode> OwnAsync(string key, HttpMethod method, string path, JsonNode? body = null) =>
        SendAsync(method, $"/api/stoa{path}", body, ("Authorization", $"Bearer {key}"));

    /// <summary>On the wire of GTWY.</summary>
    public Task<JsonNode> GatewayAsync(string key, HttpMethod method, string path, JsonNode? body = null) =>
        SendAsync(method, path, body, ("pauthkey", key));

    /// <summary>The organization's key for the provider, once each call is made with it.</summary>
    public async Task<string> ConnectProviderAsync(string key)
    {
        var kept = await GatewayAsync(key, HttpMethod.Post, "/api/apikeys", new JsonObject
        {
            ["name"] = "ours", ["service"] = "openai", ["apikey"] = Provider.Key,
        });
        while (!Host.Services.GetRequiredService<StoredKeys>().HasAny(Organization.DefaultId))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }
        return (string)kept["api"]!["_id"]!;
    }

    /// <summary>Usage, grouped, once so many calls are in it.</summary>
    public async Task<List<JsonNode>> UsageAsync(string key, string groupBy, int calls)
    {
        while (true)
        {
            var rows = (await OwnAsync(key, HttpMethod.Get, $"/usage?from=2020-01-01T00:00:00Z&group_by={groupBy}"))["items"]!.AsArray();
            if (rows.Sum(row => (int)row!["calls"]!) >= calls)
            {
                return [.. rows.Select(row => row!)];
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Learning.DisposeAsync();
        await Smtp.DisposeAsync();
        await Provider.DisposeAsync();
    }

    public static async Task<JsonNode> ReadAsync(HttpResponseMessage response)
    {
        using var answer = response;
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.RequestMessage?.RequestUri}: {(int)answer.StatusCode} {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonNode? body, (string Name, string Value) credential)
    {
        using var request =
            new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.TryAddWithoutValidation(credential.Name, credential.Value);
        return await ReadAsync(await Host.Client.SendAsync(request, Ct));
    }
}
