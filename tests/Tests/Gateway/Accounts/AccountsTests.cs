using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Gateway.Accounts;

public sealed class AccountsTests(GtwyHost host) : IClassFixture<GtwyHost>
{
    private const string Password = "a long enough one";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_person_signs_in_makes_an_organization_and_gets_its_token()
    {
        var (session, email) = await SignInAsync();

        var (_, before) = await host.SendAsync("GET", "/api/c/getDetails", null, session);
        var (made, company) = await host.SendAsync(
            "POST", "/api/c/createCompany", new { company = new { name = "Porch", timezone = "Europe/Athens" } }, session);
        Assert.True(company?["data"] is not null, company?.ToJsonString());
        var id = (string?)company!["data"]!["id"];
        var (switched, _) = await host.SendAsync("POST", "/api/c/switchCompany", new { company_ref_id = id }, session);
        var (_, after) = await host.SendAsync("GET", "/api/c/getDetails", null, session);
        var (_, token) = await host.SendAsync("POST", "/api/user/localToken", null, session);
        var (_, info) = await host.SendAsync("GET", "/api/internal/info", null, ("Authorization", (string)token!["data"]!["token"]!));

        Assert.Equal(email, (string?)before!["data"]![0]!["email"]);
        Assert.Null(before["data"]![0]!["currentCompany"]);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (made, switched));
        Assert.Equal(("Porch", "Europe/Athens"),
            ((string?)after!["data"]![0]!["currentCompany"]!["name"], (string?)after["data"]![0]!["currentCompany"]!["timezone"]));
        Assert.Equal(id, (string?)info!["org_id"]);
    }

    [Fact]
    public async Task Whoever_signs_out_is_out_with_session_and_token()
    {
        var (session, _) = await SignInAsync(MemberRole.Admin);
        var (_, answer) = await host.SendAsync("POST", "/api/user/localToken", null, session);
        var token = ("Authorization", (string)answer!["data"]!["token"]!);

        var (first, _) = await host.SendAsync("GET", "/api/internal/info", null, token);
        await host.SendAsync("POST", "/api/user/logout", null, token);
        var (tokenAfter, _) = await host.SendAsync("GET", "/api/internal/info", null, token);
        await host.SendAsync("DELETE", "/api/c/logout", null, session);
        var (sessionAfter, _) = await host.SendAsync("GET", "/api/c/getDetails", null, session);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (first, tokenAfter, sessionAfter));
    }

    [Fact]
    public async Task A_token_for_another_organization_ends_the_one_before()
    {
        var (session, _) = await SignInAsync(MemberRole.Member);
        var (_, company) = await host.SendAsync("POST", "/api/c/createCompany", new { company = new { name = "Second" } }, session);
        var (_, answer) = await host.SendAsync("POST", "/api/user/localToken", null, session);
        var token = ("Authorization", (string)answer!["data"]!["token"]!);

        var (strange, _) = await host.SendAsync("POST", "/api/user/switchOrg", new { orgId = $"{host.OtherId}" }, token);
        var (status, next) = await host.SendAsync("POST", "/api/user/switchOrg", new { orgId = (string?)company!["data"]!["id"] }, token);
        var (old, _) = await host.SendAsync("GET", "/api/internal/info", null, token);
        var (_, info) = await host.SendAsync("GET", "/api/internal/info", null, ("Authorization", (string)next!["data"]!["token"]!));

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.OK, HttpStatusCode.Unauthorized), (strange, status, old));
        Assert.Equal("Second", (string?)info!["organization_name"]);
    }

    [Fact]
    public async Task Keys_of_the_organization_are_made_shown_once_checked_and_revoked()
    {
        var (session, _) = await SignInAsync(MemberRole.Admin);
        var (_, made) = await host.SendAsync("POST", "/api/c/authkey", new { name = "site", throttle_limit = "60:1" }, session);
        var key = (string)made!["data"]!["authkey"]!;

        var (_, listed) = await host.SendAsync("GET", "/api/c/authkey?name=site", null, session);
        var (_, checkedKey) = await host.SendAsync("POST", "/api/validateCauthKey", new { cAuthKey = key }, ("authkey", "stoa-dev"));
        var (wrong, _) = await host.SendAsync("POST", "/api/validateCauthKey", new { cAuthKey = key }, ("authkey", key));
        var (works, _) = await host.SendAsync("GET", "/api/internal/info", null, ("pauthkey", key));
        await host.SendAsync("DELETE", $"/api/c/authkey/{made["data"]!["id"]}", null, session);
        var (_, revoked) = await host.SendAsync("GET", "/api/c/authkey?name=site", null, session);
        var (unknown, _) = await host.SendAsync("POST", "/api/validateCauthKey", new { cAuthKey = "nothing" }, ("authkey", "stoa-dev"));

        Assert.NotEqual(key, (string?)listed!["data"]!["data"]![0]!["authkey"]);
        Assert.Equal("60", (string?)checkedKey!["data"]!["authkey"]!["throttle_limit"]);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK, HttpStatusCode.Unauthorized), (wrong, works, unknown));
        Assert.Equal(0, (int)revoked!["data"]!["data"]![0]!["status"]!);
    }

    [Fact]
    public async Task Members_are_found_asked_in_and_removed_but_not_the_owner()
    {
        var (admin, email) = await SignInAsync(MemberRole.Admin);
        var (member, memberEmail) = await SignInAsync(MemberRole.Member);
        var (_, answer) = await host.SendAsync("POST", "/api/user/localToken", null, admin);
        var token = ("Authorization", (string)answer!["data"]!["token"]!);

        var (_, found) =
            await host.SendAsync("GET", $"/api/c/getUsers?search={Uri.EscapeDataString(memberEmail.ToUpperInvariant())}", null, admin);
        var (refused, _) = await host.SendAsync("POST", "/api/c/addUser", new { user = new { email = "new@example.org" } }, member);
        var (asked, invitation) = await host.SendAsync("POST", "/api/c/addUser", new { user = new { email = "new@example.org" } }, admin);
        var (removed, _) =
            await host.SendAsync("DELETE", "/api/user/deleteUser", new { user_id = (string?)found!["data"]!["data"]![0]!["id"] }, token);
        var (again, _) =
            await host.SendAsync("DELETE", "/api/user/deleteUser", new { user_id = (string?)found["data"]!["data"]![0]!["id"] }, token);
        var (_, people) = await host.SendAsync("GET", "/api/utils/users-details", null, token);

        Assert.Equal(1, (int)found["data"]!["totalEntityCount"]!);
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), (refused, asked));
        Assert.StartsWith("/invitation?token=", (string?)invitation!["data"]!["invitation"]);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (removed, again));
        Assert.Contains(people!["data"]!.AsArray(), person => (string?)person!["email"] == email);
        Assert.DoesNotContain(people["data"]!.AsArray(), person => (string?)person!["email"] == memberEmail);
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_address_read_alike()
    {
        var (_, email) = await SignInAsync();

        var wrong = await host.SendAsync("POST", "/api/local/login", new { email, password = "not this one at all" }, []);
        var unknown =
            await host.SendAsync("POST", "/api/local/login", new { email = "nobody@example.org", password = "not this one at all" }, []);

        Assert.Equal(HttpStatusCode.Unauthorized, wrong.Status);
        Assert.Equal((wrong.Status, wrong.Body!.ToJsonString()), (unknown.Status, unknown.Body!.ToJsonString()));
    }

    private async Task<((string, string) Session, string Email)> SignInAsync(MemberRole? role = null)
    {
        var email = $"{Guid.CreateVersion7():N}@example.org";
        await using var scope = host.Host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<IdentityDb>();
        var person = new Person
        {
            Id = Guid.CreateVersion7(),
            Name = "Zeno",
            Email = email,
            EmailKey = EmailAddress.KeyOf(email),
            PasswordHash = await scope.ServiceProvider.GetRequiredService<PasswordSignIn>().HashAsync(Password, "password", Ct),
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
        db.People.Add(person);
        await db.SaveChangesAsync(Ct);
        if (role is { } given)
        {
            await scope.ServiceProvider.GetRequiredService<MemberStore>().AddAsync(Organization.DefaultId, person.Id, given, "test", Ct);
        }
        var (status, body) = await host.SendAsync("POST", "/api/local/login", new { email, password = Password }, []);
        Assert.Equal(HttpStatusCode.OK, status);
        return (("proxy_auth_token", (string)body!["data"]!["proxy_token"]!), email);
    }
}
