using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

/// <summary>When a session ends by itself, by a clock that is moved.</summary>
public sealed class SessionEndTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly SessionOptions Terms = new() { IdleMinutes = 60, AbsoluteDays = 2 };

    private readonly FakeClock clock = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_use_it_ends_after_the_idle_time()
    {
        await using var services = Services();
        var cache = Cache();
        var token = await BeginAsync(services, cache);

        clock.Advance(TimeSpan.FromMinutes(59));
        Assert.NotNull(await cache.FindAsync(token, Ct));
        // That use was noted in memory only: a host that dies before it writes has lost it.
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(await Cache().FindAsync(token, Ct));

        await cache.SaveUsesAsync(Ct);
        Assert.NotNull(await Cache().FindAsync(token, Ct));
        clock.Advance(TimeSpan.FromMinutes(60));
        Assert.Null(await Cache().FindAsync(token, Ct));
        Assert.Null(await cache.FindAsync(token, Ct));
    }

    [Fact]
    public async Task However_much_it_is_used_it_ends_in_the_end()
    {
        await using var services = Services();
        var cache = Cache();
        var token = await BeginAsync(services, cache);
        var end = clock.GetUtcNow() + Terms.Absolute;

        while (clock.GetUtcNow() < end)
        {
            Assert.NotNull(await cache.FindAsync(token, Ct));
            await cache.SaveUsesAsync(Ct);
            clock.Advance(TimeSpan.FromMinutes(30));
        }

        // Not even for the half minute for which what was read is believed.
        Assert.Null(await cache.FindAsync(token, Ct));
        Assert.Null(await Cache().FindAsync(token, Ct));
    }

    [Fact]
    public async Task Another_token_does_not_prolong_it()
    {
        await using var services = Services();
        var cache = Cache();
        var session = (await cache.FindAsync(await BeginAsync(services, cache), Ct))!;
        clock.Advance(TimeSpan.FromMinutes(30));

        await using var scope = services.CreateAsyncScope();
        var rotated = await Store(scope, cache).RotateAsync(session, Ct);

        Assert.Equal(session.ExpiresAt, rotated.ExpiresAt);
        Assert.Equal(session.ExpiresAt, (await cache.FindAsync(rotated.Token, Ct))!.ExpiresAt);
    }

    [Fact]
    public async Task What_has_ended_is_not_listed()
    {
        await using var services = Services();
        var cache = Cache();
        var person = await PersonAsync(services);
        await using var scope = services.CreateAsyncScope();
        var sessions = Store(scope, cache);
        await sessions.BeginAsync(person, "test", new(Address: null, UserAgent: null), Ct);
        clock.Advance(TimeSpan.FromMinutes(45));
        var later = await sessions.BeginAsync(person, "test", new(Address: null, UserAgent: null), Ct);

        Assert.Equal(2, (await sessions.ListAsync(person, Ct)).Count);
        clock.Advance(TimeSpan.FromMinutes(15));
        Assert.Equal(later.Id, Assert.Single(await sessions.ListAsync(person, Ct)).Id);
    }

    /// <summary>Nothing listens to the database's word here: what the session shows next is known before the act is answered.</summary>
    [Fact]
    public async Task A_host_knows_at_once_what_it_has_changed_itself()
    {
        await using var services = Services();
        var cache = Cache();
        var token = await BeginAsync(services, cache);
        var person = (await cache.FindAsync(token, Ct))!.Person!.Id;
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<IdentityDb>();
        var (organizations, people) = (new OrganizationStore(db, cache, clock), new PersonStore(db, cache, clock));

        var made = await organizations.CreateAsync(new($"porch-{person:n}", "Porch"), person, Ct);
        Assert.Equal("Porch", Assert.Single((await cache.FindAsync(token, Ct))!.Organizations).Name);
        await organizations.RenameAsync(made.Id, "Hall", "test", Ct);
        Assert.Equal("Hall", Assert.Single((await cache.FindAsync(token, Ct))!.Organizations).Name);
        await people.UpdateAsync(person, new("Zeno"), Ct);
        Assert.Equal("Zeno", (await cache.FindAsync(token, Ct))!.Person!.Name);
        await people.SetStateAsync(person, PersonState.Suspended, Caller.Of((await cache.FindAsync(token, Ct))!), Ct);
        Assert.Null(await cache.FindAsync(token, Ct));
    }

    private async Task<string> BeginAsync(ServiceProvider services, SessionCache cache)
    {
        var person = await PersonAsync(services);
        await using var scope = services.CreateAsyncScope();
        return (await Store(scope, cache).BeginAsync(person, "test", new(Address: null, UserAgent: null), Ct)).Token;
    }

    private async Task<Guid> PersonAsync(ServiceProvider services)
    {
        await using var scope = services.CreateAsyncScope();
        var people = new PersonStore(scope.ServiceProvider.GetRequiredService<IdentityDb>(), Cache(), clock);
        return (await people.CreateAsync(new($"{Guid.CreateVersion7()}@example.org", "Somebody"), "test", Ct)).Id;
    }

    private SessionStore Store(AsyncServiceScope scope, SessionCache cache) =>
        new(scope.ServiceProvider.GetRequiredService<IdentityDb>(), cache, clock, Options.Create(Terms));

    /// <summary>A host that knows nothing yet.</summary>
    private SessionCache Cache() => new(database.Source, clock, Options.Create(Terms));

    private ServiceProvider Services() =>
        new ServiceCollection().AddSingleton<NpgsqlDataSource>(database.Source).AddModuleDb<IdentityDb>().BuildServiceProvider();
}
