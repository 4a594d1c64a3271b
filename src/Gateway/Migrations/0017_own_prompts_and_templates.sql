-- Prompts of the built-in agents (notes, suggestions, summaries, …) that an organization has put in the place of ours.
create table gateway.own_prompts (
  organization_id uuid not null references platform.organizations (id) on delete cascade,
  prompt_id text not null,
  prompt text not null,
  updated_at timestamptz not null,
  primary key (organization_id, prompt_id)
);

-- Templates by which a front end shows structured answers.
create table gateway.rich_ui_templates (
  id text primary key,
  organization_id uuid not null references platform.organizations (id) on delete cascade,
  name text not null,
  document jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (organization_id, name)
);
