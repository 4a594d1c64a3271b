-- Takes an offer for a user: goes through the wishes in turn, for each along the index from a random place on and round to it again, passes
-- by what others hold or are just taking and what this user has done, has written or does not want, and notes on the row until when it is
-- his. What he holds and has not even shown yet he may be given again; what he works on, not. It is a function since most wishes find
-- nothing, and planned once: planning would else take longer than the search.
create function feedback.take_offer(
  taker uuid, language text, works text[], types text[], only_lonely boolean[], start double precision, moment bigint, hold_until bigint,
  labels_own boolean, ranks_own boolean, repeats boolean)
returns table (type text, message_tree_id uuid, message_id uuid)
language plpgsql rows 1
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  wish_work text;
  wish_type text;
  marker text;
  least double precision;
  most double precision;
  chosen uuid;
begin
  for wish in 1 .. coalesce(cardinality(works), 0) loop
    wish_work := works[wish];
    wish_type := types[wish];
    marker := case wish_work when 'reply' then '_skip_reply' when 'ranking' then '_skip_ranking' else '_skip_labeling' end;
    for turn in 0 .. 1 loop
      least := case turn when 0 then start else 0 end;
      most := case turn when 0 then 1 else start end;
      if only_lonely[wish] then
        -- Few are lonely among many, so they have an index of their own.
        select c.message_id into chosen from feedback.offer c
        where c.lang = language and c.lonely and c.place >= least and c.place < most and (wish_type is null or c.type = wish_type)
          and (c.held = '{}' or (
            not exists (select from jsonb_each_text(c.held) h where h.value::bigint > moment offset 0)
            and not (c.held ? taker::text and exists (
              select from feedback.task t where t.parent_message_id = c.message_id and t.user_id = taker and t.ack and not t.done and not t.skipped offset 0))))
          and not exists (select from feedback.message_emoji e where e.message_id = c.message_id and e.user_id = taker and e.emoji = marker offset 0)
          and (repeats or not exists (
            select from feedback.message child where child.parent_id = c.message_id and child.user_id = taker and not child.deleted offset 0))
        order by c.place limit 1 for update of c skip locked;
      else
        -- An offset keeps the planner from turning these look-ups by index into joins over all messages.
        select c.message_id into chosen from feedback.offer c
        where c.lang = language and c.work = wish_work and c.place >= least and c.place < most and (wish_type is null or c.type = wish_type)
          and (c.held = '{}' or (
            (select count(*) from jsonb_each_text(c.held) h
             where h.value::bigint > moment and (wish_work = 'reply' or h.key <> taker::text)) < c.wanted
            and not (c.held ? taker::text and exists (
              select from feedback.task t where t.parent_message_id = c.message_id and t.user_id = taker and t.ack and not t.done and not t.skipped offset 0))))
          and not exists (select from feedback.message_emoji e where e.message_id = c.message_id and e.user_id = taker and e.emoji = marker offset 0)
          and case wish_work
            when 'reply' then repeats or not exists (
              select from feedback.message child where child.parent_id = c.message_id and child.user_id = taker and not child.deleted offset 0)
            when 'ranking' then
              (ranks_own or not exists (
                select from feedback.message child where child.parent_id = c.message_id and child.user_id = taker and not child.deleted offset 0))
              and (repeats or not exists (
                select from feedback.message_reaction r where r.ranking_parent_id = c.message_id and r.user_id = taker offset 0))
            else
              (labels_own or c.author_id is distinct from taker)
              and (repeats or not exists (
                select from feedback.text_labels l where l.message_id = c.message_id and l.user_id = taker and l.task_id is not null offset 0))
            end
        order by c.place limit 1 for update of c skip locked;
      end if;
      if found then
        return query
        update feedback.offer o set place = random(), held = jsonb_build_object(taker, hold_until) || coalesce(
          (select jsonb_object_agg(h.key, h.value) from jsonb_each(o.held) h where h.value::bigint > moment and h.key <> taker::text), '{}')
        where o.message_id = chosen and o.work = wish_work
        returning o.type, o.message_tree_id, o.message_id;
        return;
      end if;
    end loop;
  end loop;
end
$$;

-- Clients are never taken away. To be sure of that at each row that comes in costs a lock on the one row that all of them share.
alter table feedback.task drop constraint task_api_client_id_fkey;
alter table feedback.message drop constraint message_api_client_id_fkey;
alter table feedback.text_labels drop constraint text_labels_api_client_id_fkey;
alter table feedback.message_reaction drop constraint message_reaction_api_client_id_fkey;

-- Each row of a task is written three times, and each time in all of its indexes. These two ask for nothing that the others do not find.
drop index feedback.task_pending;
drop index feedback.task_by_tree;

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
