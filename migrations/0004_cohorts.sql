-- Roll-ups of cohort-retention and repeat-purchases. Distinct buyers do not add up over periods, so each grain (0 week, 1 month, 2 quarter, 3 year)
-- has rows of its own; a cohort is the first day of its period, an age the number of periods after it. They begin empty: a database that holds
-- customers needs a rebuild.
create table rollup_cohorts (
  model_version smallint not null,
  group_id smallint not null,
  grain smallint not null,
  cohort integer not null,
  age integer not null,
  buyers bigint not null,
  last_buyers bigint not null,
  purchases bigint not null,
  purchase_days bigint not null,
  revenue bigint not null,
  costs bigint not null,
  primary key (model_version, group_id, grain, cohort, age)
) with (fillfactor = 60);

-- By the month of the n-th purchase day, so that a reader can leave out those who have not had the time yet.
create table rollup_purchase_numbers (
  model_version smallint not null,
  group_id smallint not null,
  purchase_number smallint not null,
  month integer not null,
  customers bigint not null,
  bought_again bigint not null,
  within_30 bigint not null,
  within_90 bigint not null,
  within_180 bigint not null,
  within_365 bigint not null,
  primary key (model_version, group_id, purchase_number, month)
) with (fillfactor = 60);

-- kind 0: days is the gap to the next purchase day. kind 1: days is the day of the n-th purchase, and no other has followed.
create table rollup_purchase_gaps (
  model_version smallint not null,
  group_id smallint not null,
  purchase_number smallint not null,
  kind smallint not null,
  days integer not null,
  customers bigint not null,
  primary key (model_version, group_id, purchase_number, kind, days)
) with (fillfactor = 60);
