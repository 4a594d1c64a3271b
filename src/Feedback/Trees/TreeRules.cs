namespace Stoa.Feedback.Trees;

/// <summary>When a tree moves from one state to the next. Pure: the state of the world in, the next state out.</summary>
internal static class TreeRules
{
    /// <summary>A tree in one of these takes part in nothing until somebody moves it.</summary>
    public static bool IsTerminal(TreeState state) => state switch
    {
        TreeState.ReadyForExport or TreeState.AbortedLowGrade or TreeState.ScoringFailed or TreeState.HaltedByModerator
            or TreeState.BacklogRanking or TreeState.PromptLotteryWaiting => true,
        TreeState.InitialPromptReview or TreeState.Growing or TreeState.Ranking or TreeState.ReadyForScoring => false,
    };

    /// <summary>A new message may still be added; late ones are kept, but never reviewed.</summary>
    public static bool TakesMessages(TreeState state) => state switch
    {
        TreeState.Growing or TreeState.Ranking or TreeState.ReadyForScoring or TreeState.ReadyForExport => true,
        TreeState.InitialPromptReview or TreeState.ScoringFailed or TreeState.AbortedLowGrade or TreeState.HaltedByModerator
            or TreeState.BacklogRanking or TreeState.PromptLotteryWaiting => false,
    };

    /// <summary>The next state, or the same: one step. Ranks are computed between <c>ready_for_scoring</c> and what follows.</summary>
    public static TreeState Next(Tree tree, TreeManagerOptions options) => tree.Row switch
    {
        { State: TreeState.InitialPromptReview, Active: true } => AfterPromptReview(tree),
        { State: TreeState.Growing, Active: true } => AfterGrowing(tree, options),
        { State: TreeState.Ranking, Active: true } or { State: TreeState.ScoringFailed }
            when IsRanked(tree, options) => TreeState.ReadyForScoring,
        _ => tree.Row.State,
    };

    /// <summary>The same right after a review: a prompt that it rejects ends its tree.</summary>
    public static TreeState AfterReview(Tree tree, TreeMessage reviewed, TreeManagerOptions options) =>
        reviewed is { IsRoot: true, ReviewResult: false } && tree.Row is { State: TreeState.InitialPromptReview, Active: true }
            ? TreeState.AbortedLowGrade
            : Next(tree, options);

    /// <summary>What a review decides: accepted, rejected, or not decided (null).</summary>
    /// <param name="score">1 − (mean spam + mean lang_mismatch).</param>
    public static bool? ReviewResult(TreeMessage message, double score, TreeManagerOptions options)
    {
        var (wanted, threshold) = message.IsRoot
            ? (options.NumReviewsInitialPrompt, options.AcceptanceThresholdInitialPrompt)
            : (options.NumReviewsReply, options.AcceptanceThresholdReply);
        return message switch
        {
            { ReviewResult: true } => true,
            _ when message.ReviewCount < wanted => message.ReviewResult,
            // A later review may turn a rejection, never an acceptance.
            _ => score > threshold,
        };
    }

    /// <summary>Where a tree goes that somebody sets going again.</summary>
    public static TreeState Resumed(TreeRow tree) => tree switch
    {
        { State: TreeState.PromptLotteryWaiting } => TreeState.PromptLotteryWaiting,
        { WonPromptLotteryDate: not null } => TreeState.Growing,
        _ => TreeState.InitialPromptReview,
    };

    /// <summary>Whether a tree of the backlog can be ranked, or has to be given up.</summary>
    public static TreeState FromBacklog(Tree tree) =>
        tree.Messages.Where(message => message is { IsAccepted: true, Role: Messages.MessageRole.Assistant, ParentId: not null })
            .GroupBy(message => message.ParentId).Any(siblings => siblings.Count() > 1)
                ? TreeState.Ranking : TreeState.AbortedLowGrade;

    /// <summary>Every parent has enough rankings; so has a tree without any to rank.</summary>
    public static bool IsRanked(Tree tree, TreeManagerOptions options) =>
        tree.Rankable(options).All(group => group.Parent.Rankings >= options.NumRequiredRankings);

    private static TreeState AfterPromptReview(Tree tree) => tree.Root switch
    {
        { Deleted: true } => TreeState.HaltedByModerator,
        { ReviewResult: true } => TreeState.PromptLotteryWaiting,
        _ => TreeState.InitialPromptReview,
    };

    private static TreeState AfterGrowing(Tree tree, TreeManagerOptions options)
    {
        var accepted = tree.Messages.Count(message => message.IsAccepted);
        return accepted == 0 ? TreeState.HaltedByModerator
            : accepted >= tree.Row.GoalTreeSize
            && !tree.Messages.Exists(message => message.IsUnderReview(options.NumReviewsReply)) ? TreeState.Ranking
            : TreeState.Growing;
    }
}
