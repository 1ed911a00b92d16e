-- What the exact reads of value-segments and model-crosswalk need of every customer, so that they need not join a million rows by text or add up the
-- events of a year. It begins empty: a database that holds customers needs npm run rebuild (the fold's version went up).

-- Where the customer stands in every model, as in customer_stages: `1:14 2:9`, model version and position, by model version. One text says it for all
-- pairs of models, names its versions itself, and is grouped by in two thirds of the time that an array takes.
alter table customer_states add standing text collate "C" not null default '';
-- With it the indices by value hold all that a crosswalk counts and a profile adds up.
drop index customer_states_revenue;
create index customer_states_revenue on customer_states (revenue desc, customer_id)
  include (purchases, product_lines, discounted_purchases, first_purchase_day, standing);
drop index customer_states_profit;
create index customer_states_profit on customer_states (profit desc, customer_id)
  include (revenue, purchases, product_lines, discounted_purchases, first_purchase_day, standing);

-- What is dated in each calendar year, a refund on the day of its purchase; years without anything have no row. No index but the key: a year is read
-- by one scan, and ingest changes rows in place.
create table customer_years (
  customer_id text collate "C" not null,
  year smallint not null,
  purchases integer not null,
  revenue bigint not null,
  costs bigint not null,
  product_lines bigint not null,
  discounted_purchases integer not null,
  primary key (customer_id, year)
) with (fillfactor = 80);
