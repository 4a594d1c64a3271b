using System.CommandLine;
using System.Net;
using System.Text.RegularExpressions;
using Stoa.Host.Verbs;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

/// <summary>Another address, a forgotten password, and leaving an organization.</summary>
public sealed class OwnAccountTests(SharedIdentitySite shared) : IClassFixture<SharedIdentitySite>
{
    private const string Me = "/api/stoa/me";
    private const string NewPassword = "another long one";

    private static readonly Regex Link =
        new(@"/password-reset\?token=(?<token>[\w-]{43})", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking);

    [Fact]
    public async Task A_new_address_wants_the_password_and_ends_the_other_sessions()
    {
        var (site, email) = (shared.Site, $"cleanthes{shared.Next()}@example.org");
        using var here = await shared.OwnerAsync(email);
        using var there = site.Browser();
        await there.SignInAsync(email, IdentitySite.Password, "/");
        using var before = site.Borrow(here);

        Assert.Equal("wrong_password",
            await IdentitySite.CodeAsync(here, HttpMethod.Put, $"{Me}/email", new { email = "zeno@example.org", password = "wrong" }));
        Assert.Equal(
            "wrong_password", await IdentitySite.CodeAsync(here, HttpMethod.Put, $"{Me}/email", new { email = "zeno@example.org" }));
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(there, HttpMethod.Get, Me));
        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(
            here, HttpMethod.Put, $"{Me}/email", new { email = "Zeno@example.org", password = IdentitySite.Password }));

        Assert.Equal("Zeno@example.org", (string)(await IdentitySite.GetAsync(here, Me))["person"]!["email"]!);
        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(there, HttpMethod.Get, Me));
        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(before, HttpMethod.Get, Me));
        Assert.Equal(HttpStatusCode.Unauthorized, (await there.SignInAsync(email, IdentitySite.Password, "/")).Status);
        Assert.Equal(HttpStatusCode.Found, (await there.SignInAsync("zeno@example.org", IdentitySite.Password, "/")).Status);
    }

    [Fact]
    public async Task An_address_that_somebody_has_is_not_given_twice_and_not_told_for_long()
    {
        var (site, owner, number) = (shared.Site, shared.Owner, shared.Next());
        using var member = await site.JoinAsync(owner, $"member{number}@example.org");

        var codes = new List<string?>();
        for (var i = 0; i < 11; i++)
        {
            codes.Add(await IdentitySite.CodeAsync(
                member, HttpMethod.Put, $"{Me}/email", new { email = IdentitySite.OwnerEmail, password = IdentitySite.Password }));
        }

        Assert.All(codes[..10], code => Assert.Equal("email_taken", code));
        Assert.Equal("rate_limit_exceeded", codes[10]);
        Assert.Equal($"member{number}@example.org", (string)(await IdentitySite.GetAsync(member, Me))["person"]!["email"]!);
    }

    [Fact]
    public async Task A_form_changes_the_address_too()
    {
        using var owner = await shared.OwnerAsync($"owner{shared.Next()}@example.org");

        var wrong = await owner.SendAsync("/console/account/email", ("email", "zenon@example.org"), ("password", "wrong"));
        var right = await owner.SendAsync("/console/account/email", ("email", "zenon@example.org"), ("password", IdentitySite.Password));

        Assert.Equal((HttpStatusCode.BadRequest, true),
            (wrong.Status, wrong.Html.Contains("value=\"zenon@example.org\"", StringComparison.Ordinal)));
        Assert.Equal("/console/account?done=email", right.Location);
        Assert.Contains("Your e-mail address is changed", (await owner.GetAsync(right.Location!)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_sets_a_new_password_once_and_ends_all_sessions()
    {
        var (site, owner, number) = (shared.Site, shared.Owner, shared.Next());
        using var member = await site.JoinAsync(owner, $"member{number}@example.org");
        var id = await IdentitySite.PersonIdAsync(member);
        var shown = await owner.SendAsync($"/console/people/{id}/password-reset");
        var token = Link.Match(WebUtility.HtmlDecode(shown.Html)).Groups["token"].Value;
        using var forgetful = site.Browser();

        var form = await forgetful.GetAsync($"/password-reset?token={token}");
        var weak = await forgetful.SendAsync("/password-reset", ("token", token), ("password", "short"));
        var done = await forgetful.SendAsync("/password-reset", ("token", token), ("password", NewPassword));
        var again = await forgetful.SendAsync("/password-reset", ("token", token), ("password", "yet another one"));

        Assert.Contains($"member{number}@example.org", form.Text, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.Found, HttpStatusCode.NotFound), (weak.Status, done.Status, again.Status));
        Assert.Equal(id, await IdentitySite.PersonIdAsync(forgetful));
        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(member, HttpMethod.Get, Me));
        Assert.Equal(
            HttpStatusCode.Unauthorized, (await member.SignInAsync($"member{number}@example.org", IdentitySite.Password, "/")).Status);
        Assert.Equal(HttpStatusCode.Found, (await member.SignInAsync($"member{number}@example.org", NewPassword, "/")).Status);
        Assert.Contains("not open", (await forgetful.GetAsync($"/password-reset?token={token}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_hundred_who_use_one_link_at_once_one_sets_the_password()
    {
        var (site, owner, number) = (shared.Site, shared.Owner, shared.Next());
        using var member = await site.JoinAsync(owner, $"member{number}@example.org");
        var token = await ResetAsync(owner, await IdentitySite.PersonIdAsync(member));

        var statuses = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            using var browser = site.Browser();
            return ((await browser.SendAsync("/password-reset", ("token", token), ("password", $"password number {i}"))).Status, i);
        }));

        var winner = Assert.Single(statuses, one => one.Status == HttpStatusCode.Found);
        Assert.Equal(99, statuses.Count(one => one.Status == HttpStatusCode.NotFound));
        Assert.Equal(
            HttpStatusCode.Found, (await member.SignInAsync($"member{number}@example.org", $"password number {winner.i}", "/")).Status);
    }

    [Fact]
    public async Task A_link_ends_with_another_one_with_a_new_password_and_with_the_account()
    {
        var (site, owner, number) = (shared.Site, shared.Owner, shared.Next());
        using var member = await site.JoinAsync(owner, $"member{number}@example.org");
        var id = await IdentitySite.PersonIdAsync(member);

        var replaced = await ResetAsync(owner, id);
        var changed = await ResetAsync(owner, id);
        Assert.False(await IsOpenAsync(site, replaced));
        Assert.True(await IsOpenAsync(site, changed));
        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(
            member, HttpMethod.Put, $"{Me}/password", new { old_password = IdentitySite.Password, new_password = NewPassword }));
        Assert.False(await IsOpenAsync(site, changed));

        var suspended = await ResetAsync(owner, id);
        Assert.Equal(HttpStatusCode.OK,
            await IdentitySite.StatusAsync(owner, HttpMethod.Patch, $"/api/stoa/people/{id}", new { state = "suspended" }));
        Assert.False(await IsOpenAsync(site, suspended));
        Assert.Equal("no_password_sign_in", await IdentitySite.CodeAsync(owner, HttpMethod.Post, $"/api/stoa/people/{id}/password-reset"));
    }

    [Fact]
    public async Task A_shell_on_the_host_helps_even_the_last_owner()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var output = new StringWriter();
        using var error = new StringWriter();
        var root = new RootCommand { PeopleVerb.Create((work, ct) => work(site.Services, ct)) };
        InvocationConfiguration console = new() { Output = output, Error = error };

        Assert.Equal(0, await root.Parse(["people", "reset-password", "OWNER@example.org"]).InvokeAsync(
            console, TestContext.Current.CancellationToken));
        var token = Link.Match(output.ToString()).Groups["token"].Value;
        Assert.Equal(1, await root.Parse(["people", "reset-password", "nobody@example.org"]).InvokeAsync(
            console, TestContext.Current.CancellationToken));

        using var browser = site.Browser();
        Assert.Equal(
            HttpStatusCode.Found, (await browser.SendAsync("/password-reset", ("token", token), ("password", NewPassword))).Status);
        Assert.Equal(await IdentitySite.PersonIdAsync(browser),
            (string)(await IdentitySite.GetAsync(browser, "/api/stoa/people"))["items"]![0]!["id"]!);
    }

    [Fact]
    public async Task No_admin_becomes_an_owner_by_a_link()
    {
        var (site, owner, number) = (shared.Site, shared.Owner, shared.Next());
        using var admin = await site.JoinAsync(owner, $"admin{number}@example.org", "admin");
        using var member = await site.JoinAsync(owner, $"member{number}@example.org");
        var path = $"/api/stoa/people/{await IdentitySite.PersonIdAsync(owner)}/password-reset";

        Assert.Equal(HttpStatusCode.Forbidden, await IdentitySite.StatusAsync(admin, HttpMethod.Post, path));
        Assert.Equal(HttpStatusCode.Forbidden, await IdentitySite.StatusAsync(member, HttpMethod.Post, path));
        Assert.Equal(HttpStatusCode.Created, await IdentitySite.StatusAsync(owner, HttpMethod.Post, path));
        Assert.Equal(HttpStatusCode.Created, await IdentitySite.StatusAsync(
            admin, HttpMethod.Post, $"/api/stoa/people/{await IdentitySite.PersonIdAsync(member)}/password-reset"));
    }

    [Fact]
    public async Task An_admins_link_is_void_once_its_person_owns_the_installation()
    {
        var (site, owner, number) = (shared.Site, shared.Owner, shared.Next());
        using var admin = await site.JoinAsync(owner, $"admin{number}@example.org", "admin");
        using var member = await site.JoinAsync(owner, $"member{number}@example.org");
        var id = await IdentitySite.PersonIdAsync(member);
        var token = await ResetAsync(admin, id);
        Assert.True(await IsOpenAsync(site, token));

        Assert.Equal(
            HttpStatusCode.OK, await IdentitySite.StatusAsync(owner, HttpMethod.Patch, $"/api/stoa/members/{id}", new { role = "owner" }));

        Assert.False(await IsOpenAsync(site, token));
        using var browser = site.Browser();
        Assert.Equal(
            HttpStatusCode.NotFound, (await browser.SendAsync("/password-reset", ("token", token), ("password", NewPassword))).Status);
        Assert.True(await IsOpenAsync(site, await ResetAsync(owner, id)));
    }

    [Fact]
    public async Task Whoever_leaves_an_organization_acts_for_another_of_his()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var member = await site.JoinAsync(owner, "member@example.org", "admin");
        await member.SendAsync("/console/account/organizations", ("slug", "lyceum"), ("organization_name", "Lyceum"));
        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(
            member, HttpMethod.Put, $"{Me}/organization", new { organization_id = Organization.DefaultId }));
        using var before = site.Borrow(member);

        Assert.Equal(HttpStatusCode.NoContent,
            await IdentitySite.StatusAsync(member, HttpMethod.Delete, $"{Me}/organizations/{Organization.DefaultId}"));

        var me = await IdentitySite.GetAsync(member, Me);
        Assert.Equal("Lyceum", (string)me["organization"]!["name"]!);
        Assert.Single(me["organizations"]!.AsArray());
        Assert.Equal(HttpStatusCode.Unauthorized, await IdentitySite.StatusAsync(before, HttpMethod.Get, Me));
        Assert.Equal(HttpStatusCode.NotFound,
            await IdentitySite.StatusAsync(member, HttpMethod.Delete, $"{Me}/organizations/{Organization.DefaultId}"));
        Assert.Single((await IdentitySite.GetAsync(owner, "/api/stoa/members"))["items"]!.AsArray());
        Assert.Contains(
            (await IdentitySite.GetAsync(owner, "/api/stoa/audit"))["items"]!.AsArray(), entry => (string)entry!["act"]! == "member.leave");
    }

    [Fact]
    public async Task The_only_owner_stays_and_whoever_leaves_the_only_one_acts_for_none()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var viewer = await site.JoinAsync(owner, "viewer@example.org", "viewer");

        Assert.Equal("last_owner", await IdentitySite.CodeAsync(owner, HttpMethod.Delete, $"{Me}/organizations/{Organization.DefaultId}"));
        var left = await viewer.SendAsync($"/console/account/organizations/{Organization.DefaultId}/leave");

        Assert.Equal("/console/account?done=left", left.Location);
        Assert.Contains("You have left the organization", (await viewer.GetAsync(left.Location!)).Text, StringComparison.Ordinal);
        Assert.Null((await IdentitySite.GetAsync(viewer, Me))["organization"]);
        Assert.Equal(
            "no_organization", await IdentitySite.CodeAsync(viewer, HttpMethod.Get, $"/api/stoa/organizations/{Organization.DefaultId}"));
    }

    private static async Task<string> ResetAsync(Browser owner, string id)
    {
        using var answer = await owner.CallAsync(HttpMethod.Post, $"/api/stoa/people/{id}/password-reset");
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (string)(await IdentitySite.ReadAsync(answer))["token"]!;
    }

    private static async Task<bool> IsOpenAsync(IdentitySite site, string token)
    {
        using var browser = site.Browser();
        return (await browser.GetAsync($"/password-reset?token={token}")).Text.Contains("Set a new password", StringComparison.Ordinal);
    }
}
