using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants;
using Stoa.Assistants.Auth;
using Stoa.Feedback;
using Stoa.Feedback.Auth;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Learning;
using Stoa.Learning.Auth;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;
using Stoa.Tests.Support;

namespace Stoa.Tests.Wires;

/// <summary>The real host with a route behind each scheme, which answers who called.</summary>
internal sealed class WireSite(HostUnderTest host, HttpClient client) : IAsyncDisposable
{
    public const string GtwySecret = "gtwy: the secret of users";
    public const string ChatbotSecret = "gtwy: the secret of chatbots";
    public const string PublicSecret = "gtwy: the secret of public agents";
    public const string MojodexSecret = "mojodex: the secret of users";
    public const string SchedulerSecret = "mojodex: the scheduler's secret";
    public const string BackgroundSecret = "mojodex: the background's secret";
    public const string NextAuthSecret = "next-auth: the newest secret";
    public const string OlderNextAuthSecret = "next-auth: the secret before";
    public const string WebKey = "oasst: the key of the web site";
    public const string RootToken = "oasst: a root token";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public HostUnderTest Host => host;

    public static async Task<WireSite> StartAsync(Dictionary<string, string?>? settings = null, string environment = "Development")
    {
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            // These tests try more wrong ones than anybody should.
            ["Stoa:WrongCredentialsPerMinute"] = "1000",
            ["Gateway:Auth:TokenSecret"] = GtwySecret,
            ["Gateway:Auth:ChatbotSecret"] = ChatbotSecret,
            ["Gateway:Auth:PublicChatbotSecret"] = PublicSecret,
            ["Assistants:Auth:TokenSecret"] = MojodexSecret,
            ["Assistants:Auth:SchedulerSecret"] = SchedulerSecret,
            ["Assistants:Auth:BackgroundSecret"] = BackgroundSecret,
            ["NextAuth:Secrets:0"] = NextAuthSecret,
            ["NextAuth:Secrets:1"] = OlderNextAuthSecret,
            ["Feedback:Auth:OfficialWebApiKey"] = WebKey,
            ["Feedback:Auth:RootTokens:0"] = "another root token",
            ["Feedback:Auth:RootTokens:1"] = RootToken,
        };
        foreach (var (key, value) in settings ?? [])
        {
            if (value is null)
            {
                all.Remove(key);
                continue;
            }
            all[key] = value;
        }
        var host = await HostUnderTest.StartAsync(all, map: Map, environment: environment);
        return new(host, host.Client);
    }

    /// <summary>The same host, called by <paramref name="client"/>.</summary>
    public WireSite Through(HttpClient client) => new(host, client);

    public Task<(int Status, string Body)> GetAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Get, path, headers);

    public async Task<(int Status, string Body)> SendAsync(
        HttpMethod method, string path, (string Name, string Value)[] headers, bool isInternal = false)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }
        using var answer = await (isInternal ? host.Internal : client).SendAsync(request, Ct);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    public static string Sign(JsonObject claims, string secret, int lifetime = 600)
    {
        var now = TimeProvider.System.GetUtcNow();
        claims["exp"] = now.ToUnixTimeSeconds() + lifetime;
        // Two of one second would be the same token, and with one the other would be signed out.
        claims["jti"] = $"{Guid.CreateVersion7(now)}";
        return Jwt.Create(claims, SigningKey.Hmac(SigningAlgorithm.HS256, secret));
    }

    public static string GtwyToken(string secret = GtwySecret, int lifetime = 600) =>
        Sign(new() { ["user"] = new JsonObject { ["id"] = 12 }, ["org"] = new JsonObject { ["id"] = "34" } }, secret, lifetime);

    public static string ChatbotToken(string secret = ChatbotSecret, int lifetime = 600) =>
        Sign(new() { ["org_id"] = "34", ["user_id"] = "guest" }, secret, lifetime);

    public static string MojodexToken(string secret = MojodexSecret, int lifetime = 600) =>
        Sign(new() { ["sub"] = "0123456789abcdef__mojodex__ABC" }, secret, lifetime);

    /// <summary>The value of a <c>Cookie</c> header.</summary>
    public static string NextAuthCookie(string secret = NextAuthSecret, int lifetime = 600, string name = "next-auth.session-token") =>
        $"{name}={NextAuthToken(secret, lifetime)}";

    public static string NextAuthToken(string secret = NextAuthSecret, int lifetime = 600) => Jwe.Encrypt(
        System.Text.Encoding.UTF8.GetBytes(new JsonObject
        {
            ["userId"] = 7,
            ["email"] = "Ada@example.org",
            ["exp"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + lifetime,
        }.ToJsonString()),
        NextAuthSessions.KeyOf(secret, new()));

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private static void Map(WebApplication app)
    {
        var gtwy = app.MapGroup("/api/v2/probe").WithErrors(RuntimeErrors.Instance).RequireGtwyCaller();
        gtwy.MapMethods(
            "", ["GET", "POST"], (GtwyCaller caller) => $"{caller.OrgId} {caller.UserId} {caller.Role} {caller.IsEmbed} {caller.FolderId}");
        app.MapGet("/api/agent/probe", (GtwyCaller caller) => $"{caller.OrgId} {caller.Role}")
            .WithErrors(ManagementErrors.Instance).RequireGtwyCaller(alsoPauthToken: true);
        app.MapGet("/chatbot/{botId}/probe", (ChatbotCaller caller) => $"{caller.OrgId} {caller.UserId} {caller.IsPublic}")
            .WithErrors(RuntimeErrors.Instance).RequireChatbotCaller();

        var oasst = app.MapGroup("/api/v1/probe").WithErrors(OasstErrors.Instance).RequireApiClient();
        oasst.MapGet("", (ApiClient client, HttpRequest request) => $"{client.Trusted} {ActingUser.Of(request)}");
        oasst.MapGet("/trusted", (ApiClient client) => client.Description).RequireTrustedClient();
        app.MapGet("/api/v1/root", () => "root").WithErrors(OasstErrors.Instance).RequireRootToken();

        var learning = app.MapGroup("/learning/probe").WithErrors(FastApiErrors.Instance);
        learning.MapMethods("", ["GET", "POST", "DELETE"], Show).RequireLearner();
        learning.MapGet("/published", Show).RequireLearner(allowService: true);

        var assistants = app.MapGroup("/assistants/probe").WithErrors(MojodexErrors.Instance);
        assistants.MapGet("/user", (MojodexCaller caller) => $"{caller.UserId}").RequireMojodexUser();
        assistants.MapGet("/scheduler", (MojodexCaller caller) => $"{caller.Service}").RequireMojodexService(MojodexService.Scheduler);
        assistants.MapGet("/either", (MojodexCaller caller) => $"{caller.UserId}{caller.Service}")
            .RequireMojodexUserOrService(MojodexService.Scheduler, MojodexService.Webapp);
        app.MapGet("/background/probe", (MojodexCaller caller) => $"{caller.Service}")
            .WithErrors(MojodexErrors.Instance).RequireBackgroundCaller();
    }

    private static string Show(LearningCaller caller) => $"{caller.UserId} {caller.Email} {caller.Proof}";
}
