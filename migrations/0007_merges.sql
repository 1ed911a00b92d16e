-- A customer that was merged into another one keeps its row as an alias, so that every id is still locked first and in order of the ids;
-- its events, saved state and spells are the survivor's. Each direction is stored with the id it starts from: customer_id leads every key,
-- so there is no index on merged_into, and the survivor lists its aliases itself. merged_into always names a customer, never an alias.
alter table customers
  add column merged_into text collate "C",
  add column merged_ids text[] collate "C" not null default '{}';
