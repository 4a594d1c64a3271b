using System.ComponentModel.DataAnnotations;
using Stoa.Feedback.Trees;

namespace Stoa.Feedback;

/// <summary>Section <c>Feedback</c>.</summary>
internal sealed class FeedbackOptions
{
    public const string Section = "Feedback";

    [Required]
    public string ProjectName { get; set; } = "open-assistant backend";

    /// <summary>Characters of a message.</summary>
    [Range(1, 100_000)]
    public int MessageSizeLimit { get; set; } = 2_000;

    /// <summary>For so long nobody may write the same text again.</summary>
    [Range(0, 525_600)]
    public int DuplicateMessageFilterWindowMinutes { get; set; } = 120;

    /// <summary>For so long a task can be answered; 0: for ever.</summary>
    [Range(0, 525_600)]
    public int TaskValidityMinutes { get; set; } = 2_880;

    public bool AllowSelfLabeling { get; set; }

    public bool AllowSelfRanking { get; set; }

    /// <summary>A user may reply to, label and rank the same message again.</summary>
    public bool AllowDuplicateTasks { get; set; }

    /// <summary>Users need not have accepted the terms.</summary>
    public bool IgnoreTosAcceptance { get; set; } = true;

    public TaskLimitOptions RateLimit { get; set; } = new();

    public TreeManagerOptions TreeManager { get; set; } = new();

    public StatsIntervalOptions StatsInterval { get; set; } = new();
}

/// <summary>How often tasks may be asked for.</summary>
internal sealed class TaskLimitOptions
{
    public bool Enabled { get; set; } = true;

    [Range(1, 1_000_000)]
    public int UserTimes { get; set; } = 30;

    [Range(1, 1_440)]
    public int UserMinutes { get; set; } = 4;

    /// <summary>Of a client, requests that name no user.</summary>
    [Range(1, 10_000_000)]
    public int ClientTimes { get; set; } = 10_000;

    [Range(1, 1_440)]
    public int ClientMinutes { get; set; } = 1;

    [Range(1, 1_000_000)]
    public int AssistantTimes { get; set; } = 4;

    [Range(1, 1_440)]
    public int AssistantMinutes { get; set; } = 2;

    [Range(1, 1_000_000)]
    public int PrompterTimes { get; set; } = 8;

    [Range(1, 1_440)]
    public int PrompterMinutes { get; set; } = 2;
}

/// <summary>Minutes between two computations of the boards, and of the cached figures.</summary>
internal sealed class StatsIntervalOptions
{
    [Range(1, 100_000)]
    public int Day { get; set; } = 5;

    [Range(1, 100_000)]
    public int Week { get; set; } = 15;

    [Range(1, 100_000)]
    public int Month { get; set; } = 60;

    [Range(1, 100_000)]
    public int Total { get; set; } = 240;

    [Range(1, 100_000)]
    public int Cached { get; set; } = 60;
}
