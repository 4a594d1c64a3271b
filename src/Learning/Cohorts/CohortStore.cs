using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Notifications;
using Stoa.Learning.Progress;
using Stoa.Learning.Users;
using Stoa.Learning.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Learning.Cohorts;

internal sealed record CohortMemberView(int Id, string Email, CohortRole Role, string? FirstName, string? MiddleName, string? LastName);

internal sealed record CohortDetails(int Id, int OrgId, string Name, IReadOnlyList<CohortMemberView> Members);

/// <summary>Cohorts and who is in them.</summary>
internal sealed class CohortStore(LearningDb db, UserStore users, Standings standings, SchoolNews news, TimeProvider time)
{
    public Task<List<IdName>> ListAsync(int orgId, Page page, CancellationToken ct) => db.Cohorts
        .Where(cohort => cohort.OrgId == orgId && (page.After == null || cohort.Id < page.After))
        .OrderByDescending(cohort => cohort.Id).Take(page.Size).Select(cohort => new IdName(cohort.Id, cohort.Name)).ToListAsync(ct);

    public async Task<int> CreateAsync(int orgId, string name, CancellationToken ct)
    {
        var cohort = new CohortRow { OrgId = orgId, Name = name };
        db.Add(cohort);
        await db.SaveChangesAsync(ct);
        return cohort.Id;
    }

    /// <param name="batchId">Only those in this batch.</param>
    /// <param name="onlyUserId">Only this member.</param>
    public async Task<CohortDetails> DetailsAsync(int id, int? batchId, int? onlyUserId, CancellationToken ct)
    {
        var cohort = await db.Cohorts.FirstOrDefaultAsync(row => row.Id == id, ct) ?? throw Failure.NotFound("Cohort");
        var members = await (
            from member in db.CohortMembers
            where member.CohortId == id && (onlyUserId == null || member.UserId == onlyUserId)
                && (batchId == null || db.BatchMembers.Any(batch => batch.BatchId == batchId && batch.UserId == member.UserId))
            join user in db.Users on member.UserId equals user.Id
            orderby member.Role, member.Id
            select new CohortMemberView(user.Id, user.Email, member.Role, user.FirstName, user.MiddleName, user.LastName)).ToListAsync(ct);
        return new(id, cohort.OrgId, cohort.Name, members);
    }

    public Task RenameAsync(int id, string name, CancellationToken ct) =>
        db.Cohorts.Where(cohort => cohort.Id == id).ExecuteUpdateAsync(set => set.SetProperty(cohort => cohort.Name, name), ct);

    public Task DeleteAsync(int id, CancellationToken ct) => db.Database.ExecuteSqlAsync($"""
        with members as (update learning.user_cohorts set deleted_at = {time.GetUtcNow()} where cohort_id = {id} and deleted_at is null),
          courses as (update learning.course_cohorts set deleted_at = {time.GetUtcNow()} where cohort_id = {id} and deleted_at is null),
          batch_members as (update learning.user_batches set deleted_at = {time.GetUtcNow()}
            where batch_id in (select id from learning.batches where cohort_id = {id}) and deleted_at is null),
          batches as (update learning.batches set deleted_at = {time.GetUtcNow()} where cohort_id = {id} and deleted_at is null)
        update learning.cohorts set deleted_at = {time.GetUtcNow()} where id = {id}
        """, ct);

    /// <summary>
    /// All of them, or none: an admin cannot be added (401), and nobody twice (400). The join page tells these two apart.
    /// </summary>
    /// <returns>Who was added, with his role.</returns>
    public async Task<List<(UserRow User, CohortRole Role)>> AddAsync(
        int id, int orgId, IReadOnlyList<string> emails, IReadOnlyList<CohortRole> roles, CancellationToken ct)
    {
        // The first role counts where an address is named twice.
        var wanted = emails.Select(UserStore.Key).Zip(roles).DistinctBy(pair => pair.First, StringComparer.Ordinal)
            .ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
        var keys = wanted.Keys.ToList();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.OrganizationMembers.AnyAsync(
            member => member.OrgId == orgId && db.Users.Any(user => user.Id == member.UserId && keys.Contains(user.Email)), ct))
        {
            throw Refusal.Unauthorized("Cannot add an admin to the cohort.");
        }
        if (await db.CohortMembers.AnyAsync(
            member => member.CohortId == id && db.Users.Any(user => user.Id == member.UserId && keys.Contains(user.Email)), ct))
        {
            throw Refusal.BadRequest("User already exists in cohort");
        }
        var added = (await users.EnsureAsync(emails, ct)).ConvertAll(user => (User: user, Role: wanted[user.Email]));
        await db.Database.ExecuteSqlAsync($"""
            insert into learning.user_cohorts (cohort_id, user_id, role, joined_at)
            select {id}, user_id, role, {time.GetUtcNow()}
            from unnest({added.Select(one => one.User.Id).ToArray()}, {added.Select(one => EnumNames<CohortRole>.Write(one.Role)).ToArray()}) as one (user_id, role)
            on conflict (user_id, cohort_id) do update set role = excluded.role, joined_at = excluded.joined_at, deleted_at = null
            """, ct);
        // One row of standings for each, whatever they have done elsewhere before.
        await standings.MarkStaleAsync([id], ct);
        await news.TellAsync(db, added.Select(one => TellSlack.MemberAdded(one.User.Id, id, one.Role)), ct);
        await transaction.CommitAsync(ct);
        return added;
    }

    /// <summary>From its batches too.</summary>
    /// <exception cref="Failure">400: somebody is not in it.</exception>
    public async Task RemoveAsync(int id, IReadOnlyList<int> userIds, CancellationToken ct)
    {
        var ids = userIds.Distinct().ToArray();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var gone = await db.Database.ExecuteSqlAsync($"""
            update learning.user_cohorts set deleted_at = {time.GetUtcNow()}
              where cohort_id = {id} and user_id = any ({ids}) and deleted_at is null
            """, ct);
        if (gone != ids.Length)
        {
            throw Refusal.BadRequest("One or more members are not in the cohort");
        }
        await db.Database.ExecuteSqlAsync($"""
            update learning.user_batches set deleted_at = {time.GetUtcNow()} where user_id = any ({ids}) and deleted_at is null
              and batch_id in (select id from learning.batches where cohort_id = {id})
            """, ct);
        await db.Database.ExecuteSqlAsync($"delete from learning.standings where cohort_id = {id} and user_id = any ({ids})", ct);
        await db.Database.ExecuteSqlAsync($"delete from learning.course_standings where cohort_id = {id} and user_id = any ({ids})", ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Whether the cohort is one of this organization's, and open to whoever has its link.</summary>
    public Task<CohortRow?> OfOrganizationAsync(int id, int orgId, CancellationToken ct) =>
        db.Cohorts.AsNoTracking().FirstOrDefaultAsync(cohort => cohort.Id == id && cohort.OrgId == orgId, ct);

    public Task<int> OrganizationIdAsync(string slug, CancellationToken ct) =>
        db.Organizations.Where(organization => organization.Slug == slug).Select(organization => organization.Id).FirstOrDefaultAsync(ct);

    public Task<bool> HasBatchAsync(int id, int batchId, CancellationToken ct) =>
        db.Batches.AnyAsync(batch => batch.Id == batchId && batch.CohortId == id, ct);
}
