using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Labels;
using Stoa.Feedback.Rankings;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Tasks;

/// <summary>
/// An answer to a task, whole or not at all: the user, the task and the tree are locked and read in one round trip, the rules decide, and
/// all that follows is written in another.
/// </summary>
internal sealed class Interactions(
    FeedbackChanges changes, UserStore users, TextReplies replies,
    RankingAnswers rankings, LabelAnswers labels, IOptions<FeedbackOptions> options)
{
    public Task<TaskDone> AnswerAsync(ApiClient client, Interaction interaction, CancellationToken ct) => UnexpectedIs1004Async(() =>
        changes.RunAsync(
            async change =>
            {
                UserStore.RequireName(interaction.User);
                var facts = await AnswerFacts.ReadAsync(
                    change, client, interaction, change.Now.AddMinutes(-options.Value.DuplicateMessageFilterWindowMinutes), ct);
                var user = facts.User is { } known && UserStore.IsNamed(known, interaction.User)
                    ? known
                    : await JoinAsync(change, client, interaction.User, ct);
                UserStore.RequireEnabled(user, options.Value);
                await (interaction switch
                {
                    TextReply reply => replies.AddAsync(change, client, reply, user.Id, facts, ct),
                    MessageRanking ranking => rankings.AddAsync(change, client, ranking, user.Id, facts, ct),
                    TextLabels { TaskId: not null } given => labels.AddReviewAsync(change, client, given, user.Id, facts, ct),
                    TextLabels given => labels.AddFreeAsync(change, client, given, user, ct),
                    MessageRating rating => RateAsync(change, client, rating, user.Id, ct),
                    _ => throw FeedbackCode.TaskInvalidResponseType.Refusal("The kind of answer is not known"),
                });
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

    /// <summary>
    /// The task is done and all of it is noted: parts of a statement that writes the answer itself, with the values of <see cref="Ended"/>
    /// from this parameter on.
    /// </summary>
    public static string Ending(int first) => $"""
        done as (
          update feedback.task set done = true where id = ${first} and not collective
        ), noted as (
          {FeedbackChange.Noting(first + 1)}
        )
        """;

    public static object?[] Ended(
        FeedbackChange change, TaskRow task, Guid userId, Guid clientId, Guid? messageId, Guid? treeId, JsonObject happened) =>
        [task.Id, .. change.Notice((string)happened["type"]!, clientId, userId, messageId, treeId, happened)];

    // New, or under a new name.
    private async Task<FeedbackUser> JoinAsync(FeedbackChange change, ApiClient client, User named, CancellationToken ct)
    {
        await users.EnsureAsync(change.Connection, client, named, ct);
        return (await change.Connection.ListAsync(UserStore.TakesPart(client, named, change.Now), row => UserStore.Read(row), ct))[0];
    }

    // A message and a task under one id of the client's, and a kind of task that is never handed out: it always ends in a refusal.
    private static async Task RateAsync(FeedbackChange change, ApiClient client, MessageRating rating, Guid userId, CancellationToken ct)
    {
        await using (var batch = await Statement.BatchAsync(change.Connection, ct, Statement.Of(
            "select 1 from feedback.message where api_client_id = $1 and frontend_message_id = $2", client.Id, rating.MessageId)))
        {
            if (await batch.ExecuteScalarAsync(ct) is null)
            {
                throw FeedbackCode.MessageNotFound.Refusal("Message not found");
            }
        }
        (await TaskRows.LockAcknowledgedAsync(change, client.Id, rating.MessageId, ct)).RequireAnswerable(userId, change.Now);
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
