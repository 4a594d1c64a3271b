using System.Text.RegularExpressions;

namespace Stoa.Gateway.Dialects;

/// <summary>What a provider says may be told to a client, but not the secrets and inner addresses it may quote.</summary>
internal static partial class Redaction
{
    private const int MaxLength = 2000;

    public static string Clean(string text)
    {
        text = text.Length > MaxLength ? text[..(char.IsHighSurrogate(text[MaxLength - 1]) ? MaxLength - 1 : MaxLength)] + "…" : text;
        text = UrlsWithCredentials().Replace(text, "[url]");
        text = InnerHosts().Replace(text, "[host]");
        text = KeyParameters().Replace(text, "${name}[key]");
        return Keys().Replace(text, "[key]");
    }

    [GeneratedRegex(@"\b[a-z][a-z0-9+.\-]*://[^\s/@""']+@[^\s""']*",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex UrlsWithCredentials();

    [GeneratedRegex(
        @"(https?://)?\b(localhost|[a-z0-9.\-]+\.(internal|local|localdomain|svc|cluster\.local)|" +
        @"127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|169\.254\.\d+\.\d+|172\.(1[6-9]|2\d|3[01])\.\d+\.\d+)(:\d+)?\b(/[^\s""']*)?",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex InnerHosts();

    [GeneratedRegex(
        @"(?<name>\b(api[_\-]?key|access[_\-]?token|key|token|secret|password)\s*[=:]\s*[""']?)[^\s""'&,;}]{6,}",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex KeyParameters();

    [GeneratedRegex(
        @"\b(bearer\s+[a-z0-9._~+/\-=*]{6,}|(sk|pk|rk|gsk|xai|hf|key|stoa)[-_][a-z0-9_\-*.]{6,}|AIza[a-z0-9_\-*]{10,}|AKIA[a-z0-9]{12,})",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Keys();
}
