using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Documents.Contents;
using Stoa.Assistants.Documents.Reading;
using Stoa.Assistants.Users;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents;

/// <summary>What users do with their documents. Whose a document is, is part of each query.</summary>
internal sealed class DocumentStore(
    AssistantsDb db, DocumentContents contents, DocumentJobs jobs, IOptions<DocumentsOptions> options, TimeProvider time)
{
    // A page has fifty documents, and each may be a book.
    private const int LongestListed = 200_000;

    private const int MostWebsites = 50;

    /// <summary>Newest first, with the text that each one's chunks come to, as far as a list can hold it.</summary>
    public Task<List<ListedDocument>> ListAsync(string userId, string type, int limit, int offset, CancellationToken ct) =>
        db.Database.SqlQuery<ListedDocument>($"""
        select d.id, d.document_type as type, d.name, u.name as author, d.created_at, coalesce(d.updated_at, d.created_at) as updated_at,
          d.update_error as error,
          coalesce((
            select left(string_agg(c.text, ' ' order by c.index), {LongestListed}) from assistants.document_chunks c
              where c.document_id = d.id and c.deleted_at is null
          ), '') as text
        from assistants.documents d join assistants.users u on u.id = d.user_id
        where d.user_id = {userId} and d.document_type = {type} and d.deleted_at is null
        order by d.id desc limit {limit} offset {offset}
        """).ToListAsync(ct);

    /// <summary>How the reading of each of his websites fares or has ended, the newest first.</summary>
    public Task<List<ListedWebsite>> WebsitesAsync(string userId, CancellationToken ct) => db.Database.SqlQuery<ListedWebsite>($"""
        select w.url, w.ended_because as note, read.pages, w.started_at,
          case when w.is_running then null else w.finished_at end as finished_at,
          case
            when w.ended_because is not null and (w.is_running or read.pages = 0) then 'failed'
            when w.is_running or w.finished_at is null then 'reading'
            else 'read'
          end as state
        from assistants.websites w cross join lateral (
          select count(*)::integer as pages from assistants.website_pages p where p.website_id = w.id and p.run = w.run and p.state = 'read'
        ) read
        where w.user_id = {userId} order by w.id desc limit {MostWebsites}
        """).ToListAsync(ct);

    public Task<DocumentRow?> FindAsync(string userId, int documentId, CancellationToken ct) => db.Documents.AsNoTracking()
        .FirstOrDefaultAsync(document => document.Id == documentId && document.UserId == userId && document.DeletedAt == null, ct);

    /// <summary>Has a website read. It is known from now on, and its pages come as they are read.</summary>
    /// <param name="url">As <see cref="Crawling.PageAddress.Typed"/> writes it.</param>
    /// <exception cref="Failure">Invalid: the user has as many as he may have.</exception>
    public async Task<JobReceipt> ReadWebsiteAsync(UserRow user, string url, int? companyId, CancellationToken ct)
    {
        await using var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(ct) : null;
        var id = await db.Database.SqlQuery<int>($"""
            insert into assistants.websites as w (user_id, company_id, url) select {user.Id}, {companyId}, {url}
            where exists (select from assistants.websites there where there.user_id = {user.Id} and md5(there.url) = md5({url}))
              or (
                select count(*) from assistants.websites there where there.user_id = {user.Id} and (
                  there.is_running or there.run = 0
                  or exists (select from assistants.documents d where d.website_id = there.id and d.deleted_at is null))
              ) < {options.Value.MaxWebsites}
            on conflict (user_id, md5(url)) do update set company_id = coalesce(excluded.company_id, w.company_id)
            returning id as "Value"
            """).ToListAsync(ct);
        if (id.Count == 0)
        {
            throw Failure.Invalid($"A user has at most {options.Value.MaxWebsites} websites", "website_url", "too_many_websites");
        }
        // What the user had deleted under this name comes back, and is brought up to date.
        await db.Database.ExecuteSqlAsync($"""
            with back as (
              update assistants.documents d set deleted_at = null, is_deleted_by_user = false
              from assistants.documents gone
              where gone.id = d.id
              and gone.user_id = {user.Id} and md5(gone.name) in (md5({url}), md5({url} || '/')) and gone.is_deleted_by_user
              returning d.id, gone.deleted_at
            )
            update assistants.document_chunks c set deleted_at = null from back
              where c.document_id = back.id and c.deleted_at = back.deleted_at
            """, ct);
        var receipt = jobs.Read(id[0], JobOwners.Of(user));
        await db.SaveChangesAsync(ct);
        if (transaction is not null)
        {
            await transaction.CommitAsync(ct);
        }
        return receipt;
    }

    /// <summary>Whether the user has this page, or pages of the website that it is the base of.</summary>
    public Task<bool> HasWebsiteAsync(string userId, string url, CancellationToken ct) => db.Documents.AnyAsync(
        document => document.UserId == userId && document.DeletedAt == null
            && (document.Name == url
                || db.Websites.Any(website => website.Id == document.WebsiteId && website.UserId == userId && website.Url == url)), ct);

    /// <summary>
    /// A text of the user's, new or in the place of an older one. Its words are found at once, its vectors are made by the job.
    /// </summary>
    /// <param name="isNew">A document that is there already is refused.</param>
    /// <exception cref="Failure">Invalid: it is, or the user has as many as he may have.</exception>
    public async Task<(int DocumentId, JobReceipt Job)> WriteAsync(
        UserRow user, string name, ReadableText text, bool isNew, CancellationToken ct)
    {
        var key = new DocumentKey(user.Id, user.OrganizationId, DocumentType.LearnedByMojo, name);
        var version = await contents.PrepareAsync(key, text, user.LanguageCode, context: null, ct);
        if (isNew && await db.Documents.AnyAsync(document => document.Id == version.DocumentId && document.DeletedAt == null, ct))
        {
            throw Failure.Invalid("Document already exist in user's documents", "name", "document_exists");
        }
        if (isNew && await db.Documents.CountAsync(
            document => document.UserId == user.Id && document.DocumentType == DocumentType.LearnedByMojo && document.DeletedAt == null,
            ct) >= options.Value.MaxTexts)
        {
            throw Failure.Invalid($"A user has at most {options.Value.MaxTexts} texts and files", "name", "too_many_documents");
        }
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var id = await contents.WriteAsync(version, page: null, ct);
        var receipt = jobs.Embed(id, JobOwners.Of(user));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return (id, receipt);
    }

    /// <summary>A page is fetched again; of a text this is the next edition. Null where an edition is needed and not there.</summary>
    public async Task<JobReceipt?> UpdateAsync(UserRow user, DocumentRow document, string? edition, CancellationToken ct)
    {
        if (document.DocumentType == DocumentType.Webpage)
        {
            var receipt = jobs.Refresh(document.Id, JobOwners.Of(user));
            await db.SaveChangesAsync(ct);
            return receipt;
        }
        return edition is null ? null
            : (await WriteAsync(
                user, document.Name, new(document.Title, TextCleaning.Clean(edition), document.Language), isNew: false, ct)).Job;
    }

    /// <summary>False: it is not his.</summary>
    public async Task<bool> DeleteAsync(string userId, int documentId, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var marked = await db.Documents.Where(document => document.Id == documentId
            && document.UserId == userId && document.DeletedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(document => document.IsDeletedByUser, true), ct);
        if (marked == 0)
        {
            return false;
        }
        await contents.DeleteAsync(documentId, ct);
        await db.Database.ExecuteSqlAsync($"""
            update assistants.websites w set next_refresh_at = null from assistants.documents d
            where d.id = {documentId} and w.id = d.website_id and d.name in (w.url, w.url || '/')
            """, ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <summary>An empty one, which others fill with chunks. The one of that name if there is one, also if it was deleted.</summary>
    public async Task<int?> CreateAsync(string userId, string name, string type, CancellationToken ct) =>
        (await db.Database.SqlQuery<int?>($"""
        insert into assistants.documents as d (user_id, document_type, name, title, language, created_at, updated_at)
        select u.id, {type}, {name}, left({name}, 255), u.language_code, {time.GetUtcNow()}, {time.GetUtcNow()} from assistants.users u
          where u.id = {userId}
        on conflict (user_id, md5(name)) do update set deleted_at = null, is_deleted_by_user = false
        returning id as "Value"
        """).ToListAsync(ct)).FirstOrDefault();

    public async Task<bool> TouchAsync(int documentId, DateTimeOffset updatedAt, CancellationToken ct) =>
        await db.Documents.Where(document => document.Id == documentId && document.DeletedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(document => document.UpdatedAt, updatedAt), ct) > 0;
}

internal sealed record ListedDocument(
    int Id, string Type, string Name, string Author, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, string Text, string? Error);

/// <param name="Note">Why it failed, or was not read to its end.</param>
internal sealed record ListedWebsite(
    string Url, string State, string? Note, int Pages, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt);
