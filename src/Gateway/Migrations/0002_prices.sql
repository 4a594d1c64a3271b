-- List prices of the vendors, US dollars for a million tokens, so that a first run knows what it costs. Operators add their own.
insert into gateway.prices (provider, model, valid_from, input, cache_read, cache_write, output) values
  ('demo', 'demo', '2020-01-01', 0, 0, 0, 0),
  ('openai', 'gpt-4o', '2024-10-01', 2.5, 1.25, 2.5, 10),
  ('openai', 'gpt-4o-mini', '2024-07-18', 0.15, 0.075, 0.15, 0.6),
  ('openai', 'gpt-4.1', '2025-04-14', 2, 0.5, 2, 8),
  ('openai', 'gpt-4.1-mini', '2025-04-14', 0.4, 0.1, 0.4, 1.6),
  ('openai', 'gpt-4.1-nano', '2025-04-14', 0.1, 0.025, 0.1, 0.4),
  ('openai', 'gpt-5', '2025-08-07', 1.25, 0.125, 1.25, 10),
  ('openai', 'gpt-5-mini', '2025-08-07', 0.25, 0.025, 0.25, 2),
  ('openai', 'gpt-5-nano', '2025-08-07', 0.05, 0.005, 0.05, 0.4),
  ('openai', 'text-embedding-3-small', '2024-01-25', 0.02, 0.02, 0.02, 0),
  ('openai', 'text-embedding-3-large', '2024-01-25', 0.13, 0.13, 0.13, 0),
  ('anthropic', 'claude-3-5-haiku-latest', '2024-11-04', 0.8, 0.08, 1, 4),
  ('anthropic', 'claude-3-7-sonnet-latest', '2025-02-24', 3, 0.3, 3.75, 15),
  ('anthropic', 'claude-sonnet-4-20250514', '2025-05-22', 3, 0.3, 3.75, 15),
  ('anthropic', 'claude-opus-4-20250514', '2025-05-22', 15, 1.5, 18.75, 75);
