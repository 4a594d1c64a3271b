-- Tokens that must not be taken again although they still look right: signed ones given up before their end, and one-time ones that
-- were used. Kept until they would have ended anyway, by hash: the tokens themselves would open doors.
create table platform.spent_tokens (
  token_hash bytea primary key check (length(token_hash) = 32),
  expires_at timestamptz not null
);
create index spent_tokens_by_end on platform.spent_tokens (expires_at);

create function platform.tell_token_spent() returns trigger language plpgsql as $$
begin
  perform pg_notify('platform_spent_tokens', encode(new.token_hash, 'hex') || ' ' || extract(epoch from new.expires_at)::bigint);
  return null;
end
$$;

create trigger token_spent after insert on platform.spent_tokens
for each row execute function platform.tell_token_spent();
