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
internal sealed record AnswerFacts(FeedbackUser? User, TaskRow? Task = null, TreeInHand? Hand = null, bool IsRepeated = false, Reviews? Reviews = null)
{
    private static readonly string Begin = $"""
        select {Of("known", UserStore.Columns)}, {Of("task", TaskRows.Columns)}, {Of("tree", TreeStore.Columns)},
          repeated, reviews, spam, lang_mismatch, reviewers
        from feedback.begin_answer($1, $2, $3, $4::uuid, $5::text, $6::text, $7)
        """;

    private static readonly string OfTask = TreeStore.Messages("(select message_tree_id from feedback.task where id = $1)"),
        OfAcknowledged = TreeStore.Messages("(select message_tree_id from feedback.task where api_client_id = $1 and frontend_message_id = $2)");

    /// <summary>Locks and reads all of it in one round trip.</summary>
    /// <param name="repeatedSince">When the same text begins to count as repeated.</param>
    public static Task<AnswerFacts> ReadAsync(
        FeedbackChange change, ApiClient client, Interaction answer, DateTimeOffset repeatedSince, CancellationToken ct)
    {
        return answer switch
        {
            TextReply reply => AskAsync(null, reply.MessageId, reply.Text, Statement.Of(OfAcknowledged, client.Id, reply.MessageId)),
            MessageRanking ranking => AskAsync(null, ranking.MessageId, null, Statement.Of(OfAcknowledged, client.Id, ranking.MessageId)),
            TextLabels { TaskId: { } id } => AskAsync(id, null, null, Statement.Of(OfTask, id)),
            _ => UserAsync(),
        };

        async Task<AnswerFacts> AskAsync(Guid? taskId, string? acknowledged, string? said, NpgsqlBatchCommand messages)
        {
            var user = answer.User;
            await using var batch = await Statement.BatchAsync(
                change.Connection, ct, Statement.Of(Begin, client.Id, user.Id, user.AuthMethod, taskId, acknowledged, said, repeatedSince), messages);
            await using var row = await batch.ExecuteReaderAsync(ct);
            await row.ReadAsync(ct);
            const int task = UserStore.Width, tree = task + TaskRows.Width, rest = tree + TreeStore.Width;
            var facts = new AnswerFacts(
                row.IsDBNull(0) ? null : UserStore.Read(row), row.IsDBNull(task) ? null : TaskRows.Read(row, task), Hand: null, row.GetBoolean(rest),
                row.IsDBNull(rest + 1) ? null
                    : new(row.GetInt32(rest + 1), row.GetDouble(rest + 2), row.GetDouble(rest + 3), row.GetFieldValue<Guid[]>(rest + 4)));
            if (row.IsDBNull(tree))
            {
                return facts;
            }
            var found = TreeStore.RowOf(row, tree);
            await row.NextResultAsync(ct);
            return facts with { Hand = await TreeStore.ReadAsync(found, row, ct) };
        }

        async Task<AnswerFacts> UserAsync() => new((await change.Connection.ListAsync(
            UserStore.Locked(client, answer.User), row => UserStore.Read(row), ct)).FirstOrDefault());
    }

    /// <exception cref="Failure">2006: the tree is gone.</exception>
    public TreeInHand RequireTree() => Hand ?? throw FeedbackCode.NoMessageTreeFound.Refusal("The tree is not there any more");

    private static string Of(string row, string columns) => string.Join(", ", columns.Split(',').Select(column => $"({row}).{column.Trim()}"));
}
