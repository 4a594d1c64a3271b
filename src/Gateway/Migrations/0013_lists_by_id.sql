-- Ids of files and batches say when they were made: lists go by them alone, and go on behind one that was deleted meanwhile.
create index stored_files_by_id on gateway.stored_files (organization_id, id);
drop index gateway.stored_files_in_order;
create index batches_by_id on gateway.batches (organization_id, kind, id);
drop index gateway.batches_in_order;
