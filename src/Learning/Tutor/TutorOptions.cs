using System.ComponentModel.DataAnnotations;

namespace Stoa.Learning.Tutor;

/// <summary>Section <c>Learning:Tutor</c>: what learners may ask of the tutor, and hand in.</summary>
internal sealed class TutorOptions
{
    public const string Section = "Learning:Tutor";

    /// <summary>A folder with instructions of the operator's own; those that are not there are ours.</summary>
    public string? PromptsDirectory { get; set; }

    /// <summary>Questions of one person; 0 for no limit.</summary>
    [Range(0, 100_000)]
    public int RequestsPerMinute { get; set; } = 30;

    /// <summary>Tokens of one person, in and out, over any 24 hours; 0 for no limit.</summary>
    [Range(0, int.MaxValue)]
    public int TokensPerDay { get; set; } = 2_000_000;

    /// <summary>How often an answer is asked for again that broke off before its first line reached the learner.</summary>
    [Range(0, 10)]
    public int Retries { get; set; } = 2;

    /// <summary>
    /// Turns into text, by the model <c>Learning:Models:Audio</c>, what a learner has said, and has the text judged, instead of the voice.
    /// </summary>
    public bool TranscribesVoice { get; set; }

    [Range(1, 100)]
    public int MaxAudioMb { get; set; } = 25;

    [Range(1, 1_000)]
    public int MaxZipMb { get; set; } = 50;

    [Range(1, 20_000)]
    public int MaxZipEntries { get; set; } = 5_000;

    /// <summary>What an archive may come to when it is unpacked; a larger one is refused unread.</summary>
    [Range(1, 10_000)]
    public int MaxUnpackedMb { get; set; } = 200;

    /// <summary>Larger files of an archive are named to the model, not shown.</summary>
    [Range(1, 10_240)]
    public int MaxFileKb { get; set; } = 256;

    /// <summary>What of an archive is shown to the model in all.</summary>
    [Range(1, 10_240)]
    public int MaxShownKb { get; set; } = 512;

    /// <summary>Lets an operator delete every conversation at once by <c>DELETE /learning/chat/</c>.</summary>
    public bool AllowsDeletingAllChats { get; set; }
}

/// <summary>
/// Section <c>Learning:Models</c>: which model does what, as the Gateway names it. One that is not served there gives way to the first
/// model that is.
/// </summary>
internal sealed class LearningModelOptions
{
    public const string Section = "Learning:Models";

    /// <summary>Decides whether an answer needs a model that reasons.</summary>
    [Required]
    public string Router { get; set; } = "openai/gpt-4.1-mini-2025-04-14";

    [Required]
    public string Text { get; set; } = "openai/gpt-4.1-2025-04-14";

    /// <summary>Small work on texts: rewriting a question.</summary>
    [Required]
    public string TextMini { get; set; } = "openai/gpt-4.1-mini-2025-04-14";

    /// <summary>Hard tasks, and all assignments that are not spoken.</summary>
    [Required]
    public string Reasoning { get; set; } = "openai/o3-mini-2025-01-31";

    [Required]
    public string Audio { get; set; } = "openai/gpt-4o-audio-preview-2025-06-03";
}
