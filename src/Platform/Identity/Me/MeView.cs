namespace Stoa.Platform.Identity;

/// <summary>Who calls. Either <c>person</c> or <c>key</c> is set.</summary>
/// <param name="Organization">Null for a person who acts for none.</param>
internal sealed record MeView(
    MeView.PersonView? Person, MeView.KeyView? Key, MeView.OrganizationView? Organization,
    IReadOnlyList<MeView.OrganizationView> Organizations,
    bool IsOperator)
{
    public static MeView Of(Caller caller, Person? person) => new(
        person is null ? null : PersonView.Of(person),
        caller.Key is { } key ? new(key.Id, key.Name, key.Prefix) : null,
        caller.HasOrganization
        ? new(caller.OrganizationId, caller.Session?.Organization?.Slug, caller.Session?.Organization?.Name, caller.Role!.Value) : null,
        [.. (caller.Session?.Organizations ?? []).Select(own => new OrganizationView(own.Id, own.Slug, own.Name, own.Role))],
        caller.IsOperator);

    /// <param name="EraseAt">When the person will be erased, after asking for it.</param>
    internal sealed record PersonView(
        Guid Id, string Name, string? Email, string Locale, string TimeZone,
        bool HasPassword, DateTimeOffset CreatedAt, DateTimeOffset? EraseAt)
    {
        public static PersonView Of(Person person) => new(
            person.Id, person.Name, person.Email, person.Locale, person.TimeZone,
            person.PasswordHash is not null, person.CreatedAt, person.EraseAt);
    }

    internal sealed record KeyView(Guid Id, string Name, string Prefix);

    internal sealed record OrganizationView(Guid Id, string? Slug, string? Name, MemberRole Role);
}
