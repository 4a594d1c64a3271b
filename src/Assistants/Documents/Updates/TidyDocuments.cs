using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Documents.Vectors;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents.Updates;

/// <summary>
/// Every quarter of an hour: websites whose time has come are read again, and documents get vectors of the model that is asked now.
/// </summary>
internal sealed record TidyDocuments
{
    public const string Kind = "assistants.tidy_documents";

    public static readonly TimeSpan Every = TimeSpan.FromMinutes(15);
}

internal sealed class TidyDocumentsHandler(
    AssistantsDb db, DocumentJobs jobs, DocumentVectors vectors, IOptions<DocumentsOptions> options, TimeProvider time)
    : IJobHandler<TidyDocuments>
{
    private const int AtOnce = 1_000;

    public async Task RunAsync(TidyDocuments job, JobContext context, CancellationToken ct)
    {
        await RefreshAsync(ct);
        await EmbedAsync(ct);
    }

    private async Task RefreshAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        // Should the reading die, the next one comes all the same.
        DateTimeOffset? next = options.Value.RefreshDays == 0 ? null : now.AddDays(options.Value.RefreshDays);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var due = await db.Database.SqlQuery<Due>($"""
            with due as (
              update assistants.websites set next_refresh_at = {next}
              where id in (select id from assistants.websites where next_refresh_at <= {now} order by next_refresh_at limit {AtOnce})
              returning id, user_id
            )
            select due.id, due.user_id, u.organization_id, u.person_id from due join assistants.users u on u.id = due.user_id
            """).ToListAsync(ct);
        foreach (var website in due)
        {
            jobs.Read(website.Id, JobOwners.Of(website.UserId, website.OrganizationId, website.PersonId));
        }
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Which model is asked may differ between organizations.</summary>
    private async Task EmbedAsync(CancellationToken ct)
    {
        var organizations = await db.Users.Select(user => user.OrganizationId).Distinct().ToListAsync(ct);
        foreach (var organization in organizations)
        {
            if (vectors.ModelFor(organization) is not { } model)
            {
                continue;
            }
            var outdated = await db.Database.SqlQuery<Due>($"""
                select distinct d.id, d.user_id, u.organization_id, u.person_id
                from assistants.document_chunks c
                join assistants.documents d on d.id = c.document_id
                join assistants.users u on u.id = d.user_id
                where c.deleted_at is null and d.deleted_at is null and u.organization_id = {organization}
                  and (c.embedding_model < {model} or c.embedding_model > {model} or c.embedding_model is null)
                limit {AtOnce}
                """).ToListAsync(ct);
            foreach (var document in outdated)
            {
                jobs.Embed(document.Id, JobOwners.Of(document.UserId, document.OrganizationId, document.PersonId));
            }
            await db.SaveChangesAsync(ct);
        }
    }

    private sealed record Due(int Id, string UserId, Guid OrganizationId, Guid? PersonId);
}
