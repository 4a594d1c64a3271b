-- A replay counts among the runs of the same key as the job that it repeats.
alter table platform.finished_jobs add column limit_key text;
