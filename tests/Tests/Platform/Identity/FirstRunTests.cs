using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

public sealed class FirstRunTests
{
    private static readonly Regex Token = new("stoa_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}", RegexOptions.NonBacktracking);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_token_of_the_log_makes_the_first_admin_the_organization_and_a_key()
    {
        await using var site = await IdentitySite.StartAsync();
        using var browser = site.Browser();
        var setupToken = await site.SetupTokenAsync();

        var form = await browser.GetAsync($"/setup?token={setupToken}");
        var done = await IdentitySite.SetUpAsync(browser, setupToken);

        Assert.Contains(setupToken, form.Html, StringComparison.Ordinal);
        var key = Token.Match(done.Html).Value;
        var me = await IdentitySite.GetAsync(browser, "/api/stoa/me");
        Assert.Equal(("Zeno", "Agora", "owner", true), (
            (string)me["person"]!["name"]!, (string)me["organization"]!["name"]!, (string)me["organization"]!["role"]!, (bool)me["is_operator"]!));
        var ring = site.Services.GetRequiredService<KeyRing>();
        await IdentitySite.Until(() => Task.FromResult(ring.Find(key) is { IsAdmin: true }));
    }

    [Fact]
    public async Task It_can_be_done_once()
    {
        await using var site = await IdentitySite.StartAsync();
        var (first, second) = (await site.SetupTokenAsync(), await site.SetupTokenAsync());
        using var owner = site.Browser();
        using var late = site.Browser();

        Assert.Equal(HttpStatusCode.OK, (await IdentitySite.SetUpAsync(owner, first)).Status);

        Assert.Equal(HttpStatusCode.Conflict, (await IdentitySite.SetUpAsync(late, first, "late@example.org")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await IdentitySite.SetUpAsync(late, second, "late@example.org")).Status);
        Assert.Equal("/signin", (await late.GetAsync("/setup")).Location);
        Assert.Null(await site.Services.GetRequiredService<FirstRun>().CreateTokenAsync(Ct));
    }

    [Fact]
    public async Task Of_many_who_try_at_the_same_time_one_becomes_the_admin()
    {
        await using var site = await IdentitySite.StartAsync();
        var token = await site.SetupTokenAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
        {
            using var browser = site.Browser();
            return (await IdentitySite.SetUpAsync(browser, token, $"p{i}@example.org")).Status;
        }));

        Assert.Single(answers, HttpStatusCode.OK);
        Assert.Equal(11, answers.Count(status => status == HttpStatusCode.Conflict));
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("'; drop table platform.people; --")]
    public async Task Without_the_token_nobody_becomes_anything(string token)
    {
        await using var site = await IdentitySite.StartAsync();
        using var browser = site.Browser();

        var answer = await IdentitySite.SetUpAsync(browser, token);

        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Contains("not the token of the log", answer.Text, StringComparison.Ordinal);
        Assert.NotNull(await site.Services.GetRequiredService<FirstRun>().CreateTokenAsync(Ct));
    }

    [Fact]
    public async Task The_development_sign_in_exists_in_Development_only()
    {
        await using var site = await IdentitySite.StartAsync();
        using var developer = site.Browser();
        Assert.Equal(HttpStatusCode.Found, (await developer.SendAsync("/signin/development", ("return", "/"))).Status);
        Assert.Equal("owner", (string)(await IdentitySite.GetAsync(developer, "/api/stoa/me"))["organization"]!["role"]!);

        await using var production = await HostUnderTest.StartAsync(environment: "Production");
        using var browser = new Browser(production.Client.BaseAddress!);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.SendAsync("/signin/development", ("return", "/"))).Status);
        Assert.DoesNotContain("developer", (await browser.GetAsync("/signin")).Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Outside_Development_the_cookie_is_for_TLS_only()
    {
        await using var production = await HostUnderTest.StartAsync(environment: "Production");
        var token = (await production.Services.GetRequiredService<FirstRun>().CreateTokenAsync(Ct))!;
        using var browser = new Browser(production.Client.BaseAddress!);

        var done = await IdentitySite.SetUpAsync(browser, token);

        Assert.Contains("; secure; samesite=lax; httponly", done.Header("Set-Cookie"), StringComparison.Ordinal);
    }
}
