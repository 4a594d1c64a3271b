-- A task is handed out in one statement: the user, who is locked, the tasks that he has open, an offer taken by one of the wishes, and the row of
-- the task. No row: there is no such user. A type of null: nothing was handed out, because the user may not take part, is to be given the
-- name shown, has too many tasks open, or since no wish found anything; who asks sees which from the user and the count.
create function feedback.hand_out(
  task uuid, client uuid, name text, method text, shown text, language text, works text[], types text[], only_lonely boolean[],
  start double precision, moment timestamptz, hold_seconds integer, most_pending integer, expiry timestamptz, is_collective boolean,
  needs_terms boolean, labels_own boolean, ranks_own boolean, repeats boolean,
  label_types text[], label_modes text[], valid text[], mandatory text[])
returns table (known feedback.user, pending integer, type text, message_tree_id uuid, message_id uuid)
language plpgsql rows 1
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  epoch bigint := floor(extract(epoch from moment));
  terms integer;
  ranked uuid[];
begin
  select u.* into known from feedback.user u where u.api_client_id = client and u.username = name and u.auth_method = method for no key update;
  if not found then
    return;
  end if;
  if known.deleted or not known.enabled or (needs_terms and known.tos_acceptance_date is null) or (shown <> '' and shown <> known.display_name) then
    return next;
    return;
  end if;
  -- The offset keeps the planner from an index of all that is not done.
  select count(*) into pending from (
    select t.done, t.skipped from feedback.task t
    where t.user_id = known.id and t.created_date > moment - hold_seconds * interval '1 second' offset 0) recent
  where not recent.done and not recent.skipped;
  if pending >= most_pending then
    return next;
    return;
  end if;
  if works = '{prompt}' then
    type := 'initial_prompt';
  else
    select o.type, o.message_tree_id, o.message_id into type, message_tree_id, message_id
    from feedback.take_offer(
      known.id, language, works, types, only_lonely, start, epoch, epoch + hold_seconds, labels_own, ranks_own, repeats) o;
    if not found then
      return next;
      return;
    end if;
  end if;
  terms := array_position(label_types, type);
  if type in ('rank_assistant_replies', 'rank_prompter_replies') then
    select coalesce(array_agg(m.id order by random()), '{}') into ranked from feedback.message m
    where m.parent_id = message_id and m.review_result and not m.deleted
      and m.role = case type when 'rank_assistant_replies' then 'assistant' else 'prompter' end;
  end if;
  insert into feedback.task (id, created_date, expiry_date, user_id, type, mode, valid_labels, mandatory_labels, ranked_ids,
    api_client_id, message_tree_id, parent_message_id, collective)
  values (task, moment, expiry, known.id, type, label_modes[terms], string_to_array(valid[terms], ','), string_to_array(mandatory[terms], ','), ranked,
    client, message_tree_id, message_id, is_collective);
  return next;
end
$$;

-- Whoever answers is written each time, which is cheap as long as no index has to follow: a day changes once a day.
alter table feedback.user add column last_active_day date generated always as ((last_activity_date at time zone 'UTC')::date) stored;
drop index feedback.user_by_streak;
create index user_by_streak on feedback.user (last_active_day) where streak_last_day_date is not null;

-- What an answer is judged by, all of it locked in one order: the user, the task, which is named by its id or by the one it was acknowledged
-- with, and its tree. What is not there is null.
create function feedback.begin_answer(client uuid, name text, method text, given uuid, acknowledged text, said text, since timestamptz)
returns table (
  known feedback.user, task feedback.task, tree feedback.message_tree_state, repeated boolean,
  reviews integer, spam double precision, lang_mismatch double precision, reviewers uuid[])
language plpgsql rows 1
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  select u.* into known from feedback.user u where u.api_client_id = client and u.username = name and u.auth_method = method for no key update;
  if given is not null then
    select t.* into task from feedback.task t where t.api_client_id = client and t.id = given for update;
  else
    select t.* into task from feedback.task t where t.api_client_id = client and t.frontend_message_id = acknowledged for update;
  end if;
  select s.* into tree from feedback.message_tree_state s where s.message_tree_id = task.message_tree_id for update;
  -- Only now: what others have just done to the tree counts.
  if given is not null then
    select count(*), coalesce(sum((l.labels ->> 'spam')::float8), 0), coalesce(sum((l.labels ->> 'lang_mismatch')::float8), 0),
        coalesce(array_agg(l.user_id), '{}')
      into reviews, spam, lang_mismatch, reviewers
    from feedback.text_labels l where l.message_id = task.parent_message_id and l.task_id is not null;
  end if;
  repeated := said is not null and exists (
    select from feedback.message m where m.user_id = known.id and m.created_date > since and m.text = said);
  return next;
end
$$;

-- A tree's offers are found by its messages. Each offer is written when it is taken, and each time in all of its indexes.
drop index feedback.offer_by_tree;

create or replace function feedback.take_offer(
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
    -- Of some works there is often nothing at all, and the search below costs more to begin than to look for that.
    continue when not exists (
      select from feedback.offer c where c.lang = language and c.work = wish_work and (wish_type is null or c.type = wish_type)
        and (c.lonely or not only_lonely[wish]));
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
