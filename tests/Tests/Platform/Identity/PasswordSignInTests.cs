using System.Globalization;
using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Platform.Identity;

public sealed class PasswordSignInTests(SharedIdentitySite shared) : IClassFixture<SharedIdentitySite>
{
    private static readonly Dictionary<string, string?> RealPasswords =
        new(StringComparer.Ordinal) { ["People:PasswordIterations"] = "100000" };

    private const string Password = IdentitySite.Password;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_knows_address_and_password_is_let_in()
    {
        var (site, owner) = (shared.Site, shared.Owner);
        using var browser = site.Browser();

        var entered = await browser.SignInAsync("  OWNER@Example.ORG ", Password, "/console/keys");

        Assert.Equal((HttpStatusCode.Found, "/console/keys"), (entered.Status, entered.Location));
        Assert.Equal(await IdentitySite.PersonIdAsync(owner), await IdentitySite.PersonIdAsync(browser));
    }

    [Fact]
    public async Task Nobody_learns_who_has_an_account()
    {
        await using var site = await IdentitySite.StartAsync(settings: RealPasswords);
        using var owner = await site.SetUpAsync();
        await AddAsync(site, "someone@example.org", null);
        await AddAsync(site, "imported@example.org",
            "pbkdf2:sha256:1000$saltsalt$daf2eb9b12bc60544e9c64cbea88a73b86df4f4da0bd3a697856f3ec75b3e57d");
        var hasher = site.Services.GetRequiredService<PasswordHasher>();
        (string Email, string Password)[] wrong =
        [
            (IdentitySite.OwnerEmail, "wrong"), ("nobody@example.org", "wrong"),
            ("someone@example.org", "wrong"), ("imported@example.org", "wrong"),
            ("not an address", "wrong"), ("", "wrong"), (IdentitySite.OwnerEmail, ""), (IdentitySite.OwnerEmail, new string('x', 5_000)),
        ];

        var answers = new List<(HttpStatusCode Status, string Html, long Work)>();
        foreach (var (email, password) in wrong)
        {
            using var browser = site.Browser();
            var before = hasher.Work;
            var answer = await browser.SignInAsync(email, password, "/");
            answers.Add((answer.Status, answer.Html.Replace($"value=\"{email}\"", "", StringComparison.Ordinal), hasher.Work - before));
        }

        Assert.Equal(
            (HttpStatusCode.Unauthorized, 100_000L), Assert.Single(answers.Select(answer => (answer.Status, answer.Work)).Distinct()));
        Assert.Single(answers.Where((_, i) => wrong[i].Email.Length > 0).Select(answer => answer.Html).Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_imported_hash_opens_once_in_its_old_form_and_then_in_ours()
    {
        await using var site = await IdentitySite.StartAsync(settings: RealPasswords);
        await AddAsync(site, "imported@example.org",
            "pbkdf2:sha256:1000$saltsalt$daf2eb9b12bc60544e9c64cbea88a73b86df4f4da0bd3a697856f3ec75b3e57d");
        using var browser = site.Browser();

        Assert.Equal(HttpStatusCode.Found, (await browser.SignInAsync("imported@example.org", Password, "/")).Status);

        await using var scope = site.Services.CreateAsyncScope();
        var person = await scope.ServiceProvider.GetRequiredService<PersonStore>().FindByEmailAsync("imported@example.org", Ct);
        Assert.StartsWith("stoa1$100000$", person!.PasswordHash, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Found, (await browser.SignInAsync("imported@example.org", Password, "/")).Status);
    }

    [Fact]
    public async Task Whoever_guesses_is_slowed_down_and_told_for_how_long()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var browser = site.Browser();
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await browser.SignInAsync(IdentitySite.OwnerEmail, $"guess {i}", "/")).Status);
        }

        var refused = await browser.SignInAsync(IdentitySite.OwnerEmail, Password, "/");

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.InRange(int.Parse(refused.Header("Retry-After")!, CultureInfo.InvariantCulture), 1, 62);
    }

    [Fact]
    public async Task The_limit_counts_where_somebody_really_is()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var client = new HttpClient { BaseAddress = site.Address };
        client.DefaultRequestHeaders.Add("Origin", site.Address.GetLeftPart(UriPartial.Authority));

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 12; i++)
        {
            // The account in another case each time, and an address that a client makes up.
            client.DefaultRequestHeaders.Remove("X-Forwarded-For");
            client.DefaultRequestHeaders.Add("X-Forwarded-For", $"203.0.113.{i}");
            using var form =
                new FormUrlEncodedContent([new("email", i % 2 == 0 ? "Owner@example.org" : "OWNER@example.org"), new("password", "wrong")]);
            using var answer = await client.PostAsync(new Uri("/signin", UriKind.Relative), form, Ct);
            statuses.Add(answer.StatusCode);
        }

        Assert.Equal(10, statuses.Count(status => status == HttpStatusCode.Unauthorized));
        Assert.Equal(2, statuses.Count(status => status == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task Who_tries_one_account_from_many_addresses_is_slowed_down_too()
    {
        await using var site =
            await IdentitySite.StartAsync(settings: new(StringComparer.OrdinalIgnoreCase) { ["Stoa:KnownProxies:0"] = "127.0.0.1" });
        using var owner = await site.SetUpAsync();
        using var client = new HttpClient { BaseAddress = site.Address };

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 32; i++)
        {
            statuses.Add(await SignInFromAsync(client, $"203.0.113.{i}", IdentitySite.OwnerEmail));
        }

        Assert.Equal(30, statuses.Count(status => status == HttpStatusCode.Unauthorized));
        Assert.All(statuses[30..], status => Assert.Equal(HttpStatusCode.TooManyRequests, status));
        Assert.Equal(HttpStatusCode.Unauthorized, await SignInFromAsync(client, "203.0.113.200", "another@example.org"));
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(owner, HttpMethod.Get, "/api/stoa/me"));
    }

    [Fact]
    public async Task A_new_password_wants_the_old_one_and_ends_the_other_sessions()
    {
        var (site, email) = (shared.Site, $"owner{shared.Next()}@example.org");
        using var here = await shared.OwnerAsync(email);
        using var there = site.Browser();
        await there.SignInAsync(email, Password, "/");
        using var before = site.Borrow(here);

        Assert.Equal("wrong_password", await IdentitySite.CodeAsync(
            here, HttpMethod.Put, "/api/stoa/me/password", new { old_password = "wrong", new_password = "another long one" }));
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(there, HttpMethod.Get, "/api/stoa/me"));
        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(
            here, HttpMethod.Put, "/api/stoa/me/password", new { old_password = Password, new_password = "another long one" }));

        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(here, HttpMethod.Get, "/api/stoa/me"));
        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(there, HttpMethod.Get, "/api/stoa/me"));
        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(before, HttpMethod.Get, "/api/stoa/me"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await there.SignInAsync(email, Password, "/")).Status);
        Assert.Equal(HttpStatusCode.Found, (await there.SignInAsync(email, "another long one", "/")).Status);
    }

    [Fact]
    public async Task Somebody_who_is_suspended_is_out_at_once_and_stays_out()
    {
        var (site, owner) = (shared.Site, shared.Owner);
        using var member = await site.JoinAsync(owner, "member@example.org");
        var id = await IdentitySite.PersonIdAsync(member);

        Assert.Equal(HttpStatusCode.OK,
            await IdentitySite.StatusAsync(owner, HttpMethod.Patch, $"/api/stoa/people/{id}", new { state = "suspended" }));

        await IdentitySite.Until(
            async () => await IdentitySite.StatusAsync(member, HttpMethod.Get, "/api/stoa/me") == HttpStatusCode.Unauthorized);
        Assert.Equal(HttpStatusCode.Unauthorized, (await member.SignInAsync("member@example.org", Password, "/")).Status);
        Assert.Equal(
            HttpStatusCode.OK, await IdentitySite.StatusAsync(owner, HttpMethod.Patch, $"/api/stoa/people/{id}", new { state = "active" }));
        Assert.Equal(HttpStatusCode.Found, (await member.SignInAsync("member@example.org", Password, "/")).Status);
        Assert.Equal("own_account", await IdentitySite.CodeAsync(
            owner, HttpMethod.Patch, $"/api/stoa/people/{await IdentitySite.PersonIdAsync(owner)}", new { state = "suspended" }));
    }

    private static async Task AddAsync(IdentitySite site, string email, string? hash)
    {
        await using var scope = site.Services.CreateAsyncScope();
        var person = await scope.ServiceProvider.GetRequiredService<PersonStore>().CreateAsync(new(email, "Somebody"), "test", Ct);
        await scope.ServiceProvider.GetRequiredService<IdentityDb>().People.Where(row => row.Id == person.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.PasswordHash, hash), Ct);
    }

    private static async Task<HttpStatusCode> SignInFromAsync(HttpClient client, string address, string email)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/stoa/sessions", UriKind.Relative));
        request.Headers.Add("X-Forwarded-For", address);
        request.Content = System.Net.Http.Json.JsonContent.Create(new { email, password = "not this one" });
        using var answer = await client.SendAsync(request, Ct);
        return answer.StatusCode;
    }
}
