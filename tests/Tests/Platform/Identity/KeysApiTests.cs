using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

public sealed class KeysApiTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const string Path = "/api/stoa/keys";

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private KeysSite site = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private KeyStore Keys => new(database.Source, TimeProvider.System);

    public async ValueTask InitializeAsync() => site = await KeysSite.StartAsync(database.Source);

    public ValueTask DisposeAsync() => site.DisposeAsync();

    [Fact]
    public async Task A_key_lives_from_its_creation_to_its_revocation()
    {
        using var admin = site.Client("stoa-dev");
        using var created = await admin.PostAsJsonAsync(
            Path, new { name = "web", models = new[] { "demo/demo" }, requests_per_minute = 60 }, Ct);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var body = await Read(created);
        var token = (string)body["token"]!;
        var address = created.Headers.Location!.OriginalString;
        Assert.Equal((60, "demo/demo"), ((int)body["key"]!["requests_per_minute"]!, (string)body["key"]!["models"]![0]!));

        var read = (await admin.GetFromJsonAsync<JsonNode>(address, Ct))!;
        Assert.Equal("web", (string)read["name"]!);
        Assert.DoesNotContain(token, read.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hash", read.ToJsonString(), StringComparison.Ordinal);

        using var rotated = await admin.PostAsJsonAsync($"{address}/rotate", new { overlap_minutes = 5 }, Ct);
        Assert.Equal(HttpStatusCode.Created, rotated.StatusCode);
        using var again = await admin.PostAsJsonAsync($"{address}/rotate", new { }, Ct);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);

        using var revoked = await admin.DeleteAsync(address, Ct);
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        Assert.NotNull((await admin.GetFromJsonAsync<JsonNode>(address, Ct))!["revoked_at"]);
    }

    [Fact]
    public async Task What_is_done_to_a_key_holds_as_soon_as_it_is_answered()
    {
        using var admin = site.Client("stoa-dev");
        for (var round = 0; round < 10; round++)
        {
            using var created = await admin.PostAsJsonAsync(Path, new { name = "at once" }, Ct);
            var made = await Read(created);
            Assert.NotNull(site.Ring.Find((string)made["token"]!));

            using var rotated =
                await admin.PostAsJsonAsync($"{created.Headers.Location!.OriginalString}/rotate", new { overlap_minutes = 5 }, Ct);
            var next = await Read(rotated);
            Assert.NotNull(site.Ring.Find((string)next["token"]!));

            using var revoked = await admin.DeleteAsync($"{Path}/{next["key"]!["id"]}", Ct);
            Assert.Null(site.Ring.Find((string)next["token"]!));
        }
    }

    [Fact]
    public async Task A_hundred_rotations_at_once_make_one_key()
    {
        using var admin = site.Client("stoa-dev");
        var old = await Keys.CreateAsync(Organization.DefaultId, new("rotated at once"), "test", Ct);

        var statuses = await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            using var answer = await admin.PostAsJsonAsync($"{Path}/{old.Row.Id}/rotate", new { overlap_minutes = 5 }, Ct);
            return answer.StatusCode;
        }));

        Assert.Single(statuses, HttpStatusCode.Created);
        Assert.Equal(99, statuses.Count(status => status == HttpStatusCode.Conflict));
        Assert.Equal(2, await database.ScalarAsync<long>("select count(*) from platform.api_keys where name = 'rotated at once'"));
    }

    [Fact]
    public async Task A_list_says_where_it_goes_on()
    {
        var owner = await Keys.EnsureOrganizationAsync("listed", "test", Ct);
        var token = (await Keys.CreateAsync(owner.Id, new("admin", IsAdmin: true), "test", Ct)).Token;
        await Keys.CreateAsync(owner.Id, new("second"), "test", Ct);
        using var admin = await KnownClient(token);
        var first = (await admin.GetFromJsonAsync<JsonNode>($"{Path}?limit=1", Ct))!;
        var second = (await admin.GetFromJsonAsync<JsonNode>($"{Path}?limit=1&after={first["next"]}", Ct))!;
        Assert.Equal(("admin", "second"), ((string)first["items"]![0]!["name"]!, (string)second["items"]![0]!["name"]!));
        Assert.Null(second["next"]);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("stoa-DEV")]
    [InlineData("stoa_abcdefghijkl_abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq")]
    public async Task A_stranger_is_refused_before_his_body_is_looked_at(string? token)
    {
        using var stranger = site.Client(token);
        using var answer = await stranger.PostAsync(Path, new StringContent("{not json", Json), Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task A_key_that_is_no_admins_manages_nothing()
    {
        var made = await Keys.CreateAsync(Organization.DefaultId, new("plain"), "test", Ct);
        using var client = await KnownClient(made.Token);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync(Path, Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.DeleteAsync($"{Path}/{made.Row.Id}", Ct)).StatusCode);
    }

    [Fact]
    public async Task Another_organizations_key_is_not_found_whatever_is_done_to_it()
    {
        var mine = await Keys.CreateAsync(Organization.DefaultId, new("mine"), "test", Ct);
        var other = await Keys.EnsureOrganizationAsync("other", "test", Ct);
        using var stranger = await KnownClient((await Keys.CreateAsync(other.Id, new("admin", IsAdmin: true), "test", Ct)).Token);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync($"{Path}/{mine.Row.Id}", Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.DeleteAsync($"{Path}/{mine.Row.Id}", Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.PostAsJsonAsync($"{Path}/{mine.Row.Id}/rotate", new { }, Ct)).StatusCode);
        Assert.DoesNotContain(mine.Row.Prefix, await stranger.GetStringAsync(Path, Ct), StringComparison.Ordinal);
        Assert.Null((await Keys.FindAsync(Organization.DefaultId, mine.Row.Id, Ct))!.RevokedAt);
    }

    [Theory]
    [InlineData("""{"name":""}""")]
    [InlineData("{}")]
    [InlineData("""{"name":"a","models":[]}""")]
    [InlineData("""{"name":"a","models":[null]}""")]
    [InlineData("""{"name":"a","requests_per_minute":0}""")]
    [InlineData("""{"name":"a","expires_at":"2000-01-01T00:00:00Z"}""")]
    [InlineData("""{"name":"a\u0000"}""")]
    [InlineData("""{"name":7}""")]
    [InlineData("[]")]
    [InlineData("{")]
    public async Task What_cannot_be_is_refused_and_makes_no_key(string body)
    {
        using var admin = site.Client("stoa-dev");
        var before = await database.ScalarAsync<long>("select count(*) from platform.api_keys");
        using var answer = await admin.PostAsync(Path, new StringContent(body, Json), Ct);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(before, await database.ScalarAsync<long>("select count(*) from platform.api_keys"));
    }

    [Fact]
    public async Task Owner_and_identity_cannot_be_sent_along()
    {
        using var admin = site.Client("stoa-dev");
        var forged = Guid.CreateVersion7();
        using var answer = await admin.PostAsJsonAsync(
            Path, new { name = "a", id = forged, organization_id = forged, revoked_at = "2026-01-01T00:00:00Z" }, Ct);
        var key = (await Read(answer))["key"]!;
        Assert.Equal(Organization.DefaultId, (Guid)key["organization_id"]!);
        Assert.NotEqual(forged, (Guid)key["id"]!);
        Assert.Null(key["revoked_at"]);
    }

    private async Task<HttpClient> KnownClient(string token)
    {
        while (site.Ring.Find(token) is null)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Ct);
        }
        return site.Client(token);
    }

    private static async Task<JsonNode> Read(HttpResponseMessage response) => (await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!;
}
