-- What every rival query starts from, in words that PostgreSQL and DuckDB share. Days are days since 1970-01-01, as in the event tables.

-- Months are counted through (12 · year + month − 1), so that the month before is one less.
create table calendar as
select day, year, year * 12 + month - 1 as month, month_first, month_first + extract(day from next - start)::int4 - 1 as month_last
from (
  select day, extract(year from date)::int4 as year, extract(month from date)::int4 as month, day - extract(day from date)::int4 + 1 as month_first,
    date_trunc('month', date)::timestamp as start, (date_trunc('month', date) + interval '1 month')::timestamp as next
  from (select day::int4 as day, date '1970-01-01' + day::int4 as date from generate_series(0, 40000) as every(day)) as dated
) as split;

create view refunded as
select customer_id, purchase_id, sum(amount)::int8 as amount from refunds where not voided group by customer_id, purchase_id;

-- Purchases with what they brought after refunds, and whether they count: neither voided nor wholly refunded.
create view bought as
select p.customer_id, p.purchase_id, p.day, p.voided, p.amount, p.cost, p.discount, p.products,
  case when p.voided then 0 else p.amount - coalesce(r.amount, 0) end as revenue,
  not p.voided and (p.amount = 0 or coalesce(r.amount, 0) < p.amount) as counts
from purchases as p left join refunded as r on r.customer_id = p.customer_id and r.purchase_id = p.purchase_id;

create view purchase_days as
select customer_id, day from bought where counts group by customer_id, day;

create view gaps as
select customer_id, day, row_number() over w as nth, lead(day) over w as next_day, first_value(day) over w as first_day
from purchase_days
window w as (partition by customer_id order by day);

-- The day from which a customer is known: of the record, of the earliest event (voided ones too), else of the receipt.
create view known as
select c.customer_id, coalesce(least(c.known_since, p.day, r.day, i.day), c.received_on) as day
from customers as c
left join (select customer_id, min(day) as day from purchases group by customer_id) as p on p.customer_id = c.customer_id
left join (select customer_id, min(day) as day from refunds group by customer_id) as r on r.customer_id = c.customer_id
left join (select customer_id, min(day) as day from interactions group by customer_id) as i on i.customer_id = c.customer_id;

-- Explicit departures by the purchase day they follow: the day of the first, and the reason of the last.
create view departed as
select customer_id, since, min(day) as day, coalesce((array_agg(reason order by day desc, "at" desc, interaction_id desc))[1], 'other') as reason
from (
  select i.customer_id, i.interaction_id, i.day, i."at", i.reason, max(b.day) as since
  from interactions as i join bought as b on b.customer_id = i.customer_id and b.day <= i.day
  where i.kind = 'departure' and not i.voided and b.counts
  group by i.customer_id, i.interaction_id, i.day, i."at", i.reason
) as told
group by customer_id, since;

-- One row for each purchase day: the rung of the lifecycle it leads to, and when silence or a departure ends it.
create view standings as
select g.customer_id, g.day, g.nth, g.next_day, g.first_day, d.reason, least(g.day + 181, d.day) as lapse_day,
  case when g.nth = 1 then 'first_time_buyer' when g.nth < 4 then 'early_repeat_buyer' else 'core_customer' end as stage,
  case when g.nth = 1 then 'first_time_buyer' when g.nth < 4 then 'early_repeat_buyer' else 'core_defector' end as lapsed_stage
from gaps as g left join departed as d on d.customer_id = g.customer_id and d.since = g.day;

-- Where every customer stands from which day to the day before which other one.
create view spans as
select customer_id, stage, activity, from_day, to_day
from (
  select customer_id, case activity when 'lapsed' then lapsed_stage else stage end as stage, activity,
    case activity when 'active' then day when 'at_risk' then day + 91 else lapse_day end as from_day,
    coalesce(case activity when 'active' then least(day + 91, lapse_day, next_day) when 'at_risk' then least(lapse_day, next_day) else next_day end, 100000) as to_day
  from standings cross join (values ('active'), ('at_risk'), ('lapsed')) as every(activity)
) as stood
where from_day < to_day
union all
select k.customer_id, 'prospect', 'none', k.day, coalesce(b.day, 100000)
from known as k
left join (select customer_id, min(day) as day from bought where counts group by customer_id) as b on b.customer_id = k.customer_id
where k.day < coalesce(b.day, 100000);

-- Every customer today: purchase days, last of them, and what they brought up to now.
create view today as
select customer_id, known_on, purchase_days, first_day, revenue,
  case when purchase_days = 0 then 'prospect' when purchase_days = 1 then 'first_time_buyer' when purchase_days < 4 then 'early_repeat_buyer'
    when lapsed then 'core_defector' else 'core_customer' end as stage,
  case when purchase_days = 0 then 'none' when lapsed then 'lapsed' when :today - last_day > 90 then 'at_risk' else 'active' end as activity
from (
  select c.customer_id, coalesce(least(c.known_since, p.seen, r.seen, i.seen), c.received_on) as known_on, coalesce(p.purchase_days, 0) as purchase_days, first_day,
    coalesce(p.revenue, 0) as revenue, p.last_day, coalesce(i.departed >= p.last_day, false) or :today - p.last_day > 180 as lapsed
  from customers as c
  left join (
    select customer_id, min(seen) as seen, count(*) filter (where counts) as purchase_days, min(day) filter (where counts) as first_day,
      max(day) filter (where counts) as last_day, sum(revenue)::int8 as revenue
    from (
      select customer_id, day, min(day) as seen, bool_or(counts) as counts, sum(revenue) as revenue from bought where day <= :today group by customer_id, day
    ) as days
    group by customer_id
  ) as p on p.customer_id = c.customer_id
  left join (select customer_id, min(day) as seen from refunds group by customer_id) as r on r.customer_id = c.customer_id
  left join (
    select customer_id, min(day) as seen, max(day) filter (where kind = 'departure' and day <= :today and not voided) as departed
    from interactions group by customer_id
  ) as i on i.customer_id = c.customer_id
) as everybody
where known_on <= :today;
