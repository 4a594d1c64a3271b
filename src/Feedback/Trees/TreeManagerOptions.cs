using System.ComponentModel.DataAnnotations;

namespace Stoa.Feedback.Trees;

/// <summary>Section <c>Feedback:TreeManager</c>. All limits hold for each language by itself.</summary>
internal sealed class TreeManagerOptions
{
    /// <summary>Trees that grow at the same time.</summary>
    [Range(0, 1_000_000)]
    public int MaxActiveTrees { get; set; } = 10;

    /// <summary>Prompts under review at the same time.</summary>
    [Range(0, 1_000_000)]
    public int MaxInitialPromptReview { get; set; } = 100;

    [Range(1, 100)]
    public int MaxTreeDepth { get; set; } = 3;

    [Range(1, 1_000)]
    public int MaxChildrenCount { get; set; } = 3;

    /// <summary>Of a prompter to one answer.</summary>
    [Range(1, 1_000)]
    public int NumPrompterReplies { get; set; } = 1;

    [Range(1, 100_000)]
    public int GoalTreeSize { get; set; } = 12;

    public bool RandomGoalTreeSize { get; set; }

    [Range(1, 100_000)]
    public int MinGoalTreeSize { get; set; } = 5;

    [Range(1, 100)]
    public int NumReviewsInitialPrompt { get; set; } = 3;

    [Range(1, 100)]
    public int NumReviewsReply { get; set; } = 3;

    public bool AutoModEnabled { get; set; } = true;

    /// <summary>So many skips of a message halt its tree.</summary>
    [Range(1, 1_000_000)]
    public int AutoModMaxSkipReply { get; set; } = 25;

    /// <summary>So many red flags remove a message.</summary>
    [Range(1, 1_000_000)]
    public int AutoModRedFlags { get; set; } = 4;

    [Range(0.0, 1.0)]
    public double PFullLabelingReviewPrompt { get; set; } = 1.0;

    [Range(0.0, 1.0)]
    public double PFullLabelingReviewReplyAssistant { get; set; } = 1.0;

    [Range(0.0, 1.0)]
    public double PFullLabelingReviewReplyPrompter { get; set; } = 0.25;

    [Range(-2.0, 1.0)]
    public double AcceptanceThresholdInitialPrompt { get; set; } = 0.6;

    [Range(-2.0, 1.0)]
    public double AcceptanceThresholdReply { get; set; } = 0.6;

    [Range(1, 1_000)]
    public int NumRequiredRankings { get; set; } = 3;

    /// <summary>That the end of a tree activates one of the backlog.</summary>
    [Range(0.0, 1.0)]
    public double PActivateBacklogTree { get; set; } = 0.1;

    [Range(0, 1_000_000)]
    public int MinActiveRankingsPerLang { get; set; }

    public bool RankPrompterReplies { get; set; }

    /// <summary>A prompt with fewer replies than this, and more than none, is preferred.</summary>
    [Range(0, 1_000)]
    public int LonelyChildrenCount { get; set; } = 2;

    [Range(0.0, 1.0)]
    public double PLonelyChildExtension { get; set; } = 0.75;

    /// <summary>For so long a task that was handed out keeps its message from others.</summary>
    [Range(1, 86_400)]
    public int RecentTasksSpanSec { get; set; } = 300;

    [Range(1, 10_000)]
    public int MaxPendingTasksPerUser { get; set; } = 8;

    [Range(0, 1_000_000)]
    public int MaxPromptLotteryWaiting { get; set; } = 250;

    /// <summary>Languages in which no new prompts are taken, by commas.</summary>
    public string InitPromptDisabledLangs { get; set; } = "";

    /// <summary>Of <see cref="InitPromptDisabledLangs"/>.</summary>
    public bool TakesPromptsIn(string lang) =>
        !InitPromptDisabledLangs.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Contains(lang, StringComparer.Ordinal);

    // The original's settings of the labels themselves.
    public List<string> LabelsInitialPrompt { get; set; } = [];

    public List<string> LabelsPrompterReply { get; set; } = [];

    public List<string> LabelsAssistantReply { get; set; } = [];

    public List<string> MandatoryLabelsInitialPrompt { get; set; } = [];

    public List<string> MandatoryLabelsPrompterReply { get; set; } = [];

    public List<string> MandatoryLabelsAssistantReply { get; set; } = [];
}
