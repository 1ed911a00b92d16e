with numbered as (
  select nth, next_day - g.day as gap, greatest(:today - g.day, 0) as waited, :today - month_last as matured
  from gaps as g join calendar as c on c.day = g.day where nth <= 50
), times as (
  select coalesce(gap, waited) as days, count(*) as customers, count(gap) as events from numbered where nth = 1 group by 1
), ranked as (
  select days, events, sum(customers) over (order by days desc) as at_risk, sum(events) over (order by days) as events_so_far, sum(events) over () as gaps from times
)
select 'number' as part, nth::int8 as one, count(*) as customers, count(gap) as bought_again, within_days, count(*) filter (where matured >= within_days) as matured,
  count(*) filter (where matured >= within_days and gap <= within_days) as bought_again_within
from numbered cross join (values (30), (90), (180), (365)) as horizons(within_days)
group by nth, within_days
union all
select 'survival', days, at_risk::int8, events, null, null, null from ranked where events > 0
union all
select 'gap', percentile, min(days), max(gaps)::int8, null, null, null
from ranked cross join (values (10), (25), (50), (75), (90)) as wanted(percentile)
where events_so_far * 100 >= percentile * gaps and events > 0
group by percentile
