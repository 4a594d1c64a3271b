-- Responses that a client may read again, and go on from. `response` and `input` (its items, those that it went on from among them) are
-- JSON as sent, byte for byte.
create table gateway.responses (
  organization_id uuid not null references platform.organizations (id),
  id text not null,
  status text not null,
  -- Whose model answered, and whether that provider keeps the response under the same id too.
  provider text not null,
  is_upstream boolean not null,
  response bytea not null,
  input bytea not null,
  -- Of responses that are made in the background: what is asked, as whom, and by which job.
  request bytea,
  key_id uuid,
  key_prefix text,
  job_id uuid,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (organization_id, id)
);
create index responses_by_end on gateway.responses (expires_at);

-- Uploaded files, and those that batches made; their content is in the storage.
create table gateway.stored_files (
  id text primary key,
  organization_id uuid not null references platform.organizations (id),
  name text not null,
  purpose text not null,
  bytes bigint not null,
  created_at timestamptz not null,
  expires_at timestamptz
);
create index stored_files_in_order on gateway.stored_files (organization_id, created_at, id);
create index stored_files_by_end on gateway.stored_files (expires_at) where expires_at is not null;

-- Answers by the idempotency key that their request carried. One without a status is being made; `claimed_until` frees it when its node
-- died over it.
create table gateway.idempotent_answers (
  organization_id uuid not null references platform.organizations (id),
  route text not null,
  key text not null,
  body_hash bytea not null,
  claim uuid not null,
  claimed_until timestamptz not null,
  status integer,
  content_type text,
  body bytea,
  expires_at timestamptz not null,
  primary key (organization_id, route, key)
);
create index idempotent_answers_by_end on gateway.idempotent_answers (expires_at);
