-- Whose turn it is in a conversation: one run at a time, whichever node it is on. A node renews what it holds; what it no longer renews
-- is free soon after. Nothing is lost when a crash empties the table.
create unlogged table gateway.thread_leases (
  organization_id uuid not null,
  agent_id text not null,
  thread_id text not null,
  sub_thread_id text not null,
  holder uuid not null,
  until timestamptz not null,
  primary key (organization_id, agent_id, thread_id, sub_thread_id)
);
create index thread_leases_by_holder on gateway.thread_leases (holder);

-- To whom the conversation was handed over by the agent that it belongs to.
alter table gateway.threads add column sticky_agent_id text, add column sticky_at timestamptz;

-- What came of test cases, newest last; one row for each case and each time it was run.
create table gateway.test_results (
  id uuid primary key,
  organization_id uuid not null,
  agent_id text not null references gateway.agents (id) on delete cascade,
  version_id text not null,
  test_case_id text,
  document jsonb not null,
  created_at timestamptz not null
);
create index test_results_by_time on gateway.test_results (created_at);
create index test_results_by_case on gateway.test_results (organization_id, agent_id, test_case_id, id desc);
