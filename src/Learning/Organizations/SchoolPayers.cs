using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Organizations;

/// <summary>
/// The platform's organizations that schools' model calls are counted for: one of the school's own, which has no members, or one that has
/// agreed to pay for it.
/// </summary>
internal sealed class SchoolPayers(LearningDb db, SchoolBudgets budgets, TimeProvider time)
{
    /// <summary>An organization for a school. Nobody becomes a member of it: who makes a school may not make keys for models.</summary>
    public async Task<Guid> MakeAsync(string slug, string name, CancellationToken ct)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        // Its slug there says where it comes from, and takes no other's.
        var there = $"school-{slug[..Math.Min(slug.Length, 40)]}-{id.ToString()[^12..]}";
        await db.Database.ExecuteSqlAsync(
            $"insert into platform.organizations (id, slug, name, created_at) values ({id}, {there}, {name}, {time.GetUtcNow()})", ct);
        return id;
    }

    /// <summary>From now on an organization that the user administers pays.</summary>
    /// <exception cref="Failure">403: he does not.</exception>
    public async Task SetAsync(int orgId, int userId, Guid organizationId, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await LockAsync(orgId, ct);
        if (!await AdministersAsync(userId, organizationId, ct))
        {
            throw Refusal.Forbidden();
        }
        await db.Database.ExecuteSqlAsync(
            $"update learning.organizations set organization_id = {organizationId}, is_paid_for = true where id = {orgId}", ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>
    /// From now on the school is counted for itself, within the budget that schools have. Whoever runs either of the two may say so.
    /// </summary>
    /// <exception cref="Failure">403.</exception>
    public async Task RemoveAsync(int orgId, int userId, bool isAdmin, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await LockAsync(orgId, ct);
        var school = await db.Organizations.AsNoTracking().FirstAsync(row => row.Id == orgId, ct);
        if (!isAdmin && !(school.IsPaidFor && await AdministersAsync(userId, school.OrganizationId, ct)))
        {
            throw Refusal.Forbidden();
        }
        if (school.IsPaidFor)
        {
            var own = await MakeAsync(school.Slug, school.Name, ct);
            await db.Database.ExecuteSqlAsync(
                $"update learning.organizations set organization_id = {own}, is_paid_for = false where id = {orgId}", ct);
            await budgets.GiveAsync(own, ct);
        }
        await transaction.CommitAsync(ct);
    }

    /// <summary>Whoever says something else about the school's payer waits until this is said.</summary>
    private Task<int> LockAsync(int orgId, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select from learning.organizations where id = {orgId} for no key update", ct);

    /// <summary>He does until the transaction is over: whoever takes it from him waits, and who has begun to is waited for.</summary>
    private async Task<bool> AdministersAsync(int userId, Guid organizationId, CancellationToken ct) =>
        (await db.Database.SqlQuery<bool>($"""
        select true as "Value" from platform.memberships m join learning.users u on u.person_id = m.person_id
        where u.id = {userId} and m.organization_id = {organizationId} and m.role in ('owner', 'admin')
        for share of m
        """).ToListAsync(ct)).Count > 0;
}
