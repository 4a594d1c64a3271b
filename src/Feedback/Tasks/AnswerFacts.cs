using Npgsql;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Labels;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Tasks;

/// <summary>What an answer is judged by.</summary>
/// <param name="User">Null, or under another name: he is new or has a new name.</param>
/// <param name="IsRepeated">The user has written the same text a short time ago.</param>
/// <param name="Reviews">Of a label task: those that its message has.</param>
internal sealed record AnswerFacts(
    FeedbackUser? User, TaskRow? Task = null, TreeInHand? Hand = null, bool IsRepeated = false, Reviews? Reviews = null)
{
    private const string ById = "api_client_id = $1 and id = $5";

    private static readonly string ByAcknowledgement = $"api_client_id = $1 and id = {TaskRows.Shown("$5")}";

    // In one order: the user, the task, its tree. What is not there is null.
    private static readonly string LockedById = Locking(ById), LockedByAcknowledgement = Locking(ByAcknowledgement);

    private static readonly string MessagesById = TreeStore.Messages($"(select message_tree_id from feedback.task where {Alone(ById)})"),
        MessagesByAcknowledgement = TreeStore.Messages($"(select message_tree_id from feedback.task where {Alone(ByAcknowledgement)})");

    private static readonly string ReviewsOfTask = $"""
        select count(*)::int, coalesce(sum((labels ->> 'spam')::float8), 0), coalesce(sum((labels ->> 'lang_mismatch')::float8), 0),
          coalesce(array_agg(user_id), '{"{}"}')
        from feedback.text_labels
        where message_id = (select parent_message_id from feedback.task where {Alone(ById)}) and task_id is not null
        """;

    // Of what is only found when it runs the planner cannot hope to plan better another time, so it plans once.
    private const string Repeated = """
        select exists (
          select from feedback.message
          where user_id = (select id from feedback.user where api_client_id = $1 and username = $2 and auth_method = $3)
            and created_date > (select $4::timestamptz) and text = (select $5::text))
        """;

    /// <summary>Locks and reads all of it in one round trip; the user has taken part, unless that is taken back.</summary>
    /// <param name="repeatedSince">When the same text begins to count as repeated.</param>
    public static async Task<AnswerFacts> ReadAsync(
        FeedbackChange change, ApiClient client, Interaction answer, DateTimeOffset repeatedSince, CancellationToken ct)
    {
        var user = answer.User;
        NpgsqlBatchCommand[] statements = answer switch
        {
            TextReply reply =>
            [
                Lock(LockedByAcknowledgement, reply.MessageId), Statement.Of(MessagesByAcknowledgement, client.Id, reply.MessageId),
                Statement.Of(Repeated, client.Id, user.Id, user.AuthMethod, repeatedSince, reply.Text),
            ],
            MessageRanking ranking =>
                [Lock(LockedByAcknowledgement, ranking.MessageId), Statement.Of(MessagesByAcknowledgement, client.Id, ranking.MessageId)],
            TextLabels { TaskId: { } id } =>
                [Lock(LockedById, id), Statement.Of(MessagesById, client.Id, id), Statement.Of(ReviewsOfTask, client.Id, id)],
            _ => [UserStore.TakesPart(client, user, change.Now)],
        };
        await using var batch = await Statement.BatchAsync(change.Connection, ct, statements);
        await using var row = await batch.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct) || statements is [_])
        {
            return new(row.HasRows ? UserStore.Read(row) : null);
        }
        const int task = UserStore.Width, tree = task + TaskRows.Width;
        var facts = new AnswerFacts(row.IsDBNull(0) ? null : UserStore.Read(row), row.IsDBNull(task) ? null : TaskRows.Read(row, task));
        var found = row.IsDBNull(tree) ? null : TreeStore.RowOf(row, tree);
        await row.NextResultAsync(ct);
        if (found is not null)
        {
            facts = facts with { Hand = await TreeStore.ReadAsync(found, row, ct) };
        }
        if (!await row.NextResultAsync(ct))
        {
            return facts;
        }
        await row.ReadAsync(ct);
        return answer is TextReply
            ? facts with { IsRepeated = row.GetBoolean(0) }
            : facts with { Reviews = new(row.GetInt32(0), row.GetDouble(1), row.GetDouble(2), row.GetFieldValue<Guid[]>(3)) };

        NpgsqlBatchCommand Lock(string sql, object task) => Statement.Of(sql, client.Id, user.Id, user.AuthMethod, change.Now, task);
    }

    /// <exception cref="Failure">2006: the tree is gone.</exception>
    public TreeInHand RequireTree() => Hand ?? throw FeedbackCode.NoMessageTreeFound.Refusal("The tree is not there any more");

    // What others have just done to the tree counts, so only the locks are taken here.
    private static string Locking(string task) => $"""
        with actor as (
          {UserStore.TakePart}
        ), task as materialized (
          select {TaskRows.Columns} from feedback.task where {task} for update
        ), tree as materialized (
          select {TreeStore.Columns} from feedback.message_tree_state where message_tree_id = (select message_tree_id from task) for update
        )
        select actor.*, task.*, tree.* from (select) one left join actor on true left join task on true left join tree on true
        """;

    // In a statement of its own, which has the client and the task only.
    private static string Alone(string task) => task.Replace("$5", "$2", StringComparison.Ordinal);
}
