-- A span that ends before the range tells nothing about it.
with stood as (
  select customer_id, stage, activity, from_day, to_day, lag(stage) over w as from_stage, lag(activity) over w as from_activity
  from spans where to_day >= :month_first
  window w as (partition by customer_id order by from_day)
), moves as (
  select from_stage, from_activity, stage, activity, count(*) as customers
  from stood
  where from_day between :month_first and :today and (from_stage is null or from_stage <> stage or from_activity <> activity)
  group by from_stage, from_activity, stage, activity
)
select 'move' as part, from_stage, from_activity, stage, activity, customers, null as entered, null as gone, null as closing from moves
union all
select 'balance', null, null, stage, null, sum(opening)::int8, sum(entered)::int8, sum(gone)::int8, sum(closing)::int8
from (
  select stage, count(*) filter (where from_day < :month_first) as opening, 0 as entered, 0 as gone,
    count(*) filter (where from_day <= :today and to_day > :today) as closing
  from stood group by stage
  union all
  select stage, 0, customers, 0, 0 from moves where from_stage is null or from_stage <> stage
  union all
  select from_stage, 0, 0, customers, 0 from moves where from_stage <> stage
) as counted
group by stage
having sum(opening) + sum(entered) + sum(gone) + sum(closing) > 0
