using Stoa.Feedback.Messages;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Tasks;

/// <summary>An offer that is now held for the user, with what he needs to see.</summary>
/// <param name="Conversation">From the root to the message.</param>
/// <param name="Replies">Of a ranking: what is to be put in order, not yet shuffled.</param>
internal sealed record Picked(string Type, Guid TreeId, Guid MessageId, IReadOnlyList<WireMessage> Conversation, IReadOnlyList<WireMessage> Replies);

/// <summary>
/// Takes an offer for a user: one statement walks the index from a random place on, passes by what others hold or are just taking and what
/// this user has done, has written or does not want, and notes on the row until when it is his. What it costs does not grow with the trees.
/// </summary>
internal sealed class OfferPicks
{
    // What he holds and has not even shown yet he may be given again; what he works on, not.
    // $1 user, $2 language, $3 place, $4 now, $5 until when it is held (both in seconds since 1970), $6 type or null
    private const string Free = """
        (c.held = '{}' or (
          select count(*) from jsonb_each_text(c.held) h
          where h.value::bigint > $4 and (c.work = 'reply' or h.key <> $1::text)) < c.wanted
            and not (c.held ? $1::text and exists (
              select from feedback.task t where t.parent_message_id = c.message_id and t.user_id = $1 and t.ack and not t.done and not t.skipped offset 0)))
        """;

    // An offset keeps the planner from turning these look-ups by index into joins over all messages.
    private const string OfType = "($6::text is null or c.type = $6)";

    private readonly Dictionary<OfferWork, string> conditions;
    private readonly Dictionary<(OfferWork Work, bool Lonely, bool FromStart), string> statements = [];

    public OfferPicks(FeedbackOptions options)
    {
        conditions = new()
        {
            [OfferWork.Reply] = $"{Unskipped(EmojiCode.SkipReply)} and {(options.AllowDuplicateTasks ? "true" : NoChild)}",
            [OfferWork.LabelPrompt] = LabelConditions(options),
            [OfferWork.LabelReply] = LabelConditions(options),
            [OfferWork.Ranking] = $"{Unskipped(EmojiCode.SkipRanking)} and {(options.AllowSelfRanking ? "true" : NoChild)} "
                + $"and {(options.AllowDuplicateTasks ? "true" : NoRanking)}",
        };
        foreach (var work in conditions.Keys)
        {
            foreach (var lonely in (bool[])[false, true])
            {
                statements[(work, lonely, false)] = Pick(work, lonely, "c.place >= $3");
                statements[(work, lonely, true)] = Pick(work, lonely, "c.place < $3");
            }
        }
        Available = $"""
            select c.type, count(*)::int from feedback.offer c
            where c.lang = $2 and {Free} and case c.work {string.Concat(conditions.Select(one => $"when '{EnumNames<OfferWork>.Write(one.Key)}' then {one.Value} "))} end
            group by c.type
            """;
    }

    /// <summary>Counts by type; <c>$1</c> user, <c>$2</c> language, <c>$4</c> now (<c>$3</c> is not used).</summary>
    public string Available { get; }

    public async Task<Picked?> TakeAsync(FeedbackChange change, Wish wish, Guid userId, string lang, TimeSpan hold, CancellationToken ct)
    {
        var place = Random.Shared.NextDouble();
        return await TakeAsync(change, wish, userId, lang, hold, place, fromStart: false, ct)
            ?? await TakeAsync(change, wish, userId, lang, hold, place, fromStart: true, ct);
    }

    private async Task<Picked?> TakeAsync(
        FeedbackChange change, Wish wish, Guid userId, string lang, TimeSpan hold, double place, bool fromStart, CancellationToken ct)
    {
        var now = change.Now.ToUnixTimeSeconds();
        await using var batch = await Statement.BatchAsync(change.Connection, ct, Statement.Of(
            statements[(wish.Work!.Value, wish.LonelyOnly, fromStart)], userId, lang, place, now, now + (long)hold.TotalSeconds, wish.Type));
        await using var row = await batch.ExecuteReaderAsync(ct);
        Picked? picked = null;
        List<WireMessage> conversation = [], replies = [];
        while (await row.ReadAsync(ct))
        {
            const int own = MessageRows.Width;
            picked ??= new(row.GetString(own), row.GetGuid(own + 1), row.GetGuid(own + 2), conversation, replies);
            (row.GetBoolean(own + 3) ? replies : conversation).Add(MessageRows.Read(row, userId));
        }
        return picked;
    }

    private string Pick(OfferWork work, bool lonely, string place) => $"""
        with recursive picked as (
          update feedback.offer o set place = random(), held = jsonb_build_object($1::text, $5::bigint) || coalesce(
            (select jsonb_object_agg(h.key, h.value) from jsonb_each(o.held) h where h.value::bigint > $4 and h.key <> $1::text), '{"{}"}')
          from (
            select c.message_id, c.work from feedback.offer c
            where c.lang = $2 and c.work = '{EnumNames<OfferWork>.Write(work)}' and {place} {(lonely ? "and c.lonely" : "")}
              and {OfType} and {Free} and {conditions[work]}
            order by c.place limit 1 for update of c skip locked
          ) chosen
          where o.message_id = chosen.message_id and o.work = chosen.work
          returning o.type, o.message_tree_id, o.message_id
        ), above as (
          select m.id, m.parent_id, 0 as height from feedback.message m join picked on m.id = picked.message_id
          union all
          select m.id, m.parent_id, above.height + 1 from feedback.message m join above on m.id = above.parent_id
        )
        select {MessageRows.Columns}, picked.type, picked.message_tree_id, picked.message_id, false as is_reply, above.height
        from picked, above join feedback.message m on m.id = above.id
        {(work == OfferWork.Ranking ? Ranked : "")}
        order by height desc, created_date, id
        """;

    private const string Ranked = $"""
        union all
        select {MessageRows.Columns}, picked.type, picked.message_tree_id, picked.message_id, true, 0
        from picked join feedback.message m on m.parent_id = picked.message_id
        where m.review_result and not m.deleted and m.role = case picked.type when 'rank_assistant_replies' then 'assistant' else 'prompter' end
        """;

    private const string NoChild =
        "not exists (select from feedback.message child where child.parent_id = c.message_id and child.user_id = $1 and not child.deleted offset 0)";

    private const string NoRanking =
        "not exists (select from feedback.message_reaction r where r.ranking_parent_id = c.message_id and r.user_id = $1 offset 0)";

    private const string NoReview =
        "not exists (select from feedback.text_labels l where l.message_id = c.message_id and l.user_id = $1 and l.task_id is not null offset 0)";

    private static string LabelConditions(FeedbackOptions options) =>
        $"{Unskipped(EmojiCode.SkipLabeling)} and {(options.AllowSelfLabeling ? "true" : "c.author_id is distinct from $1")} "
        + $"and {(options.AllowDuplicateTasks ? "true" : NoReview)}";

    private static string Unskipped(string marker) =>
        $"not exists (select from feedback.message_emoji e where e.message_id = c.message_id and e.user_id = $1 and e.emoji = '{marker}' offset 0)";
}
