using System.Text.Json.Nodes;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Tasks;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Rankings;

/// <summary>An order of a message's replies.</summary>
internal sealed class RankingAnswers(TreeKeeper keeper)
{
    public async Task AddAsync(
        FeedbackChange change, ApiClient client, MessageRanking ranking, Guid userId, AnswerFacts facts, CancellationToken ct)
    {
        var task = facts.Task.RequireAnswerable(userId, change.Now);
        if (task is not { RankedIds: { } shown, ParentMessageId: { } parentId })
        {
            throw FeedbackCode.TaskPayloadTypeMismatch.Refusal("The task does not ask for a ranking");
        }
        if (!IsPermutation(ranking.Ranking, shown.Length))
        {
            throw FeedbackCode.InvalidRankingValue.Refusal("The ranking must name each reply once");
        }
        var hand = facts.RequireTree();
        var ranked = ranking.Ranking.Select(index => shown[index]).ToArray();
        foreach (var id in ranked)
        {
            if (hand.Tree.Find(id) is not { } reply || reply.ParentId != parentId)
            {
                throw FeedbackCode.CorruptRankingResult.Refusal("A ranked message is no reply to the ranked one");
            }
            reply.RankingCount++;
        }
        if (hand.Tree.Find(parentId) is { } parent)
        {
            parent.Rankings++;
        }
        Write(change, client, ranking, userId, task, ranked);
        await keeper.SettleAsync(change, hand, client.Id, ct, new(parentId, userId));
    }

    /// <summary>Each of 0 to n-1 once.</summary>
    public static bool IsPermutation(IReadOnlyList<int> ranking, int count) =>
        ranking.Count == count && ranking.All(index => index >= 0 && index < count) && ranking.Distinct().Count() == count;

    // By a select the replies have no number when the statement is planned, so it is planned once.
    private static readonly string Ranking = $"""
        with counted as (
          update feedback.message set ranking_count = ranking_count + 1 where id = any ((select $8::uuid[])::uuid[])
        ), {Interactions.Ending(10)}
        insert into feedback.message_reaction (task_id, user_id, created_date, api_client_id, kind, message_id, message_tree_id,
          ranking_parent_id, ranking, ranked_ids, not_rankable)
        values ($1, $2, $3, $4, 'ranking', $5, $6, $5, $7, $8, $9::boolean)
        """;

    private static void Write(
        FeedbackChange change, ApiClient client, MessageRanking ranking, Guid userId, TaskRow task, Guid[] ranked)
    {
        var happened = Interactions.Event("message_ranking", userId, task.ParentMessageId, task);
        happened["ranking"] = new JsonArray([.. ranking.Ranking.Select(index => JsonValue.Create(index))]);
        change.Write(Ranking, [
            task.Id, userId, change.Now, client.Id, task.ParentMessageId,
            task.MessageTreeId, ranking.Ranking.ToArray(), ranked, ranking.NotRankable,
            .. Interactions.Ended(change, task, userId, client.Id, task.ParentMessageId, task.MessageTreeId, happened),
        ]);
    }
}
