with buyers as (
  select customer_id, month from bought as b join calendar as c on c.day = b.day where counts group by customer_id, month
), followed as (
  select month, lag(month) over w as month_before, lead(month) over w as month_after from buyers
  window w as (partition by customer_id order by month)
)
select month, sum(fresh)::int8 as new_buyers, sum(again)::int8 as returning_buyers, sum(back)::int8 as reactivated_buyers,
  case when month < :month then sum(away)::int8 end as dormant_buyers
from (
  select month, count(*) filter (where month_before is null) as fresh, count(*) filter (where month_before = month - 1) as again,
    count(*) filter (where month_before < month - 1) as back, 0 as away
  from followed where month between :first_month and :month group by month
  union all
  select month + 1, 0, 0, 0, count(*) from followed
  where month between :first_month - 1 and :month - 1 and (month_after is null or month_after > month + 1) group by month
) as counted
group by month
