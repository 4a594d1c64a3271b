using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Options;

namespace Stoa.Learning.Tutor;

/// <param name="Version">Names the text in records: <c>objective.1</c>, and of an operator's own <c>objective.own</c>.</param>
internal sealed record Prompt(string Version, string Text);

/// <summary>
/// The instructions to models. Ours are files in this folder, by name and version; a new wording is a new version, so that what was judged
/// by an older one can still be told. An operator may put his own beside: <c>objective.md</c> in the folder of the settings for all
/// schools, <c>7/objective.md</c> for the school with the id 7.
/// </summary>
internal sealed class TutorPrompts(IOptions<TutorOptions> options)
{
    private const int Version = 1;

    private static readonly ConcurrentDictionary<string, Prompt> Own = new(StringComparer.Ordinal);

    public Prompt Find(string name, int orgId) =>
        options.Value.PromptsDirectory is { Length: > 0 } folder ? Read(folder, name, orgId) ?? Ours(name) : Ours(name);

    private static Prompt Ours(string name) => Own.GetOrAdd(name, static name =>
    {
        var version = string.Create(CultureInfo.InvariantCulture, $"{name}.{Version}");
        using var stream = typeof(TutorPrompts).Assembly.GetManifestResourceStream($"Stoa.Learning.Prompts.{version}.md")
            ?? throw new InvalidOperationException($"There is no prompt {version}");
        using var reader = new StreamReader(stream);
        return new(version, reader.ReadToEnd().Trim());
    });

    // Read anew each time: whoever tries wordings sees them at once, and a file of this size costs nothing beside a model.
    private static Prompt? Read(string folder, string name, int orgId)
    {
        foreach (var path in (ReadOnlySpan<string>)[
            Path.Combine(folder, orgId.ToString(CultureInfo.InvariantCulture), $"{name}.md"), Path.Combine(folder, $"{name}.md")])
        {
            if (File.Exists(path))
            {
                return new($"{name}.own", File.ReadAllText(path).Trim());
            }
        }
        return null;
    }
}
