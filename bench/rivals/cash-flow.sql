with moved as (
  select customer_id, day, month, sum(receipts) as receipts, sum(refunds) as refunds, sum(costs) as costs
  from (
    select customer_id, day, amount as receipts, 0 as refunds, cost as costs from purchases where not voided
    union all
    select r.customer_id, r.day, 0, r.amount, 0
    from refunds as r join purchases as p on p.customer_id = r.customer_id and p.purchase_id = r.purchase_id where not r.voided and not p.voided
    union all
    select customer_id, day, 0, 0, cost from interactions where not voided
  ) as every join calendar using (day)
  where month between :first_month and :month
  group by customer_id, day, month
)
select month, stage, sum(receipts)::int8 as receipts, sum(refunds)::int8 as refunds, sum(costs)::int8 as costs
from moved as m left join spans as s on s.customer_id = m.customer_id and s.from_day < m.day and s.to_day >= m.day
group by month, stage
having sum(receipts) <> 0 or sum(refunds) <> 0 or sum(costs) <> 0
