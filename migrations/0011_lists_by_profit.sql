-- A page of a list by profit, in its order, as customer_stages_position gives one by revenue: without it all customers of a position were sorted,
-- 0.3 to 0.9 s for the common ones among a million.
create index customer_stages_profit on customer_stages (model_version, position, profit desc, customer_id);
