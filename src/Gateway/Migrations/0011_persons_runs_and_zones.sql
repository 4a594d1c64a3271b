-- An agent's configuration holds the time zone of its organization.
create trigger tell_made after insert on gateway.organization_settings referencing new table as changed
  for each statement execute function gateway.tell_configuration_changed();
create trigger tell_changed after update on gateway.organization_settings referencing new table as changed
  for each statement execute function gateway.tell_configuration_changed();

-- For what a person is handed out, and for his erasure.
create index runs_by_user on gateway.runs ((document ->> 'user_id')) where document ->> 'user_id' is not null;
