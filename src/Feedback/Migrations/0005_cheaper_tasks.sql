-- A task is written three times: when it is handed out, shown and answered. As long as no index has to follow, the second and third writing
-- take place beside the first. So what a task is called by its client, which is known only when it is shown, stands in a table of its own.
create table feedback.task_shown (
  api_client_id uuid not null,
  -- Of all tasks of a client one at most has been acknowledged with this id.
  frontend_message_id varchar(200) not null,
  task_id uuid not null,
  primary key (api_client_id, frontend_message_id)
);
insert into feedback.task_shown (api_client_id, frontend_message_id, task_id)
  select api_client_id, frontend_message_id, id from feedback.task where frontend_message_id is not null;
drop index feedback.task_by_frontend_message;

create function feedback.forget_shown() returns trigger language plpgsql as $$
begin
  delete from feedback.task_shown s using gone
  where s.api_client_id = gone.api_client_id and s.frontend_message_id = gone.frontend_message_id;
  return null;
end
$$;
create trigger task_is_gone after delete on feedback.task referencing old table as gone for each statement execute function feedback.forget_shown();

-- Likewise a task leaves no index when it is done. Those that expired are looked for from the time on up to which that was done before.
drop index feedback.task_by_expiry;
create index task_by_expiry on feedback.task (expiry_date);
create table feedback.tidied (
  until timestamptz not null
);
insert into feedback.tidied (until) values ('-infinity');

-- Room for the second and third writing of a row, and for the day on which somebody was last here.
alter table feedback.task set (fillfactor = 60);
alter table feedback.user set (fillfactor = 70);

-- Each statement on a table reads its conditions anew. These two tables are written for every request, by statements that take such words
-- from one place only.
alter table feedback.task drop constraint task_mode_check;
alter table feedback.offer drop constraint offer_work_check;
