-- What the client of a response in the background asked of the Gateway itself, sealed: a provider's key may be among it.
alter table gateway.responses add column wishes bytea;
