-- Hands a task out in one statement: the user, who is locked, the tasks that he has open, an offer taken by one of the wishes, and the row of the
-- task. Answers how it ended (the names of HandOutEnd) and, where something was handed out, its type, tree and message.
--
-- The wishes are gone through in turn, each along the index from a random place on and round to it again. What others hold or are just taking is
-- passed by, and what this user has done, has written or does not want; the row that is taken notes until when it is his. What he holds and has not
-- even shown yet he may be given again; what he works on, not. It is a function since most wishes find nothing, and planned once: planning would
-- else take longer than the search. What it costs is mostly to begin statements, so each kind of work has one with just what it asks.
create function feedback.hand_out(
  task uuid, client uuid, name text, method text, shown text, language text, works text[], types text[], only_lonely boolean[],
  start double precision, moment timestamptz, hold_seconds integer, most_pending integer, expiry timestamptz, is_collective boolean,
  needs_terms boolean, labels_own boolean, ranks_own boolean, repeats boolean,
  label_types text[], label_modes text[], valid text[], mandatory text[])
returns text[]
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  epoch bigint := floor(extract(epoch from moment));
  hold_until bigint := epoch + hold_seconds;
  taker uuid;
  taker_key text;
  known_as text;
  is_deleted boolean;
  is_enabled boolean;
  lacks_terms boolean;
  pending integer;
  wish_work text;
  wish_type text;
  least double precision;
  most double precision;
  chosen_type text;
  chosen_tree uuid;
  chosen uuid;
  terms integer;
  ranked uuid[];
begin
  select u.id, u.id::text, u.display_name, u.deleted, u.enabled, u.tos_acceptance_date is null
    into taker, taker_key, known_as, is_deleted, is_enabled, lacks_terms
  from feedback.user u where u.api_client_id = client and u.username = name and u.auth_method = method for no key update;
  if taker is null or (shown <> '' and shown <> known_as and not is_deleted) then
    return array['unnamed'];
  elsif is_deleted or not is_enabled then
    return array['barred'];
  elsif needs_terms and lacks_terms then
    return array['without_terms'];
  end if;
  -- The offset keeps the planner from an index of all that is not done.
  select count(*) into pending from (
    select t.done, t.skipped from feedback.task t
    where t.user_id = taker and t.created_date > moment - hold_seconds * interval '1 second' offset 0) recent
  where not recent.done and not recent.skipped;
  if pending >= most_pending then
    return array['busy'];
  end if;
  if works = '{prompt}' then
    chosen_type := 'initial_prompt';
  else
    <<search>>
    for wish in 1 .. coalesce(cardinality(works), 0) loop
      wish_work := works[wish];
      wish_type := types[wish];
      -- Of some works there is often nothing at all, and the search below costs more to begin than to look for that.
      if only_lonely[wish] then
        continue when not exists (
          select from feedback.offer c where c.lang = language and c.lonely and (wish_type is null or c.type = wish_type));
      else
        continue when not exists (
          select from feedback.offer c where c.lang = language and c.work = wish_work and (wish_type is null or c.type = wish_type));
      end if;
      for turn in 0 .. 1 loop
        least := case turn when 0 then start else 0 end;
        most := case turn when 0 then 1 else start end;
        -- The search is a value, not a table to be joined, as it may be made once only. An offset keeps the planner from turning the look-ups by
        -- index into joins over all messages.
        if only_lonely[wish] then
          -- Few are lonely among many, so they have an index of their own.
          update feedback.offer o set place = random(), held = case when o.held = '{}' then jsonb_build_object(taker, hold_until)
            else feedback.hold(o.held, taker_key, hold_until, epoch) end
          where o.work = 'reply' and o.message_id = (
            select c.message_id from feedback.offer c
            where c.lang = language and c.lonely and c.place >= least and c.place < most and (wish_type is null or c.type = wish_type)
              and (c.held = '{}' or (
                not exists (select from jsonb_each_text(c.held) h where h.value::bigint > epoch offset 0)
                and not (c.held ? taker_key and exists (
                  select from feedback.task t
                  where t.parent_message_id = c.message_id and t.user_id = taker and t.ack and not t.done and not t.skipped offset 0))))
              and not exists (
                select from feedback.message_emoji e where e.message_id = c.message_id and e.user_id = taker and e.emoji = '_skip_reply' offset 0)
              and (repeats or not exists (
                select from feedback.message child where child.parent_id = c.message_id and child.user_id = taker and not child.deleted offset 0))
            order by c.place limit 1 for update of c skip locked)
          returning o.type, o.message_tree_id, o.message_id into chosen_type, chosen_tree, chosen;
        elsif wish_work = 'reply' then
          update feedback.offer o set place = random(), held = case when o.held = '{}' then jsonb_build_object(taker, hold_until)
            else feedback.hold(o.held, taker_key, hold_until, epoch) end
          where o.work = 'reply' and o.message_id = (
            select c.message_id from feedback.offer c
            where c.lang = language and c.work = 'reply' and c.place >= least and c.place < most and (wish_type is null or c.type = wish_type)
              and (c.held = '{}' or (
                not exists (select from jsonb_each_text(c.held) h where h.value::bigint > epoch offset 0)
                and not (c.held ? taker_key and exists (
                  select from feedback.task t
                  where t.parent_message_id = c.message_id and t.user_id = taker and t.ack and not t.done and not t.skipped offset 0))))
              and not exists (
                select from feedback.message_emoji e where e.message_id = c.message_id and e.user_id = taker and e.emoji = '_skip_reply' offset 0)
              and (repeats or not exists (
                select from feedback.message child where child.parent_id = c.message_id and child.user_id = taker and not child.deleted offset 0))
            order by c.place limit 1 for update of c skip locked)
          returning o.type, o.message_tree_id, o.message_id into chosen_type, chosen_tree, chosen;
        elsif wish_work = 'ranking' then
          update feedback.offer o set place = random(), held = case when o.held = '{}' then jsonb_build_object(taker, hold_until)
            else feedback.hold(o.held, taker_key, hold_until, epoch) end
          where o.work = 'ranking' and o.message_id = (
            select c.message_id from feedback.offer c
            where c.lang = language and c.work = 'ranking' and c.place >= least and c.place < most and (wish_type is null or c.type = wish_type)
              and (c.held = '{}' or (
                (select count(*) from jsonb_each_text(c.held) h where h.value::bigint > epoch and h.key <> taker_key) < c.wanted
                and not (c.held ? taker_key and exists (
                  select from feedback.task t
                  where t.parent_message_id = c.message_id and t.user_id = taker and t.ack and not t.done and not t.skipped offset 0))))
              and not exists (
                select from feedback.message_emoji e where e.message_id = c.message_id and e.user_id = taker and e.emoji = '_skip_ranking' offset 0)
              and (ranks_own or not exists (
                select from feedback.message child where child.parent_id = c.message_id and child.user_id = taker and not child.deleted offset 0))
              and (repeats or not exists (
                select from feedback.message_reaction r where r.ranking_parent_id = c.message_id and r.user_id = taker offset 0))
            order by c.place limit 1 for update of c skip locked)
          returning o.type, o.message_tree_id, o.message_id into chosen_type, chosen_tree, chosen;
        else
          update feedback.offer o set place = random(), held = case when o.held = '{}' then jsonb_build_object(taker, hold_until)
            else feedback.hold(o.held, taker_key, hold_until, epoch) end
          where o.work = wish_work and o.message_id = (
            select c.message_id from feedback.offer c
            where c.lang = language and c.work = wish_work and c.place >= least and c.place < most and (wish_type is null or c.type = wish_type)
              and (labels_own or c.author_id is distinct from taker)
              and (c.held = '{}' or (
                (select count(*) from jsonb_each_text(c.held) h where h.value::bigint > epoch and h.key <> taker_key) < c.wanted
                and not (c.held ? taker_key and exists (
                  select from feedback.task t
                  where t.parent_message_id = c.message_id and t.user_id = taker and t.ack and not t.done and not t.skipped offset 0))))
              and not exists (
                select from feedback.message_emoji e where e.message_id = c.message_id and e.user_id = taker and e.emoji = '_skip_labeling' offset 0)
              and (repeats or not exists (
                select from feedback.text_labels l where l.message_id = c.message_id and l.user_id = taker and l.task_id is not null offset 0))
            order by c.place limit 1 for update of c skip locked)
          returning o.type, o.message_tree_id, o.message_id into chosen_type, chosen_tree, chosen;
        end if;
        exit search when chosen is not null;
      end loop;
    end loop;
    if chosen is null then
      return array['nothing'];
    end if;
  end if;
  terms := array_position(label_types, chosen_type);
  if chosen_type in ('rank_assistant_replies', 'rank_prompter_replies') then
    select coalesce(array_agg(m.id order by random()), '{}') into ranked from feedback.message m
    where m.parent_id = chosen and m.review_result and not m.deleted
      and m.role = case chosen_type when 'rank_assistant_replies' then 'assistant' else 'prompter' end;
  end if;
  insert into feedback.task (id, created_date, expiry_date, user_id, type, mode, valid_labels, mandatory_labels, ranked_ids,
    api_client_id, message_tree_id, parent_message_id, collective)
  values (task, moment, expiry, taker, chosen_type, label_modes[terms], string_to_array(valid[terms], ','), string_to_array(mandatory[terms], ','), ranked,
    client, chosen_tree, chosen, is_collective);
  return array['picked', chosen_type, chosen_tree::text, chosen::text];
end
$$;

-- One more who holds an offer, beside those whose time is not over.
create function feedback.hold(held jsonb, taker text, hold_until bigint, epoch bigint) returns jsonb language sql immutable parallel safe as $$
  select jsonb_build_object(taker, hold_until) || coalesce(jsonb_object_agg(h.key, h.value), '{}')
  from jsonb_each(held) h where h.value::bigint > epoch and h.key <> taker
$$;

-- Clients are never taken away. To be sure of that at each row that comes in costs a lock on the one row that all of them share.
alter table feedback.task drop constraint task_api_client_id_fkey;
alter table feedback.message drop constraint message_api_client_id_fkey;
alter table feedback.text_labels drop constraint text_labels_api_client_id_fkey;
alter table feedback.message_reaction drop constraint message_reaction_api_client_id_fkey;

-- Whoever is handed a task or answers one is locked by the same transaction, and merging, which takes users away, locks them first.
alter table feedback.task drop constraint task_user_id_fkey;
alter table feedback.text_labels drop constraint text_labels_user_id_fkey;
alter table feedback.message_reaction drop constraint message_reaction_user_id_fkey;

-- Each row of a task is written three times, and each time in all of its indexes. These two ask for nothing that the others do not find.
drop index feedback.task_pending;
drop index feedback.task_by_tree;
-- A tree's offers are found by its messages. Each offer is written when it is taken, and each time in all of its indexes.
drop index feedback.offer_by_tree;
-- Three rows for each piece of work: what concerns a message is found by its tree.
drop index feedback.journal_by_message;
-- Nothing looks for labels by their task.
drop index feedback.text_labels_by_task;

-- The labels that a board shows, to be read in one piece.
create type feedback.label_values as (
  quality float8, humor float8, toxicity float8, violence float8, helpfulness float8, spam float8, lang_mismatch float8, not_appropriate float8,
  pii float8, hate_speech float8, sexual_content float8, political_content float8);

-- Whoever answers is written each time, which is cheap as long as no index has to follow: a day changes once a day.
alter table feedback.user add column last_active_day date;
update feedback.user set last_active_day = (last_activity_date at time zone 'UTC')::date where last_activity_date is not null;
drop index feedback.user_by_streak;
create index user_by_streak on feedback.user (last_active_day) where streak_last_day_date is not null;

-- The cast looks into the catalog, so it is not immutable; said to be, the function was not inlined and planned at each call.
create or replace function feedback.words(lang text) returns regconfig language sql stable parallel safe as $$
  select (case lang
    when 'ar' then 'arabic' when 'hy' then 'armenian' when 'eu' then 'basque' when 'ca' then 'catalan' when 'da' then 'danish'
    when 'nl' then 'dutch' when 'en' then 'english' when 'fi' then 'finnish' when 'fr' then 'french' when 'de' then 'german'
    when 'el' then 'greek' when 'ga' then 'irish' when 'hi' then 'hindi' when 'hu' then 'hungarian' when 'id' then 'indonesian'
    when 'it' then 'italian' when 'lt' then 'lithuanian' when 'ne' then 'nepali' when 'no' then 'norwegian' when 'pt' then 'portuguese'
    when 'ro' then 'romanian' when 'ru' then 'russian' when 'sr' then 'serbian' when 'ta' then 'tamil' when 'es' then 'spanish'
    when 'sv' then 'swedish' when 'tr' then 'turkish' when 'yi' then 'yiddish' else 'simple' end)::regconfig
$$;
