using Microsoft.Extensions.Hosting;

namespace Stoa.Platform.Identity;

/// <summary>
/// On a Development host anybody may sign in as its developer, an owner of the organization <c>default</c>. Elsewhere there is no such
/// thing.
/// </summary>
internal sealed class DevelopmentSignIn(IdentityDb db, PersonStore people, IHostEnvironment environment, TimeProvider time)
{
    public const string Email = "developer@localhost";

    public async Task<Person> FindOrCreateAsync(CancellationToken ct)
    {
        if (!environment.IsDevelopment())
        {
            throw new InvalidOperationException("The development sign-in exists in Development only");
        }
        if (await people.FindByEmailAsync(Email, ct) is { } known)
        {
            return known;
        }
        var person = people.Add(new(Email, "Developer"), "development");
        db.Memberships.Add(new()
        {
            OrganizationId = Organization.DefaultId, PersonId = person.Id, Role = MemberRole.Owner, CreatedAt = time.GetUtcNow(),
        });
        await people.SaveAsync(ct);
        return person;
    }
}
