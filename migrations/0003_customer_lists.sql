-- Lists of customers: the figures of everybody, and where everybody stands today, in columns that can be filtered and sorted. A database that was
-- filled before has to be rebuilt anyway (the fold's version went up); until then the defaults stand.

alter table customer_states
  -- As of all stored events: what the saved fold says after its open day.
  add purchases integer not null default 0,
  add purchase_days integer not null default 0,
  add revenue bigint not null default 0,
  add profit bigint not null default 0,
  -- Product codes bought, each as often as it was.
  add product_lines bigint not null default 0,
  add discounted_purchases integer not null default 0,
  add first_purchase_day integer,
  add last_purchase_day integer,
  add last_interaction_day integer,
  -- Day of the oldest complaint that no resolution has closed.
  add open_complaint_day integer,
  -- The earliest `until` of the customer's rows in customer_stages; null if no move is scheduled.
  add next_change integer;
-- The indices by value hold all that the profile of a value segment adds up, so that it is read without the wide rows: 0.3 s instead of 1.6 s for a
-- million customers. first_purchase_day tells who has a purchase day.
create index customer_states_revenue on customer_states (revenue desc, customer_id)
  include (purchases, product_lines, discounted_purchases, first_purchase_day);
create index customer_states_profit on customer_states (profit desc, customer_id)
  include (revenue, purchases, product_lines, discounted_purchases, first_purchase_day);
create index customer_states_next_change on customer_states (next_change);
create index customer_states_last_purchase on customer_states (last_purchase_day desc nulls last, customer_id);
-- Few customers have an open complaint: the others' rows cost it nothing.
create index customer_states_open_complaint on customer_states (open_complaint_day) where open_complaint_day is not null;
-- A rare group would be looked for among everybody. Groups change seldom, and ingest does not write this table otherwise.
create index customers_groups on customers using gin (group_ids);

alter table customer_stages
  -- The position of the day of writing, and the first day after it (one after the last day of all if nothing ends it). A row whose `until` has come is
  -- ripe: what it says in `position` is over, its arrays still say what holds.
  add position smallint not null default 0,
  add until integer not null default 0,
  -- First days of the unbroken time in the stage, and in the activity, of the first of `positions`: either may have begun before it did.
  add stage_since integer not null default 0,
  add activity_since integer not null default 0,
  -- Those of customer_states once more: one index gives a list by revenue in its order, and the other orders need not look up every customer of a
  -- position (measured among 1 M customers, prospects by profit: 20 s by the order of customer_states, which meets them last).
  add revenue bigint not null default 0,
  add profit bigint not null default 0,
  add last_purchase_day integer;
create index customer_stages_position on customer_stages (model_version, position, revenue desc, customer_id);
