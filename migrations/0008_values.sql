-- Where the customers' lifetime values lie. A bucket is one of 256 linear steps an octave of the value's magnitude in minor units, with its sign, so
-- that its number rises with the value; below 512 each value has its own. kind: 0 revenue, 1 profit of customers with a purchase day; 2 the costs of
-- those without any, all in bucket 0.
create table rollup_customer_values (
  model_version smallint not null,
  group_id smallint not null,
  kind smallint not null,
  bucket integer not null,
  customers bigint not null,
  value bigint not null,
  primary key (model_version, group_id, kind, bucket)
) with (fillfactor = 60);
