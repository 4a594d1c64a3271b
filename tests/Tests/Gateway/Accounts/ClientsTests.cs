using System.Net;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Stoa.Gateway.Auth;
using Stoa.Platform.Identity.Jose;
using Stoa.Tests.Gateway.Agents;

namespace Stoa.Tests.Gateway.Accounts;

/// <summary>Applications that people sign in to, and tokens for embedded pages.</summary>
public sealed class ClientsTests(ManagementSite site) : IClassFixture<ManagementSite>
{
    private const string Address = "https://app.example.org/back?x=1";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/api/auth")]
    [InlineData("/api/org")]
    public async Task A_person_signs_in_to_a_registered_application_and_to_its_address_alone(string prefix)
    {
        var (admin, person) = (site.Admin(), site.User($"org-{Guid.CreateVersion7()}", "editor", "77"));
        var made = (await admin.DoAsync("POST", prefix, $$"""{"name":"App","redirection_url":"{{Address}}"}"""))["result"]!;
        var id = (string)made["client_id"]!;
        var info = (await person.DoAsync("GET", $"{prefix}/client_info?client_id={id}"))["result"]!;

        using var answer = await VerifyAsync(person, prefix, $$"""{"client_id":"{{id}}","redirection_url":"{{Address}}","state":"s&t"}""");

        Assert.Equal(("App", Address), ((string?)info["name"], (string?)info["redirection_url"]));
        Assert.Equal(HttpStatusCode.MovedPermanently, answer.StatusCode);
        Assert.True(answer.Headers.CacheControl!.NoStore);
        var query = QueryHelpers.ParseQuery(answer.Headers.Location!.Query);
        Assert.StartsWith(Address, answer.Headers.Location.ToString(), StringComparison.Ordinal);
        Assert.Equal("s&t", query["state"].ToString());
        // It can what he can: an editor of his organization.
        var asHim = new ManagementUser(site.Host.Client, person.Org, query["access_token"].ToString());
        Assert.Equal("editor", (string?)(await asHim.DoAsync("GET", "/api/agent"))["access"]);
        Assert.Equal(person.Org, (string?)(await asHim.DoAsync("GET", "/api/internal/info"))["org_id"]);

        Assert.Single((await admin.DoAsync("GET", prefix))["result"]!.AsArray());
        Assert.Empty((await person.DoAsync("GET", prefix))["result"]!.AsArray());
        foreach (var body in (string[])[
            $$"""{"client_id":"{{id}}","redirection_url":"https://evil.example.org/","state":"s"}""",
            $$"""{"client_id":"0123456789abcdef01234567","redirection_url":"{{Address}}","state":"s"}""",
            $$"""{"client_id":"{{id}}","redirection_url":"{{Address}}"}"""])
        {
            using var refused = await VerifyAsync(person, prefix, body);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("/relative")]
    [InlineData("https://user:word@example.org/")]
    [InlineData("https://example.org/#x")]
    public async Task An_application_is_at_an_address_of_the_web(string address) =>
        Assert.Equal(
            400, (await site.Admin().SendAsync("POST", "/api/auth", $$"""{"name":"App","redirection_url":"{{address}}"}""")).Status);

    [Fact]
    public async Task Admins_alone_register_and_see_what_is_signed_with()
    {
        var admin = site.Admin();
        var editor = site.User(admin.Org, "editor");
        var token = (string)(await admin.DoAsync("GET", "/api/org/auth_token"))["auth_token"]!;

        Assert.Equal(14, token.Length);
        Assert.Equal(token, (string?)(await admin.DoAsync("GET", "/api/auth/auth_token"))["auth_token"]);
        Assert.NotEqual(token, (string?)(await site.Admin().DoAsync("GET", "/api/auth/auth_token"))["auth_token"]);
        Assert.Equal(403, (await editor.SendAsync("GET", "/api/auth/auth_token")).Status);
        Assert.Equal(403, (await editor.SendAsync("POST", "/api/auth", $$"""{"name":"App","redirection_url":"{{Address}}"}""")).Status);
    }

    [Fact]
    public async Task Tokens_of_pages_are_signed_by_the_organization_and_end()
    {
        var admin = site.Admin();
        var secret = (string)(await admin.DoAsync("GET", "/api/auth/auth_token"))["auth_token"]!;

        var embed = (string)(await admin.DoAsync("POST", "/api/utils/token", """{"type":"embed"}"""))["result"]!;
        var own = (string)(await admin.DoAsync("POST", "/api/utils/token", """{"type":"org"}"""))["result"]!;

        Assert.True(Jwt.TryRead(
            embed, [SigningKey.Hmac(SigningAlgorithm.HS256, secret)],
            new JwtRules(), TimeProvider.System.GetUtcNow(), out var claims, out _));
        Assert.Equal((admin.Org, "embed"), (claims!.Text("org_id"), claims.Text("type")));
        Assert.Equal("admin", (string?)(await new ManagementUser(site.Host.Client, admin.Org, own).DoAsync("GET", "/api/agent"))["access"]);
        Assert.Equal(400, (await admin.SendAsync("POST", "/api/utils/token", """{"type":"everything"}""")).Status);
        Assert.Equal(400, (await admin.SendAsync("POST", "/api/utils/token", "{}")).Status);
        Assert.Equal(403, (await site.User(admin.Org, "viewer").SendAsync("POST", "/api/utils/token", """{"type":"org"}""")).Status);
        // A key would not end with its token.
        Assert.Equal(403, (await new ManagementUser(site.Host.Client, "", "stoa-dev")
            .SendAsync("POST", "/api/utils/token", """{"type":"org"}""")).Status);
        Assert.Equal(TimeSpan.FromHours(48), GtwyTokens.Lifetime);
    }

    private async Task<HttpResponseMessage> VerifyAsync(ManagementUser user, string prefix, string body)
    {
        using var straight =
            new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = site.Host.Client.BaseAddress };
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{prefix}/verify")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Authorization", user.Token);
        return await straight.SendAsync(request, Ct);
    }
}
