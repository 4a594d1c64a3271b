-- What runs when. A row is made from a declaration in a module; `last_slot` is the promise that no slot fires twice: it only moves
-- forward, in the transaction that enqueues the job.
create table platform.schedules (
  name text primary key check (name ~ '^[a-z][a-z0-9_.-]{0,99}$'),
  kind text not null,
  arguments jsonb not null,
  cron text,
  every_seconds integer,
  zone text not null,
  missed text not null,
  reach_seconds integer not null,
  overlap text not null,
  last_slot timestamptz not null,
  last_fired_at timestamptz,
  last_job_id uuid,
  paused_at timestamptz,
  paused_by text,
  declared_at timestamptz not null,
  check ((cron is null) <> (every_seconds is null))
);

-- The scheduler of calendars makes its own tables here when it starts; nothing else reads or writes them.
create schema calendars;
