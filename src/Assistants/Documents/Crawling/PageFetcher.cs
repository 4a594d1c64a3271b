using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Documents.Reading;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Documents.Crawling;

/// <summary>What a version of a page was recognized by.</summary>
internal sealed record PageVersion(string? Etag, string? LastModified);

/// <summary>A page that was fetched.</summary>
/// <param name="Address">Where it came from, after redirects.</param>
/// <param name="Html">Its links and wishes, where it is HTML.</param>
internal sealed record FetchedPage(
    Uri Address, ReadableText Readable, HtmlPage? Html, PageVersion Version, bool MayBeKept, bool MayBeFollowed, int Bytes);

/// <summary>Why there is no page.</summary>
internal enum Unfetched
{
    Unchanged,
    Gone,
    Denied,
    Refused,
    Failed,
}

/// <param name="Page">Null where there is none, for this reason.</param>
internal readonly record struct Fetch(FetchedPage? Page, Unfetched? Why, string Reason)
{
    public static Fetch Of(FetchedPage page) => new(page, null, "");

    public static Fetch None(Unfetched why, string reason) => new(null, why, reason);
}

/// <summary>
/// Asks websites for pages: as slowly as they want, as much as their robots.txt allows, and never an address that is not public.
/// </summary>
internal sealed class PageFetcher(GuardedClient web, FileText files, IOptions<DocumentsOptions> options, TimeProvider time)
{
    private const string Accepted =
        "text/html, application/xhtml+xml, text/plain;q=0.8, text/markdown;q=0.8, application/pdf;q=0.6, */*;q=0.1";

    private const string Forbidden = "robots_forbidden", Unreadable = "robots_unreadable";

    private static readonly TimeSpan RobotsAge = TimeSpan.FromHours(1);

    private static readonly TimeSpan FaultAge = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Origin> origins = new(StringComparer.Ordinal);

    private string Robot => options.Value.UserAgent.Split('/')[0];

    /// <summary>The rules of an address' host, read anew every hour.</summary>
    public async Task<RobotsRules> RulesAsync(Uri page, CancellationToken ct)
    {
        var origin = OriginOf(page);
        await origin.Reading.WaitAsync(ct);
        try
        {
            var age = origin.Rules == RobotsRules.DenyAll ? FaultAge : RobotsAge;
            if (origin.Rules is null || time.GetElapsedTime(origin.ReadAt) > age)
            {
                origin.Rules = await ReadRulesAsync(new(page, "/robots.txt"), ct);
                origin.ReadAt = time.GetTimestamp();
            }
            return origin.Rules;
        }
        finally
        {
            origin.Reading.Release();
        }
    }

    /// <param name="known">The version that is kept; the page may say that it still is the same.</param>
    public async Task<Fetch> FetchAsync(Uri page, PageVersion? known, CancellationToken ct)
    {
        try
        {
            var rules = await AllowedAsync(page, "robots.txt does not allow it", ct);
            using var request = new HttpRequestMessage(HttpMethod.Get, page);
            if (known?.Etag is { } etag)
            {
                request.Headers.TryAddWithoutValidation("If-None-Match", etag);
            }
            if (known?.LastModified is { } date)
            {
                request.Headers.TryAddWithoutValidation("If-Modified-Since", date);
            }
            var answer = await SendAsync(request, rules.Delay, options.Value.MaxPageKb * 1024L, ct, AskFirstAsync);
            return await ReadAsync(answer, isKnown: known is not null, ct);
        }
        catch (Failure failure)
        {
            return Fetch.None(failure.Kind is FailureKind.Timeout ? Unfetched.Failed : failure.Code switch
            {
                Forbidden => Unfetched.Denied,
                "upstream_connection" or Unreadable => Unfetched.Failed,
                _ => Unfetched.Refused,
            }, failure.Message);
        }
    }

    /// <summary>The bytes of an address of the site that is no page: a sitemap. Null where there is nothing.</summary>
    public async Task<ReadOnlyMemory<byte>?> FindAsync(Uri address, long maxBytes, CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            var answer = await SendAsync(request, TimeSpan.Zero, maxBytes, ct, AskFirstAsync);
            return answer.Status == HttpStatusCode.OK ? answer.Body : null;
        }
        catch (Failure)
        {
            return null;
        }
    }

    private Task AskFirstAsync(Uri target, CancellationToken ct) =>
        AllowedAsync(target, "it leads to where robots.txt does not allow it", ct);

    /// <exception cref="Failure">The host's rules do not allow it, or cannot be had.</exception>
    private async Task<RobotsRules> AllowedAsync(Uri page, string otherwise, CancellationToken ct)
    {
        var rules = await RulesAsync(page, ct);
        return rules == RobotsRules.DenyAll ? throw new Failure(FailureKind.Upstream, Unreadable, "its robots.txt cannot be read now")
            : rules.Allows(page) ? rules
            : throw new Failure(FailureKind.Forbidden, Forbidden, otherwise);
    }

    private async Task<Fetch> ReadAsync(GuardedResponse answer, bool isKnown, CancellationToken ct)
    {
        switch (answer.Status)
        {
            case HttpStatusCode.NotModified when isKnown:
                return Fetch.None(Unfetched.Unchanged, "not modified");
            case HttpStatusCode.NotFound or HttpStatusCode.Gone:
                return Fetch.None(Unfetched.Gone, $"the website answers {(int)answer.Status}");
            case not HttpStatusCode.OK:
                var isPassing = (int)answer.Status is >= 500 or 429 or 408;
                return Fetch.None(isPassing ? Unfetched.Failed : Unfetched.Refused, $"the website answers {(int)answer.Status}");
        }
        var type = answer.ContentHeaders.ContentType;
        if (FileText.KindOf(type?.MediaType, answer.Address.AbsolutePath) is not { } kind)
        {
            return Fetch.None(Unfetched.Refused, "it is no text");
        }
        var wishes = answer.Headers.NonValidated.TryGetValues("X-Robots-Tag", out var tags)
            ? [.. tags.SelectMany(HtmlPage.Words)] : (List<string>)[];
        var html = kind == ContentKind.Html
            ? await HtmlPage.ParseAsync(Charset.Decode(answer.Body.Span, type?.CharSet), answer.Address, Robot, time, ct) : null;
        var readable = html?.Readable ?? await files.ReadAsync(kind, answer.Body, type?.CharSet, ct);
        return Fetch.Of(new(
            answer.Address, readable, html, VersionOf(answer),
            MayBeKept: html?.MayBeKept != false && !wishes.Any(word => word is "noindex" or "none"),
            MayBeFollowed: html?.MayBeFollowed == true && !wishes.Any(word => word is "nofollow" or "none"),
            answer.Body.Length));
    }

    private static PageVersion VersionOf(GuardedResponse answer)
    {
        const int longest = 255;
        var etag = answer.Headers.NonValidated.TryGetValues("ETag", out var tags) ? tags.First() : null;
        var date = answer.ContentHeaders.NonValidated.TryGetValues("Last-Modified", out var dates) ? dates.First() : null;
        return new(etag?.Length <= longest ? etag : null, date?.Length <= longest ? date : null);
    }

    private async Task<RobotsRules> ReadRulesAsync(Uri address, CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            var answer = await SendAsync(request, TimeSpan.Zero, RobotsRules.MostBytes, ct);
            return (int)answer.Status switch
            {
                200 => RobotsRules.Parse(Charset.Decode(answer.Body.Span, "utf-8"), Robot),
                >= 500 or 429 => RobotsRules.DenyAll,
                _ => RobotsRules.AllowAll,
            };
        }
        catch (Failure failure) when (failure.Code is "url_not_allowed")
        {
            throw;
        }
        catch (Failure failure)
        {
            // Too many redirects, or larger than anybody has to read, are as good as none.
            return failure.Code is "too_many_redirects" or "upstream_too_large" ? RobotsRules.AllowAll : RobotsRules.DenyAll;
        }
    }

    private async Task<GuardedResponse> SendAsync(
        HttpRequestMessage request, TimeSpan asked, long maxBytes,
        CancellationToken ct, Func<Uri, CancellationToken, Task>? mayFollow = null)
    {
        var contact = options.Value.Contact;
        request.Headers.TryAddWithoutValidation(
            "User-Agent", contact.Length == 0 ? options.Value.UserAgent : $"{options.Value.UserAgent} (+{contact})");
        request.Headers.TryAddWithoutValidation("Accept", Accepted);
        var own = TimeSpan.FromMilliseconds(options.Value.DelayMs);
        await OriginOf(request.RequestUri!).WaitAsync(asked > own ? asked : own, time, ct);
        return await web.SendAsync(request, new(maxBytes, TimeSpan.FromSeconds(options.Value.PageSeconds)), ct, mayFollow);
    }

    private Origin OriginOf(Uri address)
    {
        // Hosts are as many as users name; what was forgotten is only asked once more.
        if (origins.Count > 10_000)
        {
            origins.Clear();
        }
        return origins.GetOrAdd(address.GetLeftPart(UriPartial.Authority), static _ => new());
    }

    private sealed class Origin
    {
        private static readonly TimeSpan LongestLine = TimeSpan.FromMinutes(3);

        private readonly Lock turn = new();
        private DateTimeOffset free;

        public SemaphoreSlim Reading { get; } = new(1);

        public RobotsRules? Rules { get; set; }

        public long ReadAt { get; set; }

        /// <summary>Until it is this request's turn; the next one comes at the earliest so much later.</summary>
        /// <exception cref="Failure">Timeout: too many are in line, as when somebody names the same website again and again.</exception>
        public async Task WaitAsync(TimeSpan delay, TimeProvider time, CancellationToken ct)
        {
            TimeSpan wait;
            lock (turn)
            {
                var now = time.GetUtcNow();
                wait = free - now;
                if (wait > LongestLine)
                {
                    throw new Failure(FailureKind.Timeout, "website_busy", "too many ask this website for pages now");
                }
                free = (wait > TimeSpan.Zero ? free : now) + delay;
            }
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, time, ct);
            }
        }
    }
}
