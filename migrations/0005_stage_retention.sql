-- Roll-ups of stage-retention, of the net moves of stage-moves, and of cash-flow. As the others: model_version 0 would be "no model", group_id 0 is
-- everybody; written by adding differences only.

-- By week (grain 0), month (1), quarter (2) and year (3), dated the period's first day. Where from and to differ: customers who stood at `from` on the
-- eve of the period and at `to` at its end. Where they are the same: what the customers who stood there on the eve did in the period.
create table rollup_period_moves (
  model_version smallint not null,
  group_id smallint not null,
  grain smallint not null,
  period integer not null,
  from_position smallint not null,
  to_position smallint not null,
  customers bigint not null,
  buyers bigint not null,
  purchases bigint not null,
  purchase_days bigint not null,
  revenue bigint not null,
  scores bigint not null,
  score_sum bigint not null,
  primary key (model_version, group_id, grain, period, from_position, to_position)
) with (fillfactor = 60);

-- Money by its own day and by the stage on the eve of that day: 0 for customers who were not known yet, else 1 + the stage's index.
create table rollup_cash_flow (
  model_version smallint not null,
  group_id smallint not null,
  day integer not null,
  stage smallint not null,
  receipts bigint not null,
  refunds bigint not null,
  costs bigint not null,
  primary key (model_version, group_id, day, stage)
) with (fillfactor = 60);
