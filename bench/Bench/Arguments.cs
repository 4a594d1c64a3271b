using System.Globalization;

namespace Stoa.Bench;

/// <summary>The command line after the verb: pairs of <c>--name value</c>.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    internal static Arguments Parse(string[] words)
    {
        var arguments = new Arguments();
        foreach (var pair in words.Chunk(2))
        {
            if (pair is not [['-', '-', .. var name], var value])
            {
                throw new ArgumentException($"Expected --name value, got '{string.Join(' ', pair)}'.", nameof(words));
            }
            arguments._values[name] = value;
        }
        return arguments;
    }

    internal string? Text(string name) => _values.GetValueOrDefault(name);

    internal string Text(string name, string otherwise) => Text(name) ?? otherwise;

    internal int Number(string name, int otherwise) =>
        Text(name) is { } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;

    internal bool Flag(string name) => Text(name) == "true";

    internal int[] Numbers(string name) =>
        [.. (Text(name) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(word => int.Parse(word, CultureInfo.InvariantCulture))];
}
