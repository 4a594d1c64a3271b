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
  primary key (id, at)
) partition by range (at);

create index usage_by_organization on gateway.usage (organization_id, id desc);
create index usage_by_request on gateway.usage (organization_id, request_id);
create index usage_by_time on gateway.usage (organization_id, at);

-- Months are made ahead by the loader; what falls outside (a clock that jumped) is kept here rather than refused.
create table gateway.usage_other partition of gateway.usage default;

-- Sums over quarters of an hour, kept in the transaction that adds the rows, so both always agree.
create table gateway.usage_quarters (
  organization_id uuid not null,
  quarter timestamptz not null,
  key_id uuid not null,
  provider text not null,
  model text not null,
  calls bigint not null,
  failed bigint not null,
  unpriced bigint not null,
  input_tokens bigint not null,
  cache_read_tokens bigint not null,
  cache_write_tokens bigint not null,
  output_tokens bigint not null,
  reasoning_tokens bigint not null,
  cost numeric(20, 10) not null,
  primary key (organization_id, quarter, key_id, provider, model)
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
