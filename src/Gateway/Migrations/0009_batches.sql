-- Many requests as one piece of work. Whatever surface a batch came in by, its lines are done the same way.
create table gateway.batches (
  id text primary key,
  organization_id uuid not null references platform.organizations (id),
  kind text not null check (kind in ('open_ai', 'anthropic', 'gtwy')),
  key_id uuid not null,
  key_prefix text not null,
  endpoint text not null,
  status text not null check (status in
    ('validating', 'failed', 'in_progress', 'finalizing', 'completed', 'expired', 'cancelling', 'cancelled')),
  input_file_id text,
  output_file_id text,
  error_file_id text,
  -- Who does it: a model by its provider's own batch API, or empty for ourselves.
  provider text,
  provider_batch_id text,
  total integer not null default 0,
  completed integer not null default 0,
  failed integer not null default 0,
  -- In the words of the wire: metadata, what is wrong with the file, the webhook.
  document jsonb not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  started_at timestamptz,
  finalizing_at timestamptz,
  cancelling_at timestamptz,
  ended_at timestamptz
);
create index batches_in_order on gateway.batches (organization_id, kind, created_at, id);
create index batches_by_end on gateway.batches (ended_at) where ended_at is not null;

-- A line has an answer or none, and never a second one: that is what makes the output exact.
create table gateway.batch_lines (
  batch_id text not null references gateway.batches (id) on delete cascade,
  number integer not null,
  custom_id text not null,
  -- JSON, byte for byte; gone when there is an answer.
  request bytea,
  status integer,
  request_id text,
  answer bytea,
  primary key (batch_id, number),
  unique (batch_id, custom_id)
);
create index batch_lines_open on gateway.batch_lines (batch_id, number) where answer is null;
