import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { testService } from '../support/service.ts';
import { DOCUMENT_FILE } from './document.ts';

t.setTimeout(120_000);

const inRepository = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const tool = (name: string): string => inRepository(`node_modules/.bin/${name}`);
const run = promisify(execFile);

/** What a program of a caller does; it is compiled against the generated types and then run. */
const PROGRAM = `
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

type Problem = components['schemas']['Problem'];

export async function useIt(baseUrl: string) {
  // Reports are answered as CSV too; this caller wants JSON.
  const client = createClient<paths, 'application/json' | 'application/problem+json'>({ baseUrl });
  const posted = await client.POST('/v1/purchases', {
    body: { items: [{ customer_id: 'ana', purchase_id: 'p1', purchased_at: '2026-06-01T10:00:00+02:00', amount: '12.50' }] },
  });
  if (posted.data === undefined) throw new Error(posted.error.detail);
  const status: 'created' | 'updated' | 'duplicate' | 'conflict' | 'invalid' = posted.data.items[0]!.status;
  const population = await client.GET('/v1/reports/stage-population', { params: { query: { model: 'lifecycle', as_of: '2026-06-15' } } });
  if (population.data === undefined) throw new Error(population.error.detail);
  const rows = population.data.items.filter((row) => row.customers > 0).map((row) => [row.stage, row.revenue, row.customers_link]);
  const stages = await client.GET('/v1/customers/{customer_id}/stages', { params: { path: { customer_id: 'ana' } } });
  const refused = await client.GET('/v1/customers/{customer_id}', { params: { path: { customer_id: 'no/body' } } });
  const problem: Problem | undefined = refused.error;
  const wrong = await client.GET('/v1/reports/stage-population', { params: { query: { as_of: 'yesterday' } } });
  return { status, rows, missing: stages.data?.items[0]?.next_stage?.missing[0]?.text, problem, fault: wrong.error?.errors[0] };
}

export async function misuseIt(baseUrl: string) {
  const client = createClient<paths>({ baseUrl });
  // @ts-expect-error an amount is a text
  await client.POST('/v1/purchases', { body: { items: [{ customer_id: 'ana', purchase_id: 'p1', purchased_at: '2026-06-01', amount: 12.5 }] } });
  // @ts-expect-error there is no such interval
  await client.GET('/v1/reports/stage-population', { params: { query: { interval: 'hour' } } });
  // @ts-expect-error there is no such path
  await client.GET('/v1/reports/nothing');
}
`;

/** The same for the other generator; it is compiled only. */
const OTHER_PROGRAM = `
import { getStagePopulation, listPurchases, postPurchases } from './generated';
import { createClient } from './generated/client';
import type { Problem, StageAnswer } from './generated';

export async function useIt(baseUrl: string): Promise<number> {
  const client = createClient({ baseUrl });
  const posted = await postPurchases({
    client,
    body: { items: [{ customer_id: 'ana', purchase_id: 'p1', purchased_at: '2026-06-01', amount: '12.50' }] },
  });
  const problem: Problem | undefined = posted.error;
  if (problem !== undefined) throw new Error(problem.detail);
  const population = await getStagePopulation({ client, query: { interval: 'week', from: '2026-01-01', to: '2026-02-01' } });
  const page = await listPurchases({ client, path: { customer_id: 'ana' }, query: { limit: 10 } });
  const cursor: string | null | undefined = page.data?.next_cursor;
  // @ts-expect-error a limit is a number
  await listPurchases({ client, path: { customer_id: 'ana' }, query: { limit: 'ten' } });
  return (population.data?.items.length ?? 0) + (cursor?.length ?? 0);
}

export const rung = (answer: StageAnswer): number | null => answer.rung;
`;

/** A folder inside the repository, where packages are found, that is not under version control; it goes with the test. */
async function folder(t: Test): Promise<string> {
  await mkdir(inRepository('.tap'), { recursive: true });
  const made = await mkdtemp(inRepository('.tap/clients-'));
  t.teardown(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** Compiles every file of the folder strictly; the message of a failure is what the compiler says. */
async function compile(root: string, options: object): Promise<string> {
  const strict = {
    strict: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    target: 'es2024',
    lib: ['es2024', 'dom', 'dom.iterable'],
    types: [],
  };
  await writeFile(
    `${root}/tsconfig.json`,
    JSON.stringify({ compilerOptions: { ...strict, ...options }, include: ['.'] }),
  );
  return await run(process.execPath, [tool('tsc'), '-p', root]).then(
    () => '',
    (error: { stdout?: string; message: string }) => error.stdout || error.message,
  );
}

t.test(
  'openapi-typescript makes types a caller can compile against, and a program with them gets what it was promised',
  async (t) => {
    const root = await folder(t);
    await run(process.execPath, [tool('openapi-typescript'), DOCUMENT_FILE, '-o', `${root}/schema.d.ts`]);
    await writeFile(`${root}/program.ts`, PROGRAM);
    t.equal(
      await compile(root, { module: 'nodenext', skipLibCheck: false, exactOptionalPropertyTypes: true }),
      '',
      'it compiles',
    );

    const { listen } = await testService(t);
    const program = (await import(pathToFileURL(`${root}/program.ts`).href)) as {
      useIt(url: string): Promise<Record<string, unknown>>;
    };
    const { status, rows, missing, problem, fault } = await program.useIt(await listen());
    t.equal(status, 'created');
    t.strictSame(rows, [
      ['first_time_buyer', '12.50', '/v1/customers?model=lifecycle&stage=first_time_buyer&activity=active'],
    ]);
    t.equal(missing, '1 more purchase day');
    t.match(problem, {
      type: '/problems/customer-not-found',
      status: 404,
      code: 'customer_not_found',
      retryable: false,
    });
    t.match(fault, { parameter: 'as_of', code: 'wrong_format' });
  },
);

t.test('@hey-api/openapi-ts makes a client that compiles, and that a program compiles with', async (t) => {
  const root = await folder(t);
  await run(process.execPath, [
    tool('openapi-ts'),
    '-i',
    DOCUMENT_FILE,
    '-o',
    `${root}/generated`,
    '-c',
    '@hey-api/client-fetch',
    '--silent',
    '--no-log-file',
  ]);
  await writeFile(`${root}/program.ts`, OTHER_PROGRAM);
  t.equal(
    await compile(root, { module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true }),
    '',
    'it compiles',
  );
});
