with told as (
  select customer_id, count(*) filter (where kind in ('inquiry', 'visit', 'signup', 'response', 'survey', 'complaint', 'testimonial', 'referral')) as contacts,
    (array_agg(score order by day desc, "at" desc, interaction_id desc) filter (where score is not null))[1] as score
  from interactions where not voided and day <= :today group by customer_id
)
select stage, case when purchase_days = 0 then case when contacts > 0 then 'acquisition' else 'contact' end
  when purchase_days = 1 then 'conversion' when stage = 'core_customer' and coalesce(score, 10) >= 7 then 'loyalty' else 'continuation' end as other_stage, count(*) as customers
from today left join told using (customer_id)
group by 1, 2
