using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Cortexes;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents.Crawling;

internal sealed record ReadWebsite(int WebsiteId)
{
    public const string Kind = "assistants.read_website";
}

/// <summary>
/// Reads a website, page by page from its base outwards. Each page is one transaction: its document and chunks, where it leads, and that it
/// was read. Whoever goes on after a fault begins with the first page that was not.
/// </summary>
internal sealed partial class ReadWebsiteHandler(
    AssistantsDb db, WebsiteStore websites, PageReading pages, PageFetcher fetcher, IOptions<DocumentsOptions> options, TimeProvider time,
    ILogger<ReadWebsiteHandler> logger) : IJobHandler<ReadWebsite>
{
    public static readonly JobRules Rules = CortexRules.Reading with
    {
        MaxAttempts = 8, FirstWait = TimeSpan.FromSeconds(5), Lease = TimeSpan.FromSeconds(30), Timeout = TimeSpan.FromMinutes(30),
    };

    /// <summary>Then others have their turn, and it goes on after them.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromMinutes(10);

    /// <summary>Also of one that cannot be read: it may be back by then.</summary>
    private TimeSpan? RefreshAfter => options.Value.RefreshDays == 0 ? null : TimeSpan.FromDays(options.Value.RefreshDays);

    public async Task RunAsync(ReadWebsite job, JobContext context, CancellationToken ct)
    {
        await using (var transaction = await db.Database.BeginTransactionAsync(ct))
        {
            // The job's row last, as with whoever asks for a website once more: in another order they would wait for each other.
            await websites.BeginAsync(job.WebsiteId, ct);
            await context.FenceAsync(db, ct);
            await transaction.CommitAsync(ct);
        }
        var run = await websites.FindAsync(job.WebsiteId, ct) ?? throw JobFailure.Discard("The website is gone");
        try
        {
            var because = await ReadAsync(run, context, ct);
            await EndAsync(run, because, context, ct);
        }
        catch (Failure failure) when (failure.Code == PageReading.Unreadable)
        {
            await websites.EndAsync(run.Id, failure.Message, RefreshAfter, ct);
            throw;
        }
    }

    /// <summary>Why it ended before everything was read; null when everything was.</summary>
    private async Task<string?> ReadAsync(WebsiteRun run, JobContext context, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var noted = TimeSpan.Zero;
        while (true)
        {
            if (Limit(run) is { } limit)
            {
                return limit;
            }
            var next = await websites.NextAsync(run, options.Value.PagesAtOnce * 2, ct);
            if (next.Count == 0)
            {
                return null;
            }
            if (time.GetElapsedTime(started) > Turn)
            {
                throw JobFailure.Snooze(TimeSpan.FromSeconds(1), $"{run.Read} pages read, to be continued");
            }
            await foreach (var (page, fetch) in FetchAsync(run, next, ct))
            {
                var elapsed = time.GetElapsedTime(started);
                run = await pages.SaveAsync(run, page, fetch, elapsed - noted, context, ct);
                noted = elapsed;
                context.Report(run.Read, Math.Min(run.Known, options.Value.MaxPages), page.Url);
                if (Limit(run) is not null)
                {
                    break;
                }
            }
        }
    }

    private string? Limit(WebsiteRun run) =>
        run.Read >= options.Value.MaxPages ? $"It has more than {options.Value.MaxPages} pages"
        : run.BytesRead > options.Value.MaxSiteMb * 1024L * 1024 ? $"It is larger than {options.Value.MaxSiteMb} MB"
        : run.SecondsSpent > options.Value.SiteMinutes * 60 ? $"It took longer than {options.Value.SiteMinutes} minutes"
        : null;

    /// <summary>Some pages ahead of who saves them, in their order.</summary>
    private async IAsyncEnumerable<(WaitingPage Page, Fetch Fetch)> FetchAsync(
        WebsiteRun run, List<WaitingPage> waiting, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var places = new SemaphoreSlim(options.Value.PagesAtOnce);
        var fetches = waiting.ConvertAll(page => FetchAsync(run, page, places, left.Token));
        try
        {
            for (var index = 0; index < waiting.Count; index++)
            {
                yield return (waiting[index], await fetches[index]);
            }
        }
        finally
        {
            await left.CancelAsync();
            await ((Task)Task.WhenAll(fetches)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<Fetch> FetchAsync(WebsiteRun run, WaitingPage page, SemaphoreSlim places, CancellationToken ct)
    {
        if (page.IsDeletedByUser)
        {
            return Fetch.None(Unfetched.Refused, "the user has deleted it");
        }
        await places.WaitAsync(ct);
        try
        {
            // Reading a page is work: not all of them on the thread of who asks for them.
            var known = page.DocumentId is null ? null : new PageVersion(page.Etag, page.LastModified);
            return await Task.Run(() => fetcher.FetchAsync(new(page.Url), known, ct), ct);
        }
        finally
        {
            places.Release();
        }
    }

    private async Task EndAsync(WebsiteRun run, string? because, JobContext context, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await websites.EndAsync(run.Id, because, RefreshAfter, ct);
        await context.CompleteAsync(db, ct);
        await transaction.CommitAsync(ct);
        LogRead(run.Id, because);
    }

    [LoggerMessage(LogLevel.Information, "Website {Website} was read. {Because}")]
    private partial void LogRead(int website, string? because);
}
