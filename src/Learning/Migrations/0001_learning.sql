-- Ids are the wire's: integers that only grow. Rows that people delete stay, with deleted_at; every read leaves them out, and what is put
-- there again revives them. Whoever a row is about is a user of this module, linked to the platform's person once he has signed in.
create table learning.users (
  id integer generated always as identity primary key,
  -- In lower case; what an address is compared by.
  email text not null unique,
  first_name text,
  middle_name text,
  last_name text,
  default_dp_color text,
  person_id uuid references platform.people (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index users_by_person on learning.users (person_id) where person_id is not null;

create table learning.organizations (
  id integer generated always as identity primary key,
  slug text not null unique,
  name text not null,
  default_logo_color text,
  -- Days of activity begin and end by its clock.
  time_zone text not null default 'Asia/Kolkata',
  -- Where its model calls are metered: an organization of its own there, with no members.
  organization_id uuid not null references platform.organizations (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);

create table learning.org_api_keys (
  id integer generated always as identity primary key,
  org_id integer not null references learning.organizations (id) on delete cascade,
  name text not null default '',
  -- SHA-256 of the whole key, which is shown once.
  hashed_key text not null unique,
  created_by integer references learning.users (id),
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index org_api_keys_by_org on learning.org_api_keys (org_id, id);

create table learning.user_organizations (
  id integer generated always as identity primary key,
  user_id integer not null references learning.users (id) on delete cascade,
  org_id integer not null references learning.organizations (id) on delete cascade,
  role text not null check (role in ('owner', 'admin')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (user_id, org_id)
);
create index user_organizations_by_org on learning.user_organizations (org_id);

create table learning.cohorts (
  id integer generated always as identity primary key,
  org_id integer not null references learning.organizations (id) on delete cascade,
  name text not null,
  self_join boolean not null default true,
  -- Its standings were counted before something about its courses changed; whoever reads them counts anew.
  standings_stale boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index cohorts_by_org on learning.cohorts (org_id, id);

create table learning.user_cohorts (
  id integer generated always as identity primary key,
  user_id integer not null references learning.users (id) on delete cascade,
  cohort_id integer not null references learning.cohorts (id) on delete cascade,
  role text not null check (role in ('learner', 'mentor')),
  joined_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (user_id, cohort_id)
);
create index user_cohorts_by_cohort on learning.user_cohorts (cohort_id, role, user_id);

create table learning.batches (
  id integer generated always as identity primary key,
  cohort_id integer not null references learning.cohorts (id) on delete cascade,
  name text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index batches_by_cohort on learning.batches (cohort_id, id);

create table learning.user_batches (
  id integer generated always as identity primary key,
  user_id integer not null references learning.users (id) on delete cascade,
  batch_id integer not null references learning.batches (id) on delete cascade,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (user_id, batch_id)
);
create index user_batches_by_batch on learning.user_batches (batch_id);

create table learning.courses (
  id integer generated always as identity primary key,
  org_id integer not null references learning.organizations (id) on delete cascade,
  name text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index courses_by_org on learning.courses (org_id, id);

create table learning.course_cohorts (
  id integer generated always as identity primary key,
  course_id integer not null references learning.courses (id) on delete cascade,
  cohort_id integer not null references learning.cohorts (id) on delete cascade,
  is_drip_enabled boolean not null default false,
  frequency_value integer,
  frequency_unit text check (frequency_unit in ('minute', 'hour', 'day', 'week', 'month', 'year')),
  publish_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (course_id, cohort_id)
);
create index course_cohorts_by_cohort on learning.course_cohorts (cohort_id, course_id);

create table learning.milestones (
  id integer generated always as identity primary key,
  org_id integer not null references learning.organizations (id) on delete cascade,
  name text not null,
  color text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index milestones_by_org on learning.milestones (org_id, id);

create table learning.course_milestones (
  id integer generated always as identity primary key,
  course_id integer not null references learning.courses (id) on delete cascade,
  milestone_id integer references learning.milestones (id) on delete cascade,
  ordering integer not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (course_id, milestone_id)
);
create index course_milestones_by_milestone on learning.course_milestones (milestone_id);

create table learning.tasks (
  id integer generated always as identity primary key,
  org_id integer not null references learning.organizations (id) on delete cascade,
  type text not null check (type in ('quiz', 'learning_material', 'assignment')),
  -- Of learning materials only.
  blocks jsonb,
  title text not null,
  status text not null check (status in ('draft', 'published')),
  scheduled_publish_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index tasks_by_org on learning.tasks (org_id, id);
create index tasks_to_publish on learning.tasks (scheduled_publish_at) where scheduled_publish_at is not null and deleted_at is null;

create table learning.course_tasks (
  id integer generated always as identity primary key,
  task_id integer not null references learning.tasks (id) on delete cascade,
  course_id integer not null references learning.courses (id) on delete cascade,
  milestone_id integer references learning.milestones (id) on delete cascade,
  ordering integer not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (task_id, course_id)
);
create index course_tasks_by_course on learning.course_tasks (course_id, milestone_id, ordering);
create index course_tasks_by_milestone on learning.course_tasks (milestone_id);

create table learning.questions (
  id integer generated always as identity primary key,
  task_id integer not null references learning.tasks (id) on delete cascade,
  type text not null check (type in ('objective', 'subjective')),
  blocks jsonb,
  answer jsonb,
  input_type text not null check (input_type in ('code', 'text', 'audio', 'file')),
  coding_language jsonb,
  generation_model text,
  response_type text not null check (response_type in ('chat', 'exam')),
  position integer not null,
  max_attempts integer,
  is_feedback_shown boolean,
  context jsonb,
  title text not null,
  settings jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index questions_by_task on learning.questions (task_id, position) where deleted_at is null;

create table learning.assignments (
  id integer generated always as identity primary key,
  task_id integer not null unique references learning.tasks (id) on delete cascade,
  blocks jsonb not null,
  input_type text not null check (input_type in ('code', 'text', 'audio', 'file')),
  response_type text check (response_type in ('chat', 'exam')),
  context jsonb,
  evaluation_criteria jsonb,
  max_attempts integer,
  settings jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);

create table learning.scorecards (
  id integer generated always as identity primary key,
  org_id integer not null references learning.organizations (id) on delete cascade,
  title text not null,
  criteria jsonb not null,
  status text not null default 'draft' check (status in ('draft', 'published')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index scorecards_by_org on learning.scorecards (org_id, id);

create table learning.question_scorecards (
  id integer generated always as identity primary key,
  question_id integer not null references learning.questions (id) on delete cascade,
  scorecard_id integer not null references learning.scorecards (id) on delete cascade,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (question_id, scorecard_id)
);
create index question_scorecards_by_scorecard on learning.question_scorecards (scorecard_id);

create table learning.chat_history (
  id integer generated always as identity primary key,
  user_id integer not null references learning.users (id) on delete cascade,
  question_id integer references learning.questions (id),
  task_id integer references learning.tasks (id),
  role text not null check (role in ('user', 'assistant')),
  content text,
  response_type text check (response_type in ('text', 'code', 'audio', 'file')),
  -- The sender's word for it, to the microsecond.
  created_at timestamptz not null,
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index chat_history_by_user on learning.chat_history (user_id, created_at);
create index chat_history_by_question on learning.chat_history (question_id, user_id, created_at);
create index chat_history_by_task on learning.chat_history (task_id, user_id, created_at);

create table learning.task_completions (
  id integer generated always as identity primary key,
  user_id integer not null references learning.users (id) on delete cascade,
  task_id integer references learning.tasks (id),
  question_id integer references learning.questions (id),
  -- Who said so: the client, or an evaluation of ours.
  source text not null default 'client' check (source in ('client', 'evaluation', 'override')),
  -- The client said so though our own evaluation of the same answer did not.
  is_disputed boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (user_id, task_id),
  unique (user_id, question_id)
);
create index task_completions_by_task on learning.task_completions (task_id, user_id) where task_id is not null;
create index task_completions_by_question on learning.task_completions (question_id, user_id) where question_id is not null;

create table learning.course_generation_jobs (
  id integer generated always as identity primary key,
  uuid uuid not null unique,
  course_id integer not null references learning.courses (id) on delete cascade,
  status text not null check (status in ('started', 'pending', 'completed', 'failed')),
  job_details jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index course_generation_jobs_by_course on learning.course_generation_jobs (course_id, id);

create table learning.task_generation_jobs (
  id integer generated always as identity primary key,
  uuid uuid not null unique,
  task_id integer not null references learning.tasks (id) on delete cascade,
  course_id integer not null references learning.courses (id) on delete cascade,
  status text not null check (status in ('started', 'completed', 'failed')),
  job_details jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index task_generation_jobs_by_course on learning.task_generation_jobs (course_id, status);
create index task_generation_jobs_by_task on learning.task_generation_jobs (task_id, status);

create table learning.code_drafts (
  id integer generated always as identity primary key,
  user_id integer not null references learning.users (id) on delete cascade,
  question_id integer not null references learning.questions (id) on delete cascade,
  code jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (user_id, question_id)
);
create index code_drafts_by_question on learning.code_drafts (question_id);

create table learning.integrations (
  id integer generated always as identity primary key,
  user_id integer not null references learning.users (id) on delete cascade,
  integration_type text not null,
  -- Sealed with the installation's key.
  access_token bytea not null,
  refresh_token bytea,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (user_id, integration_type)
);

create table learning.files (
  id uuid primary key,
  user_id integer not null references learning.users (id) on delete cascade,
  extension text not null,
  content_type text not null,
  bytes bigint,
  created_at timestamptz not null default now()
);
create index files_by_user on learning.files (user_id, created_at);

-- What boards and figures show, counted from the tables above (Standings.cs): one row for each member of a cohort. The run of days is the
-- one that ends at streak_end.
create table learning.standings (
  cohort_id integer not null references learning.cohorts (id) on delete cascade,
  user_id integer not null references learning.users (id) on delete cascade,
  tasks_completed integer not null,
  streak_days integer not null,
  streak_end date,
  primary key (cohort_id, user_id)
);
create index standings_by_user on learning.standings (user_id);

-- The same by course, and by type of task.
create table learning.course_standings (
  cohort_id integer not null references learning.cohorts (id) on delete cascade,
  course_id integer not null references learning.courses (id) on delete cascade,
  user_id integer not null references learning.users (id) on delete cascade,
  quiz integer not null,
  learning_material integer not null,
  assignment integer not null,
  is_active boolean not null,
  primary key (cohort_id, course_id, user_id)
);
create index course_standings_by_user on learning.course_standings (user_id);

create function learning.touch() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end
$$;

do $$
declare
  name text;
begin
  for name in select table_name from information_schema.columns where table_schema = 'learning' and column_name = 'updated_at'
  loop
    execute format('create trigger touched before update on learning.%I for each row execute function learning.touch()', name);
  end loop;
end
$$;
