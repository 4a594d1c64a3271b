using System.Net;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

public sealed class SessionTests(TestCluster cluster)
{
    private const string Me = "/api/stoa/me";

    [Fact]
    public async Task A_session_ends_with_its_sign_out_wherever_its_token_is()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var thief = site.Borrow(owner);
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(thief, HttpMethod.Get, Me));

        await owner.SendAsync("/signout");

        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(thief, HttpMethod.Get, Me));
    }

    [Fact]
    public async Task Signing_in_never_goes_on_under_a_token_that_was_there_before()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var attacker = await site.JoinAsync(owner, "attacker@example.org");
        using var victim = site.Browser();
        const string planted = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        victim.Cookies.Add(new Cookie("stoa.session", planted, "/", site.Address.Host));

        await victim.SignInAsync(IdentitySite.OwnerEmail, IdentitySite.Password, "/");
        var token = victim.Cookies.GetCookies(site.Address)["stoa.session"]!.Value;
        Assert.NotEqual(planted, token);

        // A real session of the attacker in the victim's browser ends when the victim signs in.
        using var trap = site.Borrow(attacker);
        await trap.SignInAsync(IdentitySite.OwnerEmail, IdentitySite.Password, "/");
        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(attacker, HttpMethod.Get, Me));
        using var script = site.Borrow(trap);
        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(
            script, HttpMethod.Post, "/api/stoa/sessions", new { email = IdentitySite.OwnerEmail, password = IdentitySite.Password }));
        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(trap, HttpMethod.Get, Me));
    }

    [Fact]
    public async Task Acting_for_another_organization_goes_on_under_a_new_token()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var old = site.Borrow(owner);

        Assert.Equal(HttpStatusCode.Found,
            (await owner.SendAsync("/console/account/organizations", ("slug", "lyceum"), ("organization_name", "Lyceum"))).Status);

        Assert.Equal("Lyceum", (string)(await IdentitySite.GetAsync(owner, Me))["organization"]!["name"]!);
        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(old, HttpMethod.Get, Me));
    }

    [Fact]
    public async Task One_sees_and_ends_ones_own_sessions_and_no_others()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var member = await site.JoinAsync(owner, "member@example.org");
        using var second = site.Browser();
        await second.SignInAsync("member@example.org", IdentitySite.Password, "/");
        var ownerSession = (string)(await IdentitySite.GetAsync(owner, $"{Me}/sessions"))["items"]![0]!["id"]!;

        var sessions = (await IdentitySite.GetAsync(member, $"{Me}/sessions"))["items"]!.AsArray();
        var other = (string)Assert.Single(sessions, session => !(bool)session!["is_current"]!)!["id"]!;

        Assert.Equal(2, sessions.Count);
        Assert.Equal(HttpStatusCode.NotFound, await IdentitySite.StatusAsync(member, HttpMethod.Delete, $"{Me}/sessions/{ownerSession}"));
        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(member, HttpMethod.Delete, $"{Me}/sessions/{other}"));
        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(second, HttpMethod.Get, Me));
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(owner, HttpMethod.Get, Me));
    }

    [Fact]
    public async Task What_ends_on_one_host_ends_on_every_host()
    {
        var database = await cluster.CreateDatabaseAsync();
        await using var one = await IdentitySite.StartAsync(database);
        await using var two = await IdentitySite.StartAsync(database);
        using var here = await one.SetUpAsync();
        using var there = two.Borrow(here);
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(there, HttpMethod.Get, Me));

        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(here, HttpMethod.Delete, $"{Me}/sessions"));

        await IdentitySite.Until(async () => await IdentitySite.StatusAsync(there, HttpMethod.Get, Me) == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Another_role_holds_from_the_next_request_on_and_soon_on_every_host()
    {
        var database = await cluster.CreateDatabaseAsync();
        await using var one = await IdentitySite.StartAsync(database);
        await using var two = await IdentitySite.StartAsync(database);
        using var owner = await one.SetUpAsync();
        using var here = await one.JoinAsync(owner, "member@example.org");
        using var there = two.Borrow(here);
        const string path = "/api/stoa/members";
        Assert.Equal(HttpStatusCode.Forbidden, await IdentitySite.StatusAsync(here, HttpMethod.Get, path));
        Assert.Equal(HttpStatusCode.Forbidden, await IdentitySite.StatusAsync(there, HttpMethod.Get, path));

        var id = await IdentitySite.PersonIdAsync(here);
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(owner, HttpMethod.Patch, $"{path}/{id}", new { role = "admin" }));
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(here, HttpMethod.Get, path));
        await IdentitySite.Until(async () => await IdentitySite.StatusAsync(there, HttpMethod.Get, path) == HttpStatusCode.OK);

        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(owner, HttpMethod.Delete, $"{path}/{id}"));
        Assert.Equal(HttpStatusCode.Forbidden, await IdentitySite.StatusAsync(here, HttpMethod.Get, path));
        await IdentitySite.Until(async () => await IdentitySite.StatusAsync(there, HttpMethod.Get, path) == HttpStatusCode.Forbidden);
    }
}
