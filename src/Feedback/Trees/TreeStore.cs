using Npgsql;
using Stoa.Feedback.Messages;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Trees;

/// <summary>A tree with the offers that are stored of it.</summary>
internal sealed record TreeInHand(Tree Tree, List<Offer> Stored);

/// <summary>Reads a tree with its row locked, and writes what it offers. Trees are small, so all of one is read.</summary>
internal static class TreeStore
{
    /// <summary>Of whom the parameters name by the task's id (<c>$1</c>), the client's id and the acknowledged one, or itself.</summary>
    public const string OfTask = "(select message_tree_id from feedback.task where id = $1)",
        OfAcknowledged = "(select message_tree_id from feedback.task where api_client_id = $1 and frontend_message_id = $2)",
        OfMessage = "(select message_tree_id from feedback.message where id = $1)",
        Itself = "$1";

    /// <summary>Three result sets, which <see cref="ReadAsync"/> reads.</summary>
    public static IEnumerable<NpgsqlBatchCommand> Statements(string tree, params object?[] values) =>
    [
        Statement.Of(
            $"""
            select message_tree_id, goal_tree_size, max_depth, max_children_count, state, active, origin, won_prompt_lottery_date, lang
            from feedback.message_tree_state where message_tree_id = {tree} for update
            """, values),
        Statement.Of(
            $"""
            select m.id, m.parent_id, m.user_id, m.role, m.lang, m.depth, m.deleted, m.review_result, m.review_count, m.ranking_count,
              case when max(m.ranking_count) over () > 0
                then (select count(*) from feedback.message_reaction r where r.ranking_parent_id = m.id)::int else 0 end
            from feedback.message m join feedback.message_tree_state t on t.message_tree_id = m.message_tree_id
            where m.message_tree_id = {tree} order by m.created_date, m.id
            """, values),
        Statement.Of(
            $"select message_id, work, type, lang, author_id, wanted, lonely from feedback.offer where message_tree_id = {tree}", values),
    ];

    /// <summary>Null when there is no such tree. Leaves the reader behind the third result set.</summary>
    public static async Task<TreeInHand?> ReadAsync(NpgsqlDataReader row, CancellationToken ct)
    {
        var found = await row.ReadAsync(ct) ? RowOf(row) : null;
        await row.NextResultAsync(ct);
        List<TreeMessage> messages = [];
        while (await row.ReadAsync(ct))
        {
            messages.Add(MessageOf(row));
        }
        await row.NextResultAsync(ct);
        List<Offer> offers = [];
        while (await row.ReadAsync(ct))
        {
            offers.Add(new(row.GetGuid(0), EnumNames<OfferWork>.Read(row.GetString(1)), row.GetString(2), row.GetString(3),
                row.IsDBNull(4) ? null : row.GetGuid(4), row.GetInt32(5), row.GetBoolean(6)));
        }
        await row.NextResultAsync(ct);
        return found is null ? null : new(new(found, messages), offers);
    }

    public static Task<TreeInHand?> LoadAsync(FeedbackChange change, Guid treeId, CancellationToken ct) => LoadAsync(change, Itself, treeId, ct);

    public static Task<TreeInHand?> OfMessageAsync(FeedbackChange change, Guid messageId, CancellationToken ct) =>
        LoadAsync(change, OfMessage, messageId, ct);

    private static async Task<TreeInHand?> LoadAsync(FeedbackChange change, string tree, Guid id, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(change.Connection, ct, Statements(tree, id));
        await using var row = await batch.ExecuteReaderAsync(ct);
        return await ReadAsync(row, ct);
    }

    /// <summary>Brings the stored offers to what the tree wants.</summary>
    public static void WriteOffers(this FeedbackChange change, TreeInHand hand, TreeManagerOptions options)
    {
        var wanted = Offers.Of(hand.Tree, options).ToList();
        foreach (var gone in hand.Stored.Where(stored => !wanted.Exists(offer => offer.MessageId == stored.MessageId && offer.Work == stored.Work)))
        {
            change.Write("delete from feedback.offer where message_id = $1 and work = $2", gone.MessageId, EnumNames<OfferWork>.Write(gone.Work));
        }
        foreach (var offer in wanted.Except(hand.Stored))
        {
            change.Write(
                """
                insert into feedback.offer (message_id, work, type, message_tree_id, lang, wanted, lonely, author_id)
                values ($1, $2, $3, $4, $5, $6, $7, $8::uuid)
                on conflict (message_id, work) do update set type = $3, lang = $5, wanted = $6, lonely = $7, author_id = $8::uuid
                """,
                offer.MessageId, EnumNames<OfferWork>.Write(offer.Work), offer.Type, hand.Tree.Id, offer.Lang, offer.Wanted, offer.Lonely, offer.AuthorId);
        }
    }

    /// <summary>The user no longer holds what he was offered.</summary>
    public static void Release(this FeedbackChange change, Guid messageId, Guid userId) => change.Write(
        "update feedback.offer set held = held - $2 where message_id = $1 and held ? $2", messageId, userId.ToString());

    public static void WriteState(this FeedbackChange change, Tree tree, TreeState from, Guid clientId)
    {
        change.Write(
            "update feedback.message_tree_state set state = $2, active = $3, won_prompt_lottery_date = $4::timestamptz where message_tree_id = $1",
            tree.Id, EnumNames<TreeState>.Write(tree.Row.State), tree.Row.Active, tree.Row.WonPromptLotteryDate);
        change.Note("tree_state", clientId, userId: null, tree.Id, tree.Id, new()
        {
            ["type"] = "tree_state",
            ["from"] = EnumNames<TreeState>.Write(from),
            ["to"] = EnumNames<TreeState>.Write(tree.Row.State),
        });
    }

    private static TreeRow RowOf(NpgsqlDataReader row) => new()
    {
        MessageTreeId = row.GetGuid(0),
        GoalTreeSize = row.GetInt32(1),
        MaxDepth = row.GetInt32(2),
        MaxChildrenCount = row.GetInt32(3),
        State = EnumNames<TreeState>.Read(row.GetString(4)),
        Active = row.GetBoolean(5),
        Origin = row.IsDBNull(6) ? null : row.GetString(6),
        WonPromptLotteryDate = row.IsDBNull(7) ? null : row.GetFieldValue<DateTimeOffset>(7),
        Lang = row.GetString(8),
    };

    private static TreeMessage MessageOf(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.IsDBNull(1) ? null : row.GetGuid(1), row.IsDBNull(2) ? null : row.GetGuid(2),
        EnumNames<MessageRole>.Read(row.GetString(3)), row.GetString(4), row.GetInt32(5))
    {
        Deleted = row.GetBoolean(6),
        ReviewResult = row.IsDBNull(7) ? null : row.GetBoolean(7),
        ReviewCount = row.GetInt32(8),
        RankingCount = row.GetInt32(9),
        Rankings = row.GetInt32(10),
    };
}
