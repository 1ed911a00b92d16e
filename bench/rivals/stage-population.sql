select stage, activity, count(*) as customers, sum(revenue)::int8 as revenue from today group by stage, activity
