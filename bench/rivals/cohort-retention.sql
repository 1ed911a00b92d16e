with cohorts as (
  select customer_id, month as cohort
  from (select customer_id, min(day) as day from bought where counts group by customer_id) as firsts join calendar using (day)
  where month between :first_month and :month
), did as (
  select customer_id, day, revenue, cost * (not voided)::int4 as cost, counts from bought
  union all
  select customer_id, day, 0, cost, false from interactions where not voided
), days as (
  select customer_id, cohort, greatest(month - cohort, 0) as age, did.day, count(*) filter (where counts) as purchases, sum(revenue) as revenue, sum(cost) as cost
  from did join cohorts using (customer_id) join calendar on calendar.day = did.day
  where month <= :month
  group by customer_id, cohort, greatest(month - cohort, 0), did.day
), ages as (
  select customer_id, cohort, age, sum(purchases) as purchases, count(*) filter (where purchases > 0) as purchase_days, sum(revenue) as revenue, sum(cost) as cost
  from days group by customer_id, cohort, age
)
select cohort, age, count(*) filter (where purchases > 0) as retained, sum(purchases)::int8 as purchases, sum(purchase_days)::int8 as purchase_days,
  sum(revenue)::int8 as revenue, sum(revenue - cost)::int8 as profit
from ages
group by cohort, age
having sum(purchases) > 0 or sum(revenue) <> 0 or sum(cost) <> 0
