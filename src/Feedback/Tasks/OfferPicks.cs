using Npgsql;
using NpgsqlTypes;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Messages;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Tasks;

/// <summary>An offer that is now held for the user, with what he needs to see.</summary>
/// <param name="Conversation">From the root to the message; none for a new prompt.</param>
/// <param name="Replies">Of a ranking: what is to be put in order, shuffled.</param>
internal sealed record Picked(
    string Type, Guid? TreeId, Guid? MessageId, IReadOnlyList<WireMessage> Conversation, IReadOnlyList<WireMessage> Replies);

/// <summary>How a request ended, as <c>feedback.hand_out</c> says it.</summary>
internal enum HandOutEnd
{
    Picked,

    /// <summary>None of the wishes found anything.</summary>
    Nothing,

    /// <summary>There is no such user, or he has another name now.</summary>
    Unnamed,

    /// <summary>The user is at work in another transaction, and the group did not wait for him.</summary>
    Elsewhere,
    Barred,
    WithoutTerms,

    /// <summary>He has too many tasks open.</summary>
    Busy,
}

/// <param name="Picked">Null unless the request ended with it.</param>
internal sealed record HandedOut(HandOutEnd End, Picked? Picked = null);

/// <summary>A task that is to be: its id, for whom, and of each type that is a review, what it will ask.</summary>
internal sealed record TaskDraft(
    Guid Id, ApiClient Client, TaskRequest Request, User Named, IReadOnlyDictionary<string, ReviewTerms> Reviews);

/// <summary>
/// Hands tasks out by <c>feedback.hand_out</c>: the first offer that one of the wishes finds. What it costs does not grow with the trees,
/// and those who ask together share a round trip and a commit, group after group: connections that work beside each other cost PostgreSQL
/// more.
/// </summary>
internal sealed class OfferPicks
{
    private static readonly string Columns = MessageRows.Columns.Replace("$1::uuid", "task.user_id", StringComparison.Ordinal);

    private const string HandOut =
        "feedback.hand_out($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::timestamptz, $15, $16, $17, $18, $19, $20, $21, $22, $23)";

    private const string Take = $"select {HandOut}";

    // A group waits for no user, so that nobody's long transaction holds up the others, and so that it never waits for whom waits for it.
    private const string TakeFreely = $$"""
        with own as materialized (
          select id from feedback.user where api_client_id = $2 and username = $3 and auth_method = $4 for no key update skip locked
        )
        select case
          when not exists (select from own) and exists (
            select from feedback.user where api_client_id = $2 and username = $3 and auth_method = $4) then '{elsewhere}'
          else {{HandOut}} end
        """;

    private const string Shown = """
        m.id, m.user_id, m.frontend_message_id, m.text, m.lang, m.role, m.emojis, m.synthetic, m.parent_id, m.created_date, m.review_result,
        m.review_count, m.deleted, m.edited, m.model_name, m.message_tree_id, m.ranking_count, m.rank
        """;

    // Whose row does not exist shows nothing.
    private static readonly string Show = $"""
        with recursive task as materialized (
          select user_id, parent_message_id, ranked_ids from feedback.task where id = $1
        ), above as (
          select {Shown}, 0 as height from task join feedback.message m on m.id = task.parent_message_id
          union all
          select {Shown}, above.height + 1 from above join feedback.message m on m.id = above.parent_id
        )
        select {Columns}, task.user_id, false as is_reply, m.height
        from task, above m
        union all
        select {Columns}, task.user_id, true, -array_position(task.ranked_ids, m.id)
        from task join feedback.message m on m.id = any (task.ranked_ids)
        order by height desc
        """;

    // What is held for others, and what he works on himself; of the rest as many as are wanted.
    private const string Free = """
        (c.held = '{}' or (
          select count(*) from jsonb_each_text(c.held) h
          where h.value::bigint > $3 and (c.work = 'reply' or h.key <> $1::text)) < c.wanted
            and not (c.held ? $1::text and exists (
              select from feedback.task t
                where t.parent_message_id = c.message_id and t.user_id = $1 and t.ack and not t.done and not t.skipped offset 0)))
        """;

    /// <summary>
    /// Counts by type what <c>hand_out</c> would give; <c>$1</c> user, <c>$2</c> language, <c>$3</c> now, <c>$4</c> to <c>$6</c> whether he
    /// may label and rank what is his own, and do a thing twice.
    /// </summary>
    private const string Available = $"""
        select c.type, count(*)::int from feedback.offer c
        where c.lang = $2 and {Free}
          and not exists (
            select from feedback.message_emoji e where e.message_id = c.message_id and e.user_id = $1
              and e.emoji = case c.work when 'reply' then '_skip_reply' when 'ranking' then '_skip_ranking' else '_skip_labeling' end offset 0)
          and case c.work
            when 'reply' then $6 or {NoChild}
            when 'ranking' then ($5 or {NoChild})
              and ($6 or not exists (
                select from feedback.message_reaction r where r.ranking_parent_id = c.message_id and r.user_id = $1 offset 0))
            else ($4 or c.author_id is distinct from $1)
              and ($6 or not exists (
                select from feedback.text_labels l where l.message_id = c.message_id and l.user_id = $1 and l.task_id is not null offset 0))
            end
        group by c.type
        """;

    private const string NoChild =
        "not exists (select from feedback.message child where child.parent_id = c.message_id and child.user_id = $1 and not child.deleted offset 0)";

    private readonly FeedbackOptions options;
    private readonly NpgsqlDataSource source;
    private readonly Coalescer<Asked, HandedOut> groups;

    public OfferPicks(FeedbackOptions options, NpgsqlDataSource source)
    {
        (this.options, this.source) = (options, source);
        groups = new(group => HandOutAsync(group, TakeFreely, CancellationToken.None), atOnce: 1);
    }

    /// <summary>With all that the user is to see.</summary>
    /// <param name="wishes">Null: for a new prompt, which needs no offer.</param>
    public async Task<HandedOut> HandOutAsync(TaskDraft draft, IReadOnlyCollection<Wish>? wishes, DateTimeOffset now, CancellationToken ct)
    {
        var asked = new Asked(draft, wishes, now);
        var handed = await groups.RunAsync(asked, ct);
        return handed.End == HandOutEnd.Elsewhere ? (await HandOutAsync([asked], Take, ct))[0] : handed;
    }

    /// <summary>Two statements for each, in one transaction.</summary>
    private async Task<IReadOnlyList<HandedOut>> HandOutAsync(IReadOnlyList<Asked> group, string take, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var batch = await Statement.BatchAsync(
            connection, ct, group.SelectMany(asked => new[] { TakeFor(asked, take), Statement.Of(Show, asked.Draft.Id) }));
        await using var row = await batch.ExecuteReaderAsync(ct);
        var handed = new List<HandedOut>(group.Count);
        do
        {
            handed.Add(await ReadAsync(row, ct));
        }
        while (await row.NextResultAsync(ct));
        return handed;
    }

    private static async Task<HandedOut> ReadAsync(NpgsqlDataReader row, CancellationToken ct)
    {
        await row.ReadAsync(ct);
        var handed = row.GetFieldValue<string?[]>(0);
        await row.NextResultAsync(ct);
        if (handed is not [_, { } type, var treeId, var messageId])
        {
            return new(EnumNames<HandOutEnd>.Read(handed[0]!));
        }
        List<WireMessage> conversation = [], replies = [];
        while (await row.ReadAsync(ct))
        {
            (row.GetBoolean(MessageRows.Width + 1) ? replies : conversation).Add(MessageRows.Read(row, row.GetGuid(MessageRows.Width)));
        }
        return new(HandOutEnd.Picked, new(type, IdOf(treeId), IdOf(messageId), conversation, replies));

        static Guid? IdOf(string? text) => text is null ? null : Guid.Parse(text);
    }

    private NpgsqlBatchCommand TakeFor(Asked asked, string take)
    {
        var (draft, wishes, now) = asked;
        var (rules, validity, request) = (options.TreeManager, options.TaskValidityMinutes, draft.Request);
        var types = draft.Reviews.Keys.ToArray();
        string?[] wished = [.. (wishes ?? []).Select(wish => wish.Type)];
        var statement = Statement.Of(
            take, draft.Id, draft.Client.Id, draft.Named.Id, draft.Named.AuthMethod, draft.Named.DisplayName, request.Lang,
            wishes is null ? ["prompt"] : wishes.Select(wish => EnumNames<OfferWork>.Write(wish.Work!.Value)).ToArray(), wished,
            (wishes ?? []).Select(wish => wish.LonelyOnly).ToArray(), Random.Shared.NextDouble(), now, rules.RecentTasksSpanSec,
            rules.MaxPendingTasksPerUser, request.Collective || validity <= 0 ? null : now.AddMinutes(validity), request.Collective,
            !options.IgnoreTosAcceptance, options.AllowSelfLabeling, options.AllowSelfRanking, options.AllowDuplicateTasks,
            types, Each(review => review.Mode), Each(review => string.Join(',', review.Valid)),
            Each(review => string.Join(',', review.Mandatory)));
        // It may hold nulls, and only those.
        statement.Parameters[7].NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text;
        return statement;

        string[] Each(Func<ReviewTerms, string> value) => [.. types.Select(type => value(draft.Reviews[type]))];
    }

    /// <summary>Rows of a type and how many there are of it for the user.</summary>
    public NpgsqlBatchCommand Count(Guid userId, string lang, DateTimeOffset now) => Statement.Of(
        Available, userId, lang, now.ToUnixTimeSeconds(), options.AllowSelfLabeling, options.AllowSelfRanking, options.AllowDuplicateTasks);

    private sealed record Asked(TaskDraft Draft, IReadOnlyCollection<Wish>? Wishes, DateTimeOffset Now);
}
