-- Roll-ups of customer-flow, revenue-movements and loyalty-economics. Distinct buyers do not add up over days, so each grain (0 week, 1 month, 2 quarter,
-- 3 year) has rows of its own; period is the first day of it. What does add up by day joins what is stored by day, under a name that covers both.
-- The new measures begin empty: a database that holds customers needs npm run rebuild.
create table rollup_buyer_periods (
  model_version smallint not null,
  group_id smallint not null,
  grain smallint not null,
  period integer not null,
  new_buyers bigint not null,
  returning_buyers bigint not null,
  reactivated_buyers bigint not null,
  dormant_buyers bigint not null,
  new_revenue bigint not null,
  returning_revenue bigint not null,
  reactivated_revenue bigint not null,
  expansion_revenue bigint not null,
  contraction_revenue bigint not null,
  lost_revenue bigint not null,
  lost_floor_revenue bigint not null,
  existing_revenue bigint not null,
  primary key (model_version, group_id, grain, period)
) with (fillfactor = 60);

alter table rollup_stored_events rename to rollup_daily_totals;
alter index rollup_stored_events_pkey rename to rollup_daily_totals_pkey;
alter table rollup_daily_totals
  add column revenue bigint not null default 0,
  add column costs bigint not null default 0,
  add column acquisition_costs bigint not null default 0,
  add column retention_costs bigint not null default 0;
alter table rollup_daily_totals
  alter column revenue drop default,
  alter column costs drop default,
  alter column acquisition_costs drop default,
  alter column retention_costs drop default;
