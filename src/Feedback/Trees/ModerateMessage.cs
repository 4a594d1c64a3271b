using Microsoft.Extensions.Options;
using Stoa.Feedback.Messages;
using Stoa.Feedback.Wire;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.Trees;

/// <summary>A message has many red flags or skips: what that means for its tree is decided here.</summary>
internal sealed record ModerateMessage(Guid MessageId)
{
    public const string Kind = "feedback.moderate_message";
}

/// <summary>What is done about flags and skips.</summary>
internal enum Verdict
{
    Nothing,
    DeleteMessage,
    AbortTree,
    HaltTree,
}

internal sealed class ModerateMessageHandler(FeedbackChanges changes, TreeKeeper keeper, IOptions<FeedbackOptions> options)
    : IJobHandler<ModerateMessage>
{
    public Task RunAsync(ModerateMessage job, JobContext context, CancellationToken ct) => changes.RunAsync(
        async change =>
        {
            if (await TreeStore.OfMessageAsync(change, job.MessageId, ct) is not { } hand
                || hand.Tree.Find(job.MessageId) is not { } message
                || await EmojiMarks.LockAsync(change, job.MessageId, Guid.Empty, ct) is not { } marks)
            {
                return;
            }
            switch (Moderation.Of(hand.Tree.Row, message, marks.Counts, options.Value.TreeManager))
            {
                case Verdict.Nothing:
                    return;
                case Verdict.DeleteMessage:
                    MessageDeletion.Delete(change, hand.Tree, message, marks.ClientId);
                    break;
                case Verdict.AbortTree:
                    keeper.Move(change, hand.Tree, TreeState.AbortedLowGrade, marks.ClientId);
                    break;
                case Verdict.HaltTree:
                    keeper.Move(change, hand.Tree, TreeState.HaltedByModerator, marks.ClientId);
                    break;
            }
            await keeper.SettleAsync(change, hand, marks.ClientId, ct);
        },
        ct);
}

/// <summary>Moderation by numbers. Pure.</summary>
internal static class Moderation
{
    public static Verdict Of(TreeRow tree, TreeMessage message, IReadOnlyDictionary<string, int> emojis, TreeManagerOptions options)
    {
        var isWatched = options.AutoModEnabled && tree is { Active: true, State: TreeState.InitialPromptReview or TreeState.Growing }
            && !message.Deleted && (message.IsRoot || message.Counts(options.NumReviewsReply));
        return !isWatched ? Verdict.Nothing
            : emojis.GetValueOrDefault(EmojiCode.RedFlag) >= options.AutoModRedFlags
            ? message.IsRoot ? Verdict.AbortTree : Verdict.DeleteMessage
            : emojis.GetValueOrDefault(EmojiCode.SkipReply) >= options.AutoModMaxSkipReply ? Verdict.HaltTree
            : Verdict.Nothing;
    }
}
