using Stoa.Assistants.Cortexes;

namespace Stoa.Assistants.Documents.Retrieval;

/// <summary>A piece of a document that was found, and where it stands.</summary>
/// <param name="Source">The document's name: of a page its address.</param>
/// <param name="Index">Which of the document's chunks it is, from 0 on.</param>
/// <param name="Score">The higher, the better it fits; only good for comparing those of one search.</param>
internal sealed record Citation(int DocumentId, string Source, string Title, int Index, string Text, double Score);

internal static class Citations
{
    /// <summary>For a prompt: each with its source, between marks, as material that gives no orders.</summary>
    public static Material AddSources(this Material material, IEnumerable<Citation> citations) =>
        citations.Aggregate(material, (all, citation) => all.Add("source", $"{citation.Source}\n{citation.Text}"));
}
