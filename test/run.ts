import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stopTestServer } from './support/postgres.ts';

// The test command: runs tap over everything (or the files named), stops the shared database server, checks the coverage of the rooms that
// promise it, and ends with one plain line of totals, taken from tap.

const root = fileURLToPath(new URL('..', import.meta.url));
const inRoot = (path: string): string => `${root}${path}`;
/** tap must be built once after every installation, because a plugin is switched off; an installation removes the mark. */
const BUILT = 'node_modules/.tap-built';
/** Rooms whose every line, branch and function is run by a test. */
const COVERED = ['src/domain/', 'src/reports/'];

/** Totals as tap counts them: its last comment line is `# { total: 52, pass: 51, fail: 1 }`. */
let totals = '';

async function tap(...args: string[]): Promise<number> {
  const child = spawn(process.execPath, [inRoot('node_modules/tap/dist/esm/run.mjs'), ...args], {
    cwd: root,
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  const exited = new Promise<number>((resolve, reject) => {
    child.on('error', reject).on('exit', (code) => resolve(code ?? 1));
  });
  let failure = false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (/^# \{ total: /.test(line)) totals = line;
    // Of what passed, a line for each file; of what failed, everything up to the next result.
    if (/^\s*(not )?ok /.test(line)) failure = /^\s*not ok /.test(line);
    if (failure || !/^(\s|$|TAP|\d+\.\.|# Subtest)/.test(line)) console.log(line);
  }
  return await exited;
}

interface FileCoverage {
  readonly [kind: string]: { readonly pct: number };
}

/** Files of the covered rooms that a test leaves something of. */
async function uncovered(): Promise<string[]> {
  if ((await tap('report', 'json-summary')) !== 0) return ['no coverage report could be made'];
  const summary = JSON.parse(readFileSync(inRoot('.tap/report/coverage-summary.json'), 'utf8')) as Record<
    string,
    FileCoverage
  >;
  const gaps = Object.entries(summary).flatMap(([path, kinds]) => {
    const file = relative(root, path);
    if (!COVERED.some((room) => file.startsWith(room))) return [];
    const low = ['lines', 'branches', 'functions'].filter((kind) => (kinds[kind]?.pct ?? 0) < 100);
    return low.map((kind) => `${file}: ${kinds[kind]?.pct ?? 0} % of ${kind}`);
  });
  const seen = Object.keys(summary).filter((path) =>
    COVERED.some((room) => relative(root, path).startsWith(room)),
  ).length;
  return seen === 0 ? ['no file of the covered rooms was run'] : gaps;
}

const files = process.argv.slice(2);
mkdirSync(inRoot('.tap'), { recursive: true });
if (!existsSync(inRoot(BUILT))) {
  if ((await tap('build')) !== 0) throw new Error('tap could not be built');
  writeFileSync(inRoot(BUILT), '');
}
let code = await tap('run', '--reporter=tap', '--show-full-coverage', ...files);
await stopTestServer();
if (files.length === 0) {
  const gaps = await uncovered();
  console.log(gaps.length === 0 ? `Coverage of ${COVERED.join(' and ')}: 100 %` : `Not covered:\n${gaps.join('\n')}`);
  if (gaps.length > 0) code ||= 1;
}
const count = (name: string): number => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0);
const [passed, failed, skipped] = [count('pass'), count('fail'), count('skip') + count('todo')];
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = code;
