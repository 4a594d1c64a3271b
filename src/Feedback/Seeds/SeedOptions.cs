namespace Stoa.Feedback.Seeds;

/// <summary>Section <c>Feedback:Seed</c>: trees to begin with.</summary>
internal sealed class SeedOptions
{
    public const string Section = "Feedback:Seed";

    /// <summary>Puts them in at the start; those that are there stay as they are.</summary>
    public bool Enabled { get; set; }

    /// <summary>A file in the original's form; absent: ours.</summary>
    public string? Path { get; set; }
}
