using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Labels;
using Stoa.Feedback.Rankings;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Tasks;

/// <summary>
/// An answer to a task, whole or not at all: the user, the task and the tree are locked and read in one round trip, the rules decide, and
/// all that follows is written in another.
/// </summary>
internal sealed class Interactions(
    FeedbackChanges changes, UserStore users, TextReplies replies, RankingAnswers rankings, LabelAnswers labels, IOptions<FeedbackOptions> options)
{
    public Task<TaskDone> AnswerAsync(ApiClient client, Interaction interaction, CancellationToken ct) => UnexpectedIs1004Async(() =>
        changes.RunAsync(
            async change =>
            {
                UserStore.RequireName(interaction.User);
                var facts = await ReadAsync(change, client, interaction, ct);
                UserStore.RequireEnabled(facts.User, options.Value);
                await (interaction switch
                {
                    TextReply reply => replies.AddAsync(change, client, reply, facts, ct),
                    MessageRanking ranking => rankings.AddAsync(change, client, ranking, facts, ct),
                    TextLabels { TaskId: not null } given => labels.AddReviewAsync(change, client, given, facts, ct),
                    TextLabels given => labels.AddFreeAsync(change, client, given, facts.User, ct),
                    MessageRating rating => RateAsync(change, client, rating, facts, ct),
                    _ => throw FeedbackCode.TaskInvalidResponseType.Refusal("The kind of answer is not known"),
                });
                UserStore.WriteActivity(change, facts.User.Id);
                return new TaskDone(change.NewId());
            },
            ct));

    /// <summary>Labels that no task asked for, and reports.</summary>
    public Task LabelAsync(ApiClient client, TextLabels given, CancellationToken ct) => AnswerAsync(client, given, ct);

    /// <summary>What a task's answer is called in the journal: <c>AssistantReplyPayload</c>.</summary>
    public static string PayloadOf(string type) =>
        string.Concat(type.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..])) + "Payload";

    public static JsonObject Event(string type, Guid userId, Guid? messageId, TaskRow task) => new()
    {
        ["type"] = type,
        ["user_id"] = userId,
        ["message_id"] = messageId,
        ["task_id"] = task.Id,
        ["task_type"] = PayloadOf(task.Type),
    };

    public static void Finish(FeedbackChange change, TaskRow task, Guid userId)
    {
        if (!task.Collective)
        {
            change.Write("update feedback.task set done = true where id = $1", task.Id);
        }
        if (task.ParentMessageId is { } messageId)
        {
            change.Release(messageId, userId);
        }
    }

    private async Task<AnswerFacts> ReadAsync(FeedbackChange change, ApiClient client, Interaction interaction, CancellationToken ct)
    {
        List<NpgsqlBatchCommand> reads = [UserStore.Locked(client, interaction.User)];
        reads.AddRange(interaction switch
        {
            TextReply reply => [.. Acknowledged(client, reply.MessageId), replies.Repeated(client, reply, change.Now)],
            MessageRanking ranking => Acknowledged(client, ranking.MessageId),
            TextLabels { TaskId: { } id } =>
                [Statement.Of($"{TaskRows.ById} for update", client.Id, id), .. TreeStore.Statements(TreeStore.OfTask, id), LabelAnswers.ReviewsOf(id)],
            _ => Array.Empty<NpgsqlBatchCommand>(),
        });
        FeedbackUser? user;
        TaskRow? task = null;
        TreeInHand? hand = null;
        Reviews? reviews = null;
        var isRepeated = false;
        await using (var batch = await Statement.BatchAsync(change.Connection, ct, reads))
        await using (var row = await batch.ExecuteReaderAsync(ct))
        {
            user = await UserStore.ReadLockedAsync(row, ct);
            if (reads.Count > 1)
            {
                task = await row.ReadAsync(ct) ? TaskRows.Read(row) : null;
                await row.NextResultAsync(ct);
                hand = await TreeStore.ReadAsync(row, ct);
            }
            if (interaction is TextReply)
            {
                isRepeated = await row.ReadAsync(ct) && row.GetBoolean(0);
            }
            else if (interaction is TextLabels { TaskId: not null })
            {
                reviews = await LabelAnswers.ReadReviewsAsync(row, ct);
            }
        }
        if (user is null || !UserStore.IsNamed(user, interaction.User))
        {
            user = await users.EnsureAsync(change.Connection, client, interaction.User, ct);
        }
        return new(user, task, hand, isRepeated, reviews);
    }

    private static IEnumerable<NpgsqlBatchCommand> Acknowledged(ApiClient client, string id) =>
        [Statement.Of($"{TaskRows.ByFrontendId} for update", client.Id, id), .. TreeStore.Statements(TreeStore.OfAcknowledged, client.Id, id)];

    // A message and a task under one id of the client's, and a kind of task that is never handed out: it always ends in a refusal.
    private static async Task RateAsync(FeedbackChange change, ApiClient client, MessageRating rating, AnswerFacts facts, CancellationToken ct)
    {
        await using (var batch = await Statement.BatchAsync(change.Connection, ct, Statement.Of(
            "select 1 from feedback.message where api_client_id = $1 and frontend_message_id = $2", client.Id, rating.MessageId)))
        {
            if (await batch.ExecuteScalarAsync(ct) is null)
            {
                throw FeedbackCode.MessageNotFound.Refusal("Message not found");
            }
        }
        (await TaskRows.LockAcknowledgedAsync(change, client.Id, rating.MessageId, ct)).RequireAnswerable(facts.User.Id, change.Now);
        throw FeedbackCode.TaskPayloadTypeMismatch.Refusal("The task asks for something else");
    }

    private static async Task<T> UnexpectedIs1004Async<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (PostgresException wrong) when (wrong.SqlState is PostgresErrorCodes.UniqueViolation)
        {
            throw FeedbackCode.TaskInteractionRequestFailed.Refusal("An id was used before");
        }
    }
}

/// <summary>What an answer is judged by.</summary>
/// <param name="IsRepeated">The user has written the same text a short time ago.</param>
/// <param name="Reviews">Of a label task: those that its message has.</param>
internal sealed record AnswerFacts(FeedbackUser User, TaskRow? Task, TreeInHand? Hand, bool IsRepeated, Reviews? Reviews)
{
    /// <exception cref="Failure">2006: the tree is gone.</exception>
    public TreeInHand RequireTree() => Hand ?? throw FeedbackCode.NoMessageTreeFound.Refusal("The tree is not there any more");
}
