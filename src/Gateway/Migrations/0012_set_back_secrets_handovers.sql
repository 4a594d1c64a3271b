-- Who writes what was used sets the budget back, also when the document says the same figure already: it says since when.
drop function gateway.budget_of_document(jsonb, text, timestamptz);

create function gateway.budget_of_document(
  document jsonb, prefix text, made timestamptz, out amount numeric, out used numeric, out told_at text, out period text, out begins timestamptz)
language plpgsql stable as $$
begin
  if jsonb_typeof(document -> (prefix || '_limit')) = 'number' then
    -- As many places as are kept: less than the last of them is none.
    amount := round(least((document ->> (prefix || '_limit'))::numeric, 1000000000), 10);
  end if;
  if jsonb_typeof(document -> (prefix || '_usage')) = 'number' then
    used := greatest(least((document ->> (prefix || '_usage'))::numeric, 1000000000), 0);
  end if;
  told_at := document ->> (prefix || '_usage_set_at');
  period := document ->> (prefix || '_limit_reset_period');
  if period is null or period not in ('monthly', 'weekly', 'daily') then
    period := 'never';
  end if;
  begin
    begins := (document ->> (prefix || '_limit_start_date'))::timestamptz;
  exception when others then
    begins := null;
  end;
  begins := case when begins > '1970-01-01' and begins < '9999-01-01' then begins else date_trunc('day', made, 'UTC') end;
end $$;

create or replace function gateway.follow_budget() returns trigger language plpgsql as $$
declare
  budget_scope text := tg_argv[0];
  prefix text := tg_argv[1];
  wanted record;
  had record;
  told numeric;
begin
  if tg_op = 'DELETE' or to_jsonb(new) ->> 'deleted_at' is not null then
    if exists (select from gateway.budgets where organization_id = old.organization_id and scope = budget_scope and subject = old.id) then
      perform gateway.set_budget(old.organization_id, budget_scope, old.id, null, 'monthly', now());
    end if;
    return null;
  end if;
  wanted := gateway.budget_of_document(new.document, prefix, new.created_at);
  if tg_op = 'UPDATE' then
    had := gateway.budget_of_document(old.document, prefix, old.created_at);
    if had is not distinct from wanted and to_jsonb(old) ->> 'deleted_at' is null then
      return null;
    end if;
    if wanted.told_at is distinct from had.told_at or wanted.used is distinct from had.used or coalesce(had.amount, 0) <= 0 then
      told := wanted.used;
    end if;
  elsif coalesce(wanted.amount, 0) <= 0 then
    return null;
  else
    told := wanted.used;
  end if;
  perform gateway.set_budget(new.organization_id, budget_scope, new.id, wanted.amount, wanted.period, wanted.begins, told);
  return null;
end $$;

-- What tools of an organization send along and nobody reads: {{secret.NAME}} in a header of a tool.
create table gateway.secrets (
  organization_id uuid not null references platform.organizations (id) on delete cascade,
  name text not null,
  -- Sealed with the installation's data protection.
  value bytea not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (organization_id, name)
);

-- What an agent has handed over to others.
create index runs_handed_over on gateway.runs (organization_id, agent_id, created_at desc) where child_id is not null and parent_id is null;
