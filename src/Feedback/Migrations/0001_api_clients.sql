-- The programs that bring people's work in: web sites, bots, imports. The key is known to its holder only; we keep its SHA-256.
create table feedback.api_client (
  id uuid primary key,
  key_hash bytea not null unique check (length(key_hash) = 32),
  description varchar(256) not null,
  frontend_type varchar(256),
  trusted boolean not null default false,
  enabled boolean not null default true,
  admin_email varchar(256),
  created_at timestamptz not null
);

create function feedback.tell_api_client_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('feedback_api_clients', '');
  return null;
end
$$;

create trigger api_client_changed after insert or update or delete or truncate on feedback.api_client
for each statement execute function feedback.tell_api_client_changed();
