-- PDFs that were uploaded for a conversation: its later runs are shown them until they expire. The index begins with the agent, so that
-- erasing one finds its rows.
create table gateway.thread_files (
  id uuid primary key,
  organization_id uuid not null,
  agent_id text not null references gateway.agents (id) on delete cascade,
  thread_id text not null,
  sub_thread_id text not null,
  path text not null,
  bytes bigint not null,
  expires_at timestamptz not null
);
create index thread_files_by_thread on gateway.thread_files (agent_id, thread_id, sub_thread_id, id desc);
create index thread_files_by_end on gateway.thread_files (expires_at);
