import pg from 'pg';
import t from 'tap';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { build } from '../../src/ingest/build.ts';
import { loadEngine } from '../../src/ingest/engine.ts';
import { tidyImports } from '../../src/ingest/keep-storing.ts';
import { publishModel, retireModel } from '../../src/ingest/publish.ts';
import { rebuild } from '../../src/ingest/rebuild.ts';
import { ripen } from '../../src/ingest/ripen.ts';
import { storeImports } from '../../src/ingest/store-imports.ts';
import { removeRetired } from '../../src/ingest/switch-models.ts';
import { takeOver } from '../../src/ingest/take-over.ts';
import { verify } from '../../src/ingest/verify.ts';
import { PROJECTIONS, REPORTS } from '../../src/reports/registry.ts';
import { there } from '../support/notation.ts';
import { testService } from '../support/service.ts';

// The rules of the store that let customer tables be distributed by customer_id, and a transaction pooler stand in between, checked on the
// statements that the service really sends.

/** A statement as the driver got it, on which connection, during which request. */
interface Sent {
  readonly client: object;
  /** In lower case, one line, without quotes. */
  readonly text: string;
  readonly values: readonly unknown[];
  readonly name: unknown;
  readonly request: string;
}

const sent: Sent[] = [];
const startups: Record<string, unknown>[] = [];
let request = 'start';

const { prototype } = pg.Client as unknown as { prototype: Record<string, (...args: unknown[]) => unknown> };
const { query, getStartupConf } = prototype;
prototype.query = function (this: object, ...args: unknown[]): unknown {
  const [first, second] = args as [string | { text: string; values?: unknown[]; name?: string }, unknown[] | undefined];
  const {
    text,
    values = [],
    name,
  } = typeof first === 'string' ? { text: first, values: second, name: undefined } : first;
  const line = text.toLowerCase().replaceAll('"', '').replaceAll(/\s+/g, ' ').trim();
  sent.push({ client: this, text: line, values: values.length > 0 ? values : (second ?? []), name, request });
  return query!.apply(this, args);
};
prototype.getStartupConf = function (this: object, ...args: unknown[]): unknown {
  const parameters = getStartupConf!.apply(this, args) as Record<string, unknown>;
  startups.push(parameters);
  return parameters;
};
t.teardown(() => Object.assign(prototype, { query, getStartupConf }));

const service = await testService(t);
const { engine } = service;
const catalogue = async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> => {
  const client = new pg.Client(service.connection);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
};
const tables = await catalogue<{ table: string; customer: boolean }>(`
  select relname as "table", exists (select from pg_attribute where attrelid = pg_class.oid and attname = 'customer_id') as customer
  from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`);
const CUSTOMER_TABLES = tables.filter(({ customer }) => customer).map(({ table }) => table);
const ROLLUPS = PROJECTIONS.map(({ name }) => `rollup_${name.replaceAll('-', '_')}`);
const TABLES = tables.map(({ table }) => table);

/** Tables a statement names. */
const named = ({ text }: Sent, among: readonly string[]): string[] =>
  among.filter((table) => new RegExp(`\\b(from|join|into|update|table|copy) ${table}\\b`).test(text));
const shown = (found: readonly Sent[]): string[] => [
  ...new Set(found.map(({ request, text }) => `${request}: ${text.slice(0, 160)}`)),
];

const ID = '{customer_id}';
const customer = `/v1/customers/${ID}`;
const ids = Array.from({ length: 40 }, (_, index) => `customer-${(index * 17) % 40}`);
const purchase = { purchased_at: '2026-03-01T10:00:00Z', amount: '12.50', products: ['a', 'b'] };
const refund = { purchase_id: 'p1', refunded_at: '2026-03-05', amount: '2.50' };
const interaction = { occurred_at: '2026-03-02', kind: 'visit' };
const each = (make: (customer_id: string, index: number) => object) => ({ items: ids.map(make) });
const document = { as_of: '2026-06-01', histories: [{ purchases: [purchase] }] };

/** One request after the other, over every operation: method, path as documented, body, and what stands for its parameters. */
/** An operation, with its body, its parameters and its query. */
type Stop = readonly [
  method: string,
  path: string,
  body?: unknown,
  parameters?: Record<string, string>,
  query?: string,
  headers?: Record<string, string>,
];
const FILE = ids
  .map((customer_id) => `${JSON.stringify({ customer_id, purchase_id: 'file', ...purchase })}\n`)
  .join('');
const IMPORT: Stop = ['POST', '/v1/imports', `${FILE}no json\n`, {}, '', { 'content-type': 'application/x-ndjson' }];
const OWN_MODEL: Model = { ...there({ feature: 'purchase_days', at_least: 2, within_days: 30 }), model_id: 'own' };
const TOUR: readonly Stop[] = [
  [
    'POST',
    '/v1/customers',
    each((customer_id, index) => ({ customer_id, known_since: '2026-01-01', groups: [`g${index % 3}`, 'all'] })),
  ],
  ['POST', '/v1/purchases', each((customer_id) => ({ customer_id, purchase_id: 'p1', ...purchase }))],
  ['POST', '/v1/purchases', each((customer_id) => ({ customer_id, purchase_id: 'p1', ...purchase }))],
  [
    'POST',
    '/v1/purchases',
    each((customer_id) => ({ customer_id, purchase_id: 'late', ...purchase, purchased_at: '2025-12-01' })),
  ],
  ['POST', '/v1/purchases', { items: [{ customer_id: 'somebody-new', purchase_id: 'p1', ...purchase }] }],
  ['POST', '/v1/refunds', each((customer_id) => ({ customer_id, refund_id: 'r1', ...refund }))],
  ['POST', '/v1/interactions', each((customer_id) => ({ customer_id, interaction_id: 'i1', ...interaction }))],
  ['PUT', `${customer}/purchases/{item_id}`, { ...purchase, amount: '13' }, { item_id: 'p1' }],
  ['PUT', `${customer}/purchases/{item_id}`, purchase, { item_id: 'p2' }],
  ['PUT', `${customer}/refunds/{item_id}`, { ...refund, amount: '3' }, { item_id: 'r1' }],
  ['PUT', `${customer}/interactions/{item_id}`, { ...interaction, kind: 'survey', score: 9 }, { item_id: 'i1' }],
  ['GET', '/v1/customers', undefined, {}, '?stage=first_time_buyer&group=all&limit=7'],
  ['GET', customer],
  ['GET', `${customer}/stages`],
  ['GET', `${customer}/timeline`],
  ['GET', `${customer}/purchases`, undefined, {}, '?limit=1'],
  ['GET', `${customer}/refunds`],
  ['GET', `${customer}/interactions`],
  ['POST', '/v1/customers/lookup', { customer_ids: ids, as_of: '2026-02-01' }],
  ['POST', '/v1/classifications', document],
  IMPORT,
  IMPORT,
  ['GET', '/v1/imports', undefined, {}, '?limit=1'],
  ['GET', '/v1/imports/{import_id}', undefined, { import_id: '1' }],
  ['GET', '/v1/imports/{import_id}/faults', undefined, { import_id: '1' }],
  ['DELETE', '/v1/imports/{import_id}', undefined, { import_id: '2' }],
  ['GET', '/v1/models'],
  ['GET', '/v1/models/{model_id}', undefined, { model_id: 'lifecycle' }],
  ['POST', '/v1/models/preview', { model: BUILT_IN_MODELS.journey, compare_with: 'lifecycle' }],
  ['GET', '/v1/models/{model_id}/calibration', undefined, { model_id: 'lifecycle' }, '?group=all'],
  ['GET', '/v1/reports/stage-population', undefined, {}, '?from=2026-01-01&to=2026-06-01&group=all'],
  ['GET', '/v1/reports/stage-moves', undefined, {}, '?from=2026-01-01&to=2026-06-01'],
  ...REPORTS.map(({ definition, query }): Stop => {
    return ['GET', `/v1/reports/${definition.report}`, undefined, {}, 'group' in query.properties ? '?group=all' : ''];
  }),
  ['GET', '/v1/customers', undefined, {}, '?stage=first_time_buyer&group=all&sort=profit'],
  ['GET', '/v1/reports/value-segments', undefined, {}, '?value=profit'],
  ['GET', '/v1/reports/value-segments', undefined, {}, '?period=2026&group=all'],
  ['GET', '/v1/reports/model-crosswalk', undefined, {}, '?other=journey'],
  ['GET', '/v1/definitions'],
  ['GET', '/v1/definitions/{report}', undefined, { report: 'stage-moves' }],
  ['GET', '/v1/status'],
  ['GET', '/livez'],
  ['GET', '/readyz'],
  ['GET', '/metrics'],
  ['DELETE', `${customer}/purchases/{item_id}`, undefined, { item_id: 'p1' }],
  ['DELETE', `${customer}/refunds/{item_id}`, undefined, { item_id: 'r1' }],
  ['DELETE', `${customer}/interactions/{item_id}`, undefined, { item_id: 'i1' }],
  ['POST', '/v1/purchases', { items: [{ customer_id: 'a-survivor', purchase_id: 'p9', ...purchase }] }],
  ['POST', `${customer}/merge`, { into: 'a-survivor' }],
  ['POST', '/v1/purchases', { items: [{ customer_id: ids[5], purchase_id: 'p8', ...purchase }] }],
  ['GET', `${customer}/purchases`],
  ['DELETE', customer],
  ['POST', '/v1/interactions', { items: [{ customer_id: ids[5], interaction_id: 'i9', ...interaction }] }],
  ['PUT', '/v1/models/{model_id}', OWN_MODEL, { model_id: 'own' }],
  ['POST', '/v1/purchases', { items: [{ customer_id: 'a-survivor', purchase_id: 'p10', ...purchase }] }],
  ['DELETE', '/v1/models/{model_id}', undefined, { model_id: 'own' }],
];

const failed: string[] = [];
for (const [method, path, body, parameters = {}, search = '', headers = {}] of TOUR) {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'customer_id' ? ids[5]! : parameters[name]!,
  );
  request = `${method} ${path}`;
  const { status, text } = await service.call(method, filled + search, body, headers);
  if (status < 200 || status > 299) failed.push(`${request} answers ${status}: ${text.slice(0, 200)}`);
}
const TOURED = sent.filter((statement) => TOUR.some(([method, path]) => statement.request === `${method} ${path}`));
request = 'imports';
await tidyImports(service.engine);
await storeImports(service.engine);
request = 'verify';
const verified = await verify(service.engine);
request = 'a position is over';
await service.db.updateTable('customer_states').set({ next_change: 0 }).execute();
request = 'ripen';
const ripened = await ripen(service.engine);
request = 'publish';
await publishModel(service.engine, OWN_MODEL, { type: 'nothing' });
request = 'build';
const built = await build(await loadEngine(service.engine), { chunk: 15 });
request = 'publish';
await retireModel(service.engine, 'own', { type: 'unsaid' });
request = 'older code';
const code_versions = engine.versions.code_versions.replace('cohorts:1', 'cohorts:0');
await service.db.updateTable('versions').set({ code_versions }).execute();
await service.db.updateTable('projections').set({ version: 0 }).where('name', '=', 'cohorts').execute();
request = 'take over';
await takeOver(engine);
request = 'remove';
await removeRetired(await loadEngine(engine));
request = 'rebuild';
const { reporting_time_zone, currency, currency_decimals } = engine.versions;
await rebuild(engine, { reporting_time_zone, currency, currency_decimals });
request = 'done';
/** What changes the models or the projections, and what takes the place of ingest for a moment. */
const CHANGES = ['PUT /v1/models/{model_id}', 'DELETE /v1/models/{model_id}', 'publish', 'take over'];
const KEPT_UP = ['imports', 'verify', 'ripen', 'publish', 'build', 'take over', 'remove', 'rebuild'];
const MAINTAINED = sent.filter((statement) => KEPT_UP.includes(statement.request));
const ALL = [...TOURED, ...MAINTAINED];

t.test('a tour of every operation succeeds', async (t) => {
  t.strictSame(failed, []);
  const openapi = (await service.call('GET', '/openapi.json')).body as {
    paths: Record<string, Record<string, unknown>>;
  };
  const operations = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const toured = new Set(TOUR.map(([method, path]) => `${method} ${path}`));
  t.ok(operations.length > 25, `${operations.length} operations`);
  t.strictSame(
    operations.filter((operation) => !toured.has(operation)),
    [],
    'a new operation belongs on the tour',
  );
});

t.test('there was something to check', async (t) => {
  t.strictSame(verified.differences, []);
  t.equal(ripened, 40, 'positions were advanced');
  t.ok(built, 'a model was built');
  t.strictSame(CUSTOMER_TABLES, [
    'customer_stages',
    'customer_states',
    'customer_years',
    'customers',
    'import_rows',
    'interactions',
    'purchases',
    'refunds',
  ]);
  t.strictSame(
    TABLES.filter((table) => table.startsWith('rollup_')),
    [...ROLLUPS].sort(),
  );
  for (const table of TABLES) {
    if (table.startsWith('kysely_')) continue;
    t.ok(
      ALL.some((statement) => named(statement, [table]).length > 0),
      `some statement names ${table}`,
    );
  }
  t.ok(TOURED.length > 100, `${TOURED.length} statements`);
});

t.test('only the versions row, and that of the build which runs, is ever locked by a select', async (t) => {
  const locking = ALL.filter(({ text }) => /\bfor (no key update|update|share|key share)\b/.test(text));
  const own = (statement: Sent): boolean => ['versions', 'builds'].includes(named(statement, TABLES).join());
  t.strictSame(shown(locking.filter((statement) => !own(statement))), []);
  t.ok(locking.length > 0);
});

/** The customer table a statement writes. */
const written = (statement: Sent): string | undefined => {
  const table = /^(?:insert into|update|delete from|copy) (\w+)/.exec(statement.text)?.[1];
  return table !== undefined && CUSTOMER_TABLES.includes(table) ? table : undefined;
};
const KEYED = /\bcustomer_id = (any\(|given\.customer_id|\$\d)/;

t.test('every write to a customer table is keyed by customer_id', async (t) => {
  const keyed = ({ text }: Sent): boolean => {
    if (text.startsWith('copy')) return /^copy \w+ \(customer_id, [^)]*\) from stdin/.test(text);
    if (!text.startsWith('insert')) return KEYED.test(text.slice(text.lastIndexOf(' where ')));
    return (
      /^insert into \w+ \(customer_id[,)]/.test(text) &&
      (!text.includes('on conflict') || text.includes('on conflict (customer_id'))
    );
  };
  const writes = TOURED.filter((statement) => written(statement) !== undefined);
  t.strictSame(shown(writes.filter((statement) => !keyed(statement))), []);
  for (const table of CUSTOMER_TABLES)
    t.ok(
      writes.some((statement) => written(statement) === table),
      table,
    );
  const whole = MAINTAINED.filter((statement) => written(statement) !== undefined && !keyed(statement));
  t.strictSame(shown(whole), []);
});

/** What a rebuild does to tables that it writes anew as a whole. */
const REWRITES = /^(lock|drop) table customer_(states|stages|years)/;

/** Reads that choose customers by something else: they fan out, and each part answers with at most a page. */
const LISTS =
  /^select next_change, customer_id from customer_states where .* limit \$\d+$|^select customer_id from \(select customer_id from customer_stages where model_version = \$1 limit \$2\) as page /;
/** What is asked of every customer before a build and at its end: how many lack something, and whether anybody does. */
const OF_ALL =
  /^select (count\(\*\)::int4 as lacking|exists \(select) from customer_states where layout <> all\(\$\d::int2\[\]\)/;
/** Reports that read every customer, as their definitions say. */
const EXACT_READS = ['GET /v1/reports/value-segments', 'GET /v1/reports/model-crosswalk'];

t.test(
  'every read of a customer table goes by customer_id, joins included, but for lists and exact reads',
  async (t) => {
    const [rewrites, reads] = [true, false].map((rewriting) =>
      ALL.filter(
        (statement) =>
          !/^(insert|update|delete|copy \w)/.test(statement.text) &&
          named(statement, CUSTOMER_TABLES).length > 0 &&
          REWRITES.test(statement.text) === rewriting,
      ),
    ) as [Sent[], Sent[]];
    t.strictSame(
      shown(rewrites),
      [
        'rebuild: lock table customer_states, customer_stages, customer_years in access exclusive mode',
        'rebuild: drop table customer_states',
        'rebuild: drop table customer_stages',
        'rebuild: drop table customer_years',
      ],
      'only a rebuild takes whole tables away',
    );
    const others = reads.filter(({ text }) => !/\bcustomer_id (=|>=?) /.test(text));
    const anywhere = others.filter(
      ({ text, request }) => !LISTS.test(text) && !OF_ALL.test(text) && !EXACT_READS.includes(request),
    );
    t.strictSame(shown(anywhere), []);
    t.ok(others.length > 0);
    const joins = reads.filter((statement) => named(statement, CUSTOMER_TABLES).length > 1);
    t.strictSame(shown(joins.filter(({ text }) => !/\b\w+\.customer_id = \w+\.customer_id\b/.test(text))), []);
    t.ok(joins.length > 0);
  },
);

t.test('no statement joins customer tables with roll-ups or anything else', async (t) => {
  const mixed = ALL.filter(
    (statement) =>
      named(statement, CUSTOMER_TABLES).length > 0 &&
      named(
        statement,
        TABLES.filter((table) => !CUSTOMER_TABLES.includes(table)),
      ).length > 0,
  );
  t.strictSame(shown(mixed), []);
});

const LASTING = [
  /\bpg_(try_)?advisory_lock/,
  /^(listen|notify|prepare|execute|declare|discard|reset|load)\b/,
  /\btemp(orary)? table\b/,
  /^set (?!local |transaction )/,
  /\bset_config\((?:[^,()]*,){2} (?!true\))/,
];

t.test('nothing outlives its transaction: no session locks, settings, prepared statements or cursors', async (t) => {
  t.strictSame(shown(ALL.filter(({ text }) => LASTING.some((rule) => rule.test(text)))), []);
  t.strictSame(shown(ALL.filter(({ name }) => name !== undefined)), [], 'no named statements');
  t.ok(ALL.some(({ text }) => text.includes('statement_timeout')));
});

t.test('connections ask for no startup parameters beyond user and database', async (t) => {
  const own = startups.filter((parameters) => parameters.application_name !== 'escalera-migrate');
  t.ok(own.length > 0);
  const set = (parameters: Record<string, unknown>): string[] =>
    Object.keys(parameters).filter((name) => parameters[name] !== undefined);
  t.strictSame(
    own.map(set).filter((names) => names.some((name) => name !== 'user' && name !== 'database')),
    [],
  );
});

/** The transactions of a list, each as its statements without begin and commit. */
function transactionsOf(list: readonly Sent[]): Sent[][] {
  const open = new Map<object, Sent[]>();
  const whole: Sent[][] = [];
  for (const statement of list) {
    const { client, text } = statement;
    if (/^(begin|start transaction)/.test(text)) {
      const begun: Sent[] = [];
      open.set(client, begun);
      whole.push(begun);
    } else if (/^(commit|rollback)/.test(text)) open.delete(client);
    else open.get(client)?.push(statement);
  }
  return whole;
}
const WRITING = transactionsOf(ALL).filter(
  ([first, ...rest]) =>
    !['verify', 'ripen', 'build', 'remove', 'rebuild', ...CHANGES].includes(first!.request) &&
    rest.some((statement) => /^(insert|update|delete)/.test(statement.text)),
);
/** Transactions that touch imports and their staged rows, and no customer. */
const isLedger = (statements: readonly Sent[]): boolean =>
  statements.every(
    (statement) =>
      named(statement, TABLES).every((table) => table.startsWith('import')) && !statement.text.includes('versions'),
  );

t.test('nothing is written outside a transaction', async (t) => {
  const inside = new Set(transactionsOf(ALL).flat());
  t.strictSame(
    shown(TOURED.filter((statement) => /^(insert|update|delete)/.test(statement.text) && !inside.has(statement))),
    [],
  );
  t.ok(WRITING.length >= 14, `${WRITING.length} writing transactions`);
  t.ok(
    WRITING.some((statements) => statements[0]!.request === 'imports' && !isLedger(statements)),
    'that of staged rows is one of them',
  );
});

t.test('locks are taken in one order: versions, customers by id, everything else, roll-ups', async (t) => {
  for (const statements of WRITING) {
    const [limit, versions, customers, ...rest] = statements;
    const what = statements[0]!.request;
    t.match(limit!.text, /\bstatement_timeout\b/, what);
    if (isLedger(statements)) {
      // Of imports the row is locked before anything that belongs to it; staged rows of ended ones belong to nobody.
      t.match(
        versions!.text,
        /^(insert into|update) imports\b|^with gone|^delete from import_rows|pg_advisory_xact_lock/,
        what,
      );
      continue;
    }
    t.match(versions!.text, /from versions for share$/, what);
    t.match(customers!.text, /^insert into customers \(customer_id, received_on\)/, what);
    const locked = customers!.values.find(Array.isArray) as string[];
    t.strictSame(
      locked,
      [...locked].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      `${what} by id`,
    );
    t.notOk(
      rest.some((statement) => /^insert into customers\b/.test(statement.text) || /\bversions\b/.test(statement.text)),
      what,
    );
  }
});

/** Transactions of a request that write. */
const writingOf = (request: string): Sent[][] =>
  transactionsOf(ALL.filter((statement) => statement.request === request)).filter((statements) =>
    statements.some(({ text }) => /^(insert|update|delete|copy)/.test(text)),
  );
const BUILT = writingOf('build').filter((statements) => statements.some(({ text }) => text.startsWith('copy')));

t.test('a chunk of a build takes its locks in the order of ingest, and writes roll-ups last', async (t) => {
  t.ok(BUILT.length >= 3, `${BUILT.length} chunks`);
  for (const [limit, versions, customers, ...rest] of BUILT) {
    t.match(limit!.text, /\bstatement_timeout\b/);
    t.match(versions!.text, /from versions for share$/);
    t.match(customers!.text, /^insert into customers \(customer_id, received_on\)/);
    const first = rest.findIndex((statement) => named(statement, ROLLUPS).length > 0);
    const tables = rest.slice(first).map((statement) => named(statement, ROLLUPS).join());
    t.strictSame(
      tables,
      ROLLUPS.filter((table) => tables.includes(table)),
      'in the order of the registry',
    );
    t.ok(tables.length > 2);
  }
});

t.test(
  'whoever changes models or projections first holds the versions table, so that no ingest overlaps',
  async (t) => {
    const switching = writingOf('build').filter((statements) =>
      statements.some(({ text }) => /^update models/.test(text)),
    );
    t.equal(switching.length, 1);
    for (const statements of [...CHANGES.flatMap(writingOf), ...switching]) {
      const first = statements.find(({ text }) => !/\bstatement_timeout\b/.test(text));
      t.equal(first!.text, 'lock table versions in exclusive mode', first!.request);
      t.strictSame(
        shown(statements.filter((one) => named(one, CUSTOMER_TABLES).length > 0 && !OF_ALL.test(one.text))),
        [],
      );
    }
    for (const request of CHANGES) t.ok(writingOf(request).length > 0, request);
  },
);

t.test('what is stored of a retired model is removed under the locks of its customers', async (t) => {
  const removed = writingOf('remove').filter((statements) =>
    statements.some((one) => written(one) === 'customer_stages'),
  );
  t.equal(removed.length, 1);
  const texts = removed[0]!.map(({ text }) => text);
  t.match(texts[0], /\bstatement_timeout\b/);
  t.match(
    texts.slice(1).findIndex((text) => text.startsWith('insert into customers')),
    1,
  );
  t.match(
    texts.at(-1),
    /^delete from customer_stages where customer_id = any\(\$1::text\[\]\) and model_version = \$2/,
  );
});

t.test('roll-ups are written last, each in one statement, in the order of the registry', async (t) => {
  let several = 0;
  for (const statements of WRITING) {
    const what = statements[0]!.request;
    const first = statements.findIndex((statement) => named(statement, ROLLUPS).length > 0);
    const last =
      first === -1
        ? []
        : statements
            .slice(first)
            .map((statement) =>
              statement.text.startsWith('insert into rollup_') ? named(statement, ROLLUPS)[0] : statement.text,
            );
    t.strictSame(
      last,
      ROLLUPS.filter((table) => last.includes(table)),
      what,
    );
    if (last.length > 1) several += 1;
  }
  t.ok(several > 5, `${several} transactions write several roll-ups`);
});

/** The numbers of an array literal. */
const numbersOf = (literal: unknown): number[] => JSON.parse(`[${(literal as string).slice(1, -1)}]`) as number[];

t.test('the rows of a roll-up are locked in the order of their keys, each once', async (t) => {
  const upserts = TOURED.filter(({ text }) => text.startsWith('insert into rollup_'));
  for (const { text, values, request } of upserts) {
    const keys = /on conflict \(([^)]*)\)/.exec(text)![1]!.split(', ').length;
    const columns = values.slice(0, keys).map(numbersOf);
    const rows = columns[0]!.map((_, row) => columns.map((column) => column[row]!));
    const order = (a: readonly number[], b: readonly number[]): number =>
      a.map((value, index) => value - b[index]!).find((difference) => difference !== 0) ?? 0;
    const ascending = rows.every((row, index) => index === 0 || order(rows[index - 1]!, row) < 0);
    t.ok(ascending, `${request}: ${text.slice(0, 50)}`);
  }
  t.ok(upserts.some(({ values }) => numbersOf(values[0]).length > 20));
});

t.test('a statement has as many parameters as columns, not as rows', async (t) => {
  t.ok(Math.max(...ALL.map(({ values }) => values.length)) <= 20, 'lists travel as arrays');
});

t.test(
  'customer_id leads every key of a customer table; only indexes of lists are led by something else',
  async (t) => {
    const keys = await catalogue<{ table: string; index: string; leading: string; primary: boolean; unique: boolean }>(`
    select indrelid::regclass::text as "table", indexrelid::regclass::text as index, attname as leading, indisprimary as primary, indisunique as unique
    from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
    where indrelid::regclass::text = any('{${CUSTOMER_TABLES.join()}}') order by 1, 2`);
    t.strictSame(
      keys.filter(({ leading, unique }) => unique && leading !== 'customer_id'),
      [],
    );
    t.strictSame(
      keys.filter(({ unique }) => !unique).map(({ index }) => index),
      [
        'customer_stages_position',
        'customer_stages_profit',
        'customer_states_last_purchase',
        'customer_states_next_change',
        'customer_states_open_complaint',
        'customer_states_profit',
        'customer_states_revenue',
        'customers_groups',
      ],
      'each of these costs every ingest',
    );
    t.strictSame(
      keys.filter(({ primary }) => primary).map(({ table }) => table),
      CUSTOMER_TABLES,
    );
    const types = await catalogue<{ type: string }>(`
    select distinct format_type(atttypid, atttypmod) || ' ' || collname as type from pg_attribute join pg_collation c on c.oid = attcollation
    where attname = 'customer_id' and attrelid::regclass::text = any('{${CUSTOMER_TABLES.join()}}')`);
    t.strictSame(types, [{ type: 'text C' }], 'of one type and collation, so that customers stay together');
  },
);

t.test('no foreign keys, triggers or sequences tie customer tables to anything', async (t) => {
  t.strictSame(await catalogue(`select conname from pg_constraint where contype = 'f'`), []);
  t.strictSame(await catalogue('select tgname from pg_trigger where not tgisinternal'), []);
  const defaults = await catalogue(`
    select attrelid::regclass::text, attname from pg_attribute join pg_class on pg_class.oid = attrelid
    where relname = any('{${CUSTOMER_TABLES.join()}}') and (attidentity <> '' or attgenerated <> '')`);
  t.strictSame(defaults, []);
});

t.test('the rules see what they forbid', async (t) => {
  const statement = (text: string): Sent => ({ client: {}, text, values: [], name: undefined, request: '' });
  t.strictSame(named(statement('select * from purchases join rollup_stage_moves on true'), TABLES), [
    'purchases',
    'rollup_stage_moves',
  ]);
  t.strictSame(
    named(statement('select customers from rollup_stage_moves'), TABLES),
    ['rollup_stage_moves'],
    'a column is no table',
  );
  t.equal(written(statement('update customers set x = 1')), 'customers');
  t.notMatch('update customers set customer_id = 1', KEYED);
  t.match('delete from purchases where customer_id = any($1::text[])', KEYED);
  const lasts = (text: string): boolean => LASTING.some((rule) => rule.test(text));
  for (const text of [
    'select pg_advisory_lock(1)',
    'set statement_timeout = 1',
    "select set_config('a', $1, true), set_config('b', $2, false)",
    'create temp table x ()',
    'prepare x as select 1',
  ]) {
    t.ok(lasts(text), text);
  }
  for (const text of [
    'set local statement_timeout = 1',
    'set transaction read only',
    "select set_config('a', $1, true)",
  ]) {
    t.notOk(lasts(text), text);
  }
});
