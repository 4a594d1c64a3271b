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
          select user_id, row_number() over (order by troll_score desc, user_id)::int as rank
          from feedback.troll_stats
          where time_frame = $1
        ) as placed
        where time_frame = $1 and troll_stats.user_id = placed.user_id and troll_stats.rank is distinct from placed.rank
        """;

    public static readonly FrameUpdate Update = new("troll_stats", Concerned, Count, Rank);

    private static string Count(FrameUpdate.Narrowed narrowed) => $"""
        with marked as (
          select message.user_id,
            sum((emojis ->> 'red_flag')::int) as red_flags, sum((emojis ->> '+1')::int) as upvotes, sum((emojis ->> '-1')::int) as downvotes,
            count(*) filter (where state = 'aborted_low_grade') as spam_prompts
          from feedback.message
          left join feedback.message_tree_state on message_tree_state.message_tree_id = message.id
          where not deleted and message.user_id is not null {narrowed.From("message.created_date")} {narrowed.Of("message.user_id")}
          group by message.user_id
        ), labelled as (
          select message.user_id,
            avg(label.quality) as quality, avg(label.humor) as humor, avg(label.toxicity) as toxicity, avg(label.violence) as violence,
            avg(label.helpfulness) as helpfulness, sum(round(label.spam)) as spam, sum(round(label.lang_mismatch)) as lang_mismach,
            sum(round(label.not_appropriate)) as not_appropriate, sum(round(label.pii)) as pii, sum(round(label.hate_speech)) as hate_speech,
            sum(round(label.sexual_content)) as sexual_content, sum(round(label.political_content)) as political_content
          from feedback.message
          join feedback.text_labels on text_labels.message_id = message.id
          cross join lateral jsonb_to_record(labels) as label (
            quality float8, humor float8, toxicity float8, violence float8, helpfulness float8, spam float8, lang_mismatch float8,
            not_appropriate float8, pii float8, hate_speech float8, sexual_content float8, political_content float8)
          where not deleted and message.user_id is not null {narrowed.From("message.created_date")} {narrowed.Of("message.user_id")}
          group by message.user_id
        ), counted as (
          select user_id,
            coalesce(red_flags, 0)::int as red_flags, coalesce(upvotes, 0)::int as upvotes, coalesce(downvotes, 0)::int as downvotes,
            coalesce(spam_prompts, 0)::int as spam_prompts, quality, humor, toxicity, violence, helpfulness,
            coalesce(spam, 0)::int as spam, coalesce(lang_mismach, 0)::int as lang_mismach,
            coalesce(not_appropriate, 0)::int as not_appropriate, coalesce(pii, 0)::int as pii, coalesce(hate_speech, 0)::int as hate_speech,
            coalesce(sexual_content, 0)::int as sexual_content, coalesce(political_content, 0)::int as political_content
          from marked left join labelled using (user_id)
        )
        insert into feedback.troll_stats (
          time_frame, user_id, base_date, modified_date, troll_score, red_flags, upvotes, downvotes, spam_prompts, quality, humor, toxicity,
          violence, helpfulness, spam, lang_mismach, not_appropriate, pii, hate_speech, sexual_content, political_content)
        select $1, user_id, $2, $3,
          3 * red_flags - upvotes + downvotes + spam_prompts + lang_mismach + not_appropriate + pii + hate_speech + sexual_content
            + political_content,
          red_flags, upvotes, downvotes, spam_prompts, quality, humor, toxicity, violence, helpfulness, spam, lang_mismach, not_appropriate,
          pii, hate_speech, sexual_content, political_content
        from counted
        """;
}
