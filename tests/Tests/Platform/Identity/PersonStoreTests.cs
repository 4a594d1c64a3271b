using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

/// <summary>Whose account a provider's account opens.</summary>
public sealed class PersonStoreTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private ServiceProvider services = null!;
    private AsyncServiceScope scope;
    private int last;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private IdentityDb Db => scope.ServiceProvider.GetRequiredService<IdentityDb>();

    private PersonStore People =>
        new(Db, new(database.Source, TimeProvider.System, Options.Create(new SessionOptions())), TimeProvider.System);

    public async ValueTask InitializeAsync()
    {
        await database.ExecuteAsync("truncate platform.people cascade");
        services = new ServiceCollection().AddSingleton<NpgsqlDataSource>(database.Source).AddModuleDb<IdentityDb>().BuildServiceProvider();
        scope = services.CreateAsyncScope();
    }

    public async ValueTask DisposeAsync()
    {
        await scope.DisposeAsync();
        await services.DisposeAsync();
    }

    [Fact]
    public async Task A_linked_account_opens_the_same_person_even_when_its_address_changes()
    {
        var made = (await People.FindOrCreateAsync(Google("s1", "ada@example.org"), mayCreate: true, Ct))!;

        var again = (await People.FindOrCreateAsync(Google("s1", "countess@example.org"), mayCreate: false, Ct))!;

        Assert.Equal((made.Id, "ada@example.org"), (again.Id, again.Email));
        Assert.NotNull(made.EmailVerifiedAt);
    }

    [Fact]
    public async Task An_unknown_account_makes_nobody_unless_it_may()
    {
        Assert.Null(await People.FindOrCreateAsync(Google("s1", "ada@example.org"), mayCreate: false, Ct));
        Assert.Null(await People.FindOrCreateAsync(Discord("1"), mayCreate: false, Ct));
        Assert.Equal(0, await Db.People.CountAsync(Ct));
    }

    [Fact]
    public async Task An_address_that_both_sides_vouch_for_links_by_itself()
    {
        var known = await People.CreateAsync(new("Ada@example.org", "Ada", IsEmailVerified: true), "test", Ct);

        var found = await People.FindOrCreateAsync(Google("s1", "ada@EXAMPLE.org"), mayCreate: false, Ct);

        Assert.Equal(known.Id, found!.Id);
        Assert.Equal(known.Id, (await People.FindByAccountAsync("google", "s1", Ct))!.Id);
        Assert.Equal(1L, await database.ScalarAsync<long>(
            $"select count(*) from platform.audit where act = 'account.link' and subject = 'person:{known.Id}'"));
    }

    [Fact]
    public async Task An_address_that_nobody_verified_here_is_not_taken_from_whoever_has_a_password()
    {
        var squatter = await People.CreateAsync(new("ada@example.org", "Not Ada"), "test", Ct);
        squatter.PasswordHash = "a hash";
        await Db.SaveChangesAsync(Ct);

        var refused =
            await Assert.ThrowsAsync<Failure>(() => People.FindOrCreateAsync(Google("s1", "ada@example.org"), mayCreate: true, Ct));

        Assert.Equal("email_taken", refused.Code);
        Assert.Empty(await People.AccountsAsync(squatter.Id, Ct));
    }

    [Fact]
    public async Task An_address_that_the_provider_has_not_verified_links_nobody()
    {
        var known = await People.CreateAsync(new("ada@example.org", "Ada", IsEmailVerified: true), "test", Ct);

        var other = (await People.FindOrCreateAsync(
            new("google", "s1", "ada@example.org", IsEmailVerified: false, "Mallory"), mayCreate: true, Ct))!;

        Assert.NotEqual(known.Id, other.Id);
        Assert.Equal((null, "Mallory"), (other.Email, other.Name));
    }

    [Fact]
    public async Task Somebody_who_was_only_invited_is_linked_by_a_verified_address()
    {
        // No password and no other account: nobody else can claim it.
        var known = await People.CreateAsync(new("ada@example.org", "Ada"), "test", Ct);

        var found = (await People.FindOrCreateAsync(Google("s1", "ada@example.org"), mayCreate: false, Ct))!;

        Assert.Equal(known.Id, found.Id);
        Assert.NotNull(found.EmailVerifiedAt);
    }

    [Fact]
    public async Task An_account_belongs_to_one_person()
    {
        var (one, two) = (await NewAsync(), await NewAsync());
        await People.LinkAsync(one, Discord("1"), "test", Ct);
        await People.LinkAsync(one, Discord("1"), "test", Ct);

        Assert.Equal("account_linked", (await Assert.ThrowsAsync<Failure>(() => People.LinkAsync(two, Discord("1"), "test", Ct))).Code);
        Assert.Single(await People.AccountsAsync(one, Ct));
        Assert.Empty(await People.AccountsAsync(two, Ct));
    }

    [Fact]
    public async Task The_last_way_in_is_not_unlinked()
    {
        var person = await NewAsync();
        await People.LinkAsync(person, Discord("1"), "test", Ct);
        Assert.Equal("last_way_in", (await Assert.ThrowsAsync<Failure>(() => People.UnlinkAsync(person, "discord", "test", Ct))).Code);

        await People.LinkAsync(person, Google("s1", null), "test", Ct);
        await People.UnlinkAsync(person, "discord", "test", Ct);

        Assert.Equal("google", Assert.Single(await People.AccountsAsync(person, Ct)).Provider);
        Assert.Equal(
            FailureKind.NotFound, (await Assert.ThrowsAsync<Failure>(() => People.UnlinkAsync(person, "discord", "test", Ct))).Kind);
    }

    private async Task<Guid> NewAsync() => (await People.CreateAsync(new($"p{last++}@example.org", "Somebody"), "test", Ct)).Id;

    private static ProviderIdentity Google(string subject, string? email) =>
        new("google", subject, email, IsEmailVerified: true, "Ada Lovelace");

    private static ProviderIdentity Discord(string id) => new("discord", id, Email: null, IsEmailVerified: false, "Ada on Discord");
}
