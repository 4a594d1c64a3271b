-- Whether an organization that does other things too pays for the school's model calls: its keys, limits and members are set there.
alter table learning.organizations add is_paid_for boolean not null default false;
