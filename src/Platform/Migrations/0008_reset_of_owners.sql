-- Whether an owner of the installation made the link (or a shell on the host): only such a one leads into an owner's account.
alter table platform.password_resets add column is_by_owner boolean not null default false;
