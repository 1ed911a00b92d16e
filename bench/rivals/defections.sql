-- A departure on a purchase day loses a customer who was not lapsed on its eve; all other defections come after the purchase day.
with lapses as (
  select s.customer_id, s.day as last_day, s.lapse_day, s.next_day, s.first_day, s.reason, c.month,
    case when s.lapse_day > s.day then s.stage else coalesce(s.stage_before, case when k.day < s.day then 'prospect' end) end as stage_left
  from (
    select *, lag(stage) over w as stage_before, lag(lapse_day) over w as lapse_before from standings window w as (partition by customer_id order by day)
  ) as s
  join calendar as c on c.day = s.lapse_day
  left join known as k on k.customer_id = case when s.lapse_day = s.day then s.customer_id end
  where s.lapse_day < coalesce(s.next_day, 100000) and (s.lapse_day > s.day or coalesce(s.lapse_before >= s.day, true)) and c.month between :first_month and :month
), worth as (
  select l.customer_id, l.lapse_day, sum(b.revenue) as revenue
  from lapses as l join calendar as last on last.day = l.last_day
  join bought as b on b.customer_id = l.customer_id and b.day <= l.lapse_day join calendar as c on c.day = b.day
  where c.month between last.month - 11 and last.month
  group by l.customer_id, l.lapse_day
), told as (
  select l.*, worth.revenue, coalesce((
    select max(i.day) filter (where i.kind = 'complaint') > coalesce(max(i.day) filter (where i.kind = 'resolution'), -1)
    from interactions as i where i.customer_id = l.customer_id and i.day <= l.lapse_day and not i.voided and i.kind in ('complaint', 'resolution')
  ), false) as complains
  from lapses as l join worth using (customer_id, lapse_day)
)
select t.month, stage_left, coalesce(reason, case when complains then 'open_complaint' else 'unknown' end) as reason, count(*) as defections,
  sum(revenue)::int8 as value_at_stake, count(*) filter (where complains) as with_open_complaint,
  case when :today - max(month_last) >= 90 then count(*) filter (where next_day - lapse_day <= 90) end as won_back_90,
  case when :today - max(month_last) >= 180 then count(*) filter (where next_day - lapse_day <= 180) end as won_back_180,
  case when :today - max(month_last) >= 365 then count(*) filter (where next_day - lapse_day <= 365) end as won_back_365,
  avg(lapse_day - first_day)::float8 as average_tenure_days
from told as t join calendar as c on c.day = lapse_day
group by 1, 2, 3
