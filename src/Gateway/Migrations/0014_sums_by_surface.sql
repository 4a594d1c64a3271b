-- What calls were for (the surface they came in by, or what a module asked them for), in the sums too. Sums made before this do not say.
alter table gateway.usage_quarters add column surface text not null default '';
alter table gateway.usage_quarters drop constraint usage_quarters_pkey;
alter table gateway.usage_quarters
  add primary key (organization_id, start, agent_id, version_id, folder_id, provider_key_id, key_id, provider, model, surface);
alter table gateway.usage_days add column surface text not null default '';
alter table gateway.usage_days drop constraint usage_days_pkey;
alter table gateway.usage_days
  add primary key (organization_id, start, agent_id, version_id, folder_id, provider_key_id, key_id, provider, model, surface);
