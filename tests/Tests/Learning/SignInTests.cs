using System.Text.Json.Nodes;

namespace Stoa.Tests.Learning;

public sealed class SignInTests
{
    [Fact]
    public async Task Whoever_signs_in_first_becomes_a_user_and_a_person_of_the_platform()
    {
        await using var site = await LearningSite.StartAsync();

        var ada = await site.SignInAsync("Ada@Example.org");
        var again = await site.SignInAsync("ada@example.org", "Somebody Else");
        var user = await site.GetAsync(ada, $"/users/{ada.Id}");

        Assert.Equal(ada.Id, again.Id);
        Assert.Equal(("ada@example.org", "Ada", "Mary Jane", "Lovelace"),
            ((string?)user["email"], (string?)user["first_name"], (string?)user["middle_name"], (string?)user["last_name"]));
        Assert.Matches("^#[0-9a-f]{6}$", (string?)user["default_dp_color"]);
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", (string?)user["created_at"]);
        Assert.Equal(1L, await site.ValueAsync<long>(
            "select count(*) from learning.users u join platform.external_accounts a using (person_id) where a.provider = 'google'"));
    }

    [Fact]
    public async Task Where_Google_tells_no_name_the_person_has_the_one_that_he_gives()
    {
        await using var site = await LearningSite.StartAsync();

        await site.SignInAsync("lena@x.org", "Lena", "Lark");

        Assert.Equal("Lena Lark", await site.ValueAsync<string>("select name from platform.people where email = 'lena@x.org'"));
    }

    [Fact]
    public async Task A_token_of_another_address_and_an_address_that_is_not_verified_are_refused()
    {
        await using var site = await LearningSite.StartAsync();
        var body = new JsonObject { ["email"] = "a@x.org", ["given_name"] = "A", ["id_token"] = site.IdToken("b@x.org") };

        Assert.Equal(
            "401 Email in token doesn't match provided email", await site.StatusesAsync(null, HttpMethod.Post, "/auth/login", body));
        body["id_token"] = site.IdToken("a@x.org", isVerified: false);
        Assert.StartsWith("401 Invalid authentication token",
            await site.StatusesAsync(null, HttpMethod.Post, "/auth/login", body), StringComparison.Ordinal);
        Assert.Equal(0L, await site.ValueAsync<long>("select count(*) from learning.users"));
    }

    [Fact]
    public async Task Somebody_who_was_invited_gets_his_names_when_he_signs_in()
    {
        await using var site = await LearningSite.StartAsync();
        var owner = await site.SignInAsync("owner@x.org");
        var org = await site.MakeAsync(owner, "/organizations/", new JsonObject { ["name"] = "X", ["slug"] = "x", ["user_id"] = owner.Id });
        await site.PostAsync(owner, $"/organizations/{org}/members", new JsonObject { ["emails"] = new JsonArray("Bea@X.org") });

        var bea = await site.SignInAsync("bea@x.org", "Bea", "");
        var user = await site.GetAsync(bea, $"/users/{bea.Id}");
        var orgs = await site.GetAsync(bea, $"/users/{bea.Id}/orgs");

        Assert.Equal(("Bea", ""), ((string?)user["first_name"], (string?)user["last_name"]));
        Assert.Null(user["middle_name"]);
        Assert.Equal("admin", (string?)orgs[0]!["role"]);
    }

    [Fact]
    public async Task A_token_of_an_id_that_has_another_address_and_a_suspended_person_are_nobody()
    {
        await using var site = await LearningSite.StartAsync();
        var ada = await site.SignInAsync("ada@x.org");

        Assert.Equal(401, (await site.SendAsync(site.Known(ada.Id, "bea@x.org"), HttpMethod.Get, $"/users/{ada.Id}")).Status);
        Assert.Equal(401, (await site.SendAsync(site.Known(ada.Id + 1, "ada@x.org"), HttpMethod.Get, $"/users/{ada.Id}")).Status);
        await site.SqlAsync("update platform.people set state = 'suspended'");
        Assert.Equal("401 Not authenticated", await site.StatusesAsync(ada, HttpMethod.Get, $"/users/{ada.Id}"));
    }

    [Fact]
    public async Task The_front_ends_server_reads_what_is_published_behind_its_secret_and_nothing_else()
    {
        const string secret = "the front end's server";
        await using var site = await LearningSite.StartAsync(("Learning:Auth:ServiceTokens:0", secret));
        var school = await School.OpenAsync(site, "own");
        var service = $"/_svc/{Uri.EscapeDataString(secret)}";

        Assert.Equal("Logic", (string?)(await site.GetAsync(null, $"{service}/courses/{school.Course}"))["name"]);
        Assert.Equal(school.Learner.Email, (string?)(await site.GetAsync(null, $"{service}/users/{school.Learner.Id}"))["email"]);
        Assert.Equal(3, (await site.GetAsync(null, $"{service}/cohorts/{school.Cohort}"))["members"]!.AsArray().Count);
        Assert.Equal(
            "403 Forbidden", await site.StatusesAsync(null, HttpMethod.Get, $"{service}/courses/{school.Course}?only_published=false"));
        Assert.Equal("401 Not authenticated", await site.StatusesAsync(null, HttpMethod.Get, $"/_svc/wrong/courses/{school.Course}"));
        Assert.Equal(404, (await site.SendAsync(null, HttpMethod.Get, $"{service}/tasks/{school.Quiz}")).Status);
    }
}
