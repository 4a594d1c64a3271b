using System.Globalization;

namespace Stoa.Assistants.Documents.Crawling;

/// <summary>
/// What a robots.txt says to one robot (RFC 9309): the groups that name it, else those for all; of the rules that match a path the longest
/// counts, and of two as long the one that allows.
/// </summary>
internal sealed class RobotsRules
{
    public const int MostBytes = 500 << 10;

    private const int MostRules = 10_000;

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    private readonly List<(string Pattern, bool IsAllowed)> rules = [];

    private RobotsRules(bool allowsAll = true) => AllowsAll = allowsAll;

    public static RobotsRules AllowAll { get; } = new();

    /// <summary>A host whose rules cannot be had now is left alone.</summary>
    public static RobotsRules DenyAll { get; } = new(allowsAll: false);

    public IReadOnlyList<string> Sitemaps { get; private init; } = [];

    public TimeSpan Delay { get; private set; }

    private bool AllowsAll { get; }

    /// <param name="robot">The product's name, without its version.</param>
    public static RobotsRules Parse(string text, string robot)
    {
        var sitemaps = new List<string>();
        var (own, others) = (new RobotsRules { Sitemaps = sitemaps }, new RobotsRules { Sitemaps = sitemaps });
        var (isOwn, isOthers, isNamed, areAgents) = (false, false, false, false);
        foreach (var raw in text.AsSpan().EnumerateLines())
        {
            var line = raw.IndexOf('#') is var comment and >= 0 ? raw[..comment] : raw;
            if (line.IndexOf(':') is not (var colon and > 0))
            {
                continue;
            }
            var value = line[(colon + 1)..].Trim().ToString();
            var field = line[..colon].Trim().ToString().ToLowerInvariant();
            switch (field)
            {
                case "user-agent":
                    if (!areAgents)
                    {
                        (isOwn, isOthers) = (false, false);
                    }
                    areAgents = true;
                    isOwn |= value.Equals(robot, StringComparison.OrdinalIgnoreCase);
                    isOthers |= value == "*";
                    isNamed |= isOwn;
                    break;
                case "allow" or "disallow" when value.Length > 0:
                    areAgents = false;
                    var rule = (Normalize(value), field == "allow");
                    Add(isOwn, own, rule);
                    Add(isOthers, others, rule);
                    break;
                case "disallow":
                    areAgents = false;
                    break;
                case "crawl-delay" when double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds > 0:
                    areAgents = false;
                    var delay = seconds < LongestDelay.TotalSeconds ? TimeSpan.FromSeconds(seconds) : LongestDelay;
                    own.Delay = isOwn ? delay : own.Delay;
                    others.Delay = isOthers ? delay : others.Delay;
                    break;
                case "sitemap" when sitemaps.Count < 10:
                    sitemaps.Add(value);
                    break;
            }
        }
        return isNamed ? own : others;
    }

    public bool Allows(Uri page)
    {
        if (!AllowsAll)
        {
            return false;
        }
        var path = Normalize(page.PathAndQuery);
        var (longest, isAllowed) = (-1, true);
        foreach (var (pattern, allows) in rules)
        {
            if (pattern.Length >= longest && Matches(pattern, path))
            {
                isAllowed = allows || (pattern.Length == longest && isAllowed);
                longest = pattern.Length;
            }
        }
        return isAllowed || path == "/robots.txt";
    }

    private static void Add(bool isWanted, RobotsRules to, (string Pattern, bool IsAllowed) rule)
    {
        if (isWanted && to.rules.Count < MostRules)
        {
            to.rules.Add(rule);
        }
    }

    /// <summary>Both sides in one spelling: what must be escaped is, in capitals, and what need not be is not.</summary>
    private static string Normalize(string path) =>
        !path.Contains("..", StringComparison.Ordinal)
            && Uri.TryCreate($"http://h{(path.StartsWith('/') ? "" : "/")}{path}", UriKind.Absolute, out var uri)
            ? uri.PathAndQuery : path;

    /// <summary>
    /// From the start; <c>*</c> is anything, <c>$</c> at the end is the end. Takes each star as early as it can, which is enough.
    /// </summary>
    private static bool Matches(string pattern, string path)
    {
        var isWhole = pattern.EndsWith('$');
        var pieces = (isWhole ? pattern[..^1] : pattern).Split('*');
        if (!path.StartsWith(pieces[0], StringComparison.Ordinal))
        {
            return false;
        }
        var at = pieces[0].Length;
        for (var piece = 1; piece < pieces.Length; piece++)
        {
            var isLast = piece == pieces.Length - 1;
            if (isWhole && isLast)
            {
                return path.Length - at >= pieces[piece].Length && path.EndsWith(pieces[piece], StringComparison.Ordinal);
            }
            var found = path.IndexOf(pieces[piece], at, StringComparison.Ordinal);
            if (found < 0)
            {
                return false;
            }
            at = found + pieces[piece].Length;
        }
        return !isWhole || at == path.Length;
    }
}
