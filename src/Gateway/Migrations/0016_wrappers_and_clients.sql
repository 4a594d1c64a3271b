-- Texts around the prompts of agents: configurations of runs hold them.
create table gateway.prompt_wrappers (
  id text primary key,
  organization_id uuid not null references platform.organizations (id) on delete cascade,
  name text not null,
  template text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (organization_id, name)
);
create trigger tell_made after insert on gateway.prompt_wrappers referencing new table as changed
  for each statement execute function gateway.tell_configuration_changed();
create trigger tell_changed after update on gateway.prompt_wrappers referencing new table as changed
  for each statement execute function gateway.tell_configuration_changed();
create trigger tell_removed after delete on gateway.prompt_wrappers referencing old table as changed
  for each statement execute function gateway.tell_configuration_changed();

-- Applications of others that people may sign in to with a token of ours.
create table gateway.sign_in_clients (
  id text primary key,
  organization_id uuid not null references platform.organizations (id) on delete cascade,
  name text not null,
  redirection_url text not null,
  created_at timestamptz not null
);
create index sign_in_clients_by_organization on gateway.sign_in_clients (organization_id, created_at, id);

-- What an organization signs the tokens of embedded users with; sealed with the installation's data protection.
create table gateway.organization_tokens (
  organization_id uuid primary key references platform.organizations (id) on delete cascade,
  token bytea not null,
  created_at timestamptz not null
);
