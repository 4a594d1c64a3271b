using Npgsql;
using Stoa.Feedback.Messages;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Trees;

/// <summary>A tree with the offers that are stored of it.</summary>
internal sealed record TreeInHand(Tree Tree, List<Offer> Stored);

/// <summary>A user has what a message offers for himself.</summary>
internal sealed record Hold(Guid MessageId, Guid UserId);

/// <summary>Reads a tree with its row locked, and writes what it offers. Trees are small, so all of one is read.</summary>
internal static class TreeStore
{
    public const string Columns =
        "message_tree_id, goal_tree_size, max_depth, max_children_count, state, active, origin, won_prompt_lottery_date, lang";

    /// <summary>How many columns there are.</summary>
    public const int Width = 9;

    private const string Itself = "$1", OfMessage = "(select message_tree_id from feedback.message where id = $1)";

    /// <summary>Its messages with what is offered of them. A message may stand there twice, once with each of its offers.</summary>
    /// <param name="tree">The expression of its id.</param>
    public static string Messages(string tree) => $"""
        select m.id, m.parent_id, m.user_id, m.role, m.lang, m.depth, m.deleted, m.review_result, m.review_count, m.ranking_count,
          case when m.children_count > 1 then (select count(*) from feedback.message_reaction r
            where r.ranking_parent_id = m.id)::int else 0 end,
          o.work, o.type, o.lang, o.author_id, o.wanted, o.lonely
        from feedback.message m left join feedback.offer o on o.message_id = m.id
        where m.message_tree_id = {tree} order by m.created_date, m.id
        """;

    /// <summary>Reads the rows of <see cref="Messages"/>.</summary>
    public static async Task<TreeInHand> ReadAsync(TreeRow tree, NpgsqlDataReader row, CancellationToken ct)
    {
        List<TreeMessage> messages = [];
        List<Offer> offers = [];
        while (await row.ReadAsync(ct))
        {
            if (messages is not [.., var last] || last.Id != row.GetGuid(0))
            {
                messages.Add(MessageOf(row));
            }
            if (!row.IsDBNull(11))
            {
                offers.Add(new(row.GetGuid(0), EnumNames<OfferWork>.Read(row.GetString(11)), row.GetString(12), row.GetString(13),
                    row.GuidOrNull(14), row.GetInt32(15), row.GetBoolean(16)));
            }
        }
        return new(new(tree, messages), offers);
    }

    public static Task<TreeInHand?> LoadAsync(FeedbackChange change, Guid treeId, CancellationToken ct) =>
        LoadAsync(change, Itself, treeId, ct);

    public static Task<TreeInHand?> OfMessageAsync(FeedbackChange change, Guid messageId, CancellationToken ct) =>
        LoadAsync(change, OfMessage, messageId, ct);

    private static async Task<TreeInHand?> LoadAsync(FeedbackChange change, string tree, Guid id, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(
            change.Connection, ct,
            Statement.Of($"select {Columns} from feedback.message_tree_state where message_tree_id = {tree} for update", id),
            Statement.Of(Messages(tree), id));
        await using var row = await batch.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
        {
            return null;
        }
        var found = RowOf(row);
        await row.NextResultAsync(ct);
        return await ReadAsync(found, row, ct);
    }

    /// <summary>Brings the stored offers to what the tree wants, each in one write.</summary>
    public static void WriteOffers(this FeedbackChange change, TreeInHand hand, TreeManagerOptions options, Hold? released = null)
    {
        var wanted = Offers.Of(hand.Tree, options).ToList();
        foreach (var gone in hand.Stored.Where(
            stored => !wanted.Exists(offer => offer.MessageId == stored.MessageId && offer.Work == stored.Work)))
        {
            change.Write(
                "delete from feedback.offer where message_id = $1 and work = $2", gone.MessageId, EnumNames<OfferWork>.Write(gone.Work));
        }
        foreach (var offer in wanted)
        {
            var holder = offer.MessageId == released?.MessageId ? released.UserId : (Guid?)null;
            var stored = hand.Stored.Find(one => one.MessageId == offer.MessageId && one.Work == offer.Work);
            if (stored == offer)
            {
                if (holder is not null)
                {
                    change.Write(
                        "update feedback.offer set held = held - $3 where message_id = $1 and work = $2 and held ? $3",
                        offer.MessageId, EnumNames<OfferWork>.Write(offer.Work), holder.ToString());
                }
                continue;
            }
            // Its row is there, which the other finds out with more effort.
            if (stored is not null)
            {
                change.Write(
                    """
                    update feedback.offer set type = $3, lang = $4, wanted = $5, lonely = $6, author_id = $7::uuid, held = held - $8
                    where message_id = $1 and work = $2
                    """,
                    offer.MessageId, EnumNames<OfferWork>.Write(offer.Work),
                    offer.Type, offer.Lang, offer.Wanted, offer.Lonely, offer.AuthorId,
                    holder?.ToString() ?? "");
                continue;
            }
            change.Write(
                """
                insert into feedback.offer (message_id, work, type, message_tree_id, lang, wanted, lonely, author_id)
                values ($1, $2, $3, $4, $5, $6, $7, $8::uuid)
                on conflict (message_id, work) do update set type = $3, lang = $5, wanted = $6, lonely = $7, author_id = $8::uuid
                """,
                offer.MessageId, EnumNames<OfferWork>.Write(offer.Work), offer.Type,
                hand.Tree.Id, offer.Lang, offer.Wanted, offer.Lonely, offer.AuthorId);
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

    public static TreeRow RowOf(NpgsqlDataReader row, int first = 0) => new()
    {
        MessageTreeId = row.GetGuid(first),
        GoalTreeSize = row.GetInt32(first + 1),
        MaxDepth = row.GetInt32(first + 2),
        MaxChildrenCount = row.GetInt32(first + 3),
        State = EnumNames<TreeState>.Read(row.GetString(first + 4)),
        Active = row.GetBoolean(first + 5),
        Origin = row.StringOrNull(first + 6),
        WonPromptLotteryDate = row.InstantOrNull(first + 7),
        Lang = row.GetString(first + 8),
    };

    private static TreeMessage MessageOf(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GuidOrNull(1), row.GuidOrNull(2),
        EnumNames<MessageRole>.Read(row.GetString(3)), row.GetString(4), row.GetInt32(5))
    {
        Deleted = row.GetBoolean(6),
        ReviewResult = row.IsDBNull(7) ? null : row.GetBoolean(7),
        ReviewCount = row.GetInt32(8),
        RankingCount = row.GetInt32(9),
        Rankings = row.GetInt32(10),
    };
}
