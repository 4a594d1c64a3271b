using Microsoft.EntityFrameworkCore;

namespace Stoa.Assistants.Documents.Crawling;

/// <summary>A website in the middle of a run.</summary>
/// <param name="BaseUrl">What the user named.</param>
/// <param name="SiteUrl">Where that has led: the host of it is the website's.</param>
/// <param name="Read">Pages of this run that were read, of <paramref name="Known"/>.</param>
internal sealed record WebsiteRun(
    int Id, string UserId, Guid OrganizationId, string UserLanguage, string BaseUrl,
    string SiteUrl, int Run, long BytesRead, double SecondsSpent, int Read,
    int Known);

/// <param name="DocumentId">What is kept of it; null: nothing.</param>
internal sealed record WaitingPage(
    long Id, string Url, int Depth, int? DocumentId, string? Etag, string? LastModified, bool IsDeletedByUser);

/// <summary>
/// How far the reading of websites has come. All of it is in the database, so whoever goes on knows as much as who began.
/// </summary>
internal sealed class WebsiteStore(AssistantsDb db, TimeProvider time)
{
    /// <summary>
    /// Begins a run where none is under way: everything known is asked for again, the base page first. In the caller's transaction.
    /// </summary>
    public async Task BeginAsync(int websiteId, CancellationToken ct) => await db.Database.ExecuteSqlAsync($"""
        with resumed as (
          update assistants.websites set ended_because = null where id = {websiteId} and is_running and ended_because is not null
        ), begun as (
          update assistants.websites
          set run = run + 1, is_running = true, started_at = {time.GetUtcNow()}, bytes_read = 0, seconds_spent = 0, ended_because = null
          where id = {websiteId} and not is_running returning id, url, run
        ), known as (
          update assistants.website_pages p set run = begun.run, state = 'waiting', reason = null
          from begun where p.website_id = begun.id and md5(p.url) <> md5(begun.url)
        )
        insert into assistants.website_pages (website_id, url, depth, run) select id, url, 0, run from begun
        on conflict (website_id, md5(url)) do update set run = excluded.run, depth = 0, state = 'waiting', reason = null
        """, ct);

    /// <summary>Null when the website is gone.</summary>
    public async Task<WebsiteRun?> FindAsync(int websiteId, CancellationToken ct) => (await db.Database.SqlQuery<WebsiteRun>($"""
        select w.id, w.user_id, u.organization_id, u.language_code as user_language, w.url as base_url, w.run,
          w.bytes_read, w.seconds_spent,
          coalesce((
            select p.url from assistants.website_pages p
            where p.website_id = w.id and p.run = w.run and p.state = 'read' and p.depth = 0 order by p.id desc limit 1
          ), w.url) as site_url,
          (select count(*)::integer from assistants.website_pages p
            where p.website_id = w.id and p.run = w.run and p.state = 'read') as read,
          (select count(*)::integer from assistants.website_pages p where p.website_id = w.id and p.run = w.run) as known
        from assistants.websites w join assistants.users u on u.id = w.user_id
        where w.id = {websiteId}
        """).ToListAsync(ct)).FirstOrDefault();

    /// <summary>Those nearest to the base page first.</summary>
    public Task<List<WaitingPage>> NextAsync(WebsiteRun run, int most, CancellationToken ct) => db.Database.SqlQuery<WaitingPage>($"""
        select p.id, p.url, p.depth, d.id as document_id, d.etag, d.last_modified,
          coalesce(gone.is_deleted_by_user, false) as is_deleted_by_user
        from assistants.website_pages p
        left join assistants.documents d on d.id = p.document_id and d.deleted_at is null
        left join assistants.documents gone on gone.id = p.document_id
        where p.website_id = {run.Id} and p.run = {run.Run} and p.state = 'waiting'
        order by p.depth, p.id limit {most}
        """).ToListAsync(ct);

    public Task<int> MarkAsync(long pageId, string state, string? reason, int? documentId, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"""
        update assistants.website_pages set state = {state}, reason = {reason}, document_id = coalesce({documentId}, document_id)
          where id = {pageId}
        """, ct);

    /// <summary>
    /// The page calls itself otherwise than the link that led to it. Its row under that name, unless it was met under it before in this
    /// run.
    /// </summary>
    public async Task<long?> ClaimAsync(WebsiteRun run, string name, int depth, CancellationToken ct) =>
        (await db.Database.SqlQuery<long?>($"""
        insert into assistants.website_pages as p (website_id, url, depth, run, state) values ({run.Id}, {name}, {depth}, {run.Run}, 'read')
        on conflict (website_id, md5(url)) do update
          set run = excluded.run, state = 'read', depth = least(p.depth, excluded.depth), reason = null
        where p.run < excluded.run or p.state = 'waiting'
        returning id as "Value"
        """).ToListAsync(ct)).FirstOrDefault();

    /// <summary>Pages that were found. How many of them this run did not know.</summary>
    public Task<int> AddAsync(WebsiteRun run, IReadOnlyList<string> urls, int depth, CancellationToken ct) => urls.Count == 0
        ? Task.FromResult(0)
        : db.Database.ExecuteSqlAsync($"""
            insert into assistants.website_pages as p (website_id, url, depth, run) select {run.Id}, url, {depth}, {run.Run}
              from unnest({urls.ToArray()}) url
            on conflict (website_id, md5(url)) do update set run = excluded.run, depth = excluded.depth, state = 'waiting', reason = null
            where p.run < excluded.run
            """, ct);

    public Task SpentAsync(int websiteId, long bytes, TimeSpan spent, CancellationToken ct) =>
        db.Websites.Where(website => website.Id == websiteId)
        .ExecuteUpdateAsync(
            set => set.SetProperty(website => website.BytesRead, website => website.BytesRead + bytes)
                .SetProperty(website => website.SecondsSpent, website => website.SecondsSpent + spent.TotalSeconds),
            ct);

    /// <summary>Of websites whose jobs are over, those whose reading is not, and which nobody reads any more.</summary>
    public Task FailAsync(int[] websites, string because, CancellationToken ct) => db.Database.ExecuteSqlAsync($"""
        update assistants.websites w set ended_because = {because}
        where w.id = any ({websites}) and w.ended_because is null and (w.is_running or w.run = 0)
          and not exists (select from platform.jobs open where open.kind = {ReadWebsite.Kind} and open.unique_key = w.id::text)
        """, ct);

    /// <param name="because">Null: everything was read.</param>
    public Task EndAsync(int websiteId, string? because, TimeSpan? refreshAfter, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return db.Websites.Where(website => website.Id == websiteId).ExecuteUpdateAsync(
            set => set.SetProperty(website => website.IsRunning, false).SetProperty(website => website.FinishedAt, now)
                .SetProperty(website => website.EndedBecause, because).SetProperty(website => website.NextRefreshAt, now + refreshAfter),
            ct);
    }
}
