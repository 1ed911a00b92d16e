-- First-time buyers. A departure on the day of the second purchase is an exit into lapsed.
with spells as (
  select start, least(lapse_day, next_day) as stop, case when lapse_day < coalesce(next_day, 100000) or next_lapsed then 'lapsed' else 'early_repeat_buyer' end as exit
  from (
    select nth, day as start, lapse_day, next_day, lead(lapse_day = day) over (partition by customer_id order by day) as next_lapsed from standings where nth <= 2
  ) as first_two
  where nth = 1 and lapse_day > start
), counted as (
  select floor((:today - month_last) / 7.0)::int4 as followed, floor((stop - start) / 7.0)::int4 as weeks, exit, count(*) as spells
  from spells join calendar on calendar.day = start
  where month_last <= :today
  group by 1, 2, 3
)
select ended.weeks, ended.exit, (select sum(spells) from counted where followed > ended.weeks and counted.weeks >= ended.weeks)::int8 as at_risk, ended.exits::int8
from (select weeks, exit, sum(spells) as exits from counted where followed > weeks group by weeks, exit) as ended
union all
select null, 'spells', sum(spells)::int8, null from counted
