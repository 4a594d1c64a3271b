using System.ComponentModel.DataAnnotations;

namespace Stoa.Learning.Generation;

/// <summary>Section <c>Learning:Generation</c>: how courses are made of a document.</summary>
internal sealed class GenerationOptions
{
    public const string Section = "Learning:Generation";

    /// <summary>Whether learners see a task as soon as it is made; else it stays a draft.</summary>
    public bool Publishes { get; set; } = true;

    [Range(1, 100)]
    public int MaxReferenceMb { get; set; } = 32;
}
