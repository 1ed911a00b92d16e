with first_days as (
  select customer_id, min(day) as first_day from bought where counts group by customer_id
), years as (
  select customer_id, year, bool_or(counts) as bought, sum(revenue) as revenue, sum(cost * (not voided)::int4) as cost, min(first_day) as first_day
  from bought as b join calendar as c on c.day = b.day left join first_days using (customer_id)
  group by customer_id, year
), followed as (
  select customer_id, year, lag(year) over w as year_before from years where bought window w as (partition by customer_id order by year)
), flow as (
  select year, count(*) as buyers, count(*) filter (where year_before is null) as fresh, count(*) filter (where year_before = year - 1) as again,
    count(*) filter (where year_before < year - 1) as back
  from followed group by year
), money as (
  select years.year, sum(revenue) as revenue, coalesce(sum(revenue) filter (where first_day < start.day), 0) as existing, sum(cost) as cost
  from years join (select year, min(day) as day from calendar group by year) as start on start.year = years.year
  group by years.year
), told as (
  select year, coalesce(sum(cost) filter (where first_day is null or i.day <= first_day), 0) as winning, coalesce(sum(cost) filter (where i.day > first_day), 0) as keeping
  from interactions as i join calendar as c on c.day = i.day left join first_days using (customer_id)
  where not voided
  group by year
)
select year, coalesce(flow.buyers, 0) as buyers, coalesce(before.buyers, 0) as buyers_before, fresh, again, back, coalesce(revenue, 0)::int8 as revenue,
  coalesce(existing, 0)::int8 as existing, coalesce(winning, 0)::int8 as winning, coalesce(keeping, 0)::int8 as keeping,
  (coalesce(revenue, 0) - coalesce(cost, 0) - coalesce(winning, 0) - coalesce(keeping, 0))::int8 as profit
from flow left join (select year + 1 as year, buyers from flow) as before using (year) left join money using (year) left join told using (year)
where year between :year - 11 and :year
