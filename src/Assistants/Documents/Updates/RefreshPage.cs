using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Documents.Contents;
using Stoa.Assistants.Documents.Crawling;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents.Updates;

internal sealed record RefreshPage(int DocumentId)
{
    public const string Kind = "assistants.update_document";
}

/// <summary>Fetches a page again, it alone, and gives its document the next version where it has changed.</summary>
internal sealed class RefreshPageHandler(AssistantsDb db, DocumentContents contents, PageFetcher fetcher) : IJobHandler<RefreshPage>
{
    public static readonly JobRules Rules = CortexRules.Reading with { Priority = JobPriority.Normal };

    public async Task RunAsync(RefreshPage job, JobContext context, CancellationToken ct)
    {
        var subject = (await db.Database.SqlQuery<Subject>($"""
            select d.id, d.user_id, u.organization_id, u.language_code as user_language, d.name, d.etag, d.last_modified
            from assistants.documents d join assistants.users u on u.id = d.user_id
            where d.id = {job.DocumentId} and d.document_type = 'webpage' and d.deleted_at is null
            """).ToListAsync(ct)).FirstOrDefault() ?? throw JobFailure.Discard("The document is gone");
        try
        {
            await RefreshAsync(subject, context, ct);
        }
        catch (Exception failed) when (!ct.IsCancellationRequested && CortexRules.IsLast(failed, context))
        {
            await contents.FailedAsync(
                subject.Id, failed is Failure { Code: PageReading.Unreadable } ? failed.Message : "The page could not be read again", ct);
            throw;
        }
    }

    private async Task RefreshAsync(Subject subject, JobContext context, CancellationToken ct)
    {
        if (await FetchAsync(subject, context, ct) is not { } page)
        {
            await contents.CheckedAsync(subject.Id, ct);
            return;
        }
        var key = new DocumentKey(subject.UserId, subject.OrganizationId, DocumentType.Webpage, subject.Name);
        var version = await contents.PrepareAsync(key, page.Readable, subject.UserLanguage, context, ct);

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await contents.WriteAsync(version, page.Version, ct);
        await context.CompleteAsync(db, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Null: it is as it was.</summary>
    private async Task<FetchedPage?> FetchAsync(Subject subject, JobContext context, CancellationToken ct)
    {
        var fetch = await fetcher.FetchAsync(new(subject.Name), new(subject.Etag, subject.LastModified), ct);
        return fetch switch
        {
            { Page: { MayBeKept: true, Readable.Text.Length: > 0 } page } => page,
            { Why: Unfetched.Unchanged } => null,
            { Why: Unfetched.Failed } when !context.IsLastAttempt =>
                throw Failure.Unavailable($"The page cannot be read: {fetch.Reason}", TimeSpan.FromSeconds(10 * context.Attempt)),
            { Page: not null } => throw Unreadable("it holds no text that may be kept"),
            _ => throw Unreadable(fetch.Reason),
        };
    }

    private static Failure Unreadable(string because) =>
        new(FailureKind.Invalid, PageReading.Unreadable, $"The page cannot be read: {because}");

    private sealed record Subject(
        int Id, string UserId, Guid OrganizationId, string UserLanguage, string Name, string? Etag, string? LastModified);
}
