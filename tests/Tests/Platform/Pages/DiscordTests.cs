using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Pages;

/// <summary>There and back, against a Discord on loopback.</summary>
public sealed class DiscordTests(DiscordTests.Site site) : IClassFixture<DiscordTests.Site>, IDisposable
{
    private static int accounts;

    private readonly LoopbackDiscord discord = site.Discord;
    private readonly HostUnderTest host = site.Host;
    private readonly int exchanged = site.Discord.Exchanges;
    private readonly int account = Interlocked.Increment(ref accounts);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The number of an account that no other test has.</summary>
    private string Ada => $"8035111022467{account:0000}";

    public void Dispose() => discord.Status = null;

    [Fact]
    public async Task Whoever_has_linked_his_account_signs_in_with_it()
    {
        var person = await LinkedPersonAsync(Ada);
        using var browser = NewBrowser();

        var back = await browser.GetAsync(discord.Agree((await browser.GetAsync("/signin/discord?return=/console/keys")).Location!, Ada));

        Assert.Equal((HttpStatusCode.Found, "/console/keys"), (back.Status, back.Location));
        Assert.Equal(person, await PersonOfAsync(browser));
    }

    [Fact]
    public async Task An_account_that_is_linked_to_nobody_opens_nothing_and_makes_nobody()
    {
        using var browser = NewBrowser();

        var back = await browser.GetAsync(discord.Agree((await browser.GetAsync("/signin/discord")).Location!, Ada));

        Assert.Equal(HttpStatusCode.Forbidden, back.Status);
        Assert.Null(await PersonOfAsync(browser));
        Assert.DoesNotContain(await PeopleAsync(people => people.ListAsync(after: null, 100, Ct)), person => person.Email is null);
    }

    [Fact]
    public async Task Where_it_is_allowed_a_new_account_makes_a_person_once()
    {
        await using var open =
            await HostUnderTest.StartAsync(new(discord.Settings, StringComparer.OrdinalIgnoreCase) { ["Discord:SignUp"] = "true" });
        using var one = new Browser(open.Client.BaseAddress!);
        using var two = new Browser(open.Client.BaseAddress!);

        foreach (var browser in new[] { one, two })
        {
            var back = await browser.GetAsync(discord.Agree((await browser.GetAsync("/signin/discord")).Location!, Ada));
            Assert.Equal((HttpStatusCode.Found, "/"), (back.Status, back.Location));
        }

        await using var scope = open.Services.CreateAsyncScope();
        var person = Assert.Single(await scope.ServiceProvider.GetRequiredService<PersonStore>().ListAsync(after: null, 10, Ct));
        Assert.Equal(("Ada on Discord", null), (person.Name, person.Email));
    }

    [Fact]
    public async Task Somebody_who_is_signed_in_links_his_account_and_nobody_elses()
    {
        using var browser = await SignedInAsync($"one.ada{account}@example.org");
        var begun = await browser.SendAsync("/account/discord", ("return", "/console"));
        var back = await browser.GetAsync(discord.Agree(Onward(begun), Ada));
        Assert.Equal((HttpStatusCode.Found, "/console"), (back.Status, back.Location));

        using var other = await SignedInAsync($"two.ada{account}@example.org");
        var taken = await other.GetAsync(discord.Agree(Onward(await other.SendAsync("/account/discord", ("return", "/"))), Ada));
        Assert.Equal(HttpStatusCode.Conflict, taken.Status);

        using var later = NewBrowser();
        await later.GetAsync(discord.Agree((await later.GetAsync("/signin/discord")).Location!, Ada));
        Assert.Equal(await PersonOfAsync(browser), await PersonOfAsync(later));
    }

    [Fact]
    public async Task Linking_begins_with_a_form_of_ours_and_ends_as_the_same_person()
    {
        using var stranger = NewBrowser();
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.SendAsync("/account/discord", ("return", "/"))).Status);
        using var lured = await SignedInAsync($"lured.ada{account}@example.org");
        Assert.Equal(
            HttpStatusCode.Forbidden, (await lured.SendFromAsync("https://evil.example", "/account/discord", ("return", "/"))).Status);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await lured.GetAsync("/account/discord")).Status);

        using var browser = await SignedInAsync($"one.ada{account}@example.org");
        var begun = await browser.SendAsync("/account/discord", ("return", "/"));
        await browser.SendAsync("/signout");
        var back = await browser.GetAsync(discord.Agree(Onward(begun), Ada));
        Assert.Equal(HttpStatusCode.Forbidden, back.Status);
        Assert.Null(await PeopleAsync(people => people.FindByAccountAsync("discord", Ada, Ct)));
    }

    [Fact]
    public async Task A_way_that_another_browser_began_does_not_end_in_this_one()
    {
        await LinkedPersonAsync(Ada);
        using var attacker = NewBrowser();
        using var victim = NewBrowser();
        var callback = discord.Agree((await attacker.GetAsync("/signin/discord")).Location!, Ada);

        Assert.Equal(HttpStatusCode.BadRequest, (await victim.GetAsync(callback)).Status);
        await victim.GetAsync("/signin/discord");
        Assert.Equal(HttpStatusCode.BadRequest, (await victim.GetAsync(callback)).Status);

        Assert.Null(await PersonOfAsync(victim));
        Assert.Equal(exchanged, discord.Exchanges);
    }

    [Fact]
    public async Task A_way_is_gone_once_even_by_a_hundred_at_once()
    {
        await LinkedPersonAsync(Ada);
        using var browser = NewBrowser();
        var callback = discord.Agree((await browser.GetAsync("/signin/discord")).Location!, Ada);
        var cookie = browser.Cookies.GetCookieHeader(new(host.Client.BaseAddress!, callback));

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
            using var request =
                new HttpRequestMessage(HttpMethod.Get, new Uri(host.Client.BaseAddress!, callback)) { Headers = { { "Cookie", cookie } } };
            return (await client.SendAsync(request, Ct)).StatusCode;
        }));

        Assert.Single(answers, HttpStatusCode.Found);
        Assert.Equal(99, answers.Count(status => status == HttpStatusCode.BadRequest));
        Assert.Equal(exchanged + 1, discord.Exchanges);
    }

    [Theory]
    [InlineData("/signin/discord/callback", 400)]
    [InlineData("/signin/discord/callback?code=x", 400)]
    [InlineData("/signin/discord/callback?code=x&state=", 400)]
    [InlineData("/signin/discord/callback?error=access_denied&state=STATE", 401)]
    [InlineData("/signin/discord/callback?code=made-up&state=STATE", 401)]
    public async Task Anything_but_a_code_of_Discords_for_our_own_state_is_refused(string callback, int status)
    {
        using var browser = NewBrowser();
        var address = new Uri((await browser.GetAsync("/signin/discord")).Location!);
        var state = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(address.Query)["state"];

        var back = await browser.GetAsync(callback.Replace("STATE", $"{state}", StringComparison.Ordinal));

        Assert.Equal(status, (int)back.Status);
        Assert.Null(await PersonOfAsync(browser));
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example/")]
    [InlineData("javascript:alert(1)")]
    public async Task The_way_back_leads_to_this_site_only(string wayBack)
    {
        await LinkedPersonAsync(Ada);
        using var browser = NewBrowser();

        var begun = await browser.GetAsync($"/signin/discord?return={Uri.EscapeDataString(wayBack)}");
        var back = await browser.GetAsync(discord.Agree(begun.Location!, Ada));

        Assert.Equal((HttpStatusCode.Found, "/"), (back.Status, back.Location));
    }

    [Fact]
    public async Task Discord_away_is_said_so_and_signs_nobody_in()
    {
        await LinkedPersonAsync(Ada);
        discord.Status = 500;
        using var browser = NewBrowser();

        var back = await browser.GetAsync(discord.Agree((await browser.GetAsync("/signin/discord")).Location!, Ada));

        Assert.Equal(HttpStatusCode.BadGateway, back.Status);
        Assert.Null(await PersonOfAsync(browser));
    }

    [Fact]
    public async Task Without_settings_there_is_no_such_way()
    {
        await using var plain = await HostUnderTest.StartAsync();
        using var browser = new Browser(plain.Client.BaseAddress!);

        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/signin/discord")).Status);
    }

    /// <summary>Where the page leads by itself.</summary>
    private static string Onward(Browser.Page page)
    {
        Assert.Equal(HttpStatusCode.OK, page.Status);
        return page.Header("Refresh")!["0; url=".Length..];
    }

    private Browser NewBrowser() => new(host.Client.BaseAddress!);

    private async Task<Guid> LinkedPersonAsync(string account) => await PeopleAsync(async people =>
    {
        var person = await people.CreateAsync(new($"ada{account}@example.org", "Ada"), "test", Ct);
        await people.LinkAsync(person.Id, new("discord", account, Email: null, IsEmailVerified: false), "test", Ct);
        return person.Id;
    });

    /// <summary>A browser with a session of a new person's in its cookie.</summary>
    private async Task<Browser> SignedInAsync(string email)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var person = await scope.ServiceProvider.GetRequiredService<PersonStore>().CreateAsync(new(email, email), "test", Ct);
        var session = await scope.ServiceProvider.GetRequiredService<SessionStore>()
            .BeginAsync(person.Id, "test", new(Address: null, UserAgent: null), Ct);
        var browser = NewBrowser();
        browser.Cookies.Add(host.Client.BaseAddress!, new Cookie(SessionCookie.Name, session.Token));
        return browser;
    }

    private async Task<Guid?> PersonOfAsync(Browser browser)
    {
        var token = browser.Cookies.GetCookies(host.Client.BaseAddress!)[SessionCookie.Name]?.Value;
        return token is null ? null : (await host.Services.GetRequiredService<SessionCache>().FindAsync(token, Ct))?.PersonId;
    }

    private async Task<T> PeopleAsync<T>(Func<PersonStore, Task<T>> work)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await work(scope.ServiceProvider.GetRequiredService<PersonStore>());
    }

    public sealed class Site : IAsyncLifetime
    {
        internal LoopbackDiscord Discord { get; private set; } = null!;

        public HostUnderTest Host { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Discord = await LoopbackDiscord.StartAsync();
            Host = await HostUnderTest.StartAsync(Discord.Settings);
        }

        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            await Discord.DisposeAsync();
        }
    }
}
