using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Executions;
using Stoa.Assistants.Users;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.ProducedTexts;

/// <summary>Produced texts and their versions; what belongs to another user is not found.</summary>
internal sealed class ProducedTextStore(AssistantsDb db, TimeProvider time)
{
    public async Task<List<ProducedTextsApi.ProducedTextView>> ListAsync(UserRow user, ProducedTextsApi.Wanted wanted, CancellationToken ct)
    {
        var clock = new LocalTime(user.TimezoneName, user.TimezoneOffset);
        var texts = await db.Database.SqlQuery<Found>($"""
            select p.id, p.task_execution_id as execution_id, newest.production, newest.title, newest.created_at, kind.name as text_type
            from assistants.produced_texts p
            cross join lateral (
              select v.* from assistants.produced_text_versions v where v.produced_text_id = p.id
              order by v.created_at desc, v.id desc limit 1) newest
            left join assistants.text_types kind on kind.id = newest.text_type_id
            where p.user_id = {user.Id} and p.deleted_at is null and ({wanted.Id}::integer is null or p.id = {wanted.Id})
            order by p.id desc offset {wanted.Offset} limit {wanted.Most}
            """).ToListAsync(ct);
        return texts.ConvertAll(text => new ProducedTextsApi.ProducedTextView(
            text.Id, text.ExecutionId, user.Id, text.Production, text.Title, clock.Shown(text.CreatedAt)!.Value, text.TextType));
    }

    /// <summary>
    /// One more version of this text, else of what the execution has produced, else the first of a new text; in the caller's transaction,
    /// and with the job that makes its vector. Of the kind that the execution's task produces.
    /// </summary>
    /// <exception cref="Failure">NotFound: the text, the execution or the session.</exception>
    public async Task<ProducedTextsApi.SavedVersion> SaveAsync(UserRow user, ProducedTextsApi.NewVersion terms, CancellationToken ct)
    {
        var text = await TextAsync(user, terms, ct);
        if (text.Id == 0)
        {
            db.Add(text);
            await db.SaveChangesAsync(ct);
        }
        var version = new ProducedTextVersionRow
        {
            ProducedTextId = text.Id, Title = terms.Title, Production = terms.Production, CreatedAt = time.GetUtcNow(),
            TextTypeId = await db.Tasks.Where(task => db.UserTasks.Any(own => own.TaskId == task.Id
                && db.TaskExecutions.Any(row => row.Id == text.TaskExecutionId && row.UserTaskId == own.Id)))
                .Select(task => task.OutputTextTypeId).FirstOrDefaultAsync(ct),
        };
        db.Add(version);
        await db.SaveChangesAsync(ct);
        db.Enqueue(new EmbedProducedText(version.Id), new() { Owner = JobOwners.Of(user) });
        await db.SaveChangesAsync(ct);
        return new(text.Id, version.Id);
    }

    /// <summary>The n-th version of what the execution has produced, from 1 on.</summary>
    public Task<VersionView?> VersionAsync(string userId, int executionId, int index, CancellationToken ct) => (
        from text in db.ProducedTexts
        where text.TaskExecutionId == executionId && text.UserId == userId && text.DeletedAt == null
        join row in db.ProducedTextVersions on text.Id equals row.ProducedTextId
        orderby row.CreatedAt, row.Id
        select new VersionView(row.Id)
        {
            ProducedTextPk = text.Id, ProducedTextTitle = row.Title,
            ProducedTextProduction = row.Production, ProducedTextVersionIndex = index,
        }).Skip(index - 1).FirstOrDefaultAsync(ct);

    public async Task<bool> DeleteAsync(string userId, int id, CancellationToken ct) => await db.ProducedTexts
        .Where(text => text.Id == id && text.UserId == userId && text.DeletedAt == null)
        .ExecuteUpdateAsync(set => set.SetProperty(text => text.DeletedAt, time.GetUtcNow()), ct) > 0;

    private async Task<ProducedTextRow> TextAsync(UserRow user, ProducedTextsApi.NewVersion terms, CancellationToken ct)
    {
        if (terms.ExecutionId is { } execution
            && !await db.TaskExecutions.AnyAsync(row => row.Id == execution && row.UserId == user.Id && row.DeletedAt == null, ct))
        {
            throw Failure.NotFound("user_task_execution");
        }
        if (terms.SessionId is { } session
            && !await db.Sessions.AnyAsync(row => row.Id == session && row.UserId == user.Id && !row.IsDeleted, ct))
        {
            throw Failure.NotFound("Session");
        }
        var own = db.ProducedTexts.Where(text => text.UserId == user.Id && text.DeletedAt == null);
        if (terms.ProducedTextId is { } id)
        {
            return await own.FirstOrDefaultAsync(text => text.Id == id, ct) ?? throw Failure.NotFound("Produced text");
        }
        var produced = terms.ExecutionId is null ? null
            : await own.Where(text => text.TaskExecutionId == terms.ExecutionId).OrderByDescending(text => text.Id).FirstOrDefaultAsync(ct);
        return produced ?? new()
        {
            UserId = user.Id, TaskExecutionId = terms.ExecutionId, SessionId = terms.SessionId, CreatedAt = time.GetUtcNow(),
        };
    }

    private sealed record Found(int Id, int? ExecutionId, string Production, string? Title, DateTimeOffset CreatedAt, string? TextType);
}
