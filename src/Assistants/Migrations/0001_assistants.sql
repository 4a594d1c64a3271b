-- Ids are the wire's: integers that only grow, opaque text for users and sessions. What people delete stays, marked, and no read shows it.

create table assistants.companies (
  id integer generated always as identity primary key,
  name text,
  website text,
  description text,
  emoji text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table assistants.users (
  -- 32 hex digits of ours; what comes from elsewhere is up to 255 characters of any kind.
  id text primary key check (length(id) between 1 and 255),
  -- Where the user's model calls are metered.
  organization_id uuid not null references platform.organizations (id),
  person_id uuid references platform.people (id),
  name text not null,
  email text not null,
  password text,
  google_id text,
  microsoft_id text,
  apple_id text,
  language_code varchar(5) not null default 'en',
  summary text,
  company_id integer references assistants.companies (id),
  company_description text,
  company_description_updated_at timestamptz,
  summary_updated_at timestamptz,
  goal text,
  -- Minutes, UTC less local; null: not known. The IANA name, where it is known, outranks the offset.
  timezone_offset integer check (timezone_offset between -900 and 900),
  timezone_name text,
  terms_accepted_at timestamptz,
  onboarding_presented_at timestamptz,
  receives_todo_emails boolean not null default true,
  receives_reminders boolean not null default true,
  receives_push boolean not null default true,
  -- What his clock is reckoned from, in one text: users of one zone are sought together. Null: not known.
  zone text generated always as (
    case when timezone_name is null and timezone_offset is null then null
    else coalesce(timezone_name, '') || '|' || coalesce(timezone_offset::text, '') end
  ) stored,
  -- The zone that his rows of user_schedules were reckoned from.
  scheduled_zone text,
  created_at timestamptz not null default now()
);
create index users_by_zone on assistants.users (zone, id) where zone is not null;
create index users_to_schedule on assistants.users (id) where zone is distinct from scheduled_zone;
create unique index users_by_email on assistants.users (lower(email));
create unique index users_by_google on assistants.users (google_id) where google_id is not null;
create unique index users_by_microsoft on assistants.users (microsoft_id) where microsoft_id is not null;
create unique index users_by_apple on assistants.users (apple_id) where apple_id is not null;
create index users_by_person on assistants.users (person_id) where person_id is not null;

create table assistants.devices (
  id integer generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  fcm_token text not null unique,
  is_valid boolean not null default true,
  created_at timestamptz not null default now()
);
create index devices_by_user on assistants.devices (user_id, id);

create table assistants.sessions (
  id text primary key check (length(id) between 1 and 255),
  user_id text not null references assistants.users (id) on delete cascade,
  language varchar(5) not null default 'en',
  platform text not null default 'webapp' check (platform in ('chrome', 'webapp', 'outlook', 'mobile')),
  starting_mode text not null check (starting_mode in ('chat', 'form')),
  title varchar(255),
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  is_deleted boolean not null default false
);
create index sessions_by_user on assistants.sessions (user_id, created_at desc, id desc) where not is_deleted;

create table assistants.messages (
  id integer generated always as identity primary key,
  session_id text not null references assistants.sessions (id) on delete cascade,
  sender text not null check (sender in ('user', 'mojo', 'system')),
  message jsonb not null,
  event_name text,
  -- When it was said, by the client's clock; created_at is ours.
  message_date timestamptz not null default now(),
  created_at timestamptz not null default now(),
  read_at timestamptz,
  in_error_at timestamptz
);
create index messages_in_order on assistants.messages (session_id, message_date, id);
create unique index messages_once on assistants.messages (session_id, (message ->> 'message_id')) where message ->> 'message_id' is not null;

create table assistants.text_types (
  id integer generated always as identity primary key,
  name text not null unique
);

create table assistants.tasks (
  id integer generated always as identity primary key,
  type text not null check (type in ('instruct', 'workflow')),
  name_for_system text not null unique,
  definition_for_system text not null,
  final_instruction text not null default '',
  icon text not null default '',
  output_text_type_id integer references assistants.text_types (id),
  output_format_instruction_title text,
  output_format_instruction_draft text,
  infos_to_extract jsonb,
  platforms text[] not null default '{webapp,mobile}'
);

-- What a task is called in a language, and what its form asks for.
create table assistants.task_texts (
  task_id integer not null references assistants.tasks (id) on delete cascade,
  language_code varchar(2) not null,
  name_for_user text not null,
  definition_for_user text not null,
  json_input jsonb not null default '[]',
  primary key (task_id, language_code)
);

create table assistants.products (
  id integer generated always as identity primary key,
  label text not null unique,
  is_free boolean not null default false,
  days_valid integer,
  tasks_limit integer
);

create table assistants.product_tasks (
  product_id integer not null references assistants.products (id) on delete cascade,
  task_id integer not null references assistants.tasks (id) on delete cascade,
  primary key (product_id, task_id)
);

create table assistants.purchases (
  id integer generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  product_id integer not null references assistants.products (id),
  is_active boolean not null default true,
  created_at timestamptz not null default now()
);
create index purchases_by_user on assistants.purchases (user_id) where is_active;
create index purchases_active on assistants.purchases (id) where is_active;

create table assistants.user_tasks (
  id integer generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  task_id integer not null references assistants.tasks (id) on delete cascade,
  is_enabled boolean not null default true,
  unique (user_id, task_id)
);

create table assistants.task_executions (
  id integer generated always as identity primary key,
  user_task_id integer not null references assistants.user_tasks (id) on delete cascade,
  -- Its user task's; kept here so that lists need no join.
  user_id text not null references assistants.users (id) on delete cascade,
  session_id text not null references assistants.sessions (id) on delete cascade,
  -- The execution whose follow-up action began this one.
  parent_id integer references assistants.task_executions (id) on delete set null,
  purchase_id integer references assistants.purchases (id) on delete set null,
  json_input_values jsonb not null default '[]',
  title varchar(255),
  summary text,
  -- The newest message that the stored title and summary know of.
  summarized_message_id integer,
  started_at timestamptz,
  ended_at timestamptz,
  todos_extracted_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz not null default now()
);
create index task_executions_by_user on assistants.task_executions (user_id, started_at desc, id desc) where deleted_at is null;
create index task_executions_by_user_task on assistants.task_executions (user_task_id);
create index task_executions_by_session on assistants.task_executions (session_id);
create index task_executions_by_parent on assistants.task_executions (parent_id) where parent_id is not null;
create index task_executions_without_todos on assistants.task_executions (id) where todos_extracted_at is null;

create table assistants.produced_texts (
  id integer generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  task_execution_id integer references assistants.task_executions (id) on delete cascade,
  session_id text references assistants.sessions (id) on delete cascade,
  created_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index produced_texts_by_execution on assistants.produced_texts (task_execution_id) where deleted_at is null;
create index produced_texts_by_user on assistants.produced_texts (user_id, id desc) where deleted_at is null;

create table assistants.produced_text_versions (
  id integer generated always as identity primary key,
  produced_text_id integer not null references assistants.produced_texts (id) on delete cascade,
  text_type_id integer references assistants.text_types (id),
  title text,
  production text not null,
  embedding real[],
  embedding_model text,
  created_at timestamptz not null default now(),
  read_at timestamptz
);
create index produced_text_versions_in_order on assistants.produced_text_versions (produced_text_id, created_at desc, id desc);

create table assistants.todos (
  id integer generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  -- Null: the user wrote it by hand.
  task_execution_id integer references assistants.task_executions (id) on delete cascade,
  description text not null,
  -- The description in lower case and plain spaces, and the first date: one of a kind in an execution.
  content_key text not null,
  -- The newest row of todo_schedulings.
  scheduled_date date not null,
  created_at timestamptz not null default now(),
  completed_at timestamptz,
  read_at timestamptz,
  deleted_by_user_at timestamptz,
  deleted_by_mojo_at timestamptz,
  deletion_justification text,
  -- Moved too often: it stays where it is, and the user is asked whether it shall go.
  deletion_proposed_at timestamptz
);
create unique index todos_once on assistants.todos (task_execution_id, content_key) where task_execution_id is not null;
create index todos_by_user on assistants.todos (user_id, scheduled_date, id);
create index todos_open on assistants.todos (scheduled_date, id)
  where completed_at is null and deleted_by_user_at is null and deleted_by_mojo_at is null;

create table assistants.todo_schedulings (
  id integer generated always as identity primary key,
  todo_id integer not null references assistants.todos (id) on delete cascade,
  scheduled_date date not null,
  reschedule_justification text,
  created_at timestamptz not null default now()
);
create index todo_schedulings_by_todo on assistants.todo_schedulings (todo_id, id desc);

-- What the assistant told a user: an e-mail, a notification. The key says what was told and for which local day, so it is told once.
create table assistants.events (
  id integer generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  event_type varchar(255) not null,
  message jsonb not null,
  dedup_key text unique,
  created_at timestamptz not null default now(),
  -- Null: it is to be told, and a job does it.
  delivered_at timestamptz
);
create index events_by_user on assistants.events (user_id, event_type, created_at desc);

-- When a user's turn of a daily task comes next, in UTC, reckoned from his zone: a missed hour is made up for, none comes twice.
create table assistants.user_schedules (
  user_id text not null references assistants.users (id) on delete cascade,
  task text not null,
  next_due_at timestamptz not null,
  primary key (user_id, task)
);
create index user_schedules_due on assistants.user_schedules (next_due_at);

-- What the assistant suggested for a day of the user's calendar; only the first layout of the wire knows them.
create table assistants.calendar_suggestions (
  id integer generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  task_id integer references assistants.tasks (id) on delete set null,
  suggestion_text text not null,
  reminder_date timestamptz not null,
  is_accepted boolean,
  created_at timestamptz not null default now()
);
create index calendar_suggestions_by_user on assistants.calendar_suggestions (user_id);
create index calendar_suggestions_due on assistants.calendar_suggestions (reminder_date, id) where is_accepted;

-- What the day's mails and notifications are made of, sought for many users at once.
create index todos_by_creation on assistants.todos (user_id, created_at);
create index todos_deleted_by_mojo on assistants.todos (user_id, deleted_by_mojo_at) where deleted_by_mojo_at is not null;
create index todos_to_let_go on assistants.todos (user_id, deletion_proposed_at) where deletion_proposed_at is not null;
create index todo_schedulings_justified on assistants.todo_schedulings (created_at, todo_id) where reschedule_justification is not null;

create table assistants.home_chats (
  id integer generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  session_id text not null references assistants.sessions (id) on delete cascade,
  week date not null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  unique (user_id, week)
);

-- What clients hear of while it happens. Kept for a day, so that whoever was away for a moment is told what he missed.
create table assistants.live_events (
  id bigint generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  session_id text,
  name text not null,
  data jsonb not null,
  created_at timestamptz not null default now()
);
create index live_events_by_user on assistants.live_events (user_id, id);
create index live_events_by_age on assistants.live_events (created_at);

insert into assistants.text_types (name) values ('meeting_minutes'), ('email'), ('document'), ('poem');
