using System.Collections.Frozen;
using System.Net;
using System.Text;
using AngleSharp.Html;
using AngleSharp.Html.Parser;
using AngleSharp.Html.Parser.Tokens;
using AngleSharp.Text;

namespace Stoa.Assistants.Mail;

/// <summary>
/// HTML of a model, for a mail: written anew from an allow-list of elements without attributes, every text escaped, every element closed.
/// It is read token by token and never built up as a tree, so nothing that is nested or left open costs more than its length.
/// </summary>
internal static class SafeHtml
{
    private const int Deepest = 24;

    private static readonly FrozenSet<string> Allowed = FrozenSet.ToFrozenSet(
    [
        "a", "b", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4",
        "hr", "i", "li", "ol", "p", "pre", "s", "strong", "table", "tbody", "td",
        "th", "thead", "tr", "u", "ul",
    ], StringComparer.Ordinal);

    private static readonly FrozenSet<string> Lines = FrozenSet.ToFrozenSet(
        ["blockquote", "br", "div", "h1", "h2", "h3", "h4", "hr", "li", "p", "pre", "tr"], StringComparer.Ordinal);

    /// <summary>What is inside these is no text for people.</summary>
    private static readonly FrozenSet<string> Dropped = FrozenSet.ToFrozenSet(
    [
        "applet", "audio", "canvas", "embed", "form", "frameset", "head",
        "iframe", "math", "noembed", "noframes", "noscript", "object", "script",
        "select", "style", "svg", "template", "textarea", "title", "video", "xmp",
    ], StringComparer.Ordinal);

    /// <param name="links">Links to other places than this are text only; null: all are.</param>
    public static (string Html, string Text) Clean(string source, Uri? links)
    {
        var (html, text) = (new StringBuilder(), new StringBuilder());
        List<string> open = [];
        string? dropped = null;
        using var input = new TextSource(source);
        using var tokens = new HtmlTokenizer(input, HtmlEntityProvider.Resolver);
        for (var token = tokens.Get(); token.Type != HtmlTokenType.EndOfFile; token = tokens.Get())
        {
            if (dropped is not null)
            {
                dropped = token is HtmlTagToken { Type: HtmlTokenType.EndTag } end && end.Name == dropped ? null : dropped;
                continue;
            }
            switch (token)
            {
                case { Type: HtmlTokenType.Character }:
                    html.Append(WebUtility.HtmlEncode(token.Data));
                    text.Append(token.Data);
                    break;
                case HtmlTagToken { Type: HtmlTokenType.StartTag } start when Dropped.Contains(start.Name):
                    dropped = start.IsSelfClosing ? null : start.Name;
                    break;
                case HtmlTagToken { Type: HtmlTokenType.StartTag } start:
                    Begin(start, html, text, open, links);
                    break;
                case HtmlTagToken { Type: HtmlTokenType.EndTag } end:
                    End(end.Name, html, text, open);
                    break;
            }
        }
        foreach (var name in Enumerable.Reverse(open))
        {
            html.Append("</").Append(name).Append('>');
        }
        return (html.ToString(), Tidy(text.ToString()));
    }

    /// <summary>A text as HTML: its blank lines part paragraphs.</summary>
    public static string OfText(string text) => string.Concat(
        text.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(part => $"<p>{WebUtility.HtmlEncode(part.Trim()).Replace("\n", "<br>", StringComparison.Ordinal)}</p>"));

    private static void Begin(HtmlTagToken tag, StringBuilder html, StringBuilder text, List<string> open, Uri? links)
    {
        if (Lines.Contains(tag.Name))
        {
            text.Append(tag.Name == "li" ? "\n- " : "\n");
        }
        if (!Allowed.Contains(tag.Name) || open.Count >= Deepest)
        {
            return;
        }
        if (tag.Name is "br" or "hr")
        {
            html.Append('<').Append(tag.Name).Append('>');
            return;
        }
        if (tag.Name == "a")
        {
            if (!IsOwn(tag.GetAttribute("href"), links))
            {
                return;
            }
            html.Append("<a href=\"").Append(WebUtility.HtmlEncode(tag.GetAttribute("href"))).Append("\">");
        }
        else
        {
            html.Append('<').Append(tag.Name).Append('>');
        }
        open.Add(tag.Name);
    }

    private static void End(string name, StringBuilder html, StringBuilder text, List<string> open)
    {
        if (name is "ul" or "ol" || (name != "li" && Lines.Contains(name)))
        {
            text.Append('\n');
        }
        // What is closed closes all that was opened within it.
        for (var last = open.LastIndexOf(name); last >= 0 && open.Count > last; open.RemoveAt(open.Count - 1))
        {
            html.Append("</").Append(open[^1]).Append('>');
        }
    }

    // Text of others stands in what a model writes: a link may lead to nobody but us.
    private static bool IsOwn(string? href, Uri? links) =>
        links is not null && Uri.TryCreate(href, UriKind.Absolute, out var target)
        && target.Scheme is "http" or "https" && target.UserInfo.Length == 0
        && target.Scheme == links.Scheme && target.Authority == links.Authority;

    private static string Tidy(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim());
        var tidy = new StringBuilder();
        var blanks = 1;
        foreach (var line in lines)
        {
            blanks = line.Length == 0 ? blanks + 1 : 0;
            if (blanks < 2)
            {
                tidy.Append(line).Append('\n');
            }
        }
        return tidy.ToString().Trim();
    }
}
