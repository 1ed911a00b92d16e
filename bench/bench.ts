import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import Table from 'cli-table3';
import type { BenchCase } from './case.ts';
import { benchServer } from './database.ts';
import { historyLengthCase } from './history-length.ts';
import { copyCase } from './ingest-copy.ts';
import { reportsCase } from './reports.ts';

// Prints what the service costs as ratios against something named, measured in one run on one server. `--quick` takes small sizes: a smoke test,
// whose figures mean little. Without it the result is written to bench/results/.

const quick = process.argv.includes('--quick');
const CASES: readonly BenchCase[] = [historyLengthCase, copyCase, reportsCase];

const server = await benchServer();
const table = new Table({ head: ['case', 'what', 'figure', 'target'], style: { head: [], border: [] } });
const results: object[] = [];
try {
  for (const run of CASES) {
    for (const figure of await run(server, quick)) {
      table.push([figure.case, figure.what, figure.figure, figure.target ?? '']);
      results.push(figure);
    }
  }
} finally {
  await server.stop();
}
console.log(
  `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB${quick ? ', quick sizes' : ''}`,
);
console.log(table.toString());
if (!quick) {
  const folder = new URL('results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const machine = {
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    memory_gib: Math.round(totalmem() / 2 ** 30),
  };
  writeFileSync(new URL('bench.json', folder), `${JSON.stringify({ machine, results }, null, 2)}\n`);
}
