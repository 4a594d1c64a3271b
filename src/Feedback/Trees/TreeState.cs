namespace Stoa.Feedback.Trees;

/// <summary>Where a tree stands (docs/wire/feedback.md draws the ways between them).</summary>
internal enum TreeState
{
    InitialPromptReview,
    Growing,
    Ranking,
    ReadyForScoring,
    ReadyForExport,
    ScoringFailed,
    AbortedLowGrade,
    HaltedByModerator,
    BacklogRanking,
    PromptLotteryWaiting,
}
