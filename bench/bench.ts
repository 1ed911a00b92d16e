import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { version as duckdbVersion } from '@duckdb/node-api';
import Table from 'cli-table3';
import { buildCase } from './build.ts';
import type { BenchCase, Figure } from './case.ts';
import { classificationCase } from './classification.ts';
import { benchServer } from './database.ts';
import { diskCase } from './disk.ts';
import { foldCase } from './fold.ts';
import { growthCase } from './growth.ts';
import { historyLengthCase } from './history-length.ts';
import { importCase } from './import.ts';
import { copyCase } from './ingest-copy.ts';
import { previewCase } from './preview.ts';
import { rebuildCase } from './rebuild.ts';
import { reportsCase } from './reports.ts';
import { rivalsCase } from './rivals.ts';
import { singleWritesCase } from './single-writes.ts';

// Prints what the service costs as ratios against something named, measured in one run on one server. `--quick` takes small sizes: a smoke test,
// whose figures mean little; --customers 50000 another size of the big shop than a million. Without either each case writes its result to bench/results/.
// Cases can be named, and share the shops they do not change: npm run bench -- disk reports rivals. With --whole the import of 1 GiB is stored to its last row.

const CASES: Readonly<Record<string, BenchCase>> = {
  fold: foldCase,
  classification: classificationCase,
  'history-length': historyLengthCase,
  import: importCase,
  'ingest-copy': copyCase,
  'single-writes': singleWritesCase,
  disk: diskCase,
  rebuild: rebuildCase,
  build: buildCase,
  reports: reportsCase,
  preview: previewCase,
  rivals: rivalsCase,
  // The last: it writes into the big shop.
  growth: growthCase,
};

const CUSTOMERS = 1_000_000;

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    customers: { type: 'string' },
    whole: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const { quick, whole } = values;
const customers = Number(values.customers ?? (quick ? 2_000 : CUSTOMERS));
if (!Number.isSafeInteger(customers) || customers < 500) throw new Error('--customers takes a number, 500 or more.');
const unknown = positionals.find((name) => CASES[name] === undefined);
if (unknown !== undefined) throw new Error(`There is no case ${unknown}; there are ${Object.keys(CASES).join(', ')}.`);
const cases = Object.entries(CASES).filter(([name]) => positionals.length === 0 || positionals.includes(name));
const server = await benchServer();
const machine = {
  cores: cpus().length,
  cpu: cpus()[0]?.model ?? 'unknown',
  memory_gib: Math.round(totalmem() / 2 ** 30),
};
const versions = { node: process.version, postgresql: server.version, duckdb: duckdbVersion() };
console.log(
  `Node ${versions.node}, PostgreSQL ${versions.postgresql}, DuckDB ${versions.duckdb}, ${machine.cores} cores (${machine.cpu}), ${machine.memory_gib} GiB${quick ? ', quick sizes' : ''}`,
);
try {
  for (const [name, run] of cases) {
    const results = await run(server, { quick, customers, whole });
    print(results);
    if (!quick && customers === CUSTOMERS) write(name, results);
  }
} finally {
  await server.stop();
}

function print(results: readonly Figure[]): void {
  const table = new Table({ head: ['case', 'what', 'figure', 'target'], style: { head: [], border: [] } });
  for (const figure of results) table.push([figure.case, figure.what, figure.figure, figure.target ?? '']);
  console.log(table.toString());
}

function write(name: string, results: readonly Figure[]): void {
  const folder = new URL('results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify({ machine, versions, results }, null, 2)}\n`);
}
