-- Whoever stood somewhere on the eve of a month, or became known in it, with what they did in it and where they stood at its end.
with months as (
  select distinct month, month_first, month_last from calendar where month between :first_month and :month
), stood as (
  select customer_id, month, stage, activity from spans join months on month_first > from_day and month_first <= to_day
  union all
  select customer_id, month, null, null from known join months on day between month_first and month_last
), followed as (
  select customer_id, month, stage, activity, lead(activity) over (partition by customer_id order by month) as next_activity from stood
), did as (
  select customer_id, month, sum(purchases)::int8 as purchases, count(*) filter (where purchases > 0) as purchase_days, sum(revenue)::int8 as revenue
  from (
    select customer_id, b.day, month, count(*) filter (where counts) as purchases, sum(revenue) as revenue
    from bought as b join calendar as c on c.day = b.day
    where month between :first_month and :month
    group by customer_id, b.day, month
  ) as days
  group by customer_id, month
), scored as (
  select customer_id, month, count(score) as scores, sum(score) as score_sum
  from interactions as i join calendar as c on c.day = i.day
  where not voided and score is not null and month between :first_month and :month
  group by customer_id, month
)
select month, stage, activity, count(*) as customers, count(*) filter (where purchase_days > 0) as buyers,
  case when month < :month then count(*) filter (where next_activity = 'lapsed') end as lapsed, coalesce(sum(purchases), 0)::int8 as purchases,
  coalesce(sum(purchase_days), 0)::int8 as purchase_days, coalesce(sum(revenue), 0)::int8 as revenue, coalesce(sum(scores), 0)::int8 as scores,
  coalesce(sum(score_sum), 0)::int8 as score_sum
from followed left join did using (customer_id, month) left join scored using (customer_id, month)
group by month, stage, activity
