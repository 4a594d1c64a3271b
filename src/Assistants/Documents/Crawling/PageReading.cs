using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Documents.Contents;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents.Crawling;

/// <summary>What becomes of one page of a website: it is kept, or it is noted why not, and where it leads is added to what waits.</summary>
internal sealed class PageReading(
    AssistantsDb db, WebsiteStore websites, DocumentContents contents, PageFetcher fetcher, IOptions<DocumentsOptions> options)
{
    /// <summary>The base page cannot be had, for a reason that stays.</summary>
    public const string Unreadable = "unreadable_website";

    private const int MostSitemaps = 5;

    private const int MostFromSitemaps = 10_000;

    /// <summary>Links wait in the database; a site that invents them without end fills it only so far.</summary>
    private int MostKnown => (options.Value.MaxPages * 4) + 1_000;

    public async Task<WebsiteRun> SaveAsync(
        WebsiteRun run, WaitingPage page, Fetch fetch, TimeSpan spent, JobContext context, CancellationToken ct)
    {
        var isBase = page.Url == run.BaseUrl;
        if (isBase && fetch.Why is Unfetched.Failed && !context.IsLastAttempt)
        {
            throw Failure.Unavailable($"The website cannot be read: {fetch.Reason}", TimeSpan.FromSeconds(10 * context.Attempt));
        }
        var reached = fetch.Page is { } found ? NameOf(found, run, isBase) : null;
        if (isBase && (fetch.Why is not (null or Unfetched.Unchanged) || (fetch.Page is not null && reached is null)))
        {
            var reason = fetch.Page is null ? fetch.Reason : "it leads nowhere";
            throw new Failure(FailureKind.Invalid, Unreadable, $"The website cannot be read: {reason}");
        }
        if (fetch.Page is { } fetched && reached is not null)
        {
            return await KeepAsync(isBase ? run with { SiteUrl = reached } : run, page, fetched, reached, spent, context, ct);
        }
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var isRead = fetch.Why == Unfetched.Unchanged;
        if (isRead)
        {
            await contents.CheckedAsync(page.DocumentId!.Value, ct);
        }
        else if (page.DocumentId is { } id && (fetch.Page is not null || fetch.Why is Unfetched.Gone or Unfetched.Denied))
        {
            await contents.DeleteAsync(id, ct);
        }
        else if (page.DocumentId is { } kept && fetch.Why is Unfetched.Failed)
        {
            await contents.FailedAsync(kept, $"The page cannot be read: {fetch.Reason}", ct);
        }
        var why = fetch.Page is null ? fetch.Reason : "it leads to another website";
        var state = isRead ? "read" : fetch.Why is Unfetched.Failed or Unfetched.Gone ? "failed" : "left_out";
        await websites.MarkAsync(page.Id, state, why, page.DocumentId, ct);
        await websites.SpentAsync(run.Id, 0, spent, ct);
        await context.FenceAsync(db, ct);
        await transaction.CommitAsync(ct);
        return run with { Read = run.Read + (isRead ? 1 : 0), SecondsSpent = run.SecondsSpent + spent.TotalSeconds };
    }

    /// <summary>The page's own name: where its link has led, or what it says it is called; null when that is another website.</summary>
    private static string? NameOf(FetchedPage page, WebsiteRun run, bool isBase)
    {
        var site = isBase ? page.Address : new Uri(run.SiteUrl);
        if (!PageAddress.IsOfSite(page.Address, site))
        {
            return null;
        }
        var canonical = page.Html?.Canonical;
        return !isBase && canonical is not null && PageAddress.IsOfSite(canonical, site) && PageAddress.NameOf(canonical) is { } called
            ? called : PageAddress.NameOf(page.Address);
    }

    private async Task<WebsiteRun> KeepAsync(
        WebsiteRun run, WaitingPage page, FetchedPage fetched, string name, TimeSpan spent, JobContext context, CancellationToken ct)
    {
        var isKept = fetched.MayBeKept && fetched.Readable.Text.Length > 0;
        var key = new DocumentKey(run.UserId, run.OrganizationId, DocumentType.Webpage, name, run.Id);
        var version = isKept ? await contents.PrepareAsync(key, fetched.Readable, run.UserLanguage, context, ct) : null;
        var links = await LinksAsync(run, page, fetched, ct);

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var row = name == page.Url ? page.Id : await websites.ClaimAsync(run, name, page.Depth, ct);
        if (row != page.Id)
        {
            await websites.MarkAsync(page.Id, "left_out", "it is another page under a second address", documentId: null, ct);
        }
        var isRead = false;
        if (row is { } own)
        {
            isRead = version is not null;
            int? document = isRead ? await contents.WriteAsync(version!, fetched.Version, ct) : null;
            if (!isRead && page.DocumentId is { } id)
            {
                await contents.DeleteAsync(id, ct);
            }
            var reason = isRead ? null : fetched.MayBeKept ? "it holds no text" : "it does not want to be kept (noindex)";
            await websites.MarkAsync(own, isRead ? "read" : "left_out", reason, document, ct);
        }
        var added = await websites.AddAsync(run, [.. links.Take(Math.Max(0, MostKnown - run.Known))], page.Depth + 1, ct);
        await websites.SpentAsync(run.Id, fetched.Bytes, spent, ct);
        await context.FenceAsync(db, ct);
        await transaction.CommitAsync(ct);
        return run with
        {
            Read = run.Read + (isRead ? 1 : 0), Known = run.Known + added, BytesRead = run.BytesRead + fetched.Bytes,
            SecondsSpent = run.SecondsSpent + spent.TotalSeconds,
        };
    }

    private async Task<List<string>> LinksAsync(WebsiteRun run, WaitingPage page, FetchedPage fetched, CancellationToken ct)
    {
        if (page.Depth >= options.Value.MaxDepth)
        {
            return [];
        }
        var site = new Uri(run.SiteUrl);
        IEnumerable<Uri> found = fetched is { MayBeFollowed: true, Html: { } html } ? html.Links : [];
        if (page.Depth == 0)
        {
            found = found.Concat(await SitemapAsync(site, ct));
        }
        return [.. found.Where(link => PageAddress.IsOfSite(link, site))
            .Select(PageAddress.NameOf).OfType<string>().Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Of the part of the site that the base page is the root of.</summary>
    private async Task<List<Uri>> SitemapAsync(Uri site, CancellationToken ct)
    {
        var folder = site.AbsolutePath[..(site.AbsolutePath.LastIndexOf('/') + 1)];
        var declared = (await fetcher.RulesAsync(site, ct)).Sitemaps;
        var waiting = new Queue<string>(declared.Count > 0 ? declared : [new Uri(site, "/sitemap.xml").AbsoluteUri]);
        var pages = new List<Uri>();
        for (var read = 0; read < MostSitemaps && waiting.TryDequeue(out var next) && pages.Count < MostFromSitemaps; read++)
        {
            if (Uri.TryCreate(next, UriKind.Absolute, out var address) && address.Authority == site.Authority
                && await fetcher.FindAsync(address, options.Value.MaxPageKb * 1024L, ct) is { } bytes)
            {
                var sitemap = Sitemap.Parse(bytes);
                pages.AddRange(sitemap.Pages.Select(page => Uri.TryCreate(page, UriKind.Absolute, out var uri) ? uri : null).OfType<Uri>()
                    .Where(uri => uri.AbsolutePath.StartsWith(folder, StringComparison.Ordinal)));
                sitemap.More.Take(MostSitemaps).ToList().ForEach(waiting.Enqueue);
            }
        }
        return pages;
    }
}
