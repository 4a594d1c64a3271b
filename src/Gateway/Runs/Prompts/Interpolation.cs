using System.Text;

namespace Stoa.Gateway.Runs.Prompts;

/// <summary>
/// Puts values in the place of <c>{{name}}</c>. One pass: braces inside a value stay what they are, so that what a caller says is never
/// taken for a template. A name without a value stays in place.
/// </summary>
internal static class Interpolation
{
    private const int MaxName = 200;

    /// <param name="missing">Gets the names that have no value.</param>
    public static string Apply(string template, Func<string, string?> valueOf, ISet<string>? missing = null)
    {
        var rest = template.AsSpan();
        var start = rest.IndexOf("{{");
        if (start < 0)
        {
            return template;
        }
        var output = new StringBuilder(template.Length + 64);
        for (; start >= 0; start = rest.IndexOf("{{"))
        {
            output.Append(rest[..start]);
            rest = rest[start..];
            var end = rest.IndexOf("}}");
            if (end < 0)
            {
                break;
            }
            // Of "{{{{name}}" the last braces open.
            var open = rest[..end].LastIndexOf("{{");
            output.Append(rest[..open]);
            var name = rest[(open + 2)..end].Trim().ToString();
            if (name.Length is > 0 and <= MaxName && valueOf(name) is { } value)
            {
                output.Append(value);
            }
            else
            {
                output.Append(rest[open..(end + 2)]);
                if (name.Length is > 0 and <= MaxName)
                {
                    missing?.Add(name);
                }
            }
            rest = rest[(end + 2)..];
        }
        return output.Append(rest).ToString();
    }
}
