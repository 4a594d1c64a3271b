using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Stoa.Tests.Platform.Identity;

public sealed class MemberTests(SharedIdentitySite shared) : IClassFixture<SharedIdentitySite>
{
    private const string Members = "/api/stoa/members";
    private const string Accept = "/api/stoa/invitations/accept";
    private const string Waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_invitation_leads_into_a_second_organization()
    {
        var (site, number) = (shared.Site, shared.Next());
        using var owner = await shared.OwnerAsync($"owner{number}@example.org");
        using var guest = await site.JoinAsync(owner, $"guest{number}@example.org", "viewer");
        await owner.SendAsync("/console/account/organizations", ("slug", $"lyceum{number}"), ("organization_name", "Lyceum"));
        var token = await IdentitySite.InviteAsync(owner, $"Guest{number}@Example.org", "admin");

        var shown = await guest.GetAsync($"/invitation?token={token}");
        Assert.Equal(HttpStatusCode.Found, (await guest.SendAsync("/invitation/accept", ("token", token))).Status);

        Assert.Contains("Join Lyceum", shown.Text, StringComparison.Ordinal);
        var me = await IdentitySite.GetAsync(guest, "/api/stoa/me");
        Assert.Equal(("Lyceum", "admin", 2), (
            (string)me["organization"]!["name"]!, (string)me["organization"]!["role"]!, me["organizations"]!.AsArray().Count));
        var first = me["organizations"]!.AsArray().Single(own => (string)own!["name"]! == "Agora")!;
        Assert.Equal("viewer", (string)first["role"]!);
        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(
            guest, HttpMethod.Put, "/api/stoa/me/organization", new { organization_id = (string)first["id"]! }));
        Assert.Equal(HttpStatusCode.Forbidden, await IdentitySite.StatusAsync(guest, HttpMethod.Get, Members));
    }

    [Fact]
    public async Task An_invitation_is_for_one_person_and_one_time()
    {
        var (site, number) = (shared.Site, shared.Next());
        using var owner = await shared.OwnerAsync($"owner{number}@example.org");
        using var guest = await site.JoinAsync(owner, $"guest{number}@example.org");
        using var stranger = await site.JoinAsync(owner, $"stranger{number}@example.org");
        await owner.SendAsync("/console/account/organizations", ("slug", $"lyceum{number}"), ("organization_name", "Lyceum"));
        var token = await IdentitySite.InviteAsync(owner, $"guest{number}@example.org");

        Assert.Equal("invitation_not_open", await IdentitySite.CodeAsync(stranger, HttpMethod.Post, Accept, new { token }));
        var statuses = await Task.WhenAll(Enumerable.Range(0, 100)
            .Select(_ => IdentitySite.StatusAsync(guest, HttpMethod.Post, Accept, new { token })));

        Assert.Single(statuses, HttpStatusCode.OK);
        Assert.Equal(99, statuses.Count(status => status is HttpStatusCode.NotFound or HttpStatusCode.Conflict));
        Assert.Equal(2, (await IdentitySite.GetAsync(owner, Members))["items"]!.AsArray().Count);
    }

    [Fact]
    public async Task Of_many_who_make_an_account_by_one_link_one_does()
    {
        var (site, number) = (shared.Site, shared.Next());
        using var owner = await shared.OwnerAsync($"owner{number}@example.org");
        var token = await IdentitySite.InviteAsync(owner, $"guest{number}@example.org");

        var statuses = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            using var browser = site.Browser();
            return (await browser.SendAsync(
                "/invitation/join", ("token", token), ("name", $"Guest {i}"), ("password", IdentitySite.Password))).Status;
        }));

        Assert.Single(statuses, HttpStatusCode.Found);
        Assert.Equal(99, statuses.Count(status => status is HttpStatusCode.NotFound or HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task A_withdrawn_or_replaced_invitation_is_closed()
    {
        var (site, number) = (shared.Site, shared.Next());
        using var owner = await shared.OwnerAsync($"owner{number}@example.org");
        var email = $"guest{number}@example.org";
        var replaced = await IdentitySite.InviteAsync(owner, email);
        var withdrawn = await IdentitySite.InviteAsync(owner, email);
        var open = (await IdentitySite.GetAsync(owner, "/api/stoa/invitations"))["items"]!.AsArray()
            .Single(invitation => (string?)invitation!["email"] == email && invitation["revoked_at"] is null)!;

        Assert.Equal(
            HttpStatusCode.NoContent, await IdentitySite.StatusAsync(owner, HttpMethod.Delete, $"/api/stoa/invitations/{open["id"]}"));

        using var guest = site.Browser();
        foreach (var token in new[] { replaced, withdrawn, "nonsense", new string('x', 4_000) })
        {
            Assert.Contains("not open", (await guest.GetAsync($"/invitation?token={token}")).Text, StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.NotFound, (await guest.SendAsync(
                "/invitation/join", ("token", token), ("name", "Guest"), ("password", IdentitySite.Password))).Status);
        }
    }

    [Fact]
    public async Task The_last_owner_stays()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var heir = await site.JoinAsync(owner, "heir@example.org", "owner");
        var (first, second) = (await IdentitySite.PersonIdAsync(owner), await IdentitySite.PersonIdAsync(heir));

        var both = await Task.WhenAll(
            IdentitySite.StatusAsync(owner, HttpMethod.Patch, $"{Members}/{second}", new { role = "member" }),
            IdentitySite.StatusAsync(heir, HttpMethod.Patch, $"{Members}/{first}", new { role = "member" }));

        // Each makes the other one less: one of them comes too late, and one owner is left, who cannot go.
        Assert.Single(both, HttpStatusCode.OK);
        var (last, id) = both[0] == HttpStatusCode.OK ? (owner, first) : (heir, second);
        Assert.Equal("last_owner", await IdentitySite.CodeAsync(last, HttpMethod.Patch, $"{Members}/{id}", new { role = "admin" }));
        Assert.Equal("last_owner", await IdentitySite.CodeAsync(last, HttpMethod.Delete, $"{Members}/{id}"));
    }

    [Fact]
    public async Task An_owner_who_is_suspended_is_none_to_leave_it_to()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var heir = await site.JoinAsync(owner, "heir@example.org", "owner");
        var (first, second) = (await IdentitySite.PersonIdAsync(owner), await IdentitySite.PersonIdAsync(heir));
        var organization = (string)(await IdentitySite.GetAsync(owner, "/api/stoa/me"))["organization"]!["id"]!;
        var leave = $"/api/stoa/me/organizations/{organization}";
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(
            owner, HttpMethod.Patch, $"/api/stoa/people/{second}", new { state = "suspended" }));

        Assert.Equal("last_owner", await IdentitySite.CodeAsync(owner, HttpMethod.Delete, leave));
        Assert.Equal("last_owner", await IdentitySite.CodeAsync(owner, HttpMethod.Patch, $"{Members}/{first}", new { role = "admin" }));
        Assert.Equal("last_owner", await IdentitySite.CodeAsync(owner, HttpMethod.Post, "/api/stoa/me/erasure"));

        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(
            owner, HttpMethod.Patch, $"/api/stoa/people/{second}", new { state = "active" }));
        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(owner, HttpMethod.Delete, leave));
    }

    [Fact]
    public async Task Of_two_owners_one_stays_when_one_leaves_while_the_other_is_suspended()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var heir = await site.JoinAsync(owner, "heir@example.org", "owner");
        using var desk = site.Borrow(owner);
        var (first, second) = (await IdentitySite.PersonIdAsync(owner), await IdentitySite.PersonIdAsync(heir));
        var organization = (string)(await IdentitySite.GetAsync(owner, "/api/stoa/me"))["organization"]!["id"]!;
        var source = site.Services.GetRequiredService<NpgsqlDataSource>();

        // Whoever leaves is held up where he has seen that another owner is left, and is not gone yet.
        await using var connection = await source.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await using var hold = new NpgsqlCommand($"select from platform.memberships where person_id = '{first}' for update", connection);
        await hold.ExecuteNonQueryAsync(Ct);
        var leaving = IdentitySite.StatusAsync(owner, HttpMethod.Delete, $"/api/stoa/me/organizations/{organization}");
        await IdentitySite.Until(async () => await CountAsync(Waiting) == 1);
        var suspending = IdentitySite.StatusAsync(desk, HttpMethod.Patch, $"/api/stoa/people/{second}", new { state = "suspended" });
        await IdentitySite.Until(async () => suspending.IsCompleted || await CountAsync(Waiting) == 2);
        await transaction.CommitAsync(Ct);

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.Conflict), (await leaving, await suspending));
        Assert.Equal(1, await CountAsync("""
            select count(*) from platform.memberships m join platform.people p on p.id = m.person_id
            where m.role = 'owner' and p.state = 'active'
            """));

        async Task<long> CountAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            return (long)(await command.ExecuteScalarAsync(Ct))!;
        }
    }

    [Fact]
    public async Task An_admin_neither_makes_owners_nor_unmakes_them()
    {
        var (site, number) = (shared.Site, shared.Next());
        using var owner = await shared.OwnerAsync($"owner{number}@example.org");
        using var admin = await site.JoinAsync(owner, $"admin{number}@example.org", "admin");
        var (ownerId, adminId) = (await IdentitySite.PersonIdAsync(owner), await IdentitySite.PersonIdAsync(admin));

        Assert.Equal(HttpStatusCode.Forbidden,
            await IdentitySite.StatusAsync(admin, HttpMethod.Patch, $"{Members}/{adminId}", new { role = "owner" }));
        Assert.Equal(HttpStatusCode.Forbidden,
            await IdentitySite.StatusAsync(admin, HttpMethod.Patch, $"{Members}/{ownerId}", new { role = "viewer" }));
        Assert.Equal(HttpStatusCode.Forbidden, await IdentitySite.StatusAsync(admin, HttpMethod.Delete, $"{Members}/{ownerId}"));
        Assert.Equal(HttpStatusCode.Forbidden, await IdentitySite.StatusAsync(
            admin, HttpMethod.Post, "/api/stoa/invitations", new { email = $"friend{number}@example.org", role = "owner" }));
    }

    [Fact]
    public async Task Another_organizations_rows_are_not_found()
    {
        var (site, number) = (shared.Site, shared.Next());
        using var owner = await shared.OwnerAsync($"owner{number}@example.org");
        using var guest = await site.JoinAsync(owner, $"guest{number}@example.org");
        var ownerId = await IdentitySite.PersonIdAsync(owner);
        await IdentitySite.InviteAsync(owner, $"third{number}@example.org");
        var invitation = (string)(await IdentitySite.GetAsync(owner, "/api/stoa/invitations"))["items"]![0]!["id"]!;
        var key = (string)(await IdentitySite.GetAsync(owner, "/api/stoa/keys"))["items"]![0]!["id"]!;
        var organization = (string)(await IdentitySite.GetAsync(owner, "/api/stoa/me"))["organization"]!["id"]!;
        using var principal = await owner.CallAsync(HttpMethod.Post, "/api/stoa/principals", new { name = "crawler" });
        var program = (string)(await IdentitySite.ReadAsync(principal))["id"]!;
        await guest.SendAsync("/console/account/organizations", ("slug", $"garden{number}"), ("organization_name", "Garden"));

        (HttpMethod Method, string Path, object? Body)[] foreign =
        [
            (HttpMethod.Get, $"{Members}/{ownerId}", null), (HttpMethod.Patch, $"{Members}/{ownerId}", new { role = "viewer" }),
            (HttpMethod.Delete, $"{Members}/{ownerId}", null), (HttpMethod.Delete, $"/api/stoa/invitations/{invitation}", null),
            (HttpMethod.Get, $"/api/stoa/keys/{key}", null), (HttpMethod.Delete, $"/api/stoa/keys/{key}", null),
            (HttpMethod.Get, $"/api/stoa/organizations/{organization}", null),
            (HttpMethod.Patch, $"/api/stoa/organizations/{organization}", new { name = "Mine" }),
            (HttpMethod.Delete, $"/api/stoa/principals/{program}", null),
        ];
        foreach (var (method, path, body) in foreign)
        {
            Assert.Equal((path, HttpStatusCode.NotFound), (path, await IdentitySite.StatusAsync(guest, method, path, body)));
        }

        Assert.Equal(HttpStatusCode.Forbidden, await IdentitySite.StatusAsync(guest, HttpMethod.Get, "/api/stoa/people"));
        Assert.Equal(HttpStatusCode.BadRequest, await IdentitySite.StatusAsync(
            guest, HttpMethod.Post, "/api/stoa/keys", new { name = "borrowed", principal_id = program }));
        string[] lists = ["members", "invitations", "keys", "principals", "audit"];
        foreach (var list in lists)
        {
            var text = (await IdentitySite.GetAsync(guest, $"/api/stoa/{list}")).ToJsonString();
            Assert.DoesNotContain(ownerId, text, StringComparison.Ordinal);
            Assert.DoesNotContain(organization, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_keys_of_a_program_end_with_it()
    {
        var owner = shared.Owner;
        using var made = await owner.CallAsync(HttpMethod.Post, "/api/stoa/principals", new { name = "crawler" });
        var program = (string)(await IdentitySite.ReadAsync(made))["id"]!;
        using var key = await owner.CallAsync(HttpMethod.Post, "/api/stoa/keys", new { name = "crawler", principal_id = program });
        var id = (string)(await IdentitySite.ReadAsync(key))["key"]!["id"]!;

        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(owner, HttpMethod.Delete, $"/api/stoa/principals/{program}"));

        Assert.NotNull((await IdentitySite.GetAsync(owner, $"/api/stoa/keys/{id}"))["revoked_at"]);
        Assert.Equal(HttpStatusCode.BadRequest, await IdentitySite.StatusAsync(
            owner, HttpMethod.Post, "/api/stoa/keys", new { name = "again", principal_id = program }));
    }

    [Fact]
    public async Task Every_act_on_people_is_written_down_without_a_secret_or_an_address()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var member = await site.JoinAsync(owner, "member@example.org");
        var id = await IdentitySite.PersonIdAsync(member);
        await IdentitySite.StatusAsync(owner, HttpMethod.Patch, $"{Members}/{id}", new { role = "admin" });
        await IdentitySite.StatusAsync(owner, HttpMethod.Delete, $"{Members}/{id}");

        var entries = (await IdentitySite.GetAsync(owner, "/api/stoa/audit?limit=200"))["items"]!.AsArray();

        string[] acts = ["member.remove", "member.role", "invitation.accept", "invitation.create", "session.begin", "key.create", "setup"];
        Assert.Subset(
            entries.Select(entry => (string)entry!["act"]!).ToHashSet(StringComparer.Ordinal), acts.ToHashSet(StringComparer.Ordinal));
        Assert.DoesNotContain("@", entries.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(entries.Select(entry => (string)entry!["id"]!),
            entries.Select(entry => (string)entry!["id"]!).OrderDescending(StringComparer.Ordinal));
    }
}
