-- email_key is the address as it is compared; both are null once a person is erased.
create table platform.people (
  id uuid primary key,
  email text,
  email_key text unique,
  email_verified_at timestamptz,
  name text not null,
  locale text not null,
  time_zone text not null,
  state text not null check (state in ('active', 'suspended', 'erased')),
  password_hash text,
  created_at timestamptz not null,
  last_sign_in_at timestamptz,
  erase_at timestamptz,
  erased_at timestamptz,
  check (state <> 'erased' or (email is null and email_key is null and password_hash is null)),
  check ((email is null) = (email_key is null))
);
create index people_to_erase on platform.people (erase_at) where erase_at is not null;

-- Who a person is elsewhere. The subject is the provider's own id, which does not change when an address does.
create table platform.external_accounts (
  provider text not null check (provider ~ '^[a-z][a-z0-9_-]{0,31}$'),
  subject text not null check (length(subject) between 1 and 255),
  person_id uuid not null references platform.people (id),
  email text,
  linked_at timestamptz not null,
  primary key (provider, subject)
);
create index external_accounts_by_person on platform.external_accounts (person_id);

create table platform.memberships (
  organization_id uuid not null references platform.organizations (id),
  person_id uuid not null references platform.people (id),
  role text not null check (role in ('viewer', 'member', 'admin', 'owner')),
  created_at timestamptz not null,
  primary key (organization_id, person_id)
);
create index memberships_by_person on platform.memberships (person_id);

create table platform.invitations (
  id uuid primary key,
  organization_id uuid not null references platform.organizations (id),
  email text not null,
  email_key text not null,
  role text not null check (role in ('viewer', 'member', 'admin', 'owner')),
  token_hash bytea not null unique check (length(token_hash) = 32),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by uuid references platform.people (id),
  revoked_at timestamptz
);
create index invitations_by_organization on platform.invitations (organization_id, id);
create index invitations_by_email on platform.invitations (email_key);

-- A member that is no person: a program, which calls with keys of its own.
create table platform.principals (
  id uuid primary key,
  organization_id uuid not null references platform.organizations (id),
  name text not null,
  created_at timestamptz not null,
  removed_at timestamptz,
  unique (organization_id, id)
);

alter table platform.api_keys add column principal_id uuid;
alter table platform.api_keys add constraint api_keys_principal
  foreign key (organization_id, principal_id) references platform.principals (organization_id, id);
create index api_keys_by_principal on platform.api_keys (principal_id) where principal_id is not null;

-- Of a person, or of the holder of an API key. What has ended is deleted. A key may live in memory only, so it is not referenced.
create table platform.sessions (
  id uuid primary key,
  token_hash bytea not null unique check (length(token_hash) = 32),
  person_id uuid references platform.people (id),
  key_id uuid,
  key_prefix text,
  organization_id uuid references platform.organizations (id),
  address text,
  user_agent text,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  expires_at timestamptz not null,
  check ((person_id is null) <> (key_id is null))
);
create index sessions_by_person on platform.sessions (person_id, id);
create index sessions_by_end on platform.sessions (expires_at);

-- Proof that whoever sets the installation up can read its log. There are some only while there is no person.
create table platform.setup_tokens (
  token_hash bytea primary key check (length(token_hash) = 32),
  expires_at timestamptz not null
);

-- Every host keeps sessions in memory. What changes a person's rights, by whatever hand, is told to all; an empty word means everybody.
create function platform.tell_person_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('platform_people', case tg_table_name
    when 'people' then (to_jsonb(coalesce(new, old)) ->> 'id')
    when 'sessions' then coalesce(to_jsonb(coalesce(new, old)) ->> 'person_id', to_jsonb(coalesce(new, old)) ->> 'id')
    when 'memberships' then (to_jsonb(coalesce(new, old)) ->> 'person_id')
    else '' end);
  return null;
end
$$;

create trigger people_changed after update of state, name, email, locale, time_zone or delete on platform.people
for each row execute function platform.tell_person_changed();

create trigger memberships_changed after insert or update or delete on platform.memberships
for each row execute function platform.tell_person_changed();

create trigger sessions_changed after update of token_hash, organization_id, expires_at or delete on platform.sessions
for each row execute function platform.tell_person_changed();

create trigger organizations_changed after update of name, slug on platform.organizations
for each row execute function platform.tell_person_changed();

create index audit_by_actor on platform.audit (actor, id);
