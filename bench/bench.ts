import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { BenchCase, Figure } from './case.ts';
import { benchServer } from './database.ts';
import { historyLengthCase } from './history-length.ts';
import { importCase } from './import.ts';
import { copyCase } from './ingest-copy.ts';
import { reportsCase } from './reports.ts';

// Prints what the service costs as ratios against something named, measured in one run on one server. `--quick` takes small sizes: a smoke test,
// whose figures mean little. Without it each case writes its result to bench/results/. Cases can be named: npm run bench -- reports

const CASES: Readonly<Record<string, BenchCase>> = {
  'history-length': historyLengthCase,
  import: importCase,
  'ingest-copy': copyCase,
  reports: reportsCase,
};

const { values, positionals } = parseArgs({ options: { quick: { type: 'boolean' } }, allowPositionals: true });
const quick = values.quick ?? false;
const names = positionals.length > 0 ? positionals : Object.keys(CASES);
const machine = {
  node: process.version,
  cores: cpus().length,
  cpu: cpus()[0]?.model ?? 'unknown',
  memory_gib: Math.round(totalmem() / 2 ** 30),
};
const { node, cores, cpu, memory_gib } = machine;
console.log(`Node ${node}, ${cores} cores (${cpu}), ${memory_gib} GiB${quick ? ', quick sizes' : ''}`);
const server = await benchServer();
try {
  for (const name of names) {
    const run = CASES[name];
    if (run === undefined) throw new Error(`There is no case ${name}; there are ${Object.keys(CASES).join(', ')}.`);
    const results = await run(server, quick);
    print(results);
    if (!quick) write(name, results);
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
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify({ machine, results }, null, 2)}\n`);
}
