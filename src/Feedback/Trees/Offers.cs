using Stoa.Feedback.Messages;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Trees;

internal enum OfferWork
{
    Reply,
    LabelPrompt,
    LabelReply,
    Ranking,
}

/// <summary>Something that a message wants now, and that can be handed out as a task.</summary>
/// <param name="Type">Of the task.</param>
/// <param name="AuthorId">Of the message, who does not review it.</param>
/// <param name="Wanted">How many people may work on it at the same time.</param>
/// <param name="Lonely">A reply here would keep a lonely one company.</param>
internal sealed record Offer(Guid MessageId, OfferWork Work, string Type, string Lang, Guid? AuthorId, int Wanted, bool Lonely);

/// <summary>What a tree wants. Pure; the rows of <c>feedback.offer</c> follow from it.</summary>
internal static class Offers
{
    public static IEnumerable<Offer> Of(Tree tree, TreeManagerOptions options) => tree.Row switch
    {
        { Active: false } => [],
        { State: TreeState.InitialPromptReview } => Prompts(tree, options),
        { State: TreeState.Growing } => [.. Reviews(tree, options), .. Replies(tree, options)],
        { State: TreeState.Ranking } => Rankings(tree, options),
        _ => [],
    };

    private static IEnumerable<Offer> Prompts(Tree tree, TreeManagerOptions options) =>
        from root in tree.Messages
        where root.IsRoot && root.IsUnderReview(options.NumReviewsInitialPrompt)
        select new Offer(root.Id, OfferWork.LabelPrompt, TaskType.LabelInitialPrompt, root.Lang, root.UserId,
            options.NumReviewsInitialPrompt - root.ReviewCount, Lonely: false);

    private static IEnumerable<Offer> Reviews(Tree tree, TreeManagerOptions options) =>
        from reply in tree.Messages
        where !reply.IsRoot && reply.IsUnderReview(options.NumReviewsReply)
        select new Offer(reply.Id, OfferWork.LabelReply,
            reply.Role == MessageRole.Assistant ? TaskType.LabelAssistantReply : TaskType.LabelPrompterReply, reply.Lang, reply.UserId,
            options.NumReviewsReply - reply.ReviewCount, Lonely: false);

    private static IEnumerable<Offer> Replies(Tree tree, TreeManagerOptions options)
    {
        if (tree.Size(options) >= tree.Row.GoalTreeSize)
        {
            yield break;
        }
        foreach (var parent in tree.Messages.Where(message => message.IsAccepted))
        {
            var children = CountedChildren(tree, parent, options);
            if (HasRoom(tree, parent, children, options))
            {
                var isPrompter = parent.Role == MessageRole.Prompter;
                yield return new(parent.Id, OfferWork.Reply,
                    isPrompter ? TaskType.AssistantReply : TaskType.PrompterReply, parent.Lang, parent.UserId, Wanted: 1,
                    Lonely: isPrompter && options is { PLonelyChildExtension: > 0, LonelyChildrenCount: > 1 }
                        && children > 0 && children < options.LonelyChildrenCount);
            }
        }
    }

    public static int CountedChildren(Tree tree, TreeMessage parent, TreeManagerOptions options) =>
        tree.ChildrenOf(parent.Id).Count(child => child.Counts(options.NumReviewsReply));

    /// <summary>Whether the parent takes one more reply.</summary>
    public static bool HasRoom(Tree tree, TreeMessage parent, int children, TreeManagerOptions options) =>
        parent.Depth < tree.Row.MaxDepth && children < tree.Row.MaxChildrenCount
        && (parent.Role == MessageRole.Prompter || children < options.NumPrompterReplies);

    private static IEnumerable<Offer> Rankings(Tree tree, TreeManagerOptions options) =>
        from siblings in tree.Rankable(options)
        let rankings = Math.Min(siblings.Parent.Rankings, siblings.Children.Min(child => child.RankingCount))
        where rankings < options.NumRequiredRankings
        select new Offer(siblings.Parent.Id, OfferWork.Ranking,
            siblings.Children[0].Role == MessageRole.Assistant ? TaskType.RankAssistantReplies : TaskType.RankPrompterReplies,
            siblings.Parent.Lang, siblings.Parent.UserId, options.NumRequiredRankings - rankings, Lonely: false);
}
