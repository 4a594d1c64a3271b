using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

public sealed class KeyStoreTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly FakeClock clock = new(Start);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private KeyStore Keys => new(database.Source, clock);

    [Fact]
    public async Task A_created_key_is_read_back_with_its_terms()
    {
        var terms = new KeyTerms("web", IsAdmin: true, ["openai/gpt-4o"], ["openai", "demo"], 60, 100_000, Start.AddDays(1));
        var made = await Keys.CreateAsync(Organization.DefaultId, terms, "test", Ct);
        var row = (await Keys.FindAsync(Organization.DefaultId, made.Row.Id, Ct))!;
        Assert.Equivalent(terms, row);
        Assert.Equal((made.Row.Prefix, Start, null), (row.Prefix, row.CreatedAt, row.LastUsedAt));
    }

    [Fact]
    public async Task The_secret_is_nowhere_in_the_database()
    {
        var made = await CreateAsync();
        var secret = made.Token[18..];
        var hits = await database.ScalarAsync<long>($"""
            select (select count(*) from platform.api_keys k
                where k::text like '%{secret}%' or position('{secret}'::bytea in secret_hash) > 0)
              + (select count(*) from platform.audit a where a::text like '%{secret}%')
            """);
        Assert.Equal(0, hits);
        Assert.Equal(1, await database.ScalarAsync<long>(
            $"select count(*) from platform.api_keys where secret_hash = sha256('{made.Token}')"));
    }

    [Fact]
    public async Task Every_act_leaves_one_audit_row()
    {
        var made = await CreateAsync();
        await Keys.RevokeAsync(Organization.DefaultId, made.Row.Id, "someone", Ct);
        Assert.False(await Keys.RevokeAsync(Organization.DefaultId, made.Row.Id, "someone else", Ct));
        Assert.Equal("test key.create,someone key.revoke", await database.ScalarAsync<string>($"""
            select string_agg(actor || ' ' || act, ',' order by act) from platform.audit where subject = 'key:{made.Row.Id}'
            """));
    }

    [Fact]
    public async Task A_rotated_key_goes_on_until_the_overlap_ends()
    {
        var old = await CreateAsync(Start.AddDays(90));
        clock.Advance(TimeSpan.FromDays(80));
        var made = await Keys.RotateAsync(Organization.DefaultId, old.Row.Id, TimeSpan.FromHours(2), "test", Ct);
        var before = (await Keys.FindAsync(Organization.DefaultId, old.Row.Id, Ct))!;
        Assert.Equal((made.Row.Id, Start.AddDays(80).AddHours(2)), (before.ReplacedBy, before.ExpiresAt));
        Assert.Equal((old.Row.Name, Start.AddDays(170)), (made.Row.Name, made.Row.ExpiresAt));
        Assert.NotEqual(old.Token, made.Token);
    }

    [Fact]
    public async Task An_overlap_never_prolongs_a_key()
    {
        var old = await CreateAsync(Start.AddMinutes(5));
        await Keys.RotateAsync(Organization.DefaultId, old.Row.Id, TimeSpan.FromHours(2), "test", Ct);
        Assert.Equal(Start.AddMinutes(5), (await Keys.FindAsync(Organization.DefaultId, old.Row.Id, Ct))!.ExpiresAt);
    }

    [Fact]
    public async Task A_hundred_rotations_at_once_have_one_effect()
    {
        var old = await CreateAsync();
        var tries = await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            try
            {
                await Keys.RotateAsync(Organization.DefaultId, old.Row.Id, TimeSpan.Zero, "test", Ct);
                return "made";
            }
            catch (Failure failure)
            {
                return failure.Code;
            }
        }));
        Assert.Equal([("key_not_live", 99), ("made", 1)], tries.CountBy(result => result).Select(pair => (pair.Key, pair.Value)).Order());
        Assert.Equal(1, await database.ScalarAsync<long>(
            $"select count(*) from platform.audit where act = 'key.rotate' and subject = 'key:{old.Row.Id}'"));
    }

    [Fact]
    public async Task A_key_that_no_longer_works_is_not_rotated()
    {
        var revoked = await CreateAsync();
        await Keys.RevokeAsync(Organization.DefaultId, revoked.Row.Id, "test", Ct);
        var ended = await CreateAsync(Start.AddMinutes(1));
        clock.Advance(TimeSpan.FromMinutes(1));
        foreach (var id in new[] { revoked.Row.Id, ended.Row.Id })
        {
            var failure = await Assert.ThrowsAsync<Failure>(() => Keys.RotateAsync(Organization.DefaultId, id, TimeSpan.Zero, "test", Ct));
            Assert.Equal(FailureKind.Conflict, failure.Kind);
        }
    }

    [Fact]
    public async Task Another_organization_finds_nothing()
    {
        var made = await CreateAsync();
        var stranger = (await Keys.EnsureOrganizationAsync("strangers", "test", Ct)).Id;
        Assert.Null(await Keys.FindAsync(stranger, made.Row.Id, Ct));
        Assert.Equal(FailureKind.NotFound,
            (await Assert.ThrowsAsync<Failure>(() => Keys.RevokeAsync(stranger, made.Row.Id, "x", Ct))).Kind);
        Assert.Equal(FailureKind.NotFound,
            (await Assert.ThrowsAsync<Failure>(() => Keys.RotateAsync(stranger, made.Row.Id, TimeSpan.Zero, "x", Ct))).Kind);
        Assert.Empty(await Keys.ListAsync(stranger, after: null, 100, Ct));
        Assert.Null((await Keys.FindAsync(Organization.DefaultId, made.Row.Id, Ct))!.RevokedAt);
    }

    [Fact]
    public async Task An_organization_is_made_once()
    {
        var first = await Keys.EnsureOrganizationAsync("acme", "test", Ct);
        Assert.Equal(first, await Keys.EnsureOrganizationAsync("acme", "test", Ct));
        await Assert.ThrowsAsync<Failure>(() => Keys.EnsureOrganizationAsync("Not A Slug", "test", Ct));
        Assert.Equal(1, await database.ScalarAsync<long>($"select count(*) from platform.audit where subject = 'organization:{first.Id}'"));
    }

    [Fact]
    public async Task A_list_is_read_page_by_page_without_gap_or_repetition()
    {
        var owner = (await Keys.EnsureOrganizationAsync("pages", "test", Ct)).Id;
        var made = new List<Guid>();
        for (var i = 0; i < 7; i++)
        {
            made.Add((await Keys.CreateAsync(owner, new($"key {i}"), "test", Ct)).Row.Id);
        }
        var read = new List<Guid>();
        while (await Keys.ListAsync(owner, read.Count > 0 ? read[^1] : null, 3, Ct) is { Count: > 0 } page)
        {
            read.AddRange(page.Select(row => row.Id));
        }
        Assert.Equal(made.Order(), read);
    }

    [Theory]
    [InlineData("", null, 1, "name")]
    [InlineData("a\u0000b", null, 1, "name")]
    [InlineData("a", "", 1, "models")]
    [InlineData("a", "m", 0, "requests_per_minute")]
    [InlineData("a", "m", -1, "requests_per_minute")]
    public void Wrong_terms_name_their_field(string name, string? model, int requests, string field) =>
        Assert.Equal([field], new KeyTerms(name, Models: model is null ? null : [model], RequestsPerMinute: requests)
            .Check(Start).Select(error => error.Field));

    private Task<NewKey> CreateAsync(DateTimeOffset? expires = null) =>
        Keys.CreateAsync(Organization.DefaultId, new("a key", ExpiresAt: expires), "test", Ct);
}
