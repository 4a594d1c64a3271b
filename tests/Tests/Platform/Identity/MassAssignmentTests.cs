using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

/// <summary>Whatever else a body says, only what the route is for is set: the rest is read back as it was.</summary>
public sealed class MassAssignmentTests(SharedIdentitySite shared) : IClassFixture<SharedIdentitySite>
{
    // What an attacker would like to set, in several spellings. None of it is a field of the bodies below.
    private const string Foreign = """
        "id":"00000000-0000-7000-8000-000000000bad","Id":"00000000-0000-7000-8000-000000000bad","ID":1,
        "organization":"00000000-0000-7000-8000-000000000001","OrganizationId":"00000000-0000-7000-8000-000000000001",
        "owner_id":"00000000-0000-7000-8000-000000000bad","person_id":"00000000-0000-7000-8000-000000000bad",
        "created_at":"2001-01-01T00:00:00Z","createdAt":"2001-01-01T00:00:00Z","CREATED_AT":"2001-01-01T00:00:00Z",
        "accepted_at":"2001-01-01T00:00:00Z","accepted_by":"00000000-0000-7000-8000-000000000bad","revoked_at":"2001-01-01T00:00:00Z",
        "removed_at":"2001-01-01T00:00:00Z","last_used_at":"2001-01-01T00:00:00Z","erased_at":"2001-01-01T00:00:00Z",
        "erase_at":"2001-01-01T00:00:00Z","email_verified_at":"2001-01-01T00:00:00Z","last_sign_in_at":"2001-01-01T00:00:00Z",
        "password_hash":"stoa1$1$AAAA$AAAA","PasswordHash":"x","token_hash":"x","secret_hash":"x","hash":"x","prefix":"chosen",
        "replaced_by":"00000000-0000-7000-8000-000000000bad","is_operator":true,"IsOperator":true,"trust":1,"trusted":true,"price":0,"balance":1e9
        """;

    private static readonly Regex Parameter = new(@"\{[^}]*\}", RegexOptions.NonBacktracking);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Route, its own fields, the table whose rows are read back, and the columns that the route may change.</summary>
    public static TheoryData<string, string, string, string, string> Bodies => new()
    {
        { "PATCH", "/api/stoa/me",
            """ "name":"Chrysippus","email":"evil@example.org","Email":"evil@example.org","state":"suspended","ROLE":"owner","role":"owner" """, "people", "name" },
        { "PUT", "/api/stoa/me/email", """ "email":"new@example.org","password":"{password}","name":"Evil","state":"erased" """,
            "people", "email email_key email_verified_at" },
        { "PUT", "/api/stoa/me/password",
            """ "old_password":"{password}","new_password":"another long one","email":"evil@example.org" """, "people", "password_hash" },
        { "PUT", "/api/stoa/me/organization", """ "organization_id":"{second}","role":"owner","expires_at":"2099-01-01T00:00:00Z" """,
            "sessions", "token_hash organization_id last_seen_at" },
        { "PATCH", "/api/stoa/organizations/{first}", """ "name":"Porch","slug":"evil","SLUG":"evil" """, "organizations", "name" },
        { "PATCH", "/api/stoa/members/{member}",
            """ "role":"admin","Role":"owner","ROLE":"owner","state":"suspended","email":"evil@example.org" """, "memberships", "role" },
        { "PATCH", "/api/stoa/people/{member}",
            """ "state":"suspended","role":"owner","email":"evil@example.org","name":"Evil" """, "people", "state" },
        { "POST", "/api/stoa/invitations/accept",
            """ "token":"{invitation}","role":"owner","Role":"owner","email":"evil@example.org","expires_at":"2099-01-01T00:00:00Z" """,
            "invitations", "accepted_at accepted_by" },
        { "PUT", "/api/stoa/budgets/keys/{key}",
            """ "amount":5,"period":"weekly","starts_at":"2026-01-05T00:00:00Z","spent":-100,"Spent":-100,"reserved":-1,"scope":"organization","subject":"x","organization_id":"{second}" """, "gateway.budgets", "amount period starts_at period_start" },
        { "PUT", "/api/stoa/budgets/organization", """ "amount":5,"spent":-100,"subject":"x","scope":"key","organization_id":"{second}" """,
            "gateway.budgets", "amount starts_at period_start" },
        { "PUT", "/api/stoa/secrets/{secret}",
            """ "value":"other","name":"evil","organization_id":"{second}","created_at":"2001-01-01T00:00:00Z" """,
            "gateway.secrets", "value updated_at" },
        { "POST", "/api/stoa/keys/{key}/rotate",
            """ "overlap_minutes":5,"is_admin":true,"IsAdmin":true,"models":["x"],"requests_per_minute":9 """,
            "api_keys", "expires_at replaced_by" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task What_is_there_keeps_what_the_route_is_not_for(string method, string path, string fields, string table, string own)
    {
        await using var world = await World.CreateAsync(shared);
        var mayChange = own.Split(' ');
        var before = await world.RowsAsync(table);

        var status = await world.SendAsync(new(method), path, fields);

        Assert.True((int)status is >= 200 and < 300, $"{status}");
        var after = await world.RowsAsync(table);
        Assert.All(before, row => Assert.Equal(Without(row.Value, mayChange), Without(after[row.Key], mayChange)));
        Assert.Contains(before, row => row.Value.ToJsonString() != after[row.Key].ToJsonString());
    }

    /// <summary>
    /// Route, its own fields, the table that gets a row (with its schema unless that is the platform's), and what must stand in it.
    /// </summary>
    public static TheoryData<string, string, string, string> Makings => new()
    {
        { "/api/stoa/keys", """ "name":"k","organization_id":"{second}","ORGANIZATION_ID":"{second}" """, "api_keys",
            """{"organization_id":"{first}","is_admin":false,"revoked_at":null,"replaced_by":null,"last_used_at":null}""" },
        { "/api/stoa/principals", """ "name":"p","organization_id":"{second}" """,
            "principals", """{"organization_id":"{first}","removed_at":null}""" },
        { "/api/stoa/invitations",
            """ "email":"invited@example.org","role":"viewer","organization_id":"{second}","token":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" """, "invitations", """{"organization_id":"{first}","role":"viewer","accepted_at":null,"accepted_by":null,"revoked_at":null}""" },
        { "/api/stoa/organizations", """ "slug":"new","name":"New","state":"x" """, "organizations", """{"slug":"new","name":"New"}""" },
        { "/api/stoa/people/{member}/password-reset",
            """ "token":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","expires_at":"2099-01-01T00:00:00Z" """,
            "password_resets", """{"person_id":"{member}"}""" },
        { "/api/stoa/webhooks/secrets",
            """ "overlap_minutes":5,"organization_id":"{second}","secret":"whsec_AAAA","expires_at":"2099-01-01T00:00:00Z" """,
            "webhook_secrets", """{"organization_id":"{first}","expires_at":null}""" },
        { "/api/stoa/sessions",
            """ "email":"{member_email}","password":"{password}","expires_at":"2099-01-01T00:00:00Z","organization_id":"{second}" """,
            "sessions", """{"person_id":"{member}","organization_id":"{first}","key_id":null}""" },
    };

    [Theory]
    [MemberData(nameof(Makings))]
    public async Task What_is_made_holds_what_we_say_and_not_what_the_body_says(string path, string fields, string table, string expected)
    {
        await using var world = await World.CreateAsync(shared);
        var before = await world.RowsAsync(table);

        var status = await world.SendAsync(HttpMethod.Post, path, fields);

        Assert.True((int)status is >= 200 and < 300, $"{status}");
        var made = Assert.Single(await world.RowsAsync(table), row => !before.ContainsKey(row.Key)).Value;
        foreach (var (name, value) in (JsonObject)JsonNode.Parse(world.Fill(expected))!)
        {
            Assert.Equal((name, value?.ToJsonString()), (name, made[name]?.ToJsonString()));
        }
        Assert.NotEqual("00000000-0000-7000-8000-000000000bad", (string?)made["id"]);
        foreach (var instant in made.Where(one => one.Key.EndsWith("_at", StringComparison.Ordinal) && one.Value is not null))
        {
            Assert.InRange(
                (DateTimeOffset)instant.Value!, TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddDays(60));
        }
    }

    /// <summary>Every body that a route of ours takes is among the above, but for those of jobs, prices, the queue and feedback.</summary>
    [Fact]
    public async Task No_body_is_forgotten()
    {
        var document = JsonNode.Parse(await shared.Site.Anonymous.GetStringAsync(new Uri("/openapi/stoa.json", UriKind.Relative), Ct))!;

        var bodies = from path in document["paths"]!.AsObject()
                     from operation in path.Value!.AsObject()
                     let name = $"{operation.Key.ToUpperInvariant()} {path.Key}"
                     where operation.Value?["requestBody"] is not null && !path.Key.StartsWith("/api/stoa/jobs", StringComparison.Ordinal)
                         && !path.Key.StartsWith("/api/stoa/queue", StringComparison.Ordinal)
                         && !path.Key.StartsWith("/api/stoa/prices", StringComparison.Ordinal)
                         && !path.Key.StartsWith("/api/stoa/feedback", StringComparison.Ordinal)
                     select name;
        var tried = Bodies.Select(row => $"{row.Data.Item1} {Shape(row.Data.Item2)}")
            .Concat(Makings.Select(row => $"POST {Shape(row.Data.Item1)}"))
            .ToHashSet(StringComparer.Ordinal);

        var all = bodies.Select(Shape).ToList();
        Assert.Contains("PATCH /api/stoa/me", all);
        Assert.DoesNotContain(all, body => !tried.Contains(body));
    }

    private static string Shape(string path) => Parameter.Replace(path, "{}").TrimEnd('/');

    private static string Without(JsonObject row, string[] columns) =>
        new JsonObject(row.Where(one => !columns.Contains(one.Key)).Select(one => KeyValuePair.Create(one.Key, one.Value?.DeepClone())))
            .ToJsonString();

    /// <summary>
    /// An owner of two organizations with a member, a key, and an invitation of his own. All of them are of one test only.
    /// </summary>
    private sealed class World(NpgsqlDataSource source, Browser owner, Dictionary<string, string> names) : IAsyncDisposable
    {
        public static async Task<World> CreateAsync(SharedIdentitySite shared)
        {
            var (site, number) = (shared.Site, shared.Next());
            var (ownerEmail, memberEmail) = ($"owner{number}@example.org", $"member{number}@example.org");
            var owner = await shared.OwnerAsync(ownerEmail);
            using var member = await site.JoinAsync(owner, memberEmail, "viewer");
            using var host = await site.JoinAsync(owner, $"host{number}@example.org");
            var first = Organization.DefaultId.ToString();
            using (var made =
                await owner.CallAsync(HttpMethod.Post, "/api/stoa/organizations", new { slug = $"lyceum{number}", name = "Lyceum" }))
            {
                Assert.Equal(HttpStatusCode.Created, made.StatusCode);
            }
            await host.SendAsync("/console/account/organizations", ("slug", $"garden{number}"), ("organization_name", "Garden"));
            var organizations = (await IdentitySite.GetAsync(owner, "/api/stoa/me"))["organizations"]!.AsArray();
            string key;
            using (var made = await owner.CallAsync(HttpMethod.Post, "/api/stoa/keys", new { name = "Own" }))
            {
                Assert.Equal(HttpStatusCode.Created, made.StatusCode);
                key = (string)(await IdentitySite.ReadAsync(made))["key"]!["id"]!;
            }
            foreach (var budget in (string[])["organization", $"keys/{key}"])
            {
                using var set = await owner.CallAsync(
                    HttpMethod.Put, $"/api/stoa/budgets/{budget}", new { amount = 1, starts_at = "2026-01-01T00:00:00Z" });
                Assert.Equal(HttpStatusCode.OK, set.StatusCode);
            }
            using (var set = await owner.CallAsync(HttpMethod.Put, $"/api/stoa/secrets/crm{number}", new { value = "s3cr3t" }))
            {
                Assert.Equal(HttpStatusCode.OK, set.StatusCode);
            }
            return new(NpgsqlDataSource.Create(site.Database), owner, new(StringComparer.Ordinal)
            {
                ["{first}"] = first,
                ["{second}"] = (string)organizations.Single(own => (string)own!["name"]! == "Lyceum")!["id"]!,
                ["{member_email}"] = memberEmail,
                ["{member}"] = await IdentitySite.PersonIdAsync(member),
                ["{key}"] = key,
                ["{secret}"] = $"crm{number}",
                ["{invitation}"] = await IdentitySite.InviteAsync(host, ownerEmail, "viewer"),
                ["{password}"] = IdentitySite.Password,
                ["{tomorrow}"] = TimeProvider.System.GetUtcNow().AddDays(1)
                .ToString("O", System.Globalization.CultureInfo.InvariantCulture),
            });
        }

        public string Fill(string text) =>
            names.Aggregate(text, (filled, name) => filled.Replace(name.Key, name.Value, StringComparison.Ordinal));

        public async Task<HttpStatusCode> SendAsync(HttpMethod method, string path, string fields)
        {
            using var answer = await owner.CallAsync(method, Fill(path), JsonNode.Parse(Fill($"{{{fields},{Foreign}}}")));
            return answer.StatusCode;
        }

        /// <summary>By its id, or what stands for one.</summary>
        public async Task<Dictionary<string, JsonObject>> RowsAsync(string table)
        {
            var rows = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
            await using var command = source.CreateCommand(
                $"select to_jsonb(t)::text from {(table.Contains('.', StringComparison.Ordinal) ? table : $"platform.{table}")} t");
            await using var reader = await command.ExecuteReaderAsync(Ct);
            while (await reader.ReadAsync(Ct))
            {
                var row = (JsonObject)JsonNode.Parse(reader.GetString(0))!;
                rows[$"{row["id"] ?? $"{row["token_hash"]}{row["organization_id"]}{row["person_id"]}"}"] = row;
            }
            return rows;
        }

        public async ValueTask DisposeAsync()
        {
            owner.Dispose();
            await source.DisposeAsync();
        }
    }
}
