-- Imports: files of any length. While one arrives, its rows are staged here in small transactions; once it has arrived whole, they are stored customer by
-- customer. A staged row is deleted in the very transaction that stores it, so whenever a process dies a row is in one place: still here, or stored.
create table imports (
  import_id integer generated always as identity primary key,
  format text not null check (format in ('ndjson', 'csv')),
  -- What every row is; null if each row says so itself by its fields.
  kind text check (kind in ('customers', 'purchases', 'refunds', 'interactions')),
  state text not null default 'receiving' check (state in ('receiving', 'storing', 'done', 'failed', 'cancelled')),
  -- Why it failed; null otherwise.
  failure text,
  -- Bytes as they came, before they were decompressed.
  bytes_read bigint not null default 0,
  rows_read bigint not null default 0,
  created bigint not null default 0,
  updated bigint not null default 0,
  duplicate bigint not null default 0,
  conflict bigint not null default 0,
  invalid bigint not null default 0,
  -- Rows of a failed or cancelled import that are not stored.
  dropped bigint not null default 0,
  -- Microseconds since 1970-01-01T00:00:00Z, by the clock of the service.
  started_at bigint not null,
  received_at bigint,
  finished_at bigint,
  -- Last sign of life of the process that receives or stores it, by the clock of the server: whose process has died is found by its silence.
  heard_at timestamptz not null default now(),
  -- True once no row of it is staged any more.
  cleared boolean not null default false
) with (fillfactor = 50);
create index imports_open on imports (import_id) where not cleared;

-- What was wrong with the first rows that could not be stored; the others are only counted.
create table import_faults (
  import_id integer not null,
  line bigint not null,
  status text not null check (status in ('conflict', 'invalid')),
  pointer text,
  code text not null,
  detail text not null,
  primary key (import_id, line)
);

-- The order of the key is that of storing: all rows of a customer, in the order of the file.
create table import_rows (
  customer_id text collate "C" not null,
  import_id integer not null,
  line bigint not null,
  -- The change that the row means, as JSON (src/ingest/staged-change.ts).
  change text not null,
  primary key (customer_id, import_id, line)
);
