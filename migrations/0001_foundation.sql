-- The whole store. Two rules hold everywhere (docs/decisions/0001-the-fold.md and 0002-natural-keys.md):
-- customer_id leads every key of a customer table, and nothing links customer tables and roll-ups but code, so that the former can be
-- distributed by customer and the latter stay ordinary tables. Days are integers (days since 1970-01-01) computed once, in Node; instants are
-- microseconds since 1970-01-01T00:00:00Z; money is minor units. SQL never recomputes any of them.

-- One row: what every running process must agree on. Ingest holds it FOR SHARE, whoever changes it waits for running ingests.
create table versions (
  only_row boolean primary key default true check (only_row),
  reporting_time_zone text not null,
  currency text not null,
  currency_decimals smallint not null,
  -- Versions of the fold and of every projection, as the code that wrote the roll-ups names them.
  code_versions text not null,
  -- Raised with every change of the models.
  models_revision integer not null default 1,
  -- Makes the hashes of erased ids useless without this database.
  erasure_salt bytea not null
);

create table models (
  model_version smallint generated always as identity primary key,
  model_id text collate "C" not null,
  version integer not null,
  document jsonb not null,
  active boolean not null,
  unique (model_id, version)
);
create unique index models_active on models (model_id) where active;

create table groups (
  group_id smallint generated always as identity primary key,
  name text collate "C" not null unique
);

-- The small row that is locked first. Without known_since and events, received_on dates the customer.
create table customers (
  customer_id text collate "C" primary key,
  known_since integer,
  received_on integer not null,
  group_ids smallint[] not null default '{}'
) with (fillfactor = 80);

-- The saved fold: what came before the last activity day, and that day. Written with every ingest of the customer.
create table customer_states (
  customer_id text collate "C" primary key,
  model_versions smallint[] not null,
  -- Rows stored of the customer, voided ones included.
  events integer not null,
  -- Sum of all amounts, discounts and costs stored: while it is a safe integer, so is every sum over the customer.
  turnover bigint not null,
  pending_refunds integer not null,
  fold text not null
) with (fillfactor = 60);

create table purchases (
  customer_id text collate "C" not null,
  purchase_id text collate "C" not null,
  at bigint not null,
  day integer not null,
  -- The caller gave a plain date: its day holds in every time zone.
  plain boolean not null,
  amount bigint not null,
  cost bigint not null,
  discount bigint not null,
  products text[] not null,
  voided boolean not null default false,
  primary key (customer_id, purchase_id)
);

create table refunds (
  customer_id text collate "C" not null,
  refund_id text collate "C" not null,
  purchase_id text collate "C" not null,
  at bigint not null,
  day integer not null,
  plain boolean not null,
  amount bigint not null,
  voided boolean not null default false,
  primary key (customer_id, refund_id)
);

create table interactions (
  customer_id text collate "C" not null,
  interaction_id text collate "C" not null,
  at bigint not null,
  day integer not null,
  plain boolean not null,
  kind text collate "C" not null,
  score smallint,
  reason text collate "C",
  cost bigint not null,
  voided boolean not null default false,
  primary key (customer_id, interaction_id)
);

-- One row for each customer and model version: positions and their first days, from the last closed activity day on, the scheduled ones included. The
-- position of a day is that of the last first day on or before it.
create table customer_stages (
  customer_id text collate "C" not null,
  model_version smallint not null,
  positions smallint[] not null,
  first_days integer[] not null,
  primary key (customer_id, model_version)
) with (fillfactor = 70);

-- What remains of an erased customer: a salted hash of the id, and the day.
create table erased_customers (
  id_hash bytea primary key,
  erased_on integer not null
);

-- Roll-ups: model_version 0 is "no model", group_id 0 is everybody. Written by adding differences only, so pages keep room for updates in
-- place, and no measure is indexed.
create table rollup_stored_events (
  model_version smallint not null,
  group_id smallint not null,
  day integer not null,
  activity_days bigint not null,
  customers bigint not null,
  purchases bigint not null,
  refunds bigint not null,
  interactions bigint not null,
  pending_refunds bigint not null,
  primary key (model_version, group_id, day)
) with (fillfactor = 60);

create table rollup_stage_moves (
  model_version smallint not null,
  group_id smallint not null,
  grain smallint not null,
  day integer not null,
  from_position smallint not null,
  to_position smallint not null,
  customers bigint not null,
  revenue bigint not null,
  primary key (model_version, group_id, grain, day, from_position, to_position)
) with (fillfactor = 60);
