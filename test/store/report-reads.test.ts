import pg from 'pg';
import t from 'tap';
import { PROJECTIONS, REPORTS } from '../../src/reports/registry.ts';
import { rollupTable } from '../../src/store/rollups.ts';
import { testService } from '../support/service.ts';

// Which roll-ups a report reads is what it says: while one of them is being built, it is refused. Looked up in the statements that are really sent.

const statements: string[] = [];
const { prototype } = pg.Client as unknown as { prototype: Record<string, (...args: unknown[]) => unknown> };
const { query } = prototype;
prototype.query = function (this: object, ...args: unknown[]): unknown {
  const [first] = args as [string | { text: string }];
  statements.push(typeof first === 'string' ? first : first.text);
  return query!.apply(this, args);
};
t.teardown(() => Object.assign(prototype, { query }));

const service = await testService(t);
const items = Array.from({ length: 20 }, (_, index) => ({
  customer_id: `c${index % 5}`,
  purchase_id: `p${index}`,
  purchased_at: `2025-0${1 + (index % 9)}-10`,
  amount: '12.50',
}));
await service.call('POST', '/v1/purchases', { items });
await service.call('POST', '/v1/customers', { items: [{ customer_id: 'c1', groups: ['gold'] }] });

/** Parameters with which a report may read something else than with its defaults. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  'stage-population': ['as_of=2025-06-01', 'from=2025-01-01&to=2025-07-01&interval=month', 'as_of=2027-01-01'],
  'stage-moves': ['basis=net', 'basis=net&from=2025-01-01&to=2025-04-01', 'from=2025-01-01&to=2025-06-01'],
  'stage-retention': ['grain=week&from=2025-W02&to=2025-W20', 'grain=year'],
  'value-segments': [
    'period=2025',
    'value=profit',
    'value=profit&period=2025',
    'profile=true',
    'profile=false',
    'profile=true&period=2025',
  ],
  'repeat-purchases': ['purchase_number=2', 'purchase_number=1'],
  'cohort-retention': ['basis=on', 'basis=on_or_after', 'grain=week&from=2025-W02&to=2025-W20'],
  'time-in-stage': ['stage=first_time_buyer', 'as_of=2025-06-01'],
  defections: ['grain=week&from=2025-W02&to=2025-W20', 'grain=year'],
  'customer-flow': ['grain=week&from=2025-W02&to=2025-W20', 'grain=year'],
  'revenue-movements': ['grain=year', 'grain=quarter'],
  'loyalty-economics': ['grain=month', 'acquisition_cost=3', 'retention_cost=2', 'discount_rate=0.25'],
  'cash-flow': ['grain=week', 'grain=year'],
  'model-crosswalk': ['other=relationship'],
};

/** Names of the projections whose roll-ups the statements since then name. */
function touched(since: number): string[] {
  const tables = new Set(statements.slice(since).flatMap((text) => text.match(/\brollup_\w+/g) ?? []));
  return PROJECTIONS.filter((projection) => tables.has(rollupTable(projection))).map(({ name }) => name);
}

t.test('every report has the parameters looked up that could change what it reads', (t) => {
  const names = REPORTS.map(({ definition }) => definition.report);
  t.strictSame(
    names.filter((name) => !Object.hasOwn(VARIANTS, name)),
    [],
  );
  t.end();
});

for (const { definition, reads, query: parameters } of REPORTS) {
  const name = definition.report;
  t.test(`${name} says exactly which roll-ups it reads`, async (t) => {
    const found = new Set<string>();
    const group = 'group' in parameters.properties ? ['group=gold'] : [];
    for (const search of ['', ...group, ...(VARIANTS[name] ?? [])]) {
      const before = statements.length;
      const { status } = await service.call('GET', `/v1/reports/${name}?${search}`);
      t.equal(status, 200, search);
      for (const one of touched(before)) found.add(one);
    }
    t.ok(found.has('daily-totals'), 'how far the data go stands beside every report');
    const said = reads.map((projection) => projection.name as string);
    const own = [...found].filter((one) => one !== 'daily-totals' || said.includes(one));
    t.strictSame(own.sort(), [...said].sort());
  });
}

t.test('the answers that are no reports read no roll-ups, but for the status', async (t) => {
  const before = statements.length;
  for (const path of [
    'customers',
    'customers/c1',
    'customers/c1/stages',
    'customers/c1/timeline',
    'models',
    'models/lifecycle',
  ])
    t.equal((await service.call('GET', `/v1/${path}`)).status, 200, path);
  t.strictSame(touched(before), []);
  t.equal((await service.call('GET', '/v1/status')).status, 200);
  t.strictSame(touched(before), ['daily-totals']);
});
