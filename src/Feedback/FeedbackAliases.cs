using Microsoft.AspNetCore.Builder;
using Stoa.Platform;

namespace Stoa.Feedback;

/// <summary>The original's names of our settings.</summary>
internal static class FeedbackAliases
{
    private static readonly (string Variable, string Setting)[] All =
    [
        ("PROJECT_NAME", "ProjectName"),
        ("MESSAGE_SIZE_LIMIT", "MessageSizeLimit"),
        ("DUPLICATE_MESSAGE_FILTER_WINDOW_MINUTES", "DuplicateMessageFilterWindowMinutes"),
        ("TASK_VALIDITY_MINUTES", "TaskValidityMinutes"),
        ("DEBUG_ALLOW_SELF_LABELING", "AllowSelfLabeling"),
        ("DEBUG_ALLOW_SELF_RANKING", "AllowSelfRanking"),
        ("DEBUG_ALLOW_DUPLICATE_TASKS", "AllowDuplicateTasks"),
        ("DEBUG_IGNORE_TOS_ACCEPTANCE", "IgnoreTosAcceptance"),
        ("RATE_LIMIT", "RateLimit:Enabled"),
        ("RATE_LIMIT_TASK_USER_TIMES", "RateLimit:UserTimes"),
        ("RATE_LIMIT_TASK_USER_MINUTES", "RateLimit:UserMinutes"),
        ("RATE_LIMIT_TASK_API_TIMES", "RateLimit:ClientTimes"),
        ("RATE_LIMIT_TASK_API_MINUTES", "RateLimit:ClientMinutes"),
        ("RATE_LIMIT_ASSISTANT_USER_TIMES", "RateLimit:AssistantTimes"),
        ("RATE_LIMIT_ASSISTANT_USER_MINUTES", "RateLimit:AssistantMinutes"),
        ("RATE_LIMIT_PROMPTER_USER_TIMES", "RateLimit:PrompterTimes"),
        ("RATE_LIMIT_PROMPTER_USER_MINUTES", "RateLimit:PrompterMinutes"),
        ("USER_STATS_INTERVAL_DAY", "StatsInterval:Day"),
        ("USER_STATS_INTERVAL_WEEK", "StatsInterval:Week"),
        ("USER_STATS_INTERVAL_MONTH", "StatsInterval:Month"),
        ("USER_STATS_INTERVAL_TOTAL", "StatsInterval:Total"),
        ("CACHED_STATS_UPDATE_INTERVAL", "StatsInterval:Cached"),
        ("TREE_MANAGER__MAX_ACTIVE_TREES", "TreeManager:MaxActiveTrees"),
        ("TREE_MANAGER__MAX_INITIAL_PROMPT_REVIEW", "TreeManager:MaxInitialPromptReview"),
        ("TREE_MANAGER__MAX_TREE_DEPTH", "TreeManager:MaxTreeDepth"),
        ("TREE_MANAGER__MAX_CHILDREN_COUNT", "TreeManager:MaxChildrenCount"),
        ("TREE_MANAGER__NUM_PROMPTER_REPLIES", "TreeManager:NumPrompterReplies"),
        ("TREE_MANAGER__GOAL_TREE_SIZE", "TreeManager:GoalTreeSize"),
        ("TREE_MANAGER__RANDOM_GOAL_TREE_SIZE", "TreeManager:RandomGoalTreeSize"),
        ("TREE_MANAGER__MIN_GOAL_TREE_SIZE", "TreeManager:MinGoalTreeSize"),
        ("TREE_MANAGER__NUM_REVIEWS_INITIAL_PROMPT", "TreeManager:NumReviewsInitialPrompt"),
        ("TREE_MANAGER__NUM_REVIEWS_REPLY", "TreeManager:NumReviewsReply"),
        ("TREE_MANAGER__AUTO_MOD_ENABLED", "TreeManager:AutoModEnabled"),
        ("TREE_MANAGER__AUTO_MOD_MAX_SKIP_REPLY", "TreeManager:AutoModMaxSkipReply"),
        ("TREE_MANAGER__AUTO_MOD_RED_FLAGS", "TreeManager:AutoModRedFlags"),
        ("TREE_MANAGER__P_FULL_LABELING_REVIEW_PROMPT", "TreeManager:PFullLabelingReviewPrompt"),
        ("TREE_MANAGER__P_FULL_LABELING_REVIEW_REPLY_ASSISTANT", "TreeManager:PFullLabelingReviewReplyAssistant"),
        ("TREE_MANAGER__P_FULL_LABELING_REVIEW_REPLY_PROMPTER", "TreeManager:PFullLabelingReviewReplyPrompter"),
        ("TREE_MANAGER__ACCEPTANCE_THRESHOLD_INITIAL_PROMPT", "TreeManager:AcceptanceThresholdInitialPrompt"),
        ("TREE_MANAGER__ACCEPTANCE_THRESHOLD_REPLY", "TreeManager:AcceptanceThresholdReply"),
        ("TREE_MANAGER__NUM_REQUIRED_RANKINGS", "TreeManager:NumRequiredRankings"),
        ("TREE_MANAGER__P_ACTIVATE_BACKLOG_TREE", "TreeManager:PActivateBacklogTree"),
        ("TREE_MANAGER__MIN_ACTIVE_RANKINGS_PER_LANG", "TreeManager:MinActiveRankingsPerLang"),
        ("TREE_MANAGER__RANK_PROMPTER_REPLIES", "TreeManager:RankPrompterReplies"),
        ("TREE_MANAGER__LONELY_CHILDREN_COUNT", "TreeManager:LonelyChildrenCount"),
        ("TREE_MANAGER__P_LONELY_CHILD_EXTENSION", "TreeManager:PLonelyChildExtension"),
        ("TREE_MANAGER__RECENT_TASKS_SPAN_SEC", "TreeManager:RecentTasksSpanSec"),
        ("TREE_MANAGER__MAX_PENDING_TASKS_PER_USER", "TreeManager:MaxPendingTasksPerUser"),
        ("TREE_MANAGER__MAX_PROMPT_LOTTERY_WAITING", "TreeManager:MaxPromptLotteryWaiting"),
        ("TREE_MANAGER__INIT_PROMPT_DISABLED_LANGS", "TreeManager:InitPromptDisabledLangs"),
    ];

    public static void AddFeedbackAliases(this WebApplicationBuilder builder)
    {
        foreach (var (variable, setting) in All)
        {
            builder.AddAlias(variable, $"{FeedbackOptions.Section}:{setting}");
        }
        builder.AddListAlias("Feedback:TreeManager:LabelsInitialPrompt", "TREE_MANAGER__LABELS_INITIAL_PROMPT");
        builder.AddListAlias("Feedback:TreeManager:LabelsPrompterReply", "TREE_MANAGER__LABELS_PROMPTER_REPLY");
        builder.AddListAlias("Feedback:TreeManager:LabelsAssistantReply", "TREE_MANAGER__LABELS_ASSISTANT_REPLY");
        builder.AddListAlias("Feedback:TreeManager:MandatoryLabelsInitialPrompt", "TREE_MANAGER__MANDATORY_LABELS_INITIAL_PROMPT");
        builder.AddListAlias("Feedback:TreeManager:MandatoryLabelsPrompterReply", "TREE_MANAGER__MANDATORY_LABELS_PROMPTER_REPLY");
        builder.AddListAlias("Feedback:TreeManager:MandatoryLabelsAssistantReply", "TREE_MANAGER__MANDATORY_LABELS_ASSISTANT_REPLY");
    }
}
