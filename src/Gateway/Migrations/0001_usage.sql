-- One row for each call that reached a provider. Written in batches by the usage loader, never on the request path.
create table gateway.usage (
  id uuid not null,
  at timestamptz not null,
  organization_id uuid not null,
  key_id uuid not null,
  request_id text not null,
  surface text not null,
  provider text not null,
  model text not null,
  outcome smallint not null,
  error text not null,
  status smallint not null,
  is_stream boolean not null,
  is_estimated boolean not null,
  attempts smallint not null,
  input_tokens bigint not null,
  cache_read_tokens bigint not null,
  cache_write_tokens bigint not null,
  output_tokens bigint not null,
  reasoning_tokens bigint not null,
  cost numeric(20, 10),
  latency_ms integer not null,
  first_byte_ms integer,
  is_cached boolean not null default false,
  -- Empty for calls that no agent made.
  agent_id text not null default '',
  version_id text not null default '',
  folder_id text not null default '',
  provider_key_id text not null default '',
  thread_id text not null default '',
  primary key (id, at)
) partition by range (at);

create index usage_by_organization on gateway.usage (organization_id, id desc);
create index usage_by_request on gateway.usage (organization_id, request_id);
create index usage_by_time on gateway.usage (organization_id, at);
-- Threads are too many for sums: theirs are made from the rows.
create index usage_by_thread on gateway.usage (organization_id, thread_id, at) where thread_id <> '';
create index usage_of_threads on gateway.usage (organization_id, at) where thread_id <> '';
create index usage_by_agent on gateway.usage (organization_id, agent_id, at) where agent_id <> '';

-- Months are made ahead by the loader; what falls outside (a clock that jumped) is kept here rather than refused.
create table gateway.usage_other partition of gateway.usage default;

-- Sums over quarters of an hour, kept in the transaction that adds the rows, so both always agree. `latencies[k]` counts the calls whose
-- milliseconds have k binary digits (1 also those of none; 20 all that are longer): the bounds of percentiles.
create table gateway.usage_quarters (
  organization_id uuid not null,
  start timestamptz not null,
  agent_id text not null,
  version_id text not null,
  folder_id text not null,
  provider_key_id text not null,
  key_id uuid not null,
  provider text not null,
  model text not null,
  calls bigint not null,
  failed bigint not null,
  unpriced bigint not null,
  cached bigint not null,
  input_tokens bigint not null,
  cache_read_tokens bigint not null,
  cache_write_tokens bigint not null,
  output_tokens bigint not null,
  reasoning_tokens bigint not null,
  cost numeric(20, 10) not null,
  latency_ms bigint not null,
  latencies integer[] not null,
  last_at timestamptz not null,
  primary key (organization_id, start, agent_id, version_id, folder_id, provider_key_id, key_id, provider, model)
) partition by range (start);
create table gateway.usage_quarters_other partition of gateway.usage_quarters default;

-- The same over days (UTC): of a month of quarters a dashboard would have to read a hundred times as much.
create table gateway.usage_days (
  like gateway.usage_quarters,
  primary key (organization_id, start, agent_id, version_id, folder_id, provider_key_id, key_id, provider, model)
);

-- How far each spool has been loaded. Moves in the transaction that adds its rows: that is what makes it exactly once.
create table gateway.spool_positions (
  spool_id uuid primary key,
  segment bigint not null,
  "offset" integer not null
);

-- US dollars for a million tokens. A price never changes; a new row takes over from its valid_from on.
create table gateway.prices (
  provider text not null,
  model text not null,
  valid_from timestamptz not null,
  input numeric(20, 10) not null,
  cache_read numeric(20, 10) not null,
  cache_write numeric(20, 10) not null,
  output numeric(20, 10) not null,
  primary key (provider, model, valid_from)
);
