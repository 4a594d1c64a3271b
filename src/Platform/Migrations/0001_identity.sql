create table platform.organizations (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null,
  created_at timestamptz not null default now()
);

-- The organization of a fresh installation. Its id is fixed, so that the development key belongs to it without a look-up.
insert into platform.organizations (id, slug, name) values ('00000000-0000-7000-8000-000000000001', 'default', 'Default');

create table platform.api_keys (
  id uuid primary key,
  organization_id uuid not null references platform.organizations (id),
  name text not null,
  prefix text not null unique check (prefix ~ '^[0-9A-Za-z]{12}$'),
  secret_hash bytea not null check (length(secret_hash) = 32),
  is_admin boolean not null,
  models text[],
  providers text[],
  requests_per_minute integer check (requests_per_minute > 0),
  tokens_per_minute integer check (tokens_per_minute > 0),
  expires_at timestamptz,
  revoked_at timestamptz,
  replaced_by uuid references platform.api_keys (id),
  created_at timestamptz not null,
  last_used_at timestamptz
);
create index api_keys_by_organization on platform.api_keys (organization_id, id);

create table platform.audit (
  id uuid primary key,
  at timestamptz not null,
  actor text not null,
  act text not null,
  subject text not null,
  organization_id uuid references platform.organizations (id),
  details jsonb not null default '{}'
);
create index audit_by_organization on platform.audit (organization_id, id);
create index audit_by_subject on platform.audit (subject, id);

-- A trigger, not a statement of the store: a key that an operator revokes by hand in an emergency must fall on every node too.
-- Once per statement, and not for last_used_at, which is written all the time.
create function platform.tell_keys_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('platform_keys', '');
  return null;
end
$$;

create trigger api_keys_changed
after insert or delete or truncate or update of
  organization_id, name, prefix, secret_hash, is_admin, models, providers, requests_per_minute, tokens_per_minute, expires_at, revoked_at
on platform.api_keys
for each statement execute function platform.tell_keys_changed();
