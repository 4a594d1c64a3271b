using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;

namespace Stoa.Tests.Platform.Identity;

/// <summary>What holds for every route below <c>/api/stoa</c> and every form, whoever adds one.</summary>
public sealed class ApiSafetyTests(SharedIdentitySite shared) : IClassFixture<SharedIdentitySite>
{
    private static readonly Regex Parameter = new(@"\{(?<name>[^}:]+)[^}]*\}", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking);

    private static readonly string[] Bodies =
    [
        "null", "[]", "\"text\"", "17", "{", "", "{\"name\":", "{\"name\":17}", "{\"email\":[]}", "{\"role\":\"emperor\"}", "{\"role\":3}",
        "{\"state\":\"erased\"}", "{\"state\":0}", "{\"name\":\"a\\u0000b\"}",
        "{\"name\":\"\\ud800\"}", "{\"email\":\"a@b\\u0000.c\"}", "{\"token\":\"\\ud800\"}",
        "{\"organization_id\":\"x\"}", "{\"expires_at\":\"never\"}",
        "{\"password\":\"\\u0000\",\"email\":\"\\udfff@x\"}", "{\"slug\":\"Ünï\",\"name\":\"\"}",
        "{\"old_password\":{},\"new_password\":1e400}", $"{{\"name\":\"{new string('x', 100_000)}\"}}", $"{{\"a\":{new string('[', 200)}",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_other_site_changes_anything_with_a_session()
    {
        var (site, owner) = (shared.Site, shared.Owner);
        var routes = Routes(site).Where(route => route.Method != HttpMethod.Get && route.Rule != AccessRule.Anyone).ToList();
        Assert.Contains(routes, route => route.Path == "/api/stoa/me/password");

        foreach (var route in routes)
        {
            foreach (var origin in new[] { "https://evil.example", "null", null, $"{site.Address.Scheme}://{site.Address.Host}:1" })
            {
                using var answer = await owner.CallAsync(route.Method, route.Path, new { }, origin);
                Assert.Equal((route.Path, HttpStatusCode.Forbidden), (route.Path, answer.StatusCode));
                Assert.Equal("foreign_origin", (string?)(await IdentitySite.ReadAsync(answer))["code"]);
            }
        }
    }

    [Fact]
    public async Task A_listed_site_may_and_a_key_needs_no_site()
    {
        await using var site = await IdentitySite.StartAsync(
            settings: new(StringComparer.OrdinalIgnoreCase) { ["Stoa:CorsOrigins:0"] = "https://app.example" });
        using var owner = await site.SetUpAsync();

        using var listed = await owner.CallAsync(HttpMethod.Patch, "/api/stoa/me", new { name = "Cleanthes" }, "https://app.example");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/stoa/keys", UriKind.Relative));
        request.Headers.Authorization = new("Bearer", "stoa-dev");
        request.Content = System.Net.Http.Json.JsonContent.Create(new { name = "by a program" });
        using var byKey = await site.Anonymous.SendAsync(request, Ct);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Created), (listed.StatusCode, byKey.StatusCode));
    }

    [Fact]
    public async Task Every_route_says_its_rule_and_asks_who_calls()
    {
        var site = shared.Site;
        foreach (var route in Routes(site))
        {
            Assert.True(route.Rule is not null, $"{route.Method} {route.Path} states no rule");
            if (route.Rule != AccessRule.Anyone)
            {
                using var request = new HttpRequestMessage(route.Method, new Uri(route.Path, UriKind.Relative));
                using var answer = await site.Anonymous.SendAsync(request, Ct);
                Assert.Equal((route.Path, HttpStatusCode.Unauthorized), (route.Path, answer.StatusCode));
            }
        }
    }

    [Fact]
    public async Task A_wrong_key_is_not_made_good_by_a_session()
    {
        var (site, owner) = (shared.Site, shared.Owner);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/api/stoa/me", UriKind.Relative));
        request.Headers.Add("Cookie", owner.Cookies.GetCookieHeader(site.Address));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer nonsense");

        using var answer = await site.Anonymous.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task A_key_even_an_admins_does_not_touch_what_is_a_persons_own()
    {
        var site = shared.Site;
        using var client = new HttpClient { BaseAddress = site.Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", "stoa-dev");
        foreach (var route in Routes(site).Where(route => route.Rule == AccessRule.Person))
        {
            using var request = new HttpRequestMessage(route.Method, new Uri(route.Path, UriKind.Relative));
            using var answer = await client.SendAsync(request, Ct);
            Assert.Equal((route.Path, HttpStatusCode.Forbidden), (route.Path, answer.StatusCode));
        }
    }

    [Fact]
    public async Task Hostile_bodies_are_refused_and_change_nothing()
    {
        var (site, owner) = (shared.Site, shared.Owner);
        var before = (await IdentitySite.GetAsync(owner, "/api/stoa/members")).ToJsonString();
        // Signing out and erasing need no body, so nothing in it is refused.
        var routes = Routes(site)
            .Where(route => (route.Method == HttpMethod.Post || route.Method == HttpMethod.Put || route.Method == HttpMethod.Patch)
            && route.Tag is not ("Jobs" or "Schedules" or "Prices") && !route.Path.EndsWith("/erasure", StringComparison.Ordinal));

        foreach (var route in routes)
        {
            foreach (var body in Bodies)
            {
                using var request = new HttpRequestMessage(route.Method, new Uri(route.Path, UriKind.Relative));
                request.Headers.Add("Cookie", owner.Cookies.GetCookieHeader(site.Address));
                request.Headers.Add("Origin", site.Address.GetLeftPart(UriPartial.Authority));
                request.Content = new StringContent(body, Encoding.UTF8, "application/json");
                using var answer = await site.Anonymous.SendAsync(request, Ct);
                Assert.True((int)answer.StatusCode is >= 200 and < 500,
                    $"{route.Method} {route.Path} {body[..Math.Min(40, body.Length)]}: {answer.StatusCode}");
                Assert.True(
                    !answer.IsSuccessStatusCode || route is { Path: "/api/stoa/me" },
                    $"{route.Method} {route.Path} took {body[..Math.Min(40, body.Length)]}");
            }
        }
        Assert.Equal(before, (await IdentitySite.GetAsync(owner, "/api/stoa/members")).ToJsonString());
    }

    [Theory]
    [InlineData("?limit=0")]
    [InlineData("?limit=201")]
    [InlineData("?limit=x")]
    [InlineData("?limit=99999999999999999999")]
    [InlineData("?after=x")]
    [InlineData("?after=%00")]
    public async Task Hostile_queries_of_every_list_are_refused(string query)
    {
        var (site, owner) = (shared.Site, shared.Owner);
        string[] lists = ["members", "invitations", "principals", "audit", "people", "keys"];
        foreach (var list in lists)
        {
            Assert.Equal((list, HttpStatusCode.BadRequest),
                (list, await IdentitySite.StatusAsync(owner, HttpMethod.Get, $"/api/stoa/{list}{query}")));
        }
    }

    [Fact]
    public async Task Nobody_gives_himself_what_is_not_his_to_give()
    {
        var (site, owner) = (shared.Site, shared.Owner);
        using var member = await site.JoinAsync(owner, "member@example.org");
        var foreign = Guid.CreateVersion7();
        var before = await IdentitySite.GetAsync(member, "/api/stoa/me");

        var forged = new JsonObject();
        foreach (var name in new[] { "id", "Id", "email", "EMAIL", "role", "Role", "state", "organization_id",
            "organizationId", "is_operator", "created_at", "password_hash", "passwordHash", "email_verified_at", "erase_at" })
        {
            forged[name] = name.Contains("id", StringComparison.OrdinalIgnoreCase) ? foreign.ToString() : "owner";
        }
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(member, HttpMethod.Patch, "/api/stoa/me", forged));
        Assert.Equal(before.ToJsonString(), (await IdentitySite.GetAsync(member, "/api/stoa/me")).ToJsonString());

        using var invited = await owner.CallAsync(HttpMethod.Post, "/api/stoa/invitations", new
        {
            email = "x@example.org", id = foreign, organization_id = foreign,
            accepted_at = "2026-01-01T00:00:00Z", accepted_by = foreign, expires_at = "2099-01-01T00:00:00Z",
        });
        var invitation = (await IdentitySite.ReadAsync(invited))["invitation"]!;
        Assert.NotEqual(foreign, (Guid)invitation["id"]!);
        Assert.NotEqual(foreign, (Guid)invitation["organization_id"]!);
        Assert.Null(invitation["accepted_at"]);
        Assert.True((DateTimeOffset)invitation["expires_at"]! < TimeProvider.System.GetUtcNow().AddDays(30));

        using var made = await member.CallAsync(HttpMethod.Post, "/api/stoa/organizations",
            new JsonObject { ["slug"] = "mine", ["name"] = "Mine", ["id"] = foreign, ["Id"] = foreign });
        Assert.NotEqual(foreign, (Guid)(await IdentitySite.ReadAsync(made))["id"]!);
    }

    /// <summary>Every route of our own API, with ids of nothing in its address.</summary>
    private static List<(HttpMethod Method, string Path, string? Rule, string? Tag)> Routes(IdentitySite site) =>
        [.. from endpoint in site.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            let path = $"/{endpoint.RoutePattern.RawText!.Trim('/')}"
            where path.StartsWith("/api/stoa/", StringComparison.Ordinal)
            from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
            select (
                new HttpMethod(method),
                Parameter.Replace(path,
                    match => match.Groups["name"].Value is "provider" or "kind" or "name" ? "nothing" : Guid.CreateVersion7().ToString()),
                endpoint.Metadata.GetMetadata<AccessRule>()?.Name,
                endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Http.Metadata.ITagsMetadata>()?.Tags is [{ } tag, ..] ? tag : null)];
}
