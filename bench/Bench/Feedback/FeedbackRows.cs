using System.Globalization;

namespace Stoa.Bench.Feedback;

/// <summary>
/// Fills the tables as years of work would have: finished trees of twelve messages, each with its tasks, reviews, rankings and journal, and
/// trees that are being worked on now.
/// </summary>
internal static class FeedbackRows
{
    internal const int MessagesOfTree = 12;
    internal const int Users = 2_000; // as many as Beginning makes

    // One question, three answers, a question on each, two answers on the first two of these and one on the last.
    private const string Places = """
        (values (1, null, 'prompter', 0, 3), (2, 1, 'assistant', 1, 1), (3, 1, 'assistant', 1, 1), (4, 1, 'assistant', 1, 1),
          (5, 2, 'prompter', 2, 2), (6, 3, 'prompter', 2, 2), (7, 4, 'prompter', 2, 1),
          (8, 5, 'assistant', 3, 0), (9, 5, 'assistant', 3, 0), (10, 6, 'assistant', 3, 0), (11, 6, 'assistant', 3, 0),
            (12, 7, 'assistant', 3, 0))
          as place (number, parent, role, depth, children)
        """;

    /// <summary>People, and the functions by which a tree's number gives its ids.</summary>
    internal const string Beginning = """
        create schema bench;
        create function bench.id(kind text, tree bigint, place bigint) returns uuid language sql immutable as $f$
          select (lpad(to_hex(1700000000000 + tree * 20000 + place * 100), 12, '0') || '7' || kind || lpad(to_hex(place), 2, '0') || '8' || lpad(to_hex(tree), 15, '0'))::uuid
        $f$;
        create table bench.clock as select now() - interval '25 days' as start;
        create function bench.at(tree bigint, place bigint) returns timestamptz language sql stable as $f$
          select start + tree * 7919 % 2160000 * interval '1 second' + place * interval '0.1 second' from bench.clock
        $f$;
        create table bench.people as select gen_random_uuid() as id, number from generate_series(0, 1999) as number;
        create unique index on bench.people (number) include (id);
        insert into feedback.user (id, username, auth_method, display_name, api_client_id)
          select people.id, 'bench-' || number, 'local', 'bench-' || number, client.id from bench.people, feedback.api_client client;
        create table bench.texts as
          select number, text, to_tsvector(feedback.words('en'), text) as words from (
            select number, 'Text number ' || number || '. ' || repeat('The harbour master writes down what the tide brings: seven ships wait for the flood. ', 2 + number % 5) as text
            from generate_series(0, 96) as number) t;
        create unique index on bench.texts (number);
        vacuum analyze bench.people, bench.texts, feedback.user;

        """;

    /// <summary>
    /// Finished trees, from the one after <paramref name="after"/> to <paramref name="last"/>. Indexes are made again behind the rows.
    /// </summary>
    internal static string Finished(int after, int last) => string.Create(CultureInfo.InvariantCulture, $"""
        set synchronous_commit = off; set session_replication_role = replica; set work_mem = '128MB'; set maintenance_work_mem = '512MB';
        create temp table later as
          select pg_get_indexdef(indexrelid) as made, indexrelid::regclass::text as name
          from pg_index join pg_class on pg_class.oid = indrelid join pg_namespace on pg_namespace.oid = relnamespace
          where nspname = 'feedback' and relname in ('message', 'task', 'text_labels', 'message_reaction', 'journal', 'message_tree_state')
            and not exists (select from pg_constraint where conindid = indexrelid);
        do $do$ declare name text; begin for name in select l.name from later l loop execute 'drop index ' || name; end loop; end $do$;
        create temp table made as
          select tree, place.*, bench.id('1', tree, number) as id, bench.id('1', tree, parent) as parent_id, bench.id('1', tree, 1) as root,
            bench.at(tree, number) as at, client.id as client,
            (select id from bench.people where people.number = (tree * 7 + place.number * 31) % {Users}) as author
          from generate_series({after + 1}, {last}) as tree, {Places}, (select id from feedback.api_client limit 1) as client;
        create index on made (tree, parent);
        analyze made;
        insert into feedback.message (id, parent_id, message_tree_id, task_id, user_id, role, api_client_id, frontend_message_id, created_date, text, lang,
            depth, children_count, review_count, review_result, ranking_count, rank, search_vector)
          select made.id, parent_id, root, bench.id('2', tree, made.number), author, role, client, made.id::text, at, text, 'en', depth, children, 3, true,
            case when role = 'assistant' and made.number < 12 then 3 else 0 end,
            case when role = 'assistant' and made.number < 12 then case when depth = 1 then made.number - 2 else made.number % 2 end end, words
          from made join bench.texts on texts.number = (tree * 13 + made.number) % 97;
        insert into feedback.message_tree_state (message_tree_id, goal_tree_size, max_depth, max_children_count, state, active, lang, won_prompt_lottery_date)
          select id, 12, 3, 3, 'ready_for_export', false, 'en', at from made where number = 1;
        insert into feedback.task (id, created_date, expiry_date, user_id, type, api_client_id, ack, done, frontend_message_id, message_tree_id, parent_message_id)
          select bench.id('2', tree, number), at, at + interval '2 days', author,
            case when parent is null then 'initial_prompt' when role = 'assistant' then 'assistant_reply' else 'prompter_reply' end,
            client, true, true, 'w' || id, case when parent is not null then root end, parent_id
          from made;
        insert into feedback.task (id, created_date, expiry_date, user_id, type, mode, valid_labels, mandatory_labels, api_client_id, ack, done,
            frontend_message_id, message_tree_id, parent_message_id)
          select bench.id('3', tree, number * 16 + review), at, at + interval '2 days', reviewer.id,
            case when parent is null then 'label_initial_prompt' when role = 'assistant' then 'label_assistant_reply' else 'label_prompter_reply' end,
            'full', array['spam', 'lang_mismatch', 'quality'], array['spam'], client, true, true, 'l' || review || made.id, root, made.id
          from made, generate_series(1, 3) as review,
            lateral (select id from bench.people where people.number = (tree * 7 + made.number * 31 + review) % {Users}) as reviewer;
        insert into feedback.text_labels (id, user_id, created_date, api_client_id, text, message_id, labels, task_id)
          select id, user_id, created_date, api_client_id, '', parent_message_id, jsonb_build_object('spam', 0, 'lang_mismatch', 0, 'quality', 0.75), id
          from feedback.task where mode is not null and {Own(after, last)};
        insert into feedback.task (id, created_date, expiry_date, user_id, type, ranked_ids, api_client_id, ack, done, frontend_message_id, message_tree_id,
            parent_message_id)
          select bench.id('4', tree, number * 16 + vote), at, at + interval '2 days', voter.id, 'rank_assistant_replies',
            array(select child.id from made child where child.tree = made.tree and child.parent = made.number order by child.number), client, true, true,
            'r' || vote || made.id, root, made.id
          from made, generate_series(1, 3) as vote,
            lateral (select id from bench.people where people.number = (tree * 11 + made.number * 17 + vote) % {Users}) as voter
          where number in (1, 5, 6);
        insert into feedback.message_reaction (task_id, user_id, created_date, api_client_id, kind, message_id, message_tree_id, ranking_parent_id, ranking, ranked_ids)
          select id, user_id, created_date, api_client_id, 'ranking', parent_message_id, message_tree_id, parent_message_id,
            array(select generate_series(0, cardinality(ranked_ids) - 1)), ranked_ids
          from feedback.task where ranked_ids is not null and {Own(after, last)};
        insert into feedback.task_shown (api_client_id, frontend_message_id, task_id)
          select api_client_id, frontend_message_id, id from feedback.task where {Own(after, last)};
        insert into feedback.journal (id, created_date, user_id, message_id, message_tree_id, api_client_id, event_type, event_payload)
          select bench.id('5', tree, number), at, author, id, root, client, 'text_reply_to_message',
            jsonb_build_object('type', 'text_reply_to_message', 'task_id', bench.id('2', tree, number), 'length', 180) from made
          union all
          select gen_random_uuid(), created_date, user_id, parent_message_id, message_tree_id, api_client_id,
            case when ranked_ids is null then 'text_labels' else 'message_ranking' end, jsonb_build_object('task_id', id)
          from feedback.task where (mode is not null or ranked_ids is not null) and {Own(after, last)};
        do $do$ declare made text; begin for made in select l.made from later l loop execute made; end loop; end $do$;
        vacuum analyze feedback.message; vacuum analyze feedback.task; vacuum analyze feedback.task_shown; vacuum analyze feedback.text_labels; vacuum analyze feedback.message_reaction;
        vacuum analyze feedback.journal; vacuum analyze feedback.message_tree_state;
        checkpoint;

        """);

    // Ids grow with the number of the tree.
    private static string Own(int after, int last) =>
        string.Create(CultureInfo.InvariantCulture, $"id >= bench.id('0', {after + 1}, 0) and id < bench.id('0', {last + 1}, 0)");

    /// <summary>
    /// Trees that are worked on: those that grow have an accepted answer and one under review, those that are ranked have three; prompts
    /// are under review. What each offers is written beside it, as the product would.
    /// </summary>
    internal static string Active(int growing, int ranking, int prompts) => string.Create(CultureInfo.InvariantCulture, $"""
        set session_replication_role = replica;
        create temp table active as
          select tree, place.number, case when place.number = 1 then null else 1 end as parent, bench.id('1', tree, place.number) as id, state,
            bench.id('1', tree, 1) as root, now() - interval '1 hour' + tree % 1000 * interval '1 second' + place.number * interval '1 ms' as at,
            (select id from bench.people where people.number = (tree * 7 + place.number * 31) % {Users}) as author,
            state <> 'initial_prompt_review' and (state = 'ranking' or place.number < 3) as accepted
          from generate_series(10000000, 10000000 + {growing + ranking + prompts} - 1) as tree,
            lateral (select case when tree - 10000000 < {growing} then 'growing' when tree - 10000000 < {growing + ranking} then 'ranking'
              else 'initial_prompt_review' end as state) s,
            lateral generate_series(1, case state when 'growing' then 3 when 'ranking' then 4 else 1 end) as place (number);
        insert into feedback.message (id, parent_id, message_tree_id, user_id, role, api_client_id, frontend_message_id, created_date, text, lang, depth,
            children_count, review_count, review_result, search_vector)
          select active.id, case when parent is not null then root end, root, author, case when parent is null then 'prompter' else 'assistant' end, client.id,
            active.id::text, at, text, 'en', case when parent is null then 0 else 1 end,
            case when parent is not null then 0 when state = 'growing' then 2 when state = 'ranking' then 3 else 0 end,
            case when accepted then 3 else 1 end, case when accepted then true end, words
          from active join bench.texts on texts.number = tree % 97, (select id from feedback.api_client limit 1) as client;
        insert into feedback.message_tree_state (message_tree_id, goal_tree_size, max_depth, max_children_count, state, active, lang, won_prompt_lottery_date)
          select id, case state when 'ranking' then 4 else 12 end, 3, 3, state, true, 'en', case when accepted then at end from active where number = 1;
        insert into feedback.offer (message_id, work, type, message_tree_id, lang, author_id, wanted, lonely)
          select id, work, type, root, 'en', author, wanted, false from active, lateral (values
            ('reply', 'assistant_reply', 1, state = 'growing' and number = 1), ('reply', 'prompter_reply', 1, state = 'growing' and number = 2),
            ('label_reply', 'label_assistant_reply', 2, state = 'growing' and number = 3),
            ('ranking', 'rank_assistant_replies', 3, state = 'ranking' and number = 1),
            ('label_prompt', 'label_initial_prompt', 2, state = 'initial_prompt_review')) as offer (work, type, wanted, made) where made;
        analyze feedback.offer; analyze feedback.message; analyze feedback.message_tree_state;

        """);

    /// <summary>
    /// A contribution in one statement, durable, in tables of its own that have all the indexes of the real ones: what no loop can be
    /// below.
    /// </summary>
    internal const string Floor = """
        with written as (
          insert into bench.message (id,
            parent_id, message_tree_id, user_id, role, api_client_id, frontend_message_id, created_date, text, lang, depth)
          select id,
            id, id, id, 'assistant', id, id::text, now(), repeat('The harbour master writes down what the tide brings. ', 4), 'en', 1
          from gen_random_uuid() as id returning *)
        insert into bench.journal (id, created_date, user_id, message_id, message_tree_id, api_client_id, event_type, event_payload)
        select id, created_date, user_id, id, message_tree_id, api_client_id, 'text_reply_to_message', '{"type":"text_reply_to_message"}' from written;
        """;

    internal const string FloorTables = """
        drop table if exists bench.message, bench.journal;
        create table bench.message (like feedback.message including defaults including indexes);
        create table bench.journal (like feedback.journal including defaults including indexes);

        """;
}
