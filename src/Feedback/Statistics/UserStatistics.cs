namespace Stoa.Feedback.Statistics;

/// <summary>The figures of the leaderboards.</summary>
internal static class UserStatistics
{
    // Who did something, whose message was judged, and whose message was ranked.
    private const string Concerned = """
        select user_id from feedback.message where created_date >= $1 and user_id is not null
        union select user_id from feedback.text_labels where created_date >= $1
        union select message.user_id from feedback.text_labels join feedback.message on message.id = text_labels.message_id
          where text_labels.created_date >= $1 and message.user_id is not null
        union select user_id from feedback.message_reaction where created_date >= $1
        union select message.user_id from feedback.message_reaction join feedback.message on message.id = any (ranked_ids[1:3])
          where message_reaction.created_date >= $1 and message.user_id is not null
        """;

    // Those who are shown, by score.
    private const string Rank = """
        update feedback.user_stats set rank = placed.rank
        from (
          select time_frame, user_id,
            case when shown then row_number() over (partition by time_frame, shown order by leader_score desc, user_id) end::int as rank
          from (
            select time_frame, user_id, leader_score, show_on_leaderboard and enabled as shown
            from feedback.user_stats join feedback.user on id = user_id
            where time_frame = any ($1)
          ) as everybody
        ) as placed
        where user_stats.time_frame = placed.time_frame
          and user_stats.user_id = placed.user_id and user_stats.rank is distinct from placed.rank
        """;

    public static readonly FrameUpdate Update = new("user_stats", Concerned, Count, Rank);

    private static string Count(FrameUpdate.Narrowed narrowed) => $"""
        with {FrameUpdate.Frames}, written as (
          select user_id, {FrameUpdate.Narrowed.Place("created_date")},
            count(*) filter (where parent_id is null) as prompts,
            count(*) filter (where parent_id is not null and role = 'assistant') as replies_assistant,
            count(*) filter (where parent_id is not null and role = 'prompter') as replies_prompter,
            count(*) filter (where parent_id is null and review_result) as accepted_prompts,
            count(*) filter (where parent_id is not null and role = 'assistant' and review_result) as accepted_replies_assistant,
            count(*) filter (where parent_id is not null and role = 'prompter' and review_result) as accepted_replies_prompter
          from feedback.message
          where not deleted and user_id is not null {narrowed.From("created_date")} {narrowed.Of("user_id")}
          group by 1, 2
        ), labelled as (
          select user_id, {FrameUpdate.Narrowed.Place("created_date")},
            count(*) filter (where mode = 'simple') as labels_simple, count(*) filter (where mode = 'full') as labels_full
          from feedback.task
          where done and type in ('label_initial_prompt', 'label_prompter_reply', 'label_assistant_reply') and user_id is not null
            {narrowed.From("created_date")} {narrowed.Of("user_id")}
          group by 1, 2
        ), ranked as (
          select user_id, {FrameUpdate.Narrowed.Place("created_date")}, count(*) as rankings_total
          from feedback.message_reaction
          where kind = 'ranking' {narrowed.From("created_date")} {narrowed.Of("user_id")}
          group by 1, 2
        ), placed as (
          select message.user_id, {FrameUpdate.Narrowed.Place("message_reaction.created_date")},
            count(*) filter (where ranked_ids[1] = message.id) as reply_ranked_1,
            count(*) filter (where ranked_ids[2] = message.id) as reply_ranked_2,
            count(*) filter (where ranked_ids[3] = message.id) as reply_ranked_3
          from feedback.message_reaction
          join feedback.message on message.parent_id = ranking_parent_id and message.id = any (ranked_ids[1:3])
          where kind = 'ranking' and message.user_id is not null {narrowed.From("message_reaction.created_date")} {narrowed.Of("message.user_id")}
          group by 1, 2
        ), counted as (
          select frame.name, frame.base, user_id,
            coalesce(sum(prompts), 0)::int as prompts, coalesce(sum(replies_assistant), 0)::int as replies_assistant,
            coalesce(sum(replies_prompter), 0)::int as replies_prompter, coalesce(sum(labels_simple), 0)::int as labels_simple,
            coalesce(sum(labels_full), 0)::int as labels_full, coalesce(sum(rankings_total), 0)::int as rankings_total,
            coalesce(sum(accepted_prompts), 0)::int as accepted_prompts,
            coalesce(sum(accepted_replies_assistant), 0)::int as accepted_replies_assistant,
            coalesce(sum(accepted_replies_prompter), 0)::int as accepted_replies_prompter,
            coalesce(sum(reply_ranked_1), 0)::int as reply_ranked_1, coalesce(sum(reply_ranked_2), 0)::int as reply_ranked_2,
            coalesce(sum(reply_ranked_3), 0)::int as reply_ranked_3
          from (
            select * from written full join labelled using (user_id, place) full join ranked using (user_id, place) full join placed using (user_id, place)
          ) as part
          join frame on part.place >= frame.place
          group by 1, 2, 3
        )
        insert into feedback.user_stats (
          time_frame, user_id, base_date, modified_date, leader_score, prompts, replies_assistant, replies_prompter, labels_simple, labels_full,
          rankings_total, accepted_prompts, accepted_replies_assistant, accepted_replies_prompter, reply_ranked_1, reply_ranked_2, reply_ranked_3)
        select name, user_id, base, $3,
          prompts / 10 + 4 * replies_assistant + replies_prompter + labels_simple + 2 * labels_full + rankings_total
            + accepted_prompts / 10 + 4 * accepted_replies_assistant + accepted_replies_prompter
            + 9 * reply_ranked_1 + 3 * reply_ranked_2 + reply_ranked_3,
          prompts, replies_assistant, replies_prompter, labels_simple, labels_full, rankings_total, accepted_prompts,
          accepted_replies_assistant, accepted_replies_prompter, reply_ranked_1, reply_ranked_2, reply_ranked_3
        from counted
        """;
}
