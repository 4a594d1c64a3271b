-- What another program has given for a process: a user's words, which are kept here and not in the arguments of jobs, and go with him.
create table assistants.given (
  id bigint generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  content jsonb not null,
  created_at timestamptz not null default now()
);
create index given_by_user on assistants.given (user_id);
create index given_by_age on assistants.given (created_at);

-- No clock on earth is further from UTC, and no instant can be written with a greater offset.
alter table assistants.users drop constraint users_timezone_offset_check,
  add constraint users_timezone_offset_check check (timezone_offset between -840 and 840);

-- When something was last produced in an execution: those that have become quiet are found among what is not searched yet, and not among all
-- that never came to anything.
alter table assistants.task_executions add produced_at timestamptz;

create function assistants.note_production() returns trigger language plpgsql as $$
begin
  update assistants.task_executions e set produced_at = greatest(e.produced_at, new.created_at)
  from assistants.produced_texts p where p.id = new.produced_text_id and e.id = p.task_execution_id;
  return null;
end
$$;
create trigger production_is_noted after insert on assistants.produced_text_versions
  for each row execute function assistants.note_production();

update assistants.task_executions e set produced_at = newest.created_at
from (
  select p.task_execution_id, max(v.created_at) as created_at
  from assistants.produced_texts p join assistants.produced_text_versions v on v.produced_text_id = p.id group by p.task_execution_id
) newest
where newest.task_execution_id = e.id;

drop index assistants.task_executions_without_todos;
create index task_executions_without_todos on assistants.task_executions (id)
  where todos_extracted_at is null and deleted_at is null and produced_at is not null;

-- Purchases of products that end, by when they began.
create index purchases_by_product on assistants.purchases (product_id, created_at) where is_active;
