namespace Stoa.Feedback.Wire;

/// <summary>What can be said of a text, and how a client asks for it.</summary>
internal static class Label
{
    public const string Spam = "spam", LangMismatch = "lang_mismatch", Quality = "quality", FailsTask = "fails_task";

    /// <summary>In the order of the wire.</summary>
    private static readonly LabelDescription[] All =
    [
        new(Spam, "yes_no", "The text says nothing of use, or advertises.", null),
        new(FailsTask, "yes_no", "The answer does not do what was asked for.", null),
        new(LangMismatch, "flag", "Another language", "The text is not written in the language that was asked for."),
        new("pii", "flag", "Names private persons or their data", null),
        new("not_appropriate", "flag", "Not fit for an assistant", null),
        new("hate_speech", "flag", "Hatred", "The text attacks or demeans people for what they are."),
        new("sexual_content", "flag", "Sexual content", null),
        new("moral_judgement", "flag", "Judges morally", null),
        new("political_content", "flag", "Politics", null),
        new(Quality, "likert", "How good is it?", null),
        new("toxicity", "likert", "How rude is it?", null),
        new("humor", "likert", "How funny is it?", null),
        new("helpfulness", "likert", "How much does it help?", null),
        new("creativity", "likert", "How original is it?", null),
        new("violence", "likert", "How violent is it?", null),
    ];

    public static readonly string[] Names = [.. All.Select(label => label.Name)];

    /// <summary>Of prompts and of prompters' replies.</summary>
    public static readonly string[] OfPrompter =
        [Spam, LangMismatch, Quality, "creativity", "humor", "toxicity",
            "violence", "not_appropriate", "pii", "hate_speech", "sexual_content"];

    public static readonly string[] OfAssistant =
    [
        Spam, LangMismatch, FailsTask, Quality, "helpfulness", "creativity", "humor", "toxicity", "violence", "not_appropriate", "pii",
        "hate_speech", "sexual_content",
    ];

    /// <summary>What a report may name.</summary>
    public static readonly string[] OfReport =
    [
        Spam, "not_appropriate", "pii", "hate_speech", "sexual_content",
        "moral_judgement", "political_content", "toxicity", "violence", Quality,
    ];

    /// <summary>Described in the same order.</summary>
    public static IReadOnlyList<LabelDescription> Describe(IEnumerable<string> names) =>
        [.. names.Select(name => Array.Find(All, label => label.Name == name)!)];

    public static IReadOnlyList<LabelDescription> AllBut(string name) => [.. All.Where(label => label.Name != name)];
}
