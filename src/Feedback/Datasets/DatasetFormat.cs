namespace Stoa.Feedback.Datasets;

/// <summary>What a file of trees becomes. The names are the words of the command line.</summary>
internal enum DatasetFormat
{
    /// <summary>The original's own form: a tree per line.</summary>
    Tree,

    /// <summary>The original's own form: a message per line.</summary>
    Flat,
    Csv,

    /// <summary>TRL, language modelling: <c>{"messages"}</c>, or <c>{"text"}</c> as strings.</summary>
    Sft,

    /// <summary>TRL: <c>{"prompt", "completion"}</c>.</summary>
    PromptCompletion,

    /// <summary>TRL: <c>{"prompt", "chosen", "rejected"}</c>.</summary>
    Preference,

    /// <summary>TRL, unpaired: <c>{"prompt", "completion", "label"}</c>.</summary>
    Kto,

    /// <summary>TRL: <c>{"prompt"}</c>.</summary>
    PromptOnly,
    ShareGpt,

    /// <summary>OpenAI, fine-tuning: <c>{"messages"}</c>.</summary>
    OpenAi,

    /// <summary>OpenAI, preference: <c>{"input", "preferred_output", "non_preferred_output"}</c>.</summary>
    OpenAiPreference,
}

/// <summary>Which pairs ranked siblings give.</summary>
internal enum PairPolicy
{
    /// <summary>Each with each that is ranked lower.</summary>
    All,

    /// <summary>Each with the next.</summary>
    Adjacent,

    /// <summary>The best with each other.</summary>
    BestVersusRest,
}

/// <param name="AsText">Strings instead of turns, in the TRL formats.</param>
/// <param name="WithoutPrompt">Preference pairs as whole conversations, the prompt implied.</param>
/// <param name="QualityAtLeast">KTO: the mean quality label from which a reply counts as good, where thumbs do not decide.</param>
internal sealed record TrainingShape(
    DatasetFormat Format, PairPolicy Pairs = PairPolicy.All, bool AsText = false, bool WithoutPrompt = false, double QualityAtLeast = 0.5);
