-- Answers that may be given again. Nothing depends on them, so they are not logged: a crash of the database empties the cache.
create unlogged table gateway.cached_answers (
  organization_id uuid not null,
  key bytea not null,
  body bytea not null,
  input_tokens bigint not null,
  cache_read_tokens bigint not null,
  cache_write_tokens bigint not null,
  output_tokens bigint not null,
  reasoning_tokens bigint not null,
  expires_at timestamptz not null,
  primary key (organization_id, key)
);
create index cached_answers_by_end on gateway.cached_answers (expires_at);
