-- What waits to be run, and what must not travel through a broker: `secrets` is sealed. Without a broker `message` is here as well.
create table gateway.queued_runs (
  id uuid primary key,
  organization_id uuid not null,
  message text,
  secrets bytea,
  -- The job that runs it first; a replay is another one.
  job_id uuid,
  created_at timestamptz not null,
  -- A broker may give out once more what it was told is done.
  done_at timestamptz
);
create index queued_runs_by_time on gateway.queued_runs (created_at);
create index queued_runs_done on gateway.queued_runs (done_at) where done_at is not null;

-- Who is at work on a queued run. Nothing is lost when a crash empties the table.
create unlogged table gateway.run_leases (
  organization_id uuid not null,
  message_id text not null,
  holder uuid not null,
  until timestamptz not null,
  primary key (organization_id, message_id)
);

-- What was pushed and is still of interest: the last message of a channel to whoever joins, a long one to the other nodes, and what waits for
-- a foreign push service (`secret` is its sealed key). Organization zero means all.
create table gateway.push_messages (
  id bigint generated always as identity primary key,
  organization_id uuid not null,
  channel text not null,
  body text not null,
  secret bytea,
  ttl_seconds integer not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index push_messages_by_channel on gateway.push_messages (organization_id, channel, id desc);
create index push_messages_by_end on gateway.push_messages (expires_at);

-- Alerts are kept in memory where runs end, and dropped when they change, like the rest of the configuration.
create trigger tell_made after insert on gateway.alerts referencing new table as changed for each statement execute function gateway.tell_configuration_changed();
create trigger tell_changed after update on gateway.alerts referencing new table as changed for each statement execute function gateway.tell_configuration_changed();
create trigger tell_removed after delete on gateway.alerts referencing old table as changed for each statement execute function gateway.tell_configuration_changed();
create index alerts_by_organization on gateway.alerts (organization_id, id);
