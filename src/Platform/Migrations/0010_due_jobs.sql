-- Workers that nobody calls ask twice a second whether anything is due.
create index jobs_due on platform.jobs (run_at) where state = 'available';
