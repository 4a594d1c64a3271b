-- Jobs that are not finished. Kept small: whatever finishes moves to platform.finished_jobs in the statement that finishes it.
-- The clock of all times here is the database's, so that nodes with wrong clocks agree.
create table platform.jobs (
  id uuid primary key,
  kind text not null,
  -- available: due at run_at; running: leased to a node; waiting: for the end of after_id; parked: no node knows the kind.
  state text not null check (state in ('available', 'running', 'waiting', 'parked')),
  priority smallint not null check (priority between 0 and 3),
  run_at timestamptz not null,
  args jsonb not null,

  -- Whose it is, and what caused it.
  organization_id uuid,
  person_id uuid,
  key_id uuid,
  tenant text not null,
  created_by text not null,
  correlation_id text,
  trace_parent text,
  created_at timestamptz not null default now(),
  replay_of uuid,

  -- The terms on which it was added.
  max_attempts integer not null check (max_attempts > 0),
  expires_at timestamptz,
  unique_key text,
  unique_mode text check (unique_mode in ('reject', 'replace', 'coalesce')),
  -- Set for kinds whose runs are limited by more than the node; '' when there is no key.
  limit_key text,
  after_id uuid,
  after_outcome text check (after_outcome in ('succeeded', 'failed', 'finished')),

  -- How often it was started, which fences every write of a run; and how many of these starts do not count.
  attempt integer not null default 0,
  snoozed integer not null default 0,
  node text,
  started_at timestamptz,
  lease_until timestamptz,
  cancel_requested_at timestamptz,
  -- Run once more with these when the present run is over.
  next_args jsonb,
  progress_done bigint,
  progress_total bigint,
  progress_note text,
  progress_at timestamptz,
  error text,
  fingerprint text,
  -- Every run that did not end well and every act of a person, oldest first: {"at", "state", "attempt", "node", "reason", "by"}.
  history jsonb not null default '[]'
) with (
  -- Rows live for seconds; the queue is slow as soon as dead ones pile up in front of it.
  fillfactor = 80, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_threshold = 5000
);
create index jobs_ready on platform.jobs (kind, priority, run_at, id) where state = 'available' and limit_key is null;
create index jobs_ready_limited on platform.jobs (kind, tenant, limit_key, priority, run_at, id)
  where state = 'available' and limit_key is not null;
-- Without lease_until, so that a heartbeat touches no index.
create index jobs_running on platform.jobs (kind, tenant, limit_key) where state = 'running';
create unique index jobs_unique on platform.jobs (kind, unique_key) where unique_key is not null;
create index jobs_waiting on platform.jobs (after_id) where state = 'waiting';
create index jobs_parked on platform.jobs (kind, id) where state = 'parked';
create index jobs_expiring on platform.jobs (expires_at) where expires_at is not null;
create index jobs_by_owner on platform.jobs (organization_id, id) where organization_id is not null;
create index jobs_by_kind on platform.jobs (kind, id);

create table platform.finished_jobs (
  id uuid not null,
  kind text not null,
  state text not null check (state in ('succeeded', 'dead', 'cancelled')),
  priority smallint not null,
  run_at timestamptz not null,
  args jsonb not null,
  organization_id uuid,
  person_id uuid,
  key_id uuid,
  tenant text not null,
  created_by text not null,
  correlation_id text,
  trace_parent text,
  created_at timestamptz not null,
  replay_of uuid,
  max_attempts integer not null,
  unique_key text,
  after_id uuid,
  after_outcome text,
  attempt integer not null,
  snoozed integer not null,
  node text,
  started_at timestamptz,
  finished_at timestamptz not null,
  progress_done bigint,
  progress_total bigint,
  progress_note text,
  error text,
  fingerprint text,
  history jsonb not null,
  primary key (id, finished_at)
) partition by range (finished_at);
create index finished_jobs_by_owner on platform.finished_jobs (organization_id, id) where organization_id is not null;
create index finished_jobs_by_kind on platform.finished_jobs (kind, id);
create index finished_jobs_not_succeeded on platform.finished_jobs (state, id) where state <> 'succeeded';
create index finished_jobs_by_fingerprint on platform.finished_jobs (fingerprint, id) where state = 'dead';
create index finished_jobs_text on platform.finished_jobs
  using gin (to_tsvector('simple', coalesce(error, '') || ' ' || args::text)) where state = 'dead';

-- Months are made ahead by the workers; what falls outside (a clock that jumped) is kept here rather than refused.
create table platform.finished_jobs_other partition of platform.finished_jobs default;

-- Keys that stay taken for a while after their job, so that a slot fires once however late the second call comes.
create table platform.job_keys (
  kind text not null,
  key text not null,
  job_id uuid not null,
  until timestamptz not null,
  primary key (kind, key)
);
create index job_keys_by_end on platform.job_keys (until);

-- What has been done once: written in the transaction of the effect.
create table platform.job_inbox (
  scope text not null,
  key text not null,
  at timestamptz not null default now(),
  primary key (scope, key)
);
create index job_inbox_by_time on platform.job_inbox (at);

-- What people decided about a kind, and how it fares.
create table platform.job_kinds (
  kind text primary key,
  paused_at timestamptz,
  paused_by text,
  known_at timestamptz not null default now(),
  succeeded_at timestamptz
);

-- The workers that are alive, and what they can run.
create table platform.job_nodes (
  id text primary key,
  kinds text[] not null,
  workers integer not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);
