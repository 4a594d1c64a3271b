using Stoa.Feedback.Messages;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;

namespace Stoa.Tests.Feedback.Trees;

/// <summary>Each way from one state to another, and each that must not be taken.</summary>
public sealed class TreeRulesTests
{
    private static readonly TreeManagerOptions Options = new();

    [Theory]
    [InlineData(true, 3, nameof(TreeState.PromptLotteryWaiting))]
    [InlineData(null, 2, nameof(TreeState.InitialPromptReview))]
    [InlineData(false, 3, nameof(TreeState.InitialPromptReview))]
    public void A_prompt_under_review_waits_for_the_lottery_when_it_is_accepted(bool? result, int reviews, string next) =>
        Assert.Equal(next, TreeRules.Next(TreeOf(TreeState.InitialPromptReview, Root(result, reviews)), Options).ToString());

    [Fact]
    public void A_review_that_rejects_the_prompt_ends_its_tree()
    {
        var tree = TreeOf(TreeState.InitialPromptReview, Root(false, 3));
        Assert.Equal(TreeState.AbortedLowGrade, TreeRules.AfterReview(tree, tree.Root!, Options));
    }

    [Fact]
    public void A_prompt_that_a_moderator_deletes_is_not_kept_under_review()
    {
        var root = Root(null, 0);
        root.Deleted = true;
        Assert.Equal(TreeState.HaltedByModerator, TreeRules.Next(TreeOf(TreeState.InitialPromptReview, root), Options));
    }

    [Theory]
    [InlineData(0.39, false)]
    [InlineData(0.6, false)]
    [InlineData(0.61, true)]
    public void A_score_accepts_only_above_its_threshold(double score, bool accepted)
    {
        Assert.Equal(accepted, TreeRules.ReviewResult(Root(null, 3), score, Options));
        Assert.Equal(accepted, TreeRules.ReviewResult(Reply(Guid.CreateVersion7(), result: null, reviews: 3), score, Options));
    }

    [Fact]
    public void Too_few_reviews_decide_nothing() => Assert.Null(TreeRules.ReviewResult(Root(null, 2), 1, Options));

    [Fact]
    public void A_later_review_may_accept_what_was_rejected_and_never_the_other_way()
    {
        Assert.True(TreeRules.ReviewResult(Root(false, 4), 1, Options));
        Assert.True(TreeRules.ReviewResult(Root(true, 4), -1, Options));
    }

    [Fact]
    public void A_tree_at_its_goal_is_ranked_once_nothing_awaits_review()
    {
        var tree = Growing(goal: 3, accepted: 2);
        Assert.Equal(TreeState.Ranking, TreeRules.Next(tree, Options));
        tree.Messages.Add(Reply(tree.Id, result: null, reviews: 2));
        Assert.Equal(TreeState.Growing, TreeRules.Next(tree, Options));
        tree.Messages[^1].Deleted = true;
        Assert.Equal(TreeState.Ranking, TreeRules.Next(tree, Options));
    }

    [Fact]
    public void A_tree_below_its_goal_grows_on() => Assert.Equal(TreeState.Growing, TreeRules.Next(Growing(goal: 4, accepted: 2), Options));

    [Fact]
    public void A_tree_all_of_whose_messages_are_deleted_is_halted()
    {
        var tree = Growing(goal: 3, accepted: 2);
        tree.Messages.ForEach(message => message.Deleted = true);
        Assert.Equal(TreeState.HaltedByModerator, TreeRules.Next(tree, Options));
    }

    [Theory]
    [InlineData(2, nameof(TreeState.Ranking))]
    [InlineData(3, nameof(TreeState.ReadyForScoring))]
    public void A_tree_is_scored_when_every_parent_has_its_rankings(int rankings, string next)
    {
        var tree = TreeOf(TreeState.Ranking, [.. Growing(goal: 3, accepted: 2).Messages]);
        tree.Root!.Rankings = rankings;
        Assert.Equal(next, TreeRules.Next(tree, Options).ToString());
    }

    [Fact]
    public void A_tree_with_nothing_to_rank_does_not_stall() =>
        Assert.Equal(
            TreeState.ReadyForScoring, TreeRules.Next(TreeOf(TreeState.Ranking, [.. Growing(goal: 2, accepted: 1).Messages]), Options));

    [Fact]
    public void Replies_of_prompters_are_ranked_only_where_that_is_asked_for()
    {
        var tree = TreeOf(TreeState.Ranking, [.. Growing(goal: 2, accepted: 1).Messages]);
        var answer = tree.Messages[1];
        tree.Messages.AddRange([Reply(answer.Id, role: MessageRole.Prompter), Reply(answer.Id, role: MessageRole.Prompter)]);
        Assert.Equal(TreeState.ReadyForScoring, TreeRules.Next(tree, Options));
        Assert.Equal(TreeState.Ranking, TreeRules.Next(tree, new() { RankPrompterReplies = true }));
    }

    [Fact]
    public void A_tree_whose_scoring_failed_is_scored_again_when_it_has_its_rankings() =>
        Assert.Equal(TreeState.ReadyForScoring,
            TreeRules.Next(TreeOf(TreeState.ScoringFailed, [.. Growing(goal: 2, accepted: 1).Messages]), Options));

    [Theory]
    [InlineData(nameof(TreeState.ReadyForExport))]
    [InlineData(nameof(TreeState.AbortedLowGrade))]
    [InlineData(nameof(TreeState.HaltedByModerator))]
    [InlineData(nameof(TreeState.BacklogRanking))]
    [InlineData(nameof(TreeState.PromptLotteryWaiting))]
    public void Nothing_moves_a_tree_that_takes_part_in_nothing(string state)
    {
        var tree = TreeOf(Enum.Parse<TreeState>(state), Root(true, 3));
        Assert.False(tree.Row.Active);
        Assert.Equal(tree.Row.State, TreeRules.Next(tree, Options));
        Assert.Empty(Offers.Of(tree, Options));
    }

    [Theory]
    [InlineData(nameof(TreeState.HaltedByModerator), true, nameof(TreeState.Growing))]
    [InlineData(nameof(TreeState.HaltedByModerator), false, nameof(TreeState.InitialPromptReview))]
    [InlineData(nameof(TreeState.AbortedLowGrade), false, nameof(TreeState.InitialPromptReview))]
    [InlineData(nameof(TreeState.PromptLotteryWaiting), true, nameof(TreeState.PromptLotteryWaiting))]
    public void A_tree_that_is_set_going_again_starts_where_it_may(string state, bool won, string next)
    {
        var row = TreeOf(Enum.Parse<TreeState>(state), Root(true, 3)).Row;
        row.WonPromptLotteryDate = won ? DateTimeOffset.UnixEpoch : null;
        Assert.Equal(next, TreeRules.Resumed(row).ToString());
    }

    [Fact]
    public void A_tree_of_the_backlog_is_ranked_or_given_up()
    {
        Assert.Equal(
            TreeState.Ranking, TreeRules.FromBacklog(TreeOf(TreeState.BacklogRanking, [.. Growing(goal: 3, accepted: 2).Messages])));
        Assert.Equal(TreeState.AbortedLowGrade,
            TreeRules.FromBacklog(TreeOf(TreeState.BacklogRanking, [.. Growing(goal: 3, accepted: 1).Messages])));
    }

    [Theory]
    [InlineData(nameof(TreeState.InitialPromptReview), false)]
    [InlineData(nameof(TreeState.Growing), true)]
    [InlineData(nameof(TreeState.Ranking), true)]
    [InlineData(nameof(TreeState.ReadyForScoring), true)]
    [InlineData(nameof(TreeState.ReadyForExport), true)]
    [InlineData(nameof(TreeState.ScoringFailed), false)]
    [InlineData(nameof(TreeState.AbortedLowGrade), false)]
    [InlineData(nameof(TreeState.HaltedByModerator), false)]
    [InlineData(nameof(TreeState.BacklogRanking), false)]
    [InlineData(nameof(TreeState.PromptLotteryWaiting), false)]
    public void Some_states_take_late_replies(string state, bool takes) =>
        Assert.Equal(takes, TreeRules.TakesMessages(Enum.Parse<TreeState>(state)));

    [Fact]
    public void A_growing_tree_offers_reviews_and_replies_and_no_more_at_its_goal()
    {
        var tree = Growing(goal: 5, accepted: 1);
        tree.Messages.Add(Reply(tree.Id, result: null, reviews: 1));

        var offers = Offers.Of(tree, Options).ToList();

        var root = Assert.Single(offers, offer => offer.MessageId == tree.Id);
        Assert.Equal((OfferWork.Reply, TaskType.AssistantReply, 1, false), (root.Work, root.Type, root.Wanted, root.Lonely));
        Assert.Single(offers, offer => offer.MessageId == tree.Messages[1].Id && offer.Type == TaskType.PrompterReply);
        Assert.Single(
            offers, offer => offer.MessageId == tree.Messages[2].Id && offer is { Type: TaskType.LabelAssistantReply, Wanted: 2 });

        tree.Messages.AddRange([Reply(tree.Messages[1].Id, result: null, role: MessageRole.Prompter), Reply(tree.Id, result: null)]);
        Assert.DoesNotContain(Offers.Of(tree, Options), offer => offer.Work == OfferWork.Reply);
    }

    [Fact]
    public void A_reply_that_stands_alone_wants_company()
    {
        var tree = Growing(goal: 5, accepted: 1);
        Assert.True(Offers.Of(tree, Options).Single(offer => offer.MessageId == tree.Id).Lonely);
        Assert.False(Offers.Of(tree, new() { PLonelyChildExtension = 0 }).Single(offer => offer.MessageId == tree.Id).Lonely);
    }

    [Fact]
    public void Rejected_and_deleted_replies_give_their_places_back()
    {
        var tree = Growing(goal: 5, accepted: 3);
        Assert.DoesNotContain(Offers.Of(tree, Options), offer => offer.MessageId == tree.Id);
        tree.Messages[1].ReviewResult = false;
        tree.Messages[1].ReviewCount = 3;
        Assert.Contains(Offers.Of(tree, Options), offer => offer.MessageId == tree.Id);
    }

    [Fact]
    public void Rankings_are_offered_until_each_reply_has_enough()
    {
        var tree = TreeOf(TreeState.Ranking, [.. Growing(goal: 3, accepted: 2).Messages]);
        Assert.Equal(3, Assert.Single(Offers.Of(tree, Options)).Wanted);
        tree.Root!.Rankings = 2;
        tree.Messages.ForEach(message => message.RankingCount = 2);
        Assert.Equal(1, Assert.Single(Offers.Of(tree, Options)).Wanted);
    }

    [Theory]
    [InlineData(nameof(TreeState.Growing), true, 4, 0, nameof(Verdict.AbortTree))]
    [InlineData(nameof(TreeState.Growing), false, 4, 0, nameof(Verdict.DeleteMessage))]
    [InlineData(nameof(TreeState.Growing), false, 3, 0, nameof(Verdict.Nothing))]
    [InlineData(nameof(TreeState.Growing), true, 0, 25, nameof(Verdict.HaltTree))]
    [InlineData(nameof(TreeState.InitialPromptReview), true, 0, 24, nameof(Verdict.Nothing))]
    [InlineData(nameof(TreeState.Ranking), true, 9, 99, nameof(Verdict.Nothing))]
    public void Flags_and_skips_are_counted(string state, bool isRoot, int flags, int skips, string verdict)
    {
        var tree = TreeOf(Enum.Parse<TreeState>(state), [.. Growing(goal: 9, accepted: 1).Messages]);
        var emojis = new Dictionary<string, int>(StringComparer.Ordinal) { ["red_flag"] = flags, ["_skip_reply"] = skips };
        Assert.Equal(verdict, Moderation.Of(tree.Row, tree.Messages[isRoot ? 0 : 1], emojis, Options).ToString());
        Assert.Equal(Verdict.Nothing, Moderation.Of(tree.Row, tree.Messages[0], emojis, new() { AutoModEnabled = false }));
    }

    [Fact]
    public void The_lottery_draws_by_first_places_and_one()
    {
        Entrant[] entrants = [new(Guid.CreateVersion7(), 0), new(Guid.CreateVersion7(), 3)];
        var chance = new Random(7);
        var second = Enumerable.Range(0, 1_000).Count(_ => Lottery.DrawAuthor(entrants, chance) == entrants[1].UserId);

        Assert.InRange(second, 750, 850);
        Assert.Null(Lottery.DrawAuthor([], chance));
    }

    [Theory]
    [InlineData(0, 0, 0, 110)]
    [InlineData(12, 40, 0, 60)]
    [InlineData(10, 100, 0, 0)]
    [InlineData(0, 0, 245, 5)]
    [InlineData(0, 0, 300, 0)]
    public void Prompts_are_wanted_as_long_as_there_is_room(int growing, int inReview, int waiting, int missing) =>
        Assert.Equal(missing, Lottery.MissingPrompts(growing, inReview, waiting, Options));

    private static Tree Growing(int goal, int accepted)
    {
        var root = Root(true, 3);
        return TreeOf(TreeState.Growing, [root, .. Enumerable.Range(0, accepted).Select(_ => Reply(root.Id))], goal);
    }

    private static Tree TreeOf(TreeState state, params TreeMessage[] messages) => TreeOf(state, messages, goal: 12);

    private static Tree TreeOf(TreeState state, TreeMessage[] messages, int goal) => new(
        new()
        {
            MessageTreeId = messages[0].Id,
            State = state,
            Active = !TreeRules.IsTerminal(state),
            GoalTreeSize = goal,
            MaxDepth = 3,
            MaxChildrenCount = 3,
        },
        [.. messages]);

    private static TreeMessage Root(bool? result, int reviews) =>
        new(Guid.CreateVersion7(), null, null, MessageRole.Prompter, "en", 0) { ReviewResult = result, ReviewCount = reviews };

    private static TreeMessage Reply(Guid parent, bool? result = true, int reviews = 0, MessageRole role = MessageRole.Assistant) =>
        new(Guid.CreateVersion7(), parent, null, role, "en", 1) { ReviewResult = result, ReviewCount = result is null ? reviews : 3 };
}
