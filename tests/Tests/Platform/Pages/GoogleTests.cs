using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;
using Stoa.Tests.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Pages;

/// <summary>
/// The button of the sign-in page, against a Google on loopback. What holds for every provider, the tests of Discord show.
/// </summary>
public sealed class GoogleTests : IAsyncLifetime
{
    private LoopbackGoogle google = null!;
    private IdentitySite site = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        google = await LoopbackGoogle.StartAsync();
        site = await IdentitySite.StartAsync(settings: google.Settings);
    }

    public async ValueTask DisposeAsync()
    {
        await site.DisposeAsync();
        await google.DisposeAsync();
    }

    [Fact]
    public async Task The_page_has_a_button_where_it_is_configured_and_there_only()
    {
        using var browser = site.Browser();
        await using var plain = await HostUnderTest.StartAsync(new() { ["Google:ClientId"] = LoopbackGoogle.ClientId });
        using var other = new Browser(plain.Client.BaseAddress!);

        Assert.Contains("Sign in with Google", (await browser.GetAsync("/signin")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Google", (await other.GetAsync("/signin")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync("/signin/google")).Status);
    }

    [Fact]
    public async Task Whoever_has_the_verified_address_signs_in()
    {
        using var owner = await site.SetUpAsync();
        using var browser = site.Browser();

        var back = await ReturnAsync(browser, "s1", IdentitySite.OwnerEmail);

        Assert.Equal((HttpStatusCode.Found, "/console/keys"), (back.Status, back.Location));
        Assert.Equal(await IdentitySite.PersonIdAsync(owner), await IdentitySite.PersonIdAsync(browser));
        var account = Assert.Single((await IdentitySite.GetAsync(owner, "/api/stoa/me/accounts"))["items"]!.AsArray())!;
        Assert.Equal(("google", IdentitySite.OwnerEmail), ((string)account["provider"]!, (string)account["email"]!));
    }

    [Fact]
    public async Task An_unknown_address_one_not_verified_and_a_token_for_another_site_open_nothing()
    {
        using var owner = await site.SetUpAsync();
        using var browser = site.Browser();

        Assert.Equal(HttpStatusCode.Forbidden, (await ReturnAsync(browser, "s1", "stranger@example.org")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await ReturnAsync(browser, "s1", IdentitySite.OwnerEmail, isVerified: false)).Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized, (await ReturnAsync(browser, "s1", IdentitySite.OwnerEmail, audience: "another.app")).Status);

        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(browser, HttpMethod.Get, "/api/stoa/me"));
        Assert.Single((await IdentitySite.GetAsync(owner, "/api/stoa/people"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Somebody_who_is_signed_in_links_his_account()
    {
        using var owner = await site.SetUpAsync();
        Assert.Contains("Link a Google account", (await owner.GetAsync("/console/account")).Text, StringComparison.Ordinal);

        var begun = await owner.SendAsync("/account/google", ("return", "/console/account"));
        var back = await owner.GetAsync(google.Agree(begun.Header("Refresh")!["0; url=".Length..], "s9", "elsewhere@example.org"));

        Assert.Equal((HttpStatusCode.Found, "/console/account"), (back.Status, back.Location));
        await using var scope = site.Services.CreateAsyncScope();
        var linked = await scope.ServiceProvider.GetRequiredService<PersonStore>().FindByAccountAsync("google", "s9", Ct);
        Assert.Equal(IdentitySite.OwnerEmail, linked!.Email);
    }

    [Fact]
    public async Task A_way_to_one_provider_does_not_end_at_another()
    {
        await using var discord = await LoopbackDiscord.StartAsync();
        await using var both =
            await IdentitySite.StartAsync(settings: new(google.Settings.Concat(discord.Settings), StringComparer.OrdinalIgnoreCase));
        using var browser = both.Browser();
        var toGoogle = (await browser.GetAsync("/signin/google")).Location!;
        var cookie = browser.Cookies.GetCookies(new(both.Address, "/signin/google"))["stoa.google"]!;
        browser.Cookies.Add(new Cookie("stoa.discord", cookie.Value, "/signin/discord", both.Address.Host));

        var callback = google.Agree(toGoogle, "s1", IdentitySite.OwnerEmail)
            .Replace("/signin/google/", "/signin/discord/", StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(callback)).Status);
        Assert.Equal(0, discord.Exchanges);
    }

    private async Task<Browser.Page> ReturnAsync(
        Browser browser, string subject, string email, bool isVerified = true, string audience = LoopbackGoogle.ClientId)
    {
        var begun = await browser.GetAsync("/signin/google?return=/console/keys");
        return await browser.GetAsync(google.Agree(begun.Location!, subject, email, isVerified, audience));
    }
}
