-- How many US dollars may be spent in a period, by whom or what. Those of folders, agents and provider keys follow from their documents.
create table gateway.budgets (
  id bigint generated always as identity primary key,
  organization_id uuid not null references platform.organizations (id) on delete cascade,
  -- In the order in which they are checked and locked.
  scope text not null check (scope in ('folder', 'agent', 'provider_key', 'key', 'organization')),
  -- The id of what is limited; empty for the organization.
  subject text not null,
  amount numeric(20, 10) not null check (amount > 0),
  period text not null check (period in ('monthly', 'weekly', 'daily', 'never')),
  starts_at timestamptz not null,
  -- What usage of the period that began then has cost.
  period_start timestamptz not null,
  spent numeric(20, 10) not null,
  unique (organization_id, scope, subject)
);

-- What calls under way may come to. Goes with the call's usage row, or with its time when the call's process died.
create table gateway.budget_reservations (
  budget_id bigint not null references gateway.budgets (id) on delete cascade,
  call_id uuid not null,
  amount numeric(20, 10) not null,
  expires_at timestamptz not null,
  primary key (budget_id, call_id)
);
create index budget_reservations_by_call on gateway.budget_reservations (call_id);

-- The start of the period that holds `moment`. In UTC, whatever the session's time zone. Before the first period: its start.
create function gateway.period_start(starts_at timestamptz, period text, moment timestamptz) returns timestamptz
language plpgsql immutable as $$
declare
  origin timestamp := starts_at at time zone 'UTC';
  instant timestamp := greatest(moment, starts_at) at time zone 'UTC';
  months integer;
begin
  if period = 'never' then
    return starts_at;
  end if;
  if period = 'monthly' then
    months := (extract(year from instant) - extract(year from origin)) * 12 + extract(month from instant) - extract(month from origin);
    if origin + make_interval(months => months) > instant then
      months := months - 1;
    end if;
    return (origin + make_interval(months => months)) at time zone 'UTC';
  end if;
  return date_bin(case period when 'weekly' then interval '7 days' else interval '1 day' end, instant, origin) at time zone 'UTC';
end $$;

-- Reserves for a call in all of its budgets, or in none: then it answers the first (in order) that is used up. One statement, so one round
-- trip; the row locks make it exact over all nodes.
create function gateway.reserve(
  organization uuid, scopes text[], subjects text[], estimate numeric, call uuid, lifetime interval)
returns table (scope text, subject text, used numeric, amount numeric)
language plpgsql as $$
declare
  budget record;
  held numeric;
  found_budgets bigint[] := '{}';
  amounts numeric[] := '{}';
begin
  -- Not flushed to disk: should the database itself crash, a reservation is lost, but never a cost, which is in the usage row.
  perform set_config('synchronous_commit', 'off', true);
  for budget in
    select b.id, b.scope, b.subject, b.amount,
      case when p.start > b.period_start then 0 else b.spent end as spent
    from gateway.budgets b
    cross join lateral (select gateway.period_start(b.starts_at, b.period, clock_timestamp()) as start) p
    where b.organization_id = organization and (b.scope, b.subject) in (select * from unnest(scopes, subjects))
    order by array_position(array['folder', 'agent', 'provider_key', 'key', 'organization'], b.scope), b.subject
    for no key update of b
  loop
    -- A new snapshot: it sees what others reserved before they gave the lock away.
    select coalesce(sum(r.amount), 0) into held
    from gateway.budget_reservations r where r.budget_id = budget.id and r.expires_at > clock_timestamp();
    if budget.spent + held >= budget.amount then
      return query select budget.scope, budget.subject, budget.spent + held, budget.amount;
      return;
    end if;
    found_budgets := found_budgets || budget.id;
    amounts := amounts || least(estimate, budget.amount - budget.spent - held);
  end loop;
  insert into gateway.budget_reservations (budget_id, call_id, amount, expires_at)
  select reserved.id, call, reserved.part, clock_timestamp() + lifetime from unnest(found_budgets, amounts) as reserved (id, part);
end $$;

-- Whoever adds what usage has cost and whoever makes a budget of it take turns: no call is missed by both, none counted by both.
create function gateway.budgets_lock() returns bigint language sql immutable as 'select 4172001';

-- Adds costs to the budgets they belong to. A period that is over begins anew; what is older than the period does not count.
create function gateway.charge(
  organizations uuid[], scopes text[], subjects text[], moments timestamptz[], costs numeric[])
returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(gateway.budgets_lock());
  if not exists (select from gateway.budgets) then
    return;
  end if;
  -- In the order of gateway.reserve: they wait for each other instead of deadlocking.
  perform from gateway.budgets b
  where (b.organization_id, b.scope, b.subject) in (select * from unnest(organizations, scopes, subjects))
  order by b.organization_id, array_position(array['folder', 'agent', 'provider_key', 'key', 'organization'], b.scope), b.subject
  for no key update;
  with charges as (
    select b.id, gateway.period_start(b.starts_at, b.period, c.moment) as start, c.cost
    from unnest(organizations, scopes, subjects, moments, costs) as c (organization_id, scope, subject, moment, cost)
    join gateway.budgets b using (organization_id, scope, subject)
    where c.moment >= b.starts_at),
  newest as (select id, start, sum(cost) as cost, row_number() over (partition by id order by start desc) as place
    from charges group by id, start)
  update gateway.budgets b
  set period_start = n.start, spent = n.cost + case when n.start > b.period_start then 0 else b.spent end
  from newest n where n.id = b.id and n.place = 1 and n.start >= b.period_start;
end $$;

-- What usage has cost since the moment: the rest of its day by quarters of an hour, then whole days.
create function gateway.spent_since(organization uuid, budget_scope text, budget_subject text, since timestamptz) returns numeric
language sql stable as $$
  select coalesce(sum(q.cost), 0)
  from (select date_trunc('day', since + interval '1 day' - interval '1 microsecond', 'UTC') as day) as first
  cross join lateral (
    select * from gateway.usage_quarters where organization_id = organization and start >= since and start < first.day
    union all
    select * from gateway.usage_days where organization_id = organization and start >= first.day) q
  where case budget_scope
      when 'folder' then q.folder_id when 'agent' then q.agent_id when 'provider_key' then q.provider_key_id
      when 'key' then q.key_id::text else '' end = budget_subject
$$;

-- Sets or removes (amount null or 0) a budget. A new period counts what was spent in it already, unless the caller says how much that is.
create function gateway.set_budget(
  organization uuid, budget_scope text, budget_subject text, budget_amount numeric, budget_period text, begins timestamptz,
  budget_spent numeric default null)
returns void language plpgsql as $$
declare
  -- Quarters of an hour are what costs are summed by.
  origin timestamptz := date_bin('15 minutes', begins, 'epoch');
  current_start timestamptz := gateway.period_start(date_bin('15 minutes', begins, 'epoch'), budget_period, clock_timestamp());
begin
  perform pg_advisory_xact_lock(gateway.budgets_lock());
  if coalesce(budget_amount, 0) <= 0 then
    delete from gateway.budgets where organization_id = organization and scope = budget_scope and subject = budget_subject;
  else
    update gateway.budgets set amount = budget_amount
    where organization_id = organization and scope = budget_scope and subject = budget_subject
      and period = budget_period and starts_at = origin;
    if not found then
      insert into gateway.budgets (organization_id, scope, subject, amount, period, starts_at, period_start, spent)
      values (organization, budget_scope, budget_subject, budget_amount, budget_period, origin, current_start,
        gateway.spent_since(organization, budget_scope, budget_subject, current_start))
      on conflict (organization_id, scope, subject) do update set amount = excluded.amount, period = excluded.period,
        starts_at = excluded.starts_at, period_start = excluded.period_start, spent = excluded.spent;
    end if;
    if budget_spent is not null then
      update gateway.budgets set spent = budget_spent, period_start = current_start
      where organization_id = organization and scope = budget_scope and subject = budget_subject;
    end if;
  end if;
  perform pg_notify('gateway_budgets', organization::text);
end $$;

-- The document of a folder, an agent or a provider key says its limit: {prefix}_limit, _usage, _limit_reset_period, _limit_start_date.
create function gateway.budget_of_document(
  document jsonb, prefix text, made timestamptz, out amount numeric, out used numeric, out period text, out begins timestamptz)
language plpgsql stable as $$
begin
  if jsonb_typeof(document -> (prefix || '_limit')) = 'number' then
    -- As many places as are kept: less than the last of them is none.
    amount := round(least((document ->> (prefix || '_limit'))::numeric, 1000000000), 10);
  end if;
  if jsonb_typeof(document -> (prefix || '_usage')) = 'number' then
    used := greatest(least((document ->> (prefix || '_usage'))::numeric, 1000000000), 0);
  end if;
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

create function gateway.follow_budget() returns trigger language plpgsql as $$
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
    -- Who writes what was used sets it back; a document that is written with what it said already does not.
    if wanted.used is distinct from had.used or coalesce(had.amount, 0) <= 0 then
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

create trigger follow_budget after insert or update or delete on gateway.folders
  for each row execute function gateway.follow_budget('folder', 'folder');
create trigger follow_budget after insert or update or delete on gateway.agents
  for each row execute function gateway.follow_budget('agent', 'bridge');
create trigger follow_budget after insert or update or delete on gateway.provider_keys
  for each row execute function gateway.follow_budget('provider_key', 'apikey');
