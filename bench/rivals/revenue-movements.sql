with buyers as (
  select customer_id, month, sum(revenue)::int8 as revenue from bought as b join calendar as c on c.day = b.day
  group by customer_id, month having bool_or(counts)
), followed as (
  select month, revenue, lag(month) over w as month_before, lag(revenue) over w as revenue_before, lead(month) over w as month_after from buyers
  window w as (partition by customer_id order by month)
), summed as (
  select month, sum(revenue) filter (where month_before is null) as fresh, sum(revenue) filter (where month_before < month - 1) as back,
    sum(greatest(revenue - revenue_before, 0)) filter (where month_before = month - 1) as expansion,
    sum(greatest(revenue_before - revenue, 0)) filter (where month_before = month - 1) as contraction,
    sum(revenue) filter (where month_before = month - 1) as kept, sum(least(revenue, revenue_before)) filter (where month_before = month - 1) as floor,
    sum(revenue) as closing
  from followed where month between :first_month - 1 and :month group by month
), lost as (
  select month + 1 as month, sum(revenue) as lost, sum(least(revenue, 0)) as floor from followed
  where month between :first_month - 1 and :month - 1 and (month_after is null or month_after > month + 1) group by month
)
select month, coalesce(before.closing, 0)::int8 as opening, coalesce(now.fresh, 0)::int8 as fresh, coalesce(now.back, 0)::int8 as back, coalesce(now.expansion, 0)::int8 as expansion,
  case when month < :month then coalesce(now.contraction, 0)::int8 end as contraction, case when month < :month then coalesce(lost.lost, 0)::int8 end as lost,
  now.closing::int8, case when month < :month and before.closing > 0 then coalesce(now.kept, 0)::float8 / before.closing::float8 end as nrr,
  case when month < :month and before.closing > 0 then (coalesce(now.floor, 0) + coalesce(lost.floor, 0))::float8 / before.closing::float8 end as grr
from summed as now left join lost using (month) left join (select month + 1 as month, closing from summed) as before using (month)
where month >= :first_month
