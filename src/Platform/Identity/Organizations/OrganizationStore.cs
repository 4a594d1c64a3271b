using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Makes and renames organizations.</summary>
public sealed class OrganizationStore(IdentityDb db, SessionCache sessions, TimeProvider time)
{
    public Task<Organization?> FindAsync(Guid id, CancellationToken ct) =>
        db.Organizations.AsNoTracking().FirstOrDefaultAsync(organization => organization.Id == id, ct);

    /// <summary>A new organization; whoever makes it owns it.</summary>
    /// <exception cref="Failure">Conflict <c>slug_taken</c>.</exception>
    public async Task<Organization> CreateAsync(OrganizationTerms terms, Guid ownerId, CancellationToken ct)
    {
        Failure.ThrowIfAny(terms.Check());
        var now = time.GetUtcNow();
        var organization = new Organization(Guid.CreateVersion7(now), terms.Slug!, terms.Name!.Trim());
        db.Organizations.Add(organization);
        db.Memberships.Add(new() { OrganizationId = organization.Id, PersonId = ownerId, Role = MemberRole.Owner, CreatedAt = now });
        db.Note(time, $"person:{ownerId}", "organization.create", $"organization:{organization.Id}", organization.Id);
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException error) when (error.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            throw new Failure(FailureKind.Conflict, "slug_taken", $"There is an organization {terms.Slug} already");
        }
        sessions.Forget(ownerId);
        return organization;
    }

    public async Task<Organization> RenameAsync(Guid id, string? name, string actor, CancellationToken ct)
    {
        OrganizationTerms.CheckName(name);
        var text = name.Trim();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Organizations.Where(organization => organization.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(organization => organization.Name, text), ct);
        db.Note(time, actor, "organization.rename", $"organization:{id}", id);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        // Its name stands in the sessions of all its members.
        sessions.Forget(owner: null);
        return await FindAsync(id, ct) ?? throw Failure.NotFound("Organization");
    }
}
