-- A search reads all pieces of a user, or many of them: so it shall find them side by side, and read no more of them than it compares. The table is
-- written anew for that, which takes some minutes where there are a million pieces.
alter table assistants.document_chunks
  -- Texts, words and whole vectors stand apart from the rows, also where they are short; what a search compares does not.
  set (toast_tuple_target = 256),
  alter column signature set storage main,
  -- The upper halves of a vector's float32: a sign, an exponent and seven digits of each, enough to say which of two vectors is nearer.
  add column halves bytea generated always as (decode(regexp_replace(encode(embedding, 'hex'), '....(....)', '\1', 'g'), 'hex')) stored,
  alter column halves set storage main;
