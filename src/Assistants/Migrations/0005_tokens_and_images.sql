-- Tokens of users carry the number that this was when they were issued; whoever sets a new password ends those of before by counting on.
alter table assistants.users add token_version integer not null default 0;

-- Pictures that users fill into forms: models are shown them, and they go with the execution.
create table assistants.input_images (
  id integer generated always as identity primary key,
  task_execution_id integer not null references assistants.task_executions (id) on delete cascade,
  input_name text not null,
  content_type text not null,
  content bytea not null
);
create index input_images_by_execution on assistants.input_images (task_execution_id);
