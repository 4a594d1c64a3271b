using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Pages;

public sealed class SignInTests(SignInTests.Shared shared) : IClassFixture<SignInTests.Shared>
{
    [Fact]
    public async Task A_key_opens_the_pages_and_signing_out_closes_them()
    {
        using var browser = shared.Site.Browser();

        var entered = await browser.SignInAsync(DevelopmentKey.Token);
        var inside = await browser.GetAsync("/");
        var left = await browser.SendAsync("/signout");
        var outside = await browser.GetAsync("/");

        Assert.Equal((HttpStatusCode.Found, "/"), (entered.Status, entered.Location));
        Assert.Contains("Usage today", inside.Text, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Found, "/"), (left.Status, left.Location));
        Assert.DoesNotContain("Usage today", outside.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_wrong_key_gets_the_same_answer()
    {
        await using var site = await PagesSite.StartAsync(shared.Database);
        var revoked = await site.CreateKeyAsync(new("revoked"));
        await site.Services.GetRequiredService<KeyStore>()
            .RevokeAsync(Organization.DefaultId, revoked.Row.Id, "test", TestContext.Current.CancellationToken);
        await site.ReloadKeysAsync();
        string[] wrong = [revoked.Token, revoked.Token[..^1] + "!", "stoa_", "", "stöa-dev", new('x', 5_000)];
        using var browser = site.Browser();

        var answers = new List<Browser.Page>();
        foreach (var key in wrong)
        {
            answers.Add(await browser.SignInAsync(key));
        }

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.Status));
        Assert.Single(answers.Select(answer => answer.Html).Distinct(StringComparer.Ordinal));
        Assert.DoesNotContain("stoa.session", browser.Cookies.GetCookieHeader(site.Address), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cookie_is_for_this_site_alone_and_hidden_from_scripts()
    {
        using var browser = shared.Site.Browser();

        var cookie = (await browser.SignInAsync(DevelopmentKey.Token)).Header("Set-Cookie")!;

        Assert.StartsWith("stoa.session=", cookie, StringComparison.Ordinal);
        Assert.Contains("; path=/; samesite=lax; httponly", cookie, StringComparison.Ordinal);
        Assert.DoesNotContain(DevelopmentKey.Token, cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Behind_a_proxy_with_TLS_the_cookie_never_travels_in_the_clear()
    {
        await using var site = await PagesSite.StartAsync(shared.Database, new() { ["Stoa:KnownProxies:0"] = "127.0.0.1" });
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        using var client = new HttpClient(handler) { BaseAddress = site.Address };
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        client.DefaultRequestHeaders.Add("Origin", $"https://{site.Address.Authority}");
        using var fields = new FormUrlEncodedContent([new("key", DevelopmentKey.Token)]);

        using var answer = await client.PostAsync(new Uri("/signin/key", UriKind.Relative), fields, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
        Assert.Contains("; secure;", Assert.Single(answer.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/?today=yes", "/?today=yes")]
    [InlineData("/console/keys", "/console/keys")]
    [InlineData("https://evil.example/", "/")]
    [InlineData("//evil.example/", "/")]
    [InlineData("/\\evil.example/", "/")]
    [InlineData("/\t/evil.example/", "/")]
    [InlineData("\\\\evil.example", "/")]
    [InlineData("javascript:alert(1)", "/")]
    [InlineData("~/inside", "/")]
    [InlineData("", "/")]
    public async Task Signing_in_leads_to_a_place_of_ours_only(string wanted, string led)
    {
        using var browser = shared.Site.Browser();

        Assert.Equal(led, (await browser.SignInAsync(DevelopmentKey.Token, wanted)).Location);
        Assert.Equal(led, (await browser.GetAsync($"/signin?return={Uri.EscapeDataString(wanted)}")).Location);
    }

    [Fact]
    public async Task A_form_of_another_site_is_refused()
    {
        using var browser = await shared.Site.BrowserAsync(DevelopmentKey.Token);
        using var stranger = shared.Site.Browser();

        Browser.Page[] forged =
        [
            await browser.SendFromAsync("https://evil.example", "/signout"),
            await browser.SendFromAsync("null", "/signout"),
            await browser.SendFromAsync($"http://evil.example:{shared.Site.Address.Port}", "/signout"),
            await browser.SendFromAsync(null, "/signout"),
            await stranger.SendFromAsync("https://evil.example", "/signin/key", ("key", DevelopmentKey.Token)),
        ];

        Assert.All(forged, answer =>
        {
            Assert.Equal((HttpStatusCode.Forbidden, "text/html; charset=utf-8"), (answer.Status, answer.Header("Content-Type")));
            Assert.Contains("does not come from a page of this site", answer.Text, StringComparison.Ordinal);
            Assert.Null(answer.Header("Set-Cookie"));
        });
        Assert.Contains("Usage today", (await browser.GetAsync("/")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_key_loses_the_page()
    {
        await using var site = await PagesSite.StartAsync(shared.Database);
        var key = await site.CreateKeyAsync(new("short-lived", IsAdmin: true));
        using var browser = await site.BrowserAsync(key.Token);
        var before = await browser.GetAsync("/");

        await site.Services.GetRequiredService<KeyStore>()
            .RevokeAsync(Organization.DefaultId, key.Row.Id, "test", TestContext.Current.CancellationToken);
        await site.ReloadKeysAsync();
        var after = await browser.GetAsync("/");

        Assert.Contains("short-lived", before.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("short-lived", after.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Usage today", after.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cookie_opens_pages_and_our_own_API_and_nothing_else()
    {
        using var browser = await shared.Site.BrowserAsync(DevelopmentKey.Token);

        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/stoa/usage")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/v1/models")).Status);
    }

    [Fact]
    public async Task Whoever_guesses_is_slowed_down()
    {
        await using var site = await PagesSite.StartAsync(shared.Database);
        using var browser = site.Browser();
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await browser.SendAsync("/signin/key", ("key", $"guess-{i}"))).Status);
        }

        var refused = await browser.SendAsync("/signin/key", ("key", DevelopmentKey.Token));

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.InRange(int.Parse(refused.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 62);
    }

    [Fact]
    public async Task A_cookie_is_good_at_every_host_on_the_same_database()
    {
        await using var first = await PagesSite.StartAsync(shared.Database);
        await using var second = await PagesSite.StartAsync(shared.Database);
        using var browser = await first.BrowserAsync(DevelopmentKey.Token);
        using var elsewhere = second.Browser();

        elsewhere.Cookies.Add(browser.Cookies.GetAllCookies());

        Assert.Contains("Usage today", (await elsewhere.GetAsync("/")).Text, StringComparison.Ordinal);
    }

    /// <summary>The database, and a host on it for those who only look.</summary>
    public sealed class Shared(TestCluster cluster) : IAsyncLifetime
    {
        private readonly TestDatabase database = new(cluster);

        public string Database => database.ConnectionString;

        internal PagesSite Site { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            await database.InitializeAsync();
            Site = await PagesSite.StartAsync(Database);
        }

        public async ValueTask DisposeAsync()
        {
            await Site.DisposeAsync();
            await database.DisposeAsync();
        }
    }
}
