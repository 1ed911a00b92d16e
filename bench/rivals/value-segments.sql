-- Lifetime revenue of all stored purchases; the position is today's. Of the Lorenz curve one point for every twentieth of the customers.
with valued as (
  select customer_id, sum(revenue)::int8 as value, count(*) filter (where counts) as purchases, min(day) filter (where counts) as first_day,
    coalesce(sum(array_length(products, 1)) filter (where counts), 0)::int8 as products, count(*) filter (where counts and discount > 0) as discounted
  from bought group by customer_id having bool_or(counts)
), ranked as (
  select *, row_number() over (order by value desc, customer_id) as rank, count(*) over () as everybody from valued
), segmented as (
  select *, case when rank <= ceil(everybody / 5.0) then 'top' when rank <= ceil(everybody * 4 / 5.0) then 'middle' else 'bottom' end as segment,
    sum(value) over w as so_far, sum(greatest(value, 0)) over (order by rank desc) as positive, sum(value) over () as total, sum(greatest(value, 0)) over () as positive_total
  from ranked window w as (order by rank)
), ends as (
  select segment, threshold, count(*) as tied
  from (select segment, value as threshold from segmented where rank in (ceil(everybody / 5.0)::int8, ceil(everybody * 4 / 5.0)::int8, everybody)) as last
  join valued on value = threshold
  group by segment, threshold
), placed as (
  select segment, stage, activity, s.value from segmented as s left join today as t using (customer_id)
)
select 'segment' as part, s.segment as one, null as two, count(*) as a, sum(value)::int8 as b, max(e.threshold) as c,
  max(e.tied) as d, sum(purchases)::int8 as e, sum(products)::int8 as f, sum(discounted)::int8 as g, avg(greatest(:today - first_day, 0))::float8 as h
from segmented as s join ends as e on e.segment = s.segment group by s.segment
union all
select 'activity', segment, coalesce(activity, 'none'), count(*), null, null, null, null, null, null, null from placed group by segment, coalesce(activity, 'none')
union all
select 'stage', segment, stage, count(*), sum(value)::int8, null, null, null, null, null, null from placed group by segment, stage
union all
select 'lorenz', null, null, step::int8, null, null, null, null, null, null,
  (positive - greatest(value, 0) * (everybody - rank + 1 - everybody * step / 20.0))::float8 / positive_total::float8
from (select *, floor((everybody - rank + 1) * 20.0 / everybody) as step, floor((everybody - rank) * 20.0 / everybody) as step_before from segmented) as stepped
where step > step_before
union all
select 'eighty', null, null, min(rank), null, null, null, null, null, null, null from segmented where so_far * 5 >= total * 4
union all
select 'gini', null, null, count(*), null, null, null, null, null, null,
  2 * (sum((everybody - rank + 1) * greatest(value, 0)) / max(everybody) / max(positive_total))::float8 - (max(everybody) + 1) / max(everybody)::float8
from segmented
union all
select 'negative', null, null, count(*), coalesce(sum(value), 0)::int8, null, null, null, null, null, null from segmented where value < 0
union all
select 'costs', null, null, count(*), coalesce(sum(cost), 0)::int8, null, null, null, null, null, null
from (
  select customer_id, sum(cost) as cost
  from (select customer_id, cost from purchases where not voided union all select customer_id, cost from interactions where not voided) as spent
  where not exists (select 1 from valued where valued.customer_id = spent.customer_id)
  group by customer_id having sum(cost) > 0
) as idle
