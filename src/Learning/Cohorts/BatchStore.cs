using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Cohorts;

/// <param name="Role">Null for somebody who has left the cohort.</param>
internal sealed record BatchMemberView(int Id, string Email, CohortRole? Role);

internal sealed record BatchView(int Id, string Name, IReadOnlyList<BatchMemberView> Members);

internal sealed record BatchDetails(int Id, string Name, int CohortId, IReadOnlyList<BatchMemberView> Members);

internal sealed record BatchOfUser(int Id, string Name, CohortRole Role);

/// <summary>Parts of cohorts.</summary>
internal sealed class BatchStore(LearningDb db, TimeProvider time)
{
    public async Task<List<BatchView>> ListAsync(int cohortId, Page page, CancellationToken ct)
    {
        var batches = await db.Batches.Where(batch => batch.CohortId == cohortId && (page.After == null || batch.Id < page.After))
            .OrderByDescending(batch => batch.Id).Take(page.Size).Select(batch => new IdName(batch.Id, batch.Name)).ToListAsync(ct);
        var members = await MembersAsync(batches.ConvertAll(batch => batch.Id), ct);
        return batches.ConvertAll(batch => new BatchView(batch.Id, batch.Name, [.. members[batch.Id]]));
    }

    public async Task<BatchDetails> DetailsAsync(int id, CancellationToken ct)
    {
        var batch = await db.Batches.AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, ct) ?? throw Failure.NotFound("Batch");
        return new(id, batch.Name, batch.CohortId, [.. (await MembersAsync([id], ct))[id]]);
    }

    /// <exception cref="Failure">400: somebody is not in the cohort.</exception>
    public async Task<int> CreateAsync(int cohortId, string name, IReadOnlyList<int> userIds, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await RequireMembersAsync(cohortId, userIds, ct);
        var batch = new BatchRow { CohortId = cohortId, Name = name };
        db.Add(batch);
        await db.SaveChangesAsync(ct);
        await AddAsync(batch.Id, userIds, ct);
        await transaction.CommitAsync(ct);
        return batch.Id;
    }

    /// <exception cref="Failure">400: who is to be added is there, or no member of the cohort, or who is to be removed is not
    /// there.</exception>
    public async Task UpdateAsync(int id, string name, IReadOnlyList<int> added, IReadOnlyList<int> removed, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var batch = await db.Batches.FirstOrDefaultAsync(row => row.Id == id, ct) ?? throw Failure.NotFound("Batch");
        batch.Name = name;
        await db.SaveChangesAsync(ct);
        if (await db.BatchMembers.AnyAsync(member => member.BatchId == id && added.Contains(member.UserId), ct))
        {
            throw Refusal.BadRequest("One or more users are already in the batch");
        }
        await RequireMembersAsync(batch.CohortId, added, ct);
        await AddAsync(id, added, ct);
        var gone = removed.Distinct().ToArray();
        if (await db.Database.ExecuteSqlAsync($"""
            update learning.user_batches set deleted_at = {time.GetUtcNow()}
              where batch_id = {id} and user_id = any ({gone}) and deleted_at is null
            """, ct) != gone.Length)
        {
            throw Refusal.BadRequest("One or more members are not in the batch");
        }
        await transaction.CommitAsync(ct);
    }

    public Task DeleteAsync(int id, CancellationToken ct) => db.Database.ExecuteSqlAsync($"""
        with members as (update learning.user_batches set deleted_at = {time.GetUtcNow()} where batch_id = {id} and deleted_at is null)
        update learning.batches set deleted_at = {time.GetUtcNow()} where id = {id}
        """, ct);

    /// <summary>The batches of a member of the cohort, newest first.</summary>
    /// <exception cref="Failure">403: he is none.</exception>
    public async Task<List<BatchOfUser>> OfUserAsync(int userId, int cohortId, CancellationToken ct)
    {
        var member = await db.CohortMembers.AsNoTracking().FirstOrDefaultAsync(row => row.UserId == userId && row.CohortId == cohortId, ct)
            ?? throw Failure.Forbidden("User is not a member of the specified cohort");
        return await db.Batches
            .Where(batch => batch.CohortId == cohortId && db.BatchMembers.Any(row => row.BatchId == batch.Id && row.UserId == userId))
            .OrderByDescending(batch => batch.Id).Select(batch => new BatchOfUser(batch.Id, batch.Name, member.Role)).ToListAsync(ct);
    }

    private async Task<ILookup<int, BatchMemberView>> MembersAsync(List<int> batchIds, CancellationToken ct)
    {
        var rows = await db.Database.SqlQuery<MemberRow>($"""
            select ub.batch_id, u.id, u.email, uc.role
            from learning.user_batches ub
            join learning.batches b on b.id = ub.batch_id
            join learning.users u on u.id = ub.user_id and u.deleted_at is null
            left join learning.user_cohorts uc on uc.cohort_id = b.cohort_id and uc.user_id = u.id and uc.deleted_at is null
            where ub.batch_id = any ({batchIds.ToArray()}) and ub.deleted_at is null
            order by uc.role, ub.id
            """).ToListAsync(ct);
        return rows.ToLookup(row => row.BatchId, row => new BatchMemberView(row.Id, row.Email, row.Role));
    }

    private async Task RequireMembersAsync(int cohortId, IReadOnlyList<int> userIds, CancellationToken ct)
    {
        var ids = userIds.Distinct().ToList();
        if (await db.CohortMembers.CountAsync(member => member.CohortId == cohortId && ids.Contains(member.UserId), ct) != ids.Count)
        {
            throw Refusal.BadRequest("One or more users are not members of the cohort");
        }
    }

    private Task<int> AddAsync(int id, IReadOnlyList<int> userIds, CancellationToken ct) => db.Database.ExecuteSqlAsync($"""
        insert into learning.user_batches (batch_id, user_id) select {id}, user_id from unnest({userIds.Distinct().ToArray()}) as user_id
        on conflict (user_id, batch_id) do update set deleted_at = null
        """, ct);

    private sealed record MemberRow(int BatchId, int Id, string Email, CohortRole? Role);
}
