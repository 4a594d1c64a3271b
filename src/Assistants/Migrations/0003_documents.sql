-- Documents of users: pages of websites, files, and what they wrote themselves; cut into chunks, which are found by words and by vectors.

-- Which words of a text are looked for, and in which form. Known languages have stems and words that say nothing.
create function assistants.text_config(language text) returns regconfig language sql immutable parallel safe as $$
  select case language
    when 'en' then 'pg_catalog.english'::regconfig
    when 'fr' then 'pg_catalog.french'::regconfig
    when 'es' then 'pg_catalog.spanish'::regconfig
    when 'de' then 'pg_catalog.german'::regconfig
    when 'it' then 'pg_catalog.italian'::regconfig
    when 'pt' then 'pg_catalog.portuguese'::regconfig
    when 'nl' then 'pg_catalog.dutch'::regconfig
    when 'sv' then 'pg_catalog.swedish'::regconfig
    when 'da' then 'pg_catalog.danish'::regconfig
    when 'no' then 'pg_catalog.norwegian'::regconfig
    when 'fi' then 'pg_catalog.finnish'::regconfig
    when 'ru' then 'pg_catalog.russian'::regconfig
    else 'pg_catalog.simple'::regconfig
  end
$$;

create table assistants.websites (
  id integer generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  company_id integer references assistants.companies (id) on delete set null,
  -- Its base page.
  url text not null,
  -- Counts how often it was read; the pages carry the run that reached them.
  run integer not null default 0,
  is_running boolean not null default false,
  started_at timestamptz,
  finished_at timestamptz,
  -- Of this run; the time counts while somebody is reading.
  bytes_read bigint not null default 0,
  seconds_spent double precision not null default 0,
  -- Why the last run ended, when it did not reach everything.
  ended_because text,
  next_refresh_at timestamptz,
  created_at timestamptz not null default now()
);
create unique index websites_by_url on assistants.websites (user_id, md5(url));
create index websites_to_refresh on assistants.websites (next_refresh_at) where next_refresh_at is not null;

create table assistants.documents (
  id integer generated always as identity primary key,
  user_id text not null references assistants.users (id) on delete cascade,
  website_id integer references assistants.websites (id) on delete set null,
  document_type text not null check (document_type in ('learned_by_mojo', 'webpage')),
  -- The wire's: of a page its address.
  name text not null,
  title text not null default '',
  language varchar(8) not null default '',
  -- SHA-256 of the readable text and its title.
  content_hash bytea,
  etag text,
  last_modified text,
  -- Counts what was written, so that nobody writes over what he has not seen.
  version integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz,
  checked_at timestamptz,
  deleted_at timestamptz,
  -- Then no reading of its website brings it back.
  is_deleted_by_user boolean not null default false
);
create unique index documents_by_name on assistants.documents (user_id, md5(name));
create index documents_by_user on assistants.documents (user_id, document_type, id desc) where deleted_at is null;
create index documents_by_website on assistants.documents (website_id) where website_id is not null;

create table assistants.document_chunks (
  id integer generated always as identity primary key,
  document_id integer not null references assistants.documents (id) on delete cascade,
  -- Its document's, like title and language: a search looks at this table alone.
  user_id text not null,
  index integer not null,
  text text not null,
  title text not null,
  language varchar(8) not null,
  -- SHA-256 of the text: what has not changed keeps its vector.
  content_hash bytea not null,
  -- Float32, little-endian, of length 1; null: not made yet.
  embedding bytea,
  embedding_model text,
  embedded_at timestamptz,
  -- The signs of the vector, by which the server finds those that may be near.
  signature bit varying,
  -- The owner is a word too: so the index leads to his chunks alone.
  words tsvector not null generated always as (
    setweight(to_tsvector(assistants.text_config(language), title), 'A') || to_tsvector(assistants.text_config(language), text)
    || array_to_tsvector(array['owner:' || user_id])
  ) stored,
  deleted_at timestamptz
);
create unique index document_chunks_in_order on assistants.document_chunks (document_id, index) where deleted_at is null;
create index document_chunks_by_vector on assistants.document_chunks (user_id, embedding_model) include (signature) where deleted_at is null;
create index document_chunks_by_model on assistants.document_chunks (embedding_model, document_id) where deleted_at is null;
create index document_chunks_by_word on assistants.document_chunks using gin (words) where deleted_at is null;

-- The pages of a website as its runs meet them: what waits is the rest of the run, which goes on from there whatever happens to the worker.
create table assistants.website_pages (
  id bigint generated always as identity primary key,
  website_id integer not null references assistants.websites (id) on delete cascade,
  url text not null,
  depth integer not null,
  run integer not null,
  state text not null default 'waiting' check (state in ('waiting', 'read', 'left_out', 'failed')),
  reason text,
  document_id integer references assistants.documents (id) on delete set null
);
create unique index website_pages_by_url on assistants.website_pages (website_id, md5(url));
create index website_pages_in_order on assistants.website_pages (website_id, run, state, depth, id);
create index website_pages_by_document on assistants.website_pages (document_id) where document_id is not null;
