using System.IO.Compression;
using System.Net;
using System.Text.Json.Nodes;
using Stoa.Tests.Platform.Identity;

namespace Stoa.Tests.Platform.Privacy;

public sealed class PrivacyTests(SharedIdentitySite shared, PrivacyTests.Patient patient)
    : IClassFixture<SharedIdentitySite>, IClassFixture<PrivacyTests.Patient>
{
    private const string Erasure = "/api/stoa/me/erasure";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_export_holds_everything_about_the_person_and_nothing_about_others()
    {
        var (site, owner) = (shared.Site, shared.Owner);
        using var member = await site.JoinAsync(owner, "reader@example.org");

        using var answer = await member.CallAsync(HttpMethod.Get, "/api/stoa/me/export");

        Assert.Equal((HttpStatusCode.OK, "application/zip"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        await using var zip = new ZipArchive(await answer.Content.ReadAsStreamAsync(Ct));
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in zip.Entries)
        {
            using var reader = new StreamReader(await entry.OpenAsync(Ct));
            files[entry.FullName] = await reader.ReadToEndAsync(Ct);
        }
        Assert.Equal(
            ["platform/accounts.json", "platform/audit.json", "platform/invitations.json",
                "platform/memberships.json", "platform/person.json", "platform/sessions.json"],
            files.Keys.Where(name => name.StartsWith("platform/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal("reader@example.org", (string)JsonNode.Parse(files["platform/person.json"])![0]!["email"]!);
        Assert.Equal("Agora", (string)JsonNode.Parse(files["platform/memberships.json"])![0]!["organization"]!);
        var all = string.Concat(files.Values);
        Assert.DoesNotContain(IdentitySite.OwnerEmail, all, StringComparison.Ordinal);
        Assert.DoesNotContain("hash", all, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task After_the_grace_time_nothing_of_the_person_is_left_but_an_id()
    {
        var (site, owner) = (shared.Site, shared.Owner);
        using var member = await site.JoinAsync(owner, "member@example.org");
        var id = await IdentitySite.PersonIdAsync(member);

        Assert.Equal(HttpStatusCode.Accepted, await IdentitySite.StatusAsync(member, HttpMethod.Post, Erasure));
        await IdentitySite.Until(async () => (string)(await IdentitySite.GetAsync(owner, $"/api/stoa/people/{id}"))["state"]! == "erased");

        // The host forgets his sessions right after the commit that the owner may have read already.
        await IdentitySite.Until(
            async () => await IdentitySite.StatusAsync(member, HttpMethod.Get, "/api/stoa/me") == HttpStatusCode.Unauthorized);
        var left = await IdentitySite.GetAsync(owner, $"/api/stoa/people/{id}");
        Assert.Equal(("", null), ((string)left["name"]!, (string?)left["email"]));
        await using var source = Npgsql.NpgsqlDataSource.Create(site.Database);
        string[] tables = ["people", "sessions", "memberships", "external_accounts", "invitations", "audit", "jobs"];
        foreach (var table in tables)
        {
            await using var command =
                source.CreateCommand($"select count(*) from platform.{table} row where row::text ilike '%member@example.org%'");
            Assert.Equal((table, 0L), (table, (long)(await command.ExecuteScalarAsync(Ct))!));
        }
        using var again = await site.JoinAsync(owner, "member@example.org");
        Assert.NotEqual(id, await IdentitySite.PersonIdAsync(again));
    }

    [Fact]
    public async Task Until_then_it_can_be_taken_back()
    {
        using var owner = await patient.OwnerAsync("hesitant@example.org");

        using var asked = await owner.CallAsync(HttpMethod.Post, Erasure);
        var end = (DateTimeOffset)(await IdentitySite.ReadAsync(asked))["erase_at"]!;
        Assert.InRange(end, TimeProvider.System.GetUtcNow().AddDays(13), TimeProvider.System.GetUtcNow().AddDays(15));
        Assert.NotNull((await IdentitySite.GetAsync(owner, "/api/stoa/me"))["person"]!["erase_at"]);

        Assert.Equal(HttpStatusCode.NoContent, await IdentitySite.StatusAsync(owner, HttpMethod.Delete, Erasure));
        Assert.Null((await IdentitySite.GetAsync(owner, "/api/stoa/me"))["person"]!["erase_at"]);
    }

    [Fact]
    public async Task An_only_owner_of_others_hands_over_first()
    {
        await using var site = await IdentitySite.StartAsync();
        using var owner = await site.SetUpAsync();
        using var member = await site.JoinAsync(owner, "member@example.org");

        Assert.Equal("last_owner", await IdentitySite.CodeAsync(owner, HttpMethod.Post, Erasure));
    }

    [Theory]
    [InlineData(new[] { "viewer", "member", "admin" }, 2)]
    [InlineData(new[] { "viewer", "member", "member" }, 1)]
    [InlineData(new[] { "viewer", "owner", "admin" }, 1)]
    [InlineData(new[] { "admin suspended", "viewer", "member" }, 2)]
    public async Task Who_is_highest_and_longest_inherits_an_organization_whose_only_owner_is_erased(string[] roles, int heir)
    {
        var (site, owner, number) = (patient.Site, patient.Owner, patient.Next());
        var ownerId = await IdentitySite.PersonIdAsync(owner);
        using var leaving = await site.JoinAsync(owner, $"leaving{number}@example.org", "owner");
        await leaving.SendAsync("/console/account/organizations", ("slug", $"lyceum{number}"), ("organization_name", "Lyceum"));
        // He asks while nobody else is in; the others come during the grace time.
        Assert.Equal(HttpStatusCode.Accepted, await IdentitySite.StatusAsync(leaving, HttpMethod.Post, Erasure));
        var people = new List<string>();
        foreach (var role in roles)
        {
            using var member = await site.JoinAsync(leaving, $"{people.Count}.{number}@example.org", role.Split(' ')[0]);
            people.Add(await IdentitySite.PersonIdAsync(member));
            if (role.EndsWith("suspended", StringComparison.Ordinal))
            {
                Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(
                    owner, HttpMethod.Patch, $"/api/stoa/people/{people[^1]}", new { state = "suspended" }));
            }
        }
        var id = await IdentitySite.PersonIdAsync(leaving);
        await using var source = Npgsql.NpgsqlDataSource.Create(site.Database);

        await using (var command = source.CreateCommand($"""
            update platform.people set erase_at = now() - interval '1 second' where id = '{id}';
            update platform.jobs set run_at = now() where kind = 'platform.erase_person'
            """))
        {
            await command.ExecuteNonQueryAsync(Ct);
        }
        await IdentitySite.Until(async () => (string)(await IdentitySite.GetAsync(owner, $"/api/stoa/people/{id}"))["state"]! == "erased");

        await using var owners = source.CreateCommand($"""
            select string_agg(m.person_id::text, ',') from platform.memberships m join platform.organizations o on o.id = m.organization_id
            where o.slug = 'lyceum{number}' and m.role = 'owner'
            """);
        Assert.Equal(people[heir], (string)(await owners.ExecuteScalarAsync(Ct))!);
        Assert.Equal("owner", (string)(await IdentitySite.GetAsync(owner, $"/api/stoa/members/{ownerId}"))["role"]!);
    }

    /// <summary>Where whoever wants to be erased may think again.</summary>
    public sealed class Patient : SharedIdentitySite
    {
        protected override int ErasureGraceDays => 14;
    }
}
