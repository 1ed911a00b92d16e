-- Models and projections come and go while the service runs: a new version is built in the background, customer by customer, while the old one answers.

-- What saved folds contain, in the order of their states. A customer's row names one of them; all there ever were are kept, for a customer may not have been
-- folded for years.
create table fold_layouts (
  layout smallint generated always as identity primary key,
  -- name:version of each projection, with @ at the end if there is a state for each model.
  projections text[] not null,
  -- Ascending.
  model_versions smallint[] not null,
  unique (projections, model_versions)
);

-- Folds of before name no layout; they could not be read anyway (the fold's version went up), so npm run rebuild writes all anew.
alter table customer_states drop model_versions, add layout smallint not null default 0;
alter table customer_states alter layout drop default;

-- building: customers are being folded into it. active: it answers. retiring: it answers no more, what is stored of it is being removed. retired: all is removed.
alter table models add state text not null default 'active' check (state in ('building', 'active', 'retiring', 'retired')),
  -- Microseconds since 1970-01-01T00:00:00Z.
  add published_at bigint not null default 0;
update models set state = 'retired' where not active;
drop index models_active;
alter table models drop active, alter state drop default, alter published_at drop default;
create unique index models_active on models (model_id) where state = 'active';
create unique index models_building on models (model_id) where state = 'building';

-- Projections in the version whose rows the roll-up holds. While one is not ready, it is being built, and the reports that read it are refused.
create table projections (
  name text collate "C" primary key,
  version integer not null,
  ready boolean not null
);

-- The one build that runs, if any, and how far it is: whoever takes a chunk of customers holds this row.
create table builds (
  only_row boolean primary key default true check (only_row),
  -- What it builds: it begins again from the first customer when the models change.
  models_revision integer not null,
  after_id text collate "C" not null,
  customers_done integer not null,
  customers_total integer not null,
  started_at bigint not null
);
