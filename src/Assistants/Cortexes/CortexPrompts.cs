using System.Collections.Concurrent;

namespace Stoa.Assistants.Cortexes;

/// <summary>
/// The instructions to models: <c>Prompts/&lt;process&gt;.1.md</c> behind what holds for all of them, <c>Prompts/assistant.1.md</c>. A new
/// wording is a new number, so that what was made by an older one can still be told.
/// </summary>
internal static class CortexPrompts
{
    private static readonly ConcurrentDictionary<string, string> Texts = new(StringComparer.Ordinal);

    /// <param name="name">With its number: <c>title-and-summary.1</c>.</param>
    public static string Of(string name) => Texts.GetOrAdd(name, static name => $"{Read("assistant.1")}\n\n{Read(name)}");

    private static string Read(string name)
    {
        using var stream = typeof(CortexPrompts).Assembly.GetManifestResourceStream($"Stoa.Assistants.Prompts.{name}.md")
            ?? throw new InvalidOperationException($"There is no prompt {name}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Trim();
    }
}
