using System.Net;
using System.Text.RegularExpressions;
using Stoa.Tests.Platform.Identity;

namespace Stoa.Tests.Platform.Pages;

/// <summary>The audit, for admins; the list of people, for those who run the installation.</summary>
public sealed class OperatorPagesTests
{
    private const string People = "/console/people";
    private const string Audit = "/console/audit";

    private static readonly Regex Older = new(
        "href=\"(?<path>/console/audit\\?after=[^\"]+)\"", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking);

    [Fact]
    public async Task Operators_suspend_people_and_let_them_in_again()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var member = await site.JoinAsync(owner, "member@example.org");
        var id = await IdentitySite.PersonIdAsync(member);

        Assert.Equal(People, (await owner.SendAsync($"{People}/{id}/suspend")).Location);
        var shown = await owner.GetAsync(People);
        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(member, HttpMethod.Get, "/api/stoa/me"));
        Assert.Equal(People, (await owner.SendAsync($"{People}/{id}/reactivate")).Location);

        Assert.Contains("member suspended member@example.org", shown.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Found, (await member.SignInAsync("member@example.org", IdentitySite.Password, "/")).Status);
        var own = await owner.SendAsync($"{People}/{await IdentitySite.PersonIdAsync(owner)}/suspend");
        Assert.Equal((HttpStatusCode.Conflict, true), (own.Status, own.Text.Contains("cannot suspend yourself", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_admin_suspends_no_owner_of_the_installation_and_lets_none_in_again()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var second = await site.JoinAsync(owner, "second@example.org", "owner");
        using var admin = await site.JoinAsync(owner, "admin@example.org", "admin");
        var (ownerId, secondId) = (await IdentitySite.PersonIdAsync(owner), await IdentitySite.PersonIdAsync(second));

        Assert.Equal(HttpStatusCode.Forbidden, (await admin.SendAsync($"{People}/{ownerId}/suspend")).Status);
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(owner, HttpMethod.Get, "/api/stoa/me"));
        Assert.Equal(People, (await owner.SendAsync($"{People}/{secondId}/suspend")).Location);
        Assert.Equal(HttpStatusCode.Forbidden, await IdentitySite.StatusAsync(
            admin, HttpMethod.Patch, $"/api/stoa/people/{secondId}", new { state = "active" }));
        Assert.Equal(People, (await owner.SendAsync($"{People}/{secondId}/reactivate")).Location);
    }

    [Fact]
    public async Task Nobody_else_comes_to_see_people()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var stranger = site.Browser();
        using var elsewhere = await site.JoinAsync(owner, "elsewhere@example.org");
        await elsewhere.SendAsync("/console/account/organizations", ("slug", "lyceum"), ("organization_name", "Lyceum"));
        var id = await IdentitySite.PersonIdAsync(owner);

        Assert.Equal($"/signin?return={Uri.EscapeDataString(People)}", (await stranger.GetAsync(People)).Location);
        Assert.Equal(HttpStatusCode.Forbidden, (await elsewhere.GetAsync(People)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await elsewhere.SendAsync($"{People}/{id}/suspend")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await elsewhere.SendAsync($"{People}/{id}/password-reset")).Status);
        Assert.DoesNotContain(People, (await elsewhere.GetAsync(Audit)).Html, StringComparison.Ordinal);
        Assert.Contains(People, (await owner.GetAsync(Audit)).Html, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(owner, HttpMethod.Get, "/api/stoa/me"));
    }

    [Fact]
    public async Task An_admin_reads_page_by_page_what_was_done_in_his_organization_and_nothing_of_others()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var elsewhere = await site.JoinAsync(owner, "elsewhere@example.org");
        using var viewer = await site.JoinAsync(owner, "viewer@example.org", "viewer");
        await elsewhere.SendAsync("/console/account/organizations", ("slug", "lyceum"), ("organization_name", "Lyceum"));
        for (var i = 0; i < 101; i++)
        {
            Assert.Equal(HttpStatusCode.Created,
                await IdentitySite.StatusAsync(elsewhere, HttpMethod.Post, "/api/stoa/principals", new { name = $"program {i}" }));
        }

        var first = await elsewhere.GetAsync(Audit);
        var older = Older.Match(first.Html).Groups["path"].Value;
        var second = await elsewhere.GetAsync(older);

        Assert.Equal(100, Count(first.Html, "principal.create"));
        Assert.Equal(1, Count(second.Html, "principal.create"));
        Assert.Contains("organization.create", second.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("invitation.create", first.Html + second.Html, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await viewer.GetAsync(Audit)).Status);
        Assert.DoesNotContain("principal.create", (await owner.GetAsync(Audit)).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Operators_also_read_what_belongs_to_no_organization()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var elsewhere = await site.JoinAsync(owner, "elsewhere@example.org");
        await elsewhere.SendAsync("/console/account/organizations", ("slug", "lyceum"), ("organization_name", "Lyceum"));
        var id = await IdentitySite.PersonIdAsync(elsewhere);
        Assert.Equal(
            HttpStatusCode.Created, await IdentitySite.StatusAsync(owner, HttpMethod.Post, $"/api/stoa/people/{id}/password-reset"));

        Assert.Contains("password.reset_link", (await owner.GetAsync(Audit)).Html, StringComparison.Ordinal);
        Assert.DoesNotContain("password.reset_link", (await elsewhere.GetAsync(Audit)).Html, StringComparison.Ordinal);
        var acts = (await IdentitySite.GetAsync(owner, "/api/stoa/audit?limit=200"))["items"]!.AsArray()
            .Select(entry => (string)entry!["id"]!).ToList();
        Assert.Equal(acts.OrderDescending(StringComparer.Ordinal), acts);
    }

    [Fact]
    public async Task The_audit_calls_people_and_keys_by_their_names_and_keeps_their_ids_at_hand()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var member = await site.JoinAsync(owner, "member@example.org");
        var id = await IdentitySite.PersonIdAsync(member);
        await owner.SendAsync($"{People}/{id}/suspend");

        var html = (await owner.GetAsync(Audit)).Html;

        Assert.Contains($"<span title=\"person:{id}\">member</span>", html, StringComparison.Ordinal);
        Assert.DoesNotContain($">person:{id}<", html, StringComparison.Ordinal);
        Assert.Contains("<code>session:", html, StringComparison.Ordinal);
    }

    private static int Count(string html, string act) => html.Split(act).Length - 1;
}
