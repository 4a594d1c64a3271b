using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Authorization;

/// <summary>
/// Two organizations that know nothing of each other beside the one that runs the installation, and everybody who could call.
/// </summary>
internal sealed class MatrixWorld(HostUnderTest host)
{
    private readonly Dictionary<MatrixCaller, MatrixCaller> sessions = [];
    private readonly HashSet<MatrixCaller> doubtful = [];
    private int made;

    public List<MatrixCaller> Callers { get; } = [];

    /// <summary>Whose objects the callers of another organization try to get at.</summary>
    public MatrixCaller Owner { get; private set; } = null!;

    public MatrixCaller Neighbour { get; private set; } = null!;

    public static async Task<MatrixWorld> CreateAsync(HostUnderTest host, CancellationToken ct)
    {
        var world = new MatrixWorld(host);
        await world.PopulateAsync(ct);
        return world;
    }

    /// <summary>Somebody to whom the caller's objects are foreign, and the other way round.</summary>
    public MatrixCaller StrangerTo(MatrixCaller caller) => caller.OrganizationId == Owner.OrganizationId ? Neighbour : Owner;

    /// <summary>Work with the stores, as a request would do it.</summary>
    public async Task<T> WithAsync<TService, T>(Func<TService, Task<T>> work)
        where TService : notnull
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await work(scope.ServiceProvider.GetRequiredService<TService>());
    }

    public Task WithAsync<TService>(Func<TService, Task> work)
        where TService : notnull => WithAsync<TService, bool>(async service =>
    {
        await work(service);
        return true;
    });

    /// <summary>
    /// The same caller with a session that he has changed nothing with, as some operations end or change the session they come with; for a
    /// member of nothing another one, as he may have founded something.
    /// </summary>
    public async Task<MatrixCaller> FreshAsync(MatrixCaller caller, CancellationToken ct)
    {
        if (!caller.IsLive || caller.PersonId is not { } person)
        {
            return caller;
        }
        if (!sessions.TryGetValue(caller, out var known))
        {
            var same = caller.OrganizationId is null ? (await PersonAsync(ct)).Id : person;
            sessions[caller] = known = caller with { Credential = (await SessionAsync(same, ct)).Token };
        }
        return known;
    }

    /// <summary>
    /// He changed something, perhaps his own session, which he comes with no more, or somebody else's, which is in doubt now.
    /// </summary>
    public void HasChangedSomething(MatrixCaller caller)
    {
        sessions.Remove(caller);
        doubtful.Remove(caller);
        doubtful.UnionWith(sessions.Keys);
    }

    /// <summary>His session was taken just now.</summary>
    public void HasProven(MatrixCaller caller) => doubtful.Remove(caller);

    /// <summary>Whether it was a doubtful session with which he was refused: he comes with a new one then.</summary>
    public bool Renew(MatrixCaller caller) => doubtful.Remove(caller) && sessions.Remove(caller);

    /// <summary>Another person of the same organization.</summary>
    public async Task<MatrixCaller> ColleagueOfAsync(MatrixCaller caller, CancellationToken ct) =>
        await SignedInAsync("colleague", caller.OrganizationId!.Value, MemberRole.Member, ct);

    public string Unique(string what) => $"{what}-{Interlocked.Increment(ref made)}";

    public async Task<Person> PersonAsync(CancellationToken ct)
    {
        var name = Unique("person");
        return await WithAsync<PersonStore, Person>(people => people.CreateAsync(new($"{name}@example.org", name), "test", ct));
    }

    public async Task<Person> MemberAsync(Guid organizationId, MemberRole role, CancellationToken ct)
    {
        var person = await PersonAsync(ct);
        await WithAsync<MemberStore>(members => members.AddAsync(organizationId, person.Id, role, "test", ct));
        return person;
    }

    public Task<NewKey> KeyAsync(Guid organizationId, bool isAdmin, CancellationToken ct) =>
        WithAsync<KeyStore, NewKey>(keys => keys.CreateAsync(organizationId, new(Unique("key"), isAdmin), "test", ct));

    public Task<NewSession> SessionAsync(Guid personId, CancellationToken ct) =>
        WithAsync<SessionStore, NewSession>(sessions => sessions.BeginAsync(personId, "test", new(null, null), ct));

    public async Task<Guid> OrganizationAsync(string slug, CancellationToken ct)
    {
        var founder = await PersonAsync(ct);
        var organization = await WithAsync<OrganizationStore, Organization>(
            organizations => organizations.CreateAsync(new(slug, slug), founder.Id, ct));
        return organization.Id;
    }

    /// <summary>He himself; somebody else where a key calls, which is no person.</summary>
    public async Task<Guid> PersonOfAsync(MatrixCaller caller, CancellationToken ct) => caller.PersonId ?? (await PersonAsync(ct)).Id;

    public Task<NewInvitation> InvitationAsync(Guid organizationId, string email, CancellationToken ct) =>
        WithAsync<InvitationStore, NewInvitation>(invitations => invitations.CreateAsync(
            Caller.Of(new ApiKey(Guid.Empty, organizationId, "test", "", default, IsAdmin: true, null, null, null, null, null)),
            email, MemberRole.Viewer, ct));

    private async Task PopulateAsync(CancellationToken ct)
    {
        var own = await OrganizationAsync("own", ct);
        var other = await OrganizationAsync("other", ct);
        Callers.Add(new("nobody", "", ""));
        foreach (var (name, organization) in ((string, Guid)[])[("own", own), ("other", other), ("operator", Organization.DefaultId)])
        {
            Callers.Add(await HolderAsync($"{name} key", organization, isAdmin: false, ct));
            Callers.Add(await HolderAsync($"{name} admin key", organization, isAdmin: true, ct));
            foreach (var role in Enum.GetValues<MemberRole>())
            {
                Callers.Add(await SignedInAsync($"{name} {role}", organization, role, ct));
            }
        }
        Owner = Callers.Single(caller => caller.Name == $"own {MemberRole.Owner}");
        Neighbour = Callers.Single(caller => caller.Name == $"other {MemberRole.Owner}");
        Callers.AddRange(Callers.Where(caller => caller.Name.StartsWith("own ", StringComparison.Ordinal) && caller.PersonId is not null)
            .Select(caller => caller with { Name = $"{caller.Name} in proxy_auth_token", Scheme = MatrixCaller.GtwySession }).ToList());
        var homeless = await PersonAsync(ct);
        Callers.Add(await SignedInAsync("member of nothing", homeless, null, null, ct));
        Callers.Add(Owner with { Name = "own Owner from another site", IsElsewhere = true });
        var admin = Callers.Single(caller => caller.Name == "own admin key");
        Callers.Add(admin with { Name = "own admin key in x-api-key", Scheme = AccessScheme.HeaderKey.Name });
        Callers.Add(new("made-up key", AccessScheme.BearerKey.Name, "stoa_madeup", IsLive: false));
        Callers.Add(new("made-up session", AccessScheme.Session.Name, new string('A', 43), IsLive: false));
        await AddEndedAsync(own, ct);
        await host.Services.GetRequiredService<KeyRingSync>().ReloadAsync(ct);
    }

    /// <summary>What was good once.</summary>
    private async Task AddEndedAsync(Guid organization, CancellationToken ct)
    {
        var key = await HolderAsync("revoked admin key", organization, isAdmin: true, ct);
        Callers.Add(key with { IsLive = false });
        var session = await SignedInAsync("ended session of an Owner", organization, MemberRole.Owner, ct);
        Callers.Add(session with { IsLive = false });
        await WithAsync<KeyStore>(keys => keys.RevokeAsync(organization, key.KeyId!.Value, "test", ct));
        await WithAsync<SessionStore>(sessions => sessions.EndAllAsync(session.PersonId!.Value, null, "test", ct));
    }

    private async Task<MatrixCaller> HolderAsync(string name, Guid organization, bool isAdmin, CancellationToken ct)
    {
        var key = await KeyAsync(organization, isAdmin, ct);
        return new(name, AccessScheme.BearerKey.Name, key.Token)
        {
            OrganizationId = organization,
            Role = isAdmin ? MemberRole.Admin : MemberRole.Member,
            KeyId = key.Row.Id,
        };
    }

    private async Task<MatrixCaller> SignedInAsync(string name, Guid organization, MemberRole role, CancellationToken ct) =>
        await SignedInAsync(name, await MemberAsync(organization, role, ct), organization, role, ct);

    private async Task<MatrixCaller> SignedInAsync(string name, Person person, Guid? organization, MemberRole? role, CancellationToken ct)
    {
        var session = await SessionAsync(person.Id, ct);
        return new(name, AccessScheme.Session.Name, session.Token) { OrganizationId = organization, Role = role, PersonId = person.Id };
    }
}
