using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>
/// Who calls a route below <c>/api/stoa</c> or looks at a page, bound once per request: the holder of an API key, or a person who is
/// signed in. A handler takes it as a parameter; the route says <c>RequireCaller</c>.
/// </summary>
public sealed record Caller
{
    private readonly Guid? organizationId;

    private Caller(Guid? organizationId, MemberRole? role) => (this.organizationId, Role) = (organizationId, role);

    /// <summary>The key he called or signed in with: its scopes are his. Null for a person, who may use any model.</summary>
    public ApiKey? Key { get; private init; }

    /// <summary>Null when he called with a key.</summary>
    public Session? Session { get; private init; }

    public Guid? PersonId => Session?.PersonId;

    /// <summary>Null for a person who is a member of no organization, or has not said which one he acts for.</summary>
    public MemberRole? Role { get; }

    /// <exception cref="Failure">He acts for no organization. Routes with a role do not come here then.</exception>
    public Guid OrganizationId => organizationId ?? throw NoOrganization();

    public bool HasOrganization => organizationId is not null;

    public bool IsAdmin => Role >= MemberRole.Admin;

    /// <summary>An admin of the organization that runs the installation.</summary>
    public bool IsOperator => IsAdmin && organizationId == Organization.DefaultId;

    /// <summary>How the audit names him.</summary>
    public string Actor => PersonId is { } person ? $"person:{person}" : $"key:{Key!.Id}";

    /// <summary>The name to greet him by.</summary>
    public string Name => Session?.Person?.Name ?? Key!.Name;

    /// <summary>An admin's key manages its organization, any other works in it. No key is an owner.</summary>
    public static Caller Of(ApiKey key, Session? session = null) =>
        new(key.OrganizationId, key.IsAdmin ? MemberRole.Admin : MemberRole.Member) { Key = key, Session = session };

    public static Caller Of(Session session) => new(session.Organization?.Id, session.Organization?.Role) { Session = session };

    /// <summary>The person who calls.</summary>
    /// <exception cref="Failure">It is a key.</exception>
    public Guid RequirePerson() => PersonId ?? throw Failure.Forbidden("Only a person who is signed in can do this");

    public void Require(MemberRole role)
    {
        if (Role is null)
        {
            throw NoOrganization();
        }
        if (Role < role)
        {
            throw Key is { } && role == MemberRole.Admin
                ? Failure.Forbidden("The key is not an admin's")
                : Failure.Forbidden($"This needs the role {role.ToString().ToLowerInvariant()} in the organization");
        }
    }

    public void RequireOperator()
    {
        if (!IsOperator)
        {
            throw Failure.Forbidden("This is for admins of the organization that runs this installation");
        }
    }

    public static ValueTask<Caller?> BindAsync(HttpContext context) => ValueTask.FromResult<Caller?>(
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("The route takes a caller but does not require one"));

    private static Failure NoOrganization() =>
        new(FailureKind.Forbidden, "no_organization", "You act for no organization; choose one first");
}
