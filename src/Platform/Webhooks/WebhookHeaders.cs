using System.Text.RegularExpressions;

namespace Stoa.Platform.Webhooks;

/// <summary>Which headers a receiver may ask for.</summary>
internal static partial class WebhookHeaders
{
    private const int Most = 50;
    private const int MaxValue = 8192;

    // What frames the request or names its target is ours, and so is what proves where it comes from.
    private static readonly HashSet<string> Ours = new(
        [
            "Host", "Content-Length", "Transfer-Encoding", "Connection",
            "Keep-Alive", "Upgrade", "TE", "Trailer", "Expect", "Proxy-Connection",
            "Proxy-Authorization", "webhook-id", "webhook-timestamp", "webhook-signature",
        ],
        StringComparer.OrdinalIgnoreCase);

    public static List<KeyValuePair<string, string>> Of(IEnumerable<KeyValuePair<string, string>> headers) =>
        [.. headers.Where(header => Name().IsMatch(header.Key) && !Ours.Contains(header.Key) && IsValue(header.Value)).Take(Most)];

    private static bool IsValue(string value) => value.Length <= MaxValue && value.All(c => c is '\t' or (>= ' ' and < '\u007f'));

    [GeneratedRegex(@"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Name();
}
