-- Roll-ups of the two reports on leaving. Defections by the week (grain 0) and by the month (grain 1) of the move into lapsed, `day` being its first
-- day: quarters and years add up months, so a report reads as many rows as it has periods, not days. Spells of a stage lead with the stage, the one
-- thing a reader always names, and hold the last day of the month in which they began, from which the cohort's follow-up counts.
create table rollup_defections (
  model_version smallint not null,
  group_id smallint not null,
  grain smallint not null,
  day integer not null,
  stage_left smallint not null,
  reason smallint not null,
  defections bigint not null,
  value_at_stake bigint not null,
  tenure_days bigint not null,
  with_open_complaint bigint not null,
  won_back_90 bigint not null,
  won_back_180 bigint not null,
  won_back_365 bigint not null,
  primary key (model_version, group_id, grain, day, stage_left, reason)
) with (fillfactor = 60);

create table rollup_time_in_stage (
  model_version smallint not null,
  group_id smallint not null,
  stage smallint not null,
  month_end integer not null,
  exit smallint not null,
  weeks smallint not null,
  spells bigint not null,
  primary key (model_version, group_id, stage, month_end, exit, weeks)
) with (fillfactor = 60);
