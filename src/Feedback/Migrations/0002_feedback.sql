-- Message trees, the tasks that make them grow, and what people say about messages.

create table feedback.user (
  id uuid primary key,
  username varchar(128) not null,
  auth_method varchar(128) not null default 'local',
  display_name varchar(256) not null,
  created_date timestamptz not null default now(),
  api_client_id uuid not null references feedback.api_client (id),
  enabled boolean not null default true,
  notes varchar(1024) not null default '',
  deleted boolean not null default false,
  show_on_leaderboard boolean not null default true,
  streak_last_day_date timestamptz default now(),
  streak_days integer,
  last_activity_date timestamptz,
  tos_acceptance_date timestamptz,
  unique (api_client_id, username, auth_method)
) with (fillfactor = 80);
create unique index user_by_display_name on feedback.user (display_name, id);
create index user_by_username on feedback.user (username, id);
create index user_by_streak on feedback.user (last_activity_date) where streak_last_day_date is not null;

-- A sign-in at a provider, linked to a user.
create table feedback.account (
  id uuid primary key,
  user_id uuid not null references feedback.user (id) on delete cascade,
  provider varchar(128) not null,
  provider_account_id varchar(128) not null,
  unique (provider, provider_account_id)
);
create index account_by_user on feedback.account (user_id);

create table feedback.message (
  id uuid primary key,
  parent_id uuid references feedback.message (id),
  message_tree_id uuid not null,
  task_id uuid,
  user_id uuid references feedback.user (id),
  role text not null check (role in ('prompter', 'assistant')),
  api_client_id uuid not null references feedback.api_client (id),
  frontend_message_id varchar(200) not null,
  created_date timestamptz not null default now(),
  text text not null,
  lang varchar(32) not null default 'en',
  depth integer not null default 0,
  -- Undeleted children, whatever their review says.
  children_count integer not null default 0,
  deleted boolean not null default false,
  search_vector tsvector,
  review_count integer not null default 0,
  review_result boolean,
  ranking_count integer not null default 0,
  rank integer,
  synthetic boolean not null default false,
  edited boolean not null default false,
  model_name varchar(1024),
  emojis jsonb,
  unique (api_client_id, frontend_message_id),
  check ((parent_id is null) = (message_tree_id = id)),
  check ((parent_id is null) = (depth = 0))
) with (fillfactor = 85);
create index message_by_parent on feedback.message (parent_id, user_id) where parent_id is not null;
create index message_by_tree on feedback.message (message_tree_id, created_date, id);
create index message_by_task on feedback.message (task_id) where task_id is not null;
create index message_by_user on feedback.message (user_id, created_date, id);
create index message_by_date on feedback.message (created_date, id);
create index message_by_client on feedback.message (api_client_id, created_date, id);
create index message_by_lang on feedback.message (lang, created_date, id);
create index message_roots on feedback.message (created_date, id) where parent_id is null;
create index message_by_words on feedback.message using gin (search_vector) with (fastupdate = on);

create table feedback.message_tree_state (
  message_tree_id uuid primary key references feedback.message (id),
  goal_tree_size integer not null,
  max_depth integer not null,
  max_children_count integer not null,
  state text not null check (state in (
    'initial_prompt_review', 'growing', 'ranking', 'ready_for_scoring', 'ready_for_export', 'scoring_failed', 'aborted_low_grade',
    'halted_by_moderator', 'backlog_ranking', 'prompt_lottery_waiting')),
  active boolean not null,
  origin varchar(1024),
  won_prompt_lottery_date timestamptz,
  lang varchar(32) not null default 'en'
) with (fillfactor = 80);
create index tree_by_state on feedback.message_tree_state (state, lang);
create index tree_active on feedback.message_tree_state (lang, state) where active;

create table feedback.task (
  id uuid primary key,
  created_date timestamptz not null default now(),
  expiry_date timestamptz,
  user_id uuid references feedback.user (id),
  -- As on the wire: assistant_reply, label_initial_prompt, …
  type text not null,
  -- Of a label task: simple or full, and the labels it takes. Of a ranking task: the replies in the order in which they were shown.
  mode text check (mode in ('simple', 'full')),
  valid_labels text[],
  mandatory_labels text[],
  ranked_ids uuid[],
  api_client_id uuid not null references feedback.api_client (id),
  ack boolean,
  done boolean not null default false,
  skipped boolean not null default false,
  skip_reason varchar(512),
  frontend_message_id varchar(200),
  message_tree_id uuid,
  -- The message to be answered or labelled, or whose replies are to be ranked.
  parent_message_id uuid,
  collective boolean not null default false
) with (fillfactor = 80);
-- Of all tasks of a client one at most has been acknowledged with this id.
create unique index task_by_frontend_message on feedback.task (api_client_id, frontend_message_id) where frontend_message_id is not null;
create index task_by_user on feedback.task (user_id, created_date);
create index task_pending on feedback.task (user_id, created_date) where not done and not skipped;
create index task_by_message on feedback.task (parent_message_id) where parent_message_id is not null;
create index task_by_tree on feedback.task (message_tree_id) where message_tree_id is not null;
create index task_by_date on feedback.task (created_date);
create index task_by_expiry on feedback.task (expiry_date) where not done;

-- A ranking or a rating, given in answer to a task.
create table feedback.message_reaction (
  task_id uuid not null references feedback.task (id),
  user_id uuid not null references feedback.user (id),
  created_date timestamptz not null default now(),
  api_client_id uuid not null references feedback.api_client (id),
  kind text not null check (kind in ('ranking', 'rating')),
  message_id uuid,
  message_tree_id uuid,
  ranking_parent_id uuid,
  ranking integer[],
  ranked_ids uuid[],
  not_rankable boolean,
  rating integer,
  primary key (task_id, user_id)
);
create index message_reaction_by_parent on feedback.message_reaction (ranking_parent_id, user_id) where ranking_parent_id is not null;
create index message_reaction_by_user on feedback.message_reaction (user_id, created_date);
create index message_reaction_by_date on feedback.message_reaction (created_date);
create index message_reaction_by_message on feedback.message_reaction (message_id) where message_id is not null;

create table feedback.text_labels (
  id uuid primary key,
  user_id uuid not null references feedback.user (id),
  created_date timestamptz not null default now(),
  api_client_id uuid not null references feedback.api_client (id),
  text varchar(65536) not null,
  message_id uuid references feedback.message (id),
  -- Name of the label: number from 0 to 1.
  labels jsonb not null,
  task_id uuid
);
create index text_labels_by_message on feedback.text_labels (message_id, user_id);
create unique index text_labels_free on feedback.text_labels (message_id, user_id) where task_id is null;
create index text_labels_by_task on feedback.text_labels (task_id) where task_id is not null;
create index text_labels_by_user on feedback.text_labels (user_id, created_date);
create index text_labels_by_date on feedback.text_labels (created_date);

create table feedback.message_emoji (
  message_id uuid not null references feedback.message (id) on delete cascade,
  user_id uuid not null references feedback.user (id) on delete cascade,
  emoji varchar(128) not null,
  created_date timestamptz not null default now(),
  primary key (message_id, user_id, emoji)
);
create index message_emoji_by_user on feedback.message_emoji (user_id, message_id);

create table feedback.message_revision (
  id uuid primary key,
  text text not null,
  message_id uuid not null references feedback.message (id) on delete cascade,
  user_id uuid references feedback.user (id),
  created_date timestamptz
);
create index message_revision_by_message on feedback.message_revision (message_id, id);

create table feedback.message_embedding (
  message_id uuid not null references feedback.message (id) on delete cascade,
  model varchar(256) not null,
  embedding real[],
  created_date timestamptz not null default now(),
  primary key (message_id, model)
);

create table feedback.message_toxicity (
  message_id uuid not null references feedback.message (id) on delete cascade,
  model varchar(256) not null,
  score real not null,
  label varchar(256) not null,
  created_date timestamptz not null default now(),
  primary key (message_id, model)
);

create table feedback.flagged_message (
  message_id uuid primary key references feedback.message (id) on delete cascade,
  processed boolean not null default false,
  created_date timestamptz not null default now()
);
create index flagged_message_by_date on feedback.flagged_message (created_date, message_id);
create index flagged_message_open on feedback.flagged_message (created_date, message_id) where not processed;

-- What happened, in order. Rows are only added; erasing a person and merging two say so by the setting feedback.rewrite_journal.
create table feedback.journal (
  id uuid primary key,
  created_date timestamptz not null default now(),
  user_id uuid,
  message_id uuid,
  message_tree_id uuid,
  api_client_id uuid not null,
  event_type varchar(200) not null,
  event_payload jsonb not null
);
create index journal_by_user on feedback.journal (user_id) where user_id is not null;
create index journal_by_message on feedback.journal (message_id) where message_id is not null;
create index journal_by_tree on feedback.journal (message_tree_id, id) where message_tree_id is not null;

create function feedback.keep_journal() returns trigger language plpgsql as $$
begin
  if current_setting('feedback.rewrite_journal', true) = 'on' then
    return coalesce(new, old);
  end if;
  raise exception 'the journal is append-only';
end
$$;
create trigger journal_is_kept before update or delete on feedback.journal for each row execute function feedback.keep_journal();

create table feedback.user_stats (
  time_frame text not null check (time_frame in ('day', 'week', 'month', 'total')),
  user_id uuid not null references feedback.user (id) on delete cascade,
  base_date timestamptz,
  leader_score integer not null default 0,
  modified_date timestamptz not null default now(),
  rank integer,
  prompts integer not null default 0,
  replies_assistant integer not null default 0,
  replies_prompter integer not null default 0,
  labels_simple integer not null default 0,
  labels_full integer not null default 0,
  rankings_total integer not null default 0,
  rankings_good integer not null default 0,
  accepted_prompts integer not null default 0,
  accepted_replies_assistant integer not null default 0,
  accepted_replies_prompter integer not null default 0,
  reply_ranked_1 integer not null default 0,
  reply_ranked_2 integer not null default 0,
  reply_ranked_3 integer not null default 0,
  primary key (user_id, time_frame)
);
create unique index user_stats_by_rank on feedback.user_stats (time_frame, rank, user_id);

create table feedback.troll_stats (
  time_frame text not null check (time_frame in ('day', 'week', 'month', 'total')),
  user_id uuid not null references feedback.user (id) on delete cascade,
  base_date timestamptz,
  troll_score integer not null default 0,
  modified_date timestamptz not null default now(),
  rank integer,
  red_flags integer not null default 0,
  upvotes integer not null default 0,
  downvotes integer not null default 0,
  spam_prompts integer not null default 0,
  quality double precision,
  humor double precision,
  toxicity double precision,
  violence double precision,
  helpfulness double precision,
  spam integer not null default 0,
  lang_mismach integer not null default 0,
  not_appropriate integer not null default 0,
  pii integer not null default 0,
  hate_speech integer not null default 0,
  sexual_content integer not null default 0,
  political_content integer not null default 0,
  primary key (user_id, time_frame)
);
create unique index troll_stats_by_rank on feedback.troll_stats (time_frame, rank, user_id);

create table feedback.cached_stats (
  name varchar(128) primary key,
  modified_date timestamptz not null default now(),
  stats jsonb not null
);

-- What can be handed out: one row for each message that wants something now. It follows from the message, its tree and its children,
-- is rewritten in the transaction that changes one of them, and is small, since finished trees want nothing.
create table feedback.offer (
  message_id uuid not null references feedback.message (id) on delete cascade,
  work text not null check (work in ('reply', 'label_prompt', 'label_reply', 'ranking')),
  -- The type of the task on the wire.
  type text not null,
  message_tree_id uuid not null,
  lang varchar(32) not null,
  author_id uuid,
  -- How many people may work on it at the same time: reviews or rankings still wanted, one for a reply.
  wanted integer not null,
  -- A reply to it would keep a lonely one company.
  lonely boolean not null default false,
  -- User: seconds since 1970 until which he holds it.
  held jsonb not null default '{}',
  -- Drawn anew at each hand-out; a draw begins at a random place and takes the next.
  place double precision not null default random(),
  primary key (message_id, work)
) with (fillfactor = 70);
create index offer_by_place on feedback.offer (lang, work, place);
create index offer_lonely on feedback.offer (lang, place) where lonely;
create index offer_by_tree on feedback.offer (message_tree_id);

-- The text search configuration of a language; what PostgreSQL knows no words of is taken as it is.
create function feedback.words(lang text) returns regconfig language sql immutable parallel safe as $$
  select (case lang
    when 'ar' then 'arabic' when 'hy' then 'armenian' when 'eu' then 'basque' when 'ca' then 'catalan' when 'da' then 'danish'
    when 'nl' then 'dutch' when 'en' then 'english' when 'fi' then 'finnish' when 'fr' then 'french' when 'de' then 'german'
    when 'el' then 'greek' when 'ga' then 'irish' when 'hi' then 'hindi' when 'hu' then 'hungarian' when 'id' then 'indonesian'
    when 'it' then 'italian' when 'lt' then 'lithuanian' when 'ne' then 'nepali' when 'no' then 'norwegian' when 'pt' then 'portuguese'
    when 'ro' then 'romanian' when 'ru' then 'russian' when 'sr' then 'serbian' when 'ta' then 'tamil' when 'es' then 'spanish'
    when 'sv' then 'swedish' when 'tr' then 'turkish' when 'yi' then 'yiddish' else 'simple' end)::regconfig
$$;
