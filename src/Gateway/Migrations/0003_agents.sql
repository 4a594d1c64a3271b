-- Agents and what belongs to them. Ids are 24 hex digits, as GTWY's clients know them. What is searched, joined or checked has a column;
-- the rest of a document stands in the words of the wire in `document`.

-- The organizations of tokens that another system signed, whose ids are not ours.
create table gateway.organization_names (
  org_id text primary key,
  organization_id uuid not null references platform.organizations (id)
);

-- What the front end of the wire keeps about organizations and people: a time zone, meta.
create table gateway.organization_settings (
  organization_id uuid primary key references platform.organizations (id),
  document jsonb not null
);
create table gateway.person_settings (
  person_id uuid primary key references platform.people (id),
  document jsonb not null
);

create table gateway.folders (
  id text primary key,
  organization_id uuid not null references platform.organizations (id),
  name text not null,
  kind text not null,
  document jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (organization_id, name)
);

create table gateway.agents (
  id text primary key,
  organization_id uuid not null references platform.organizations (id),
  name text not null,
  slug text not null,
  kind text not null check (kind in ('api', 'chatbot', 'trigger')),
  is_paused boolean not null,
  folder_id text,
  published_version_id text,
  document jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  unique (organization_id, slug)
);
create index agents_deleted on gateway.agents (deleted_at) where deleted_at is not null;

create table gateway.agent_versions (
  id text primary key,
  organization_id uuid not null references platform.organizations (id),
  agent_id text not null references gateway.agents (id) on delete cascade,
  is_draft boolean not null,
  document jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);
create index agent_versions_by_agent on gateway.agent_versions (agent_id, id);

-- Prompts that versions had, by the id that stands in them.
create table gateway.agent_prompts (
  id uuid primary key,
  organization_id uuid not null references platform.organizations (id),
  agent_id text not null references gateway.agents (id) on delete cascade,
  document jsonb not null,
  created_at timestamptz not null
);
create index agent_prompts_by_agent on gateway.agent_prompts (agent_id, id);

-- Who changed what of an agent; one row for each field.
create table gateway.agent_changes (
  id uuid primary key,
  organization_id uuid not null,
  agent_id text not null,
  version_id text,
  user_id text,
  kind text not null,
  at timestamptz not null
);
create index agent_changes_by_version on gateway.agent_changes (organization_id, version_id, id desc);
create index agent_changes_by_user on gateway.agent_changes (user_id) where user_id is not null;
create index agent_changes_by_agent on gateway.agent_changes (organization_id, agent_id, id desc);

create table gateway.tools (
  id text primary key,
  organization_id uuid not null references platform.organizations (id),
  script_id text not null,
  title text not null,
  document jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (organization_id, script_id)
);

-- Keys of model providers that an organization brought. `secret` is sealed; nothing ever reads it back to a client.
create table gateway.provider_keys (
  id text primary key,
  organization_id uuid not null references platform.organizations (id),
  folder_id text,
  name text not null,
  service text not null,
  secret bytea not null,
  mask text not null,
  status text not null,
  document jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique nulls not distinct (organization_id, folder_id, name)
);
create index provider_keys_by_service on gateway.provider_keys (organization_id, service, id);

-- When an agent or a key was last used: apart from them, since this is written all the time and no configuration.
create table gateway.last_uses (
  id text primary key,
  organization_id uuid not null,
  at timestamptz not null
);
create index last_uses_by_organization on gateway.last_uses (organization_id);

create table gateway.model_configurations (
  id text primary key,
  service text not null,
  model_name text not null,
  -- Null for models that every organization may use.
  organization_id uuid references platform.organizations (id),
  is_enabled boolean not null,
  document jsonb not null,
  updated_at timestamptz not null,
  unique nulls not distinct (service, model_name, organization_id)
);

create table gateway.threads (
  organization_id uuid not null,
  agent_id text not null,
  thread_id text not null,
  sub_thread_id text not null,
  display_name text,
  -- What the agent keeps in mind of this conversation, and the summary that stands for its older turns up to `summarized_to`.
  memory text,
  summary text,
  summarized_to uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (organization_id, agent_id, thread_id, sub_thread_id)
);
create index threads_by_thread on gateway.threads (organization_id, thread_id, created_at);
create index threads_by_time on gateway.threads (organization_id, agent_id, updated_at desc);

-- One row for each run of an agent (and each direct run): the history. Kept in months, like usage.
-- The wire shows rows as numbers.
create sequence gateway.run_numbers;
create table gateway.runs (
  id uuid not null,
  number bigint not null default nextval('gateway.run_numbers'),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  organization_id uuid not null,
  agent_id text not null,
  version_id text,
  thread_id text not null,
  sub_thread_id text not null,
  message_id text not null,
  parent_id text,
  child_id text,
  service text not null,
  model text not null,
  is_success boolean not null,
  is_cached boolean not null default false,
  finish_reason text,
  user_feedback smallint not null default 0,
  user_message text,
  answer text,
  error text,
  testcase_id text,
  batch_id text,
  -- The rest in the words of the wire: prompt, reasoning, tools_call_data, tokens, variables, latency, AiConfig, user_urls, llm_urls, ...
  document jsonb not null,
  primary key (id, created_at)
) partition by range (created_at);
create index runs_by_agent on gateway.runs (organization_id, agent_id, created_at desc);
create index runs_by_thread on gateway.runs (organization_id, agent_id, thread_id, sub_thread_id, created_at desc);
create index runs_by_latest on gateway.runs (organization_id, agent_id, thread_id, created_at desc);
create index runs_by_feedback on gateway.runs (organization_id, agent_id, created_at desc) where user_feedback <> 0;
create index runs_by_parent on gateway.runs (organization_id, parent_id) where parent_id is not null;
create index runs_by_batch on gateway.runs (organization_id, agent_id, created_at desc) where batch_id is not null;
create index runs_by_number on gateway.runs (organization_id, number);
create index runs_by_message on gateway.runs (organization_id, message_id);
create table gateway.runs_other partition of gateway.runs default;

create table gateway.alerts (
  id text primary key,
  organization_id uuid not null references platform.organizations (id),
  name text not null,
  document jsonb not null,
  created_at timestamptz not null,
  unique (organization_id, name)
);

create table gateway.test_cases (
  id text primary key,
  organization_id uuid not null references platform.organizations (id),
  agent_id text not null references gateway.agents (id) on delete cascade,
  name text not null,
  document jsonb not null,
  created_at timestamptz not null
);
create index test_cases_by_agent on gateway.test_cases (organization_id, agent_id, id);

-- What a node keeps in memory of all this (resolved agents, keys, models) it drops when it hears of a change. The payload is the
-- organization, or empty for what all share.
create function gateway.tell_configuration_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('gateway_configuration', case when bool_or(organization_id is null) then '' else string_agg(distinct organization_id::text, ',') end)
  from changed having count(*) > 0;
  return null;
end $$;

do $$
declare name text;
begin
  foreach name in array array['agents', 'agent_versions', 'tools', 'provider_keys', 'model_configurations', 'folders'] loop
    execute format('create trigger tell_made after insert on gateway.%I referencing new table as changed for each statement execute function gateway.tell_configuration_changed()', name);
    execute format('create trigger tell_changed after update on gateway.%I referencing new table as changed for each statement execute function gateway.tell_configuration_changed()', name);
    execute format('create trigger tell_removed after delete on gateway.%I referencing old table as changed for each statement execute function gateway.tell_configuration_changed()', name);
  end loop;
end $$;
