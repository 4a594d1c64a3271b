-- Why a document is not what it should be: reading its page again failed, or no vectors could be made of it. Null: nothing is wrong.
alter table assistants.documents add column update_error text;
