-- What a batch of an agent must know and no log may: the key that its request brought, the receiver's address and headers. Sealed; gone
-- when the batch is over.
alter table gateway.batches add column secrets bytea;
