using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;

namespace Stoa.Assistants.Documents.Reading;

/// <summary>
/// The text of a page as one would read it aloud: headings, paragraphs and code on lines of their own; without scripts, styles, menus,
/// the head and foot of the site, and what is hidden. Goes along the nodes without calling itself: pages may be nested to any depth.
/// </summary>
internal static class HtmlText
{
    private const int LeastMainText = 200;

    private static readonly HashSet<string> Dropped = new(StringComparer.Ordinal)
    {
        "script", "style", "noscript", "template", "nav", "svg", "math", "iframe",
        "object", "embed", "canvas", "audio", "video", "select", "option",
        "button", "input", "textarea", "dialog", "head", "title",
    };

    private static readonly HashSet<string> Blocks = new(StringComparer.Ordinal)
    {
        "address", "article", "aside", "blockquote", "body", "br", "caption",
        "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure",
        "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
        "li", "main", "ol", "p", "pre", "section", "summary", "table", "tbody",
        "thead", "tr", "ul",
    };

    private static readonly HashSet<string> Containers =
        new(StringComparer.Ordinal) { "div", "ul", "ol", "table", "section", "p", "aside", "span" };

    public static string Of(IHtmlDocument document)
    {
        if (document.Body is not { } body)
        {
            return "";
        }
        foreach (var main in body.QuerySelectorAll("main, [role=main], article").Take(2))
        {
            if (TextOf(main) is { Length: >= LeastMainText } text)
            {
                // Several articles are a list, of which all is wanted.
                return main.LocalName == "article" && body.QuerySelectorAll("article").Length > 1 ? TextOf(body) : text;
            }
        }
        return TextOf(body);
    }

    private static string TextOf(IElement root)
    {
        var writer = new Writer();
        INode? node = root;
        while (node is not null)
        {
            var isEntered = Enter(node, root, writer);
            if (isEntered && node.FirstChild is { } child)
            {
                node = child;
                continue;
            }
            for (var isLeft = isEntered; ; isLeft = true)
            {
                if (isLeft)
                {
                    Leave(node, writer);
                }
                if (node == root)
                {
                    return TextCleaning.Clean(writer.ToString());
                }
                if (node.NextSibling is { } next)
                {
                    node = next;
                    break;
                }
                node = node.Parent!;
            }
        }
        return "";
    }

    private static bool Enter(INode node, IElement root, Writer writer)
    {
        if (node is IText text)
        {
            writer.Text(text.Data);
            return false;
        }
        if (node is not IElement element)
        {
            return false;
        }
        if (element != root && IsDropped(element, root))
        {
            return false;
        }
        if (Blocks.Contains(element.LocalName))
        {
            writer.Break();
        }
        else if (element.LocalName is "td" or "th")
        {
            writer.Text(" ");
        }
        if (element.LocalName == "pre")
        {
            writer.Verbatim++;
        }
        return true;
    }

    private static void Leave(INode node, Writer writer)
    {
        if (node is IElement element && Blocks.Contains(element.LocalName))
        {
            writer.Break();
            if (element.LocalName == "pre")
            {
                writer.Verbatim--;
            }
        }
    }

    private static bool IsDropped(IElement element, IElement root)
    {
        if (Dropped.Contains(element.LocalName) || IsHidden(element))
        {
            return true;
        }
        if (element.LocalName is "header" or "footer")
        {
            // Of the site; an article has a head of its own, which belongs to it.
            return root.LocalName == "body" && element.ParentElement is { LocalName: not ("article" or "section") };
        }
        if (element.GetAttribute("role") is "navigation" or "banner" or "contentinfo" or "search" or "menu")
        {
            return true;
        }
        return Containers.Contains(element.LocalName) && element.ClassName is { Length: > 0 } && element.ClassList.Any(IsMenu);
    }

    private static bool IsMenu(string name) => name.StartsWith("nav", StringComparison.OrdinalIgnoreCase)
        || name.ToLowerInvariant() is "menu" or "sidebar" or "breadcrumb" or "breadcrumbs" or "footer" or "skip-link" or "cookie-banner";

    private static bool IsHidden(IElement element)
    {
        if (element.HasAttribute("hidden") || element.GetAttribute("aria-hidden") == "true")
        {
            return true;
        }
        if (element.GetAttribute("style") is not { Length: > 0 and < 4_096 } style)
        {
            return false;
        }
        var plain = style.Replace(" ", "", StringComparison.Ordinal);
        return plain.Contains("display:none", StringComparison.OrdinalIgnoreCase)
            || plain.Contains("visibility:hidden", StringComparison.OrdinalIgnoreCase);
    }

    private sealed class Writer
    {
        private readonly StringBuilder text = new();

        /// <summary>Above 0: blanks and line breaks are part of the text.</summary>
        public int Verbatim { get; set; }

        public void Text(string data)
        {
            if (Verbatim > 0)
            {
                text.Append(data);
                return;
            }
            foreach (var letter in data)
            {
                if (!char.IsWhiteSpace(letter))
                {
                    text.Append(letter);
                }
                else if (text.Length > 0 && text[^1] is not (' ' or '\n'))
                {
                    text.Append(' ');
                }
            }
        }

        public void Break()
        {
            if (text.Length > 0 && text[^1] != '\n')
            {
                text.Append('\n');
            }
        }

        public override string ToString() => text.ToString();
    }
}
