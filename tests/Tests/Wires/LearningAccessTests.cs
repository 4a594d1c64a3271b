using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Learning.Auth;
using Stoa.Platform.Identity.Jose;
using Stoa.Tests.Support;

namespace Stoa.Tests.Wires;

public sealed class LearningAccessTests(LearningAccessTests.SharedSite shared) : IClassFixture<LearningAccessTests.SharedSite>
{
    private const string Probe = "/learning/probe";
    private const string Published = "/learning/probe/published";
    private const string Refused = """{"detail":"Not authenticated"}""";
    private const string Ada = "7 ada@example.org Session";

    private WireSite Site => shared.Site;

    private string Own => Site.Host.Client.BaseAddress!.GetLeftPart(UriPartial.Authority);

    [Fact]
    public async Task The_front_ends_session_is_the_caller()
    {
        Assert.Equal((200, Ada), await Site.GetAsync(Probe, ("Cookie", WireSite.NextAuthCookie())));
        Assert.Equal((200, Ada), await Site.GetAsync(Probe, ("Cookie", WireSite.NextAuthCookie(WireSite.OlderNextAuthSecret))));
        var token = WireSite.NextAuthToken();
        var parts = $"next-auth.session-token.1={token[40..]}; next-auth.session-token.0={token[..40]}";
        Assert.Equal((200, Ada), await Site.GetAsync(Probe, ("Cookie", parts)));
    }

    [Fact]
    public async Task Nobody_an_unknown_session_and_one_that_is_over_are_refused_in_the_same_words()
    {
        Assert.Equal((401, Refused), await Site.GetAsync(Probe));
        Assert.Equal((401, Refused), await Site.GetAsync(Probe, ("Cookie", "next-auth.session-token=x")));
        Assert.Equal((401, Refused), await Site.GetAsync(Probe, ("Cookie", WireSite.NextAuthCookie("somebody else's secret"))));
        Assert.Equal((401, Refused), await Site.GetAsync(Probe, ("Cookie", WireSite.NextAuthCookie(lifetime: -60))));
        Assert.Equal((401, Refused), await Site.GetAsync(Probe, ("Authorization", "Bearer x")));
        Assert.Equal((401, Refused), await Site.GetAsync(Probe, ("Authorization", "x"), ("Cookie", WireSite.NextAuthCookie())));
    }

    [Theory]
    [InlineData("Origin", "https://evil.example", 403)]
    [InlineData("Origin", "null", 403)]
    [InlineData("Origin", "https://school.example.evil.example", 403)]
    [InlineData("Origin", "https://school.example", 200)]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-site", 403)]
    [InlineData("Sec-Fetch-Site", "none", 403)]
    [InlineData("Sec-Fetch-Site", "same-origin", 200)]
    [InlineData("Referer", "https://school.example/", 403)]
    public async Task With_a_cookie_what_changes_something_must_come_from_the_site_itself(string header, string value, int status)
    {
        (string, string)[] headers = [("Cookie", WireSite.NextAuthCookie()), (header, value)];

        Assert.Equal(status, (await Site.SendAsync(HttpMethod.Post, Probe, headers)).Status);
        Assert.Equal(status, (await Site.SendAsync(HttpMethod.Delete, Probe, headers)).Status);
        Assert.Equal(status, (await Site.GetAsync(Probe, [.. headers, ("Connection", "Upgrade"), ("Upgrade", "websocket")])).Status);
        Assert.Equal((200, Ada), await Site.GetAsync(Probe, headers));
    }

    [Fact]
    public async Task The_sites_own_pages_may_write_and_a_bearer_needs_no_origin()
    {
        Assert.Equal(200, (await Site.SendAsync(HttpMethod.Post, Probe, [("Cookie", WireSite.NextAuthCookie()), ("Origin", Own)])).Status);
        Assert.Equal(
            (403, """{"detail":"Forbidden"}"""), await Site.SendAsync(HttpMethod.Post, Probe, [("Cookie", WireSite.NextAuthCookie())]));
        var token = Site.Host.Services.GetRequiredService<LearningTokens>().Issue(7, "ada@example.org");
        Assert.Equal(
            (200, "7 ada@example.org Token"), await Site.SendAsync(HttpMethod.Post, Probe, [("Authorization", $"Bearer {token}")]));
    }

    [Fact]
    public async Task A_bearer_token_of_ours_is_for_this_surface_and_ends()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var wrong = new JsonObject { ["iss"] = "stoa", ["aud"] = "learning", ["userId"] = 7, ["email"] = "a@b.c", ["exp"] = now + 60 };
        // Signed with the shared secret itself, which the front end knows, instead of the key derived from it.
        var forged = Jwt.Create(wrong, SigningKey.Hmac(SigningAlgorithm.HS256, WireSite.NextAuthSecret));

        Assert.Equal((401, Refused), await Site.GetAsync(Probe, ("Authorization", $"Bearer {forged}")));
    }

    [Fact]
    public async Task Googles_token_names_an_address()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = "accounts.google.com", ["aud"] = "us", ["sub"] = "1", ["email"] = "Bea@example.org", ["email_verified"] = true,
            ["iat"] = now, ["exp"] = now + 60,
        };

        Assert.Equal(
            (200, " bea@example.org Google"), await Site.GetAsync(Probe, ("Authorization", $"Bearer {shared.Issuer.Sign(claims, "key")}")));
        claims["aud"] = "another";
        Assert.Equal((401, Refused), await Site.GetAsync(Probe, ("Authorization", $"Bearer {shared.Issuer.Sign(claims, "key")}")));
    }

    [Fact]
    public async Task The_front_ends_server_reads_what_is_published_on_the_internal_listener_only()
    {
        Assert.Equal((200, "  Service"), await Site.SendAsync(HttpMethod.Get, Published, [], isInternal: true));
        Assert.Equal(
            (200, Ada), await Site.SendAsync(HttpMethod.Get, Published, [("Cookie", WireSite.NextAuthCookie())], isInternal: true));
        Assert.Equal(
            (401, Refused), await Site.SendAsync(HttpMethod.Get, Published, [("Cookie", "next-auth.session-token=x")], isInternal: true));
        Assert.Equal((401, Refused), await Site.SendAsync(HttpMethod.Get, Probe, [], isInternal: true));
        Assert.Equal((401, Refused), await Site.GetAsync(Published));
        Assert.Equal((401, Refused), await Site.GetAsync(Published, ("Host", "127.0.0.1:8081"), ("X-Forwarded-For", "127.0.0.1")));
    }

    [Fact]
    public async Task In_the_mode_Open_nobody_is_asked_but_a_wrong_credential_stays_wrong()
    {
        await using var open = await WireSite.StartAsync(new() { ["Learning:Auth:Mode"] = "Open" });

        Assert.Equal((200, "  None"), await open.SendAsync(HttpMethod.Post, Probe, []));
        Assert.Equal(401, (await open.GetAsync(Probe, ("Authorization", "Bearer x"))).Status);
    }

    /// <summary>A host that these tests only ask.</summary>
    public sealed class SharedSite : IAsyncLifetime
    {
        internal LoopbackIssuer Issuer { get; private set; } = null!;

        internal WireSite Site { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Issuer = await LoopbackIssuer.StartAsync("key");
            Site = await WireSite.StartAsync(new()
            {
                ["Google:ClientId"] = "us",
                ["Google:CertificatesUrl"] = Issuer.Certificates.AbsoluteUri,
                ["Stoa:CorsOrigins:0"] = "https://school.example",
            });
        }

        public async ValueTask DisposeAsync()
        {
            await Site.DisposeAsync();
            await Issuer.DisposeAsync();
        }
    }
}
