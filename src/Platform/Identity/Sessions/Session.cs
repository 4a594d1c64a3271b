namespace Stoa.Platform.Identity;

/// <summary>A session as the request path sees it: immutable, held in memory for a short time by <see cref="SessionCache"/>.</summary>
/// <param name="Person">Null for the holder of an API key.</param>
/// <param name="Organizations">Those that the person is a member of, oldest membership first.</param>
/// <param name="ExpiresAt">It ends then, however much it is used.</param>
public sealed record Session(
    Guid Id,
    SignedInPerson? Person,
    Guid? KeyId,
    string? KeyPrefix,
    Guid? OrganizationId,
    IReadOnlyList<OwnOrganization> Organizations,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt)
{
    public Guid? PersonId => Person?.Id;

    /// <summary>The organization that the person acts for, while he is a member of it.</summary>
    public OwnOrganization? Organization => Organizations.FirstOrDefault(own => own.Id == OrganizationId);
}

/// <summary>Who is signed in, as far as pages and routes need it at once.</summary>
public sealed record SignedInPerson(Guid Id, string Name, string? Email, string Locale, string TimeZone);

/// <summary>An organization that somebody is a member of, and as what.</summary>
public sealed record OwnOrganization(Guid Id, string Slug, string Name, MemberRole Role);

/// <summary>A session just begun or rotated. The token goes into the cookie and is known to nobody else.</summary>
public sealed record NewSession(Guid Id, string Token, DateTimeOffset ExpiresAt);
