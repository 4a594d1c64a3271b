-- Where an imported text came from: what served it, and in which call.
create table feedback.message_source (
  message_id uuid primary key references feedback.message (id) on delete cascade,
  organization_id uuid not null,
  name varchar(256) not null,
  agent_version varchar(256),
  model varchar(256),
  provider varchar(256),
  call_id varchar(256)
);
create index message_source_by_name on feedback.message_source (organization_id, name, message_id);

-- What a file said of a message's labels: means, whose single values nobody has.
create table feedback.imported_label (
  message_id uuid not null references feedback.message (id) on delete cascade,
  name varchar(64) not null,
  value double precision not null,
  count integer not null,
  primary key (message_id, name)
);

-- What is known to be true of a message, to hold annotators against.
create table feedback.gold_label (
  message_id uuid not null references feedback.message (id) on delete cascade,
  name varchar(64) not null,
  value double precision not null check (value between 0 and 1),
  set_by varchar(256) not null,
  created_date timestamptz not null,
  primary key (message_id, name)
);

create index message_unindexed on feedback.message (id) where search_vector is null;
create index message_emoji_by_date on feedback.message_emoji (created_date);
