-- What the tutor has judged, as we saw it leave: the client stores its own copy in the conversation, and says itself when something is done.
create table learning.evaluations (
  id bigint generated always as identity primary key,
  user_id integer not null references learning.users (id) on delete cascade,
  task_id integer not null references learning.tasks (id) on delete cascade,
  question_id integer references learning.questions (id) on delete cascade,
  flow text not null,
  -- The instructions by name and version.
  prompt text not null,
  model text,
  -- Null where nothing was judged, as of a thank-you.
  is_passed boolean,
  -- Why there is no answer, or not all of one; null when it came to its end.
  failure text,
  output jsonb,
  created_at timestamptz not null
);
create index evaluations_by_question on learning.evaluations (user_id, question_id, id) where question_id is not null;
create index evaluations_by_task on learning.evaluations (user_id, task_id, id);

-- What people have changed about grades that a model gave. Rows are only ever added.
create table learning.grade_changes (
  id integer generated always as identity primary key,
  message_id integer not null references learning.chat_history (id) on delete cascade,
  changed_by integer not null references learning.users (id) on delete cascade,
  reason text not null,
  content_before text,
  content_after text not null,
  created_at timestamptz not null
);
create index grade_changes_by_message on learning.grade_changes (message_id, id);
create index grade_changes_by_person on learning.grade_changes (changed_by);

-- What a course's generation has made so far, by its place in the structure: '2' is the third module, '2.0.1' the second task of its first
-- concept. A run that begins anew finds here what is made already.
create table learning.generated_items (
  job_uuid uuid not null references learning.course_generation_jobs (uuid) on delete cascade,
  place text not null,
  milestone_id integer references learning.milestones (id) on delete cascade,
  task_id integer references learning.tasks (id) on delete cascade,
  primary key (job_uuid, place)
);
create index generated_items_by_milestone on learning.generated_items (milestone_id) where milestone_id is not null;
create index generated_items_by_task on learning.generated_items (task_id) where task_id is not null;

-- The platform's job that does the work, by which it is cancelled.
alter table learning.course_generation_jobs add column job_id uuid;
alter table learning.task_generation_jobs add column job_id uuid, add column course_job_uuid uuid references learning.course_generation_jobs (uuid);
create unique index task_generation_jobs_by_course_job on learning.task_generation_jobs (course_job_uuid, task_id) where course_job_uuid is not null;
