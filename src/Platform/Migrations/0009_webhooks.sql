-- What organizations are told at addresses of theirs. `secret` and `headers` are sealed: they hold credentials.
create table platform.webhook_secrets (
  id uuid primary key,
  organization_id uuid not null references platform.organizations (id),
  secret bytea not null,
  created_at timestamptz not null,
  -- Null for the newest; the one before signs as well until its time is over.
  expires_at timestamptz
);
create unique index webhook_secrets_newest on platform.webhook_secrets (organization_id) where expires_at is null;
create index webhook_secrets_by_organization on platform.webhook_secrets (organization_id, id);

create table platform.webhook_deliveries (
  id uuid primary key,
  organization_id uuid not null references platform.organizations (id),
  -- What the receiver knows it by; the same over all attempts, and over everything that causes it twice.
  webhook_id text not null,
  kind text not null,
  url text not null,
  headers bytea,
  header_prefix text,
  body text not null,
  state text not null check (state in ('pending', 'delivered', 'failed')),
  attempt_count integer not null default 0,
  attempts jsonb not null default '[]',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  next_attempt_at timestamptz,
  unique (organization_id, webhook_id)
);
create index webhook_deliveries_by_organization on platform.webhook_deliveries (organization_id, id desc);
create index webhook_deliveries_by_state on platform.webhook_deliveries (organization_id, state, id desc);
create index webhook_deliveries_by_time on platform.webhook_deliveries (created_at);

-- Receivers that answered 410: nothing more is sent there until somebody sends something again by hand.
create table platform.webhooks_gone (
  organization_id uuid not null references platform.organizations (id),
  url_hash bytea not null,
  at timestamptz not null,
  primary key (organization_id, url_hash)
);
