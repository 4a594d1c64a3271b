namespace Stoa.Feedback.Statistics;

/// <summary>The figures of the trollboards: what others say about a user's messages.</summary>
internal static class TrollStatistics
{
    // Who wrote something, and whose message was labelled or marked.
    private const string Concerned = """
        select user_id from feedback.message where created_date >= $1 and user_id is not null
        union select message.user_id from feedback.text_labels join feedback.message on message.id = text_labels.message_id
          where text_labels.created_date >= $1 and message.user_id is not null
        union select message.user_id from feedback.message_emoji join feedback.message on message.id = message_emoji.message_id
          where message_emoji.created_date >= $1 and message.user_id is not null
        """;

    // Everybody, hidden or not.
    private const string Rank = """
        update feedback.troll_stats set rank = placed.rank
        from (
          select time_frame, user_id, row_number() over (partition by time_frame order by troll_score desc, user_id)::int as rank
          from feedback.troll_stats
          where time_frame = any ($1)
        ) as placed
        where troll_stats.time_frame = placed.time_frame
          and troll_stats.user_id = placed.user_id and troll_stats.rank is distinct from placed.rank
        """;

    /// <summary>Of these the board shows the mean.</summary>
    private static readonly string[] Means = ["quality", "humor", "toxicity", "violence", "helpfulness"];

    /// <summary>Of these it shows how many are closer to yes than to no.</summary>
    private static readonly (string Label, string Column)[] Sums =
    [
        ("spam", "spam"), ("lang_mismatch", "lang_mismach"),
        ("not_appropriate", "not_appropriate"), ("pii", "pii"), ("hate_speech", "hate_speech"),
        ("sexual_content", "sexual_content"), ("political_content", "political_content"),
    ];

    public static readonly FrameUpdate Update = new("troll_stats", Concerned, Count, Rank);

    private static string Count(FrameUpdate.Narrowed narrowed) => $"""
        with {FrameUpdate.Frames}, marked as (
          select message.user_id, {FrameUpdate.Narrowed.Place("message.created_date")},
            sum((emojis ->> 'red_flag')::int) as red_flags, sum((emojis ->> '+1')::int) as upvotes, sum((emojis ->> '-1')::int) as downvotes,
            count(*) filter (where state = 'aborted_low_grade') as spam_prompts
          from feedback.message
          left join feedback.message_tree_state on message_tree_state.message_tree_id = message.id
          where not deleted and message.user_id is not null {narrowed.From("message.created_date")} {narrowed.Of("message.user_id")}
          group by 1, 2
        ), labelled as (
          select user_id, place,
            {List(Means, label => $"sum((label).{label}) as {label}, count((label).{label}) as {label}_given")},
            {List(Sums, label => $"sum(round((label).{label.Label})) as {label.Column}")}
          from (
            select message.user_id, {FrameUpdate.Narrowed.Place("message.created_date")}, jsonb_populate_record(null::feedback.label_values, labels) as label
            from feedback.message
            join feedback.text_labels on text_labels.message_id = message.id
            where not deleted and message.user_id is not null {narrowed.From("message.created_date")} {narrowed.Of("message.user_id")}
            -- Read once for each row, not for each figure.
            offset 0
          ) as given
          group by 1, 2
        ), counted as (
          select frame.name, frame.base, user_id,
            {List(["red_flags", "upvotes", "downvotes", "spam_prompts"], column => $"coalesce(sum({column}), 0)::int as {column}")},
            {List(Means, label => $"sum({label}) / nullif(sum({label}_given), 0) as {label}")},
            {List(Sums, label => $"coalesce(sum({label.Column}), 0)::int as {label.Column}")}
          from marked left join labelled using (user_id, place) join frame on marked.place >= frame.place
          group by 1, 2, 3
        )
        insert into feedback.troll_stats (
          time_frame, user_id, base_date, modified_date, troll_score, red_flags, upvotes, downvotes, spam_prompts,
          {List(Means, label => label)}, {List(Sums, label => label.Column)})
        select name, user_id, base, $3,
          3 * red_flags - upvotes + downvotes + spam_prompts + lang_mismach + not_appropriate + pii + hate_speech + sexual_content
            + political_content,
          red_flags, upvotes, downvotes, spam_prompts, {List(Means, label => label)}, {List(Sums, label => label.Column)}
        from counted
        """;

    private static string List<T>(IEnumerable<T> of, Func<T, string> write) => string.Join(", ", of.Select(write));
}
