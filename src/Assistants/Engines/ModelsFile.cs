namespace Stoa.Assistants.Engines;

/// <summary>One section of the original's files: <c>[provider/model]</c> with its keys, which know no case.</summary>
internal sealed record EngineSection(string File, int Line, string Provider, string Model, IReadOnlyDictionary<string, string> Keys)
{
    /// <exception cref="FormatException">It is not there, or is empty; names line and key.</exception>
    public string Need(string key) => Keys.TryGetValue(key, out var value) && value.Length > 0
        ? value
        : throw ModelsFile.Wrong(File, Line, $"[{Provider}/{Model}] needs {key}");
}

/// <summary>
/// Reads <c>models.conf</c>, <c>embedding_models.conf</c> and <c>stt_models.conf</c>: INI, in which the order of sections counts.
/// </summary>
internal static class ModelsFile
{
    /// <exception cref="FormatException">Names file and line, and never a value.</exception>
    public static IReadOnlyList<EngineSection> Read(string file, string text)
    {
        var sections = new List<EngineSection>();
        Dictionary<string, string>? keys = null;
        foreach (var (index, raw) in text.ReplaceLineEndings("\n").Split('\n').Index())
        {
            var line = raw.Trim();
            if (line.Length == 0 || line[0] is '#' or ';')
            {
                continue;
            }
            if (line[0] == '[')
            {
                keys = new(StringComparer.OrdinalIgnoreCase);
                sections.Add(SectionOf(file, index + 1, line, keys));
                if (sections.Take(sections.Count - 1)
                    .Any(section => section.Provider == sections[^1].Provider && section.Model == sections[^1].Model))
                {
                    throw Wrong(file, index + 1, $"{line} is there twice");
                }
                continue;
            }
            var split = line.IndexOfAny(['=', ':']);
            if (split <= 0)
            {
                throw Wrong(file, index + 1, "is neither a section nor key = value");
            }
            var key = line[..split].Trim();
            if (keys is null)
            {
                throw Wrong(file, index + 1, $"{key} stands before the first section");
            }
            if (!keys.TryAdd(key, line[(split + 1)..].Trim().Trim('"', '\'')))
            {
                throw Wrong(file, index + 1, $"{key} is there twice");
            }
        }
        return sections.Count > 0 ? sections : throw Wrong(file, 1, "has no section [provider/model]");
    }

    public static FormatException Wrong(string file, int line, string what) =>
        new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{file}:{line}: {what}"));

    private static EngineSection SectionOf(string file, int number, string line, Dictionary<string, string> keys)
    {
        var name = line.EndsWith(']') ? line[1..^1].Trim() : "";
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < name.Length - 1
            ? new(file, number, name[..slash].ToLowerInvariant(), name[(slash + 1)..], keys)
            : throw Wrong(file, number, "a section is [provider/model]");
    }
}
