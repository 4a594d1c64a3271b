-- What those who run the installation allow this school to spend in a month, in US dollars; null for what the settings say, 0 for no limit.
alter table learning.organizations add monthly_budget numeric(12, 2) check (monthly_budget >= 0);

-- When the sender says that it was said. What counts, in streaks and figures, is when it came: created_at.
alter table learning.chat_history add said_at timestamptz;

-- A large cohort is being counted part by part: who asks for himself meanwhile may not have had his turn.
alter table learning.cohorts add standings_counting boolean not null default false;
