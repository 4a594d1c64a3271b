using Stoa.Platform.Http;

namespace Stoa.Assistants.Documents.Crawling;

/// <summary>Addresses of pages in one spelling, and which of them belong to a website.</summary>
internal static class PageAddress
{
    public const int Longest = 2_048;

    // What no text comes out of; asked for all the same it would only be refused by its type.
    private static readonly HashSet<string> Unreadable = new(StringComparer.OrdinalIgnoreCase)
    {
        ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".ico", ".css",
        ".js", ".mjs", ".json", ".xml", ".rss", ".atom", ".woff", ".woff2", ".ttf",
        ".zip", ".gz", ".bz2", ".xz", ".7z", ".tar", ".rar", ".exe", ".dmg", ".iso",
        ".deb", ".rpm", ".mp3", ".mp4", ".avi", ".mov", ".webm", ".ogg", ".wav",
        ".xls", ".xlsx", ".ppt", ".pptx", ".doc", ".csv",
    };

    /// <summary>What a user has typed: a scheme is added where there is none, and the slash at the end is taken away.</summary>
    /// <exception cref="Failure">400 <c>invalid_url</c>.</exception>
    public static string Typed(string text)
    {
        var address = text.Trim();
        address = address.Contains("://", StringComparison.Ordinal) ? address : $"https://{address}";
        return Uri.TryCreate(address, UriKind.Absolute, out var uri) && NameOf(uri) is { } name ? name : throw Invalid();
    }

    public static Failure Invalid() => Failure.Invalid("invalid_url", "website_url", "invalid_url");

    /// <summary>
    /// The name under which a page is kept: scheme and host in lower case, no default port, no fragment, no slash at the end of a bare
    /// host. Null for what is no page of the web.
    /// </summary>
    public static string? NameOf(Uri uri)
    {
        if (!uri.IsAbsoluteUri || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps)
            || uri.UserInfo.Length > 0 || uri.Host.Length == 0
            || uri.OriginalString.Contains('\\', StringComparison.Ordinal))
        {
            return null;
        }
        var name = uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.PathAndQuery, UriFormat.UriEscaped);
        // A question mark with nothing behind it asks for nothing.
        name = uri.Query.Length <= 1 ? name.TrimEnd('?') : name;
        name = uri.AbsolutePath == "/" && uri.Query.Length <= 1 ? name.TrimEnd('/') : name;
        return name.Length <= Longest && !name.Any(char.IsControl) ? name : null;
    }

    /// <summary>Whether a link of a website leads to another page of it: the same host, with or without <c>www</c>.</summary>
    public static bool IsOfSite(Uri uri, Uri site) =>
        BareHost(uri) == BareHost(site) && (uri.Port == site.Port || (uri.IsDefaultPort && site.IsDefaultPort))
        && !Unreadable.Contains(Path.GetExtension(uri.AbsolutePath));

    private static string BareHost(Uri uri)
    {
        var host = uri.IdnHost.ToLowerInvariant();
        return host.StartsWith("www.", StringComparison.Ordinal) ? host[4..] : host;
    }
}
