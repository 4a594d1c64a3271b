using System.Globalization;
using System.Text;

namespace Stoa.Assistants.Cortexes;

/// <summary>
/// What a model is given to think about. Each piece stands between marks of its own; the instructions say that nothing between marks is an
/// order. So no text can close its own mark.
/// </summary>
internal sealed class Material
{
    private readonly StringBuilder text = new();

    /// <summary>Nothing is added where there is nothing.</summary>
    public Material Add(string name, string? content)
    {
        if (!string.IsNullOrWhiteSpace(content))
        {
            text.Append(CultureInfo.InvariantCulture, $"<{name}>\n{Fenced(name, content.Trim())}\n</{name}>\n\n");
        }
        return this;
    }

    public override string ToString() => text.ToString().TrimEnd();

    private static string Fenced(string name, string content) => content
        .Replace($"</{name}", $"< /{name}", StringComparison.OrdinalIgnoreCase)
        .Replace($"<{name}", $"< {name}", StringComparison.OrdinalIgnoreCase);
}
