-- A link by which somebody sets a new password without the old one, made for him by an operator. What was used is deleted.
create table platform.password_resets (
  token_hash bytea primary key check (length(token_hash) = 32),
  person_id uuid not null references platform.people (id),
  expires_at timestamptz not null
);
create index password_resets_by_person on platform.password_resets (person_id);
