using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Messages;
using Stoa.Feedback.Reports;
using Stoa.Feedback.Tasks;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Labels;

/// <summary>Labels: in answer to a task they review the message, else they are kept beside it.</summary>
internal sealed class LabelAnswers(TreeKeeper keeper, FeedbackChanges changes, ReportChannel reports, IOptions<FeedbackOptions> options)
{
    /// <summary>A review, which may accept or reject the message and move its tree.</summary>
    public async Task AddReviewAsync(
        FeedbackChange change, ApiClient client, TextLabels given, Guid userId, AnswerFacts facts, CancellationToken ct)
    {
        var task = facts.Task.RequireAnswerable(userId, change.Now);
        CheckLabels(given, task);
        var hand = facts.RequireTree();
        var message = hand.Tree.Find(task.ParentMessageId!.Value);
        if (message is not { Deleted: false })
        {
            throw FeedbackCode.MessageNotFound.Refusal("The message is gone");
        }
        if (message.UserId == userId && !options.Value.AllowSelfLabeling)
        {
            throw FeedbackCode.TextLabelsNoSelfLabeling.Refusal("Nobody reviews what he has written himself");
        }
        var reviews = facts.Reviews ?? throw new InvalidOperationException("The reviews were not read");
        if (reviews.Authors.Contains(userId) && !options.Value.AllowDuplicateTasks)
        {
            throw FeedbackCode.TextLabelsNoSelfLabeling.Refusal("The user has reviewed this message before");
        }
        message.ReviewCount++;
        message.ReviewResult = TreeRules.ReviewResult(message, reviews.ScoreWith(given.Labels), options.Value.TreeManager);
        var happened = Interactions.Event("text_labels", userId, message.Id, task);
        happened["labels"] = LabelsOf(given);
        happened["review_result"] = message.ReviewResult;
        change.Write(Review, [
            .. Values(change, client, given, userId, message.Id, task.Collective ? change.NewId() : task.Id, task.Id), message.ReviewResult,
            .. Interactions.Ended(change, task, userId, client.Id, message.Id, hand.Tree.Id, happened),
        ]);
        if (TreeRules.AfterReview(hand.Tree, message, options.Value.TreeManager) == TreeState.AbortedLowGrade)
        {
            keeper.Move(change, hand.Tree, TreeState.AbortedLowGrade, client.Id);
        }
        await keeper.SettleAsync(change, hand, client.Id, ct, new(message.Id, userId));
    }

    /// <summary>What a user says of a message unasked; his last word stands. A report puts a red flag on it.</summary>
    public async Task AddFreeAsync(FeedbackChange change, ApiClient client, TextLabels given, FeedbackUser user, CancellationToken ct)
    {
        if (await EmojiMarks.LockAsync(change, given.MessageId, user.Id, ct) is not { IsDeleted: false } marks)
        {
            throw FeedbackCode.TaskInteractionRequestFailed.Refusal("Message not found");
        }
        if (given.IsReport && !marks.Own.Contains(EmojiCode.RedFlag))
        {
            EmojiMarks.Write(change, given.MessageId, user.Id, [EmojiCode.RedFlag], []);
            EmojiMarks.Watch(change, given.MessageId, marks.Counts, EmojiCode.RedFlag, options.Value.TreeManager, changes.Queue);
        }
        change.Write(
            $"{Inserted} on conflict (message_id, user_id) where task_id is null do update set labels = $7::jsonb, text = $5",
            Values(change, client, given, user.Id, given.MessageId, change.NewId(), taskId: null));
        if (given.IsReport)
        {
            reports.Tell(change, given.MessageId, user.Id);
        }
        change.Note(given.IsReport ? "report" : "text_labels", client.Id, user.Id, given.MessageId, marks.TreeId, new()
        {
            ["type"] = given.IsReport ? "report" : "text_labels",
            ["user_id"] = user.Id,
            ["message_id"] = given.MessageId,
            ["labels"] = LabelsOf(given),
        });
    }

    private static void CheckLabels(TextLabels given, TaskRow task)
    {
        if (task is not { ValidLabels: { } valid, ParentMessageId: { } messageId })
        {
            throw FeedbackCode.TaskPayloadTypeMismatch.Refusal("The task does not ask for labels");
        }
        if (given.MessageId != messageId)
        {
            throw FeedbackCode.TextLabelsWrongMessageId.Refusal("The task is about another message");
        }
        if (given.Labels.Keys.Except(valid).FirstOrDefault() is { } wrong)
        {
            throw FeedbackCode.TextLabelsInvalidLabel.Refusal($"The task does not ask for the label {wrong}");
        }
        if ((task.MandatoryLabels ?? []).Except(given.Labels.Keys).FirstOrDefault() is { } missing)
        {
            throw FeedbackCode.TextLabelsMandatoryLabelMissing.Refusal($"The label {missing} is missing");
        }
    }

    private const string Inserted = """
        insert into feedback.text_labels (id, user_id, created_date, api_client_id, text, message_id, labels, task_id)
        values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::uuid)
        """;

    private static readonly string Review = $"""
        with reviewed as (
          update feedback.message set review_count = review_count + 1, review_result = $9::boolean where id = $6
        ), {Interactions.Ending(10)}
        {Inserted}
        """;

    private static object?[] Values(
        FeedbackChange change, ApiClient client, TextLabels given, Guid userId, Guid messageId, Guid id, Guid? taskId) =>
        [id, userId, change.Now, client.Id, given.Text, messageId, LabelsOf(given).ToJsonString(), taskId];

    private static JsonObject LabelsOf(TextLabels given) =>
        new(given.Labels.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)JsonValue.Create(label.Value))));
}

/// <summary>The reviews of a message so far.</summary>
internal sealed record Reviews(int Count, double Spam, double LangMismatch, IReadOnlyCollection<Guid> Authors)
{
    /// <summary>1 − (mean spam + mean lang_mismatch), with one more review; what it does not name counts as 0.</summary>
    public double ScoreWith(IReadOnlyDictionary<string, double> labels) =>
        1 - ((Spam + labels.GetValueOrDefault(Label.Spam) + LangMismatch + labels.GetValueOrDefault(Label.LangMismatch)) / (Count + 1));
}
