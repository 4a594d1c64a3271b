using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Documents.Reading;

/// <summary>A page of HTML: what is there to be read, where it leads, and what it says about itself to those who read websites.</summary>
/// <param name="Canonical">The address that it gives as its own.</param>
internal sealed record HtmlPage(ReadableText Readable, IReadOnlyList<Uri> Links, Uri? Canonical, bool MayBeKept, bool MayBeFollowed)
{
    private const int MostLinks = 2_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Styles and scripts are not needed, and no element is asked for by its place in the source.
    private static readonly HtmlParserOptions Plain = new() { IsScripting = false, DisableElementPositionTracking = true };

    /// <param name="address">Where it came from, after redirects.</param>
    /// <param name="robot">The name by which a page may speak to us alone.</param>
    /// <exception cref="Failure">It is made so that reading it takes for ever.</exception>
    public static async Task<HtmlPage> ParseAsync(string html, Uri address, string robot, TimeProvider time, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        // From a stream, since the parser looks at the token when it reads on. The mark in front says that it is UTF-8.
        using var stream = new MemoryStream([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(html)], writable: false);
        try
        {
            using var document = await new HtmlParser(Plain).ParseDocumentAsync(stream, both.Token);
            return Of(document, address, robot);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new Failure(FailureKind.TooLarge, "page_too_complex", "the page is nested too deeply to be read");
        }
    }

    private static HtmlPage Of(IHtmlDocument document, Uri address, string robot)
    {
        var baseAddress = document.QuerySelector("base[href]")?.GetAttribute("href") is { } given
            && Uri.TryCreate(address, given, out var uri) ? uri : address;
        var wishes = document.QuerySelectorAll("meta[name][content]")
            .Where(meta => IsForUs(meta.GetAttribute("name")!, robot)).SelectMany(meta => Words(meta.GetAttribute("content")!)).ToList();
        var title = document.QuerySelector("title")?.TextContent is { Length: > 0 } own
            ? own : document.QuerySelector("h1")?.TextContent ?? "";
        var language = TextCleaning.LanguageOf(document.DocumentElement?.GetAttribute("lang"));
        return new(
            new(TextCleaning.CleanLine(title), HtmlText.Of(document), language),
            LinksOf(document, baseAddress), CanonicalOf(document, baseAddress),
            MayBeKept: !wishes.Any(word => word is "noindex" or "none"), MayBeFollowed: !wishes.Any(word => word is "nofollow" or "none"));
    }

    /// <summary>The words of a list such as <c>noindex, nofollow</c>.</summary>
    public static IEnumerable<string> Words(string list) =>
        list.ToLowerInvariant().Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static bool IsForUs(string name, string robot) =>
        name.Equals("robots", StringComparison.OrdinalIgnoreCase) || name.Equals(robot, StringComparison.OrdinalIgnoreCase);

    private static List<Uri> LinksOf(IHtmlDocument document, Uri baseAddress)
    {
        var links = new List<Uri>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var anchor in document.QuerySelectorAll("a[href]"))
        {
            if (links.Count == MostLinks)
            {
                break;
            }
            if (anchor.GetAttribute("rel") is { } relation && Words(relation).Contains("nofollow", StringComparer.Ordinal))
            {
                continue;
            }
            if (Uri.TryCreate(baseAddress, anchor.GetAttribute("href"), out var link) && seen.Add(link.GetLeftPart(UriPartial.Query)))
            {
                links.Add(link);
            }
        }
        return links;
    }

    private static Uri? CanonicalOf(IHtmlDocument document, Uri baseAddress) =>
        document.QuerySelector("link[rel=canonical][href]")?.GetAttribute("href") is { Length: > 0 } given
            && Uri.TryCreate(baseAddress, given, out var uri) ? uri : null;
}
