using System.Text;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>Takes the Markdown fence off a JSON answer, piece by piece, passing everything else on as soon as it is certain.</summary>
internal sealed class CodeFence
{
    private const string Mark = "```";

    private readonly StringBuilder held = new();
    private bool isFenced;
    private bool isInside;

    public static string Strip(string text)
    {
        var fence = new CodeFence();
        return fence.Take(text) + fence.Rest();
    }

    public string Take(string fragment)
    {
        held.Append(fragment);
        if (!isInside && !TryEnter())
        {
            return "";
        }
        var text = held.ToString();

        // The closing fence may be preceded and followed by white space and may come in pieces.
        var ready = isFenced ? text.TrimEnd('`', ' ', '\r', '\n').Length : text.Length;
        held.Clear().Append(text, ready, text.Length - ready);
        return text[..ready];
    }

    /// <summary>What is still held at the end of the answer, without the closing fence.</summary>
    public string Rest()
    {
        var text = held.ToString();
        held.Clear();
        var end = text.TrimEnd();
        return isFenced && end.EndsWith(Mark, StringComparison.Ordinal) ? end[..^Mark.Length].TrimEnd() : text;
    }

    private bool TryEnter()
    {
        var text = held.ToString();
        var start = text.TrimStart();
        if (start.Length < Mark.Length && Mark.StartsWith(start, StringComparison.Ordinal))
        {
            return false;
        }
        if (start.StartsWith(Mark, StringComparison.Ordinal))
        {
            var line = start.IndexOf('\n', StringComparison.Ordinal);
            if (line < 0)
            {
                return false;
            }
            isFenced = true;
            held.Clear().Append(start, line + 1, start.Length - line - 1);
        }
        isInside = true;
        return true;
    }
}
