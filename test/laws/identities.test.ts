import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import t from 'tap';
import { REPORTS } from '../../src/reports/registry.ts';
import type { Query, ReportAnswer } from '../oracle/answers.ts';
import { formatDay, parseDay } from '../oracle/calendar.ts';
import { Rng } from '../oracle/random.ts';
import type { Asked, CustomerFigures } from './adding-up.ts';
import { IDENTITIES } from './identities.ts';
import { batches, randomCustomers, randomEvents } from './random-events.ts';
import { BUILT_IN, SideBySide } from './side-by-side.ts';

// Reports that are computed apart must add up to each other, whatever the data: no oracle is asked, only the service. A replay:
//   node test/laws/identities.test.ts --seed=123456
const { values } = parseArgs({ options: { seed: { type: 'string' } }, strict: false });
const SEED = Number(values.seed ?? randomInt(1_000_000_000));
const EVENTS = 1_500;
const CUSTOMERS = 120;
const DAYS = 1_000;
t.setTimeout(300_000);

/** The reports of the service, by name; of stage-moves also the basis that is asked for. */
const OFFERED = REPORTS.flatMap(({ definition, query }) =>
  'basis' in query.properties ? [definition.report, `${definition.report} basis=net`] : [definition.report],
);

t.test(`the reports of random data add up (seed ${SEED})`, async (t) => {
  const rng = new Rng(SEED);
  const both = await SideBySide.start(t);
  const { service, today, shop } = both;
  const told = [
    ...randomCustomers(rng, CUSTOMERS, formatDay(today - DAYS - 10)),
    ...randomEvents(rng, { count: EVENTS, customers: CUSTOMERS, today, days: DAYS, favourite: 0.05 }),
  ];
  for (const post of batches(told, () => 1_000)) await both.post([post]);

  const figures: (CustomerFigures & { readonly groups: readonly string[] })[] = [];
  for (const id of both.oracle.customerIds()) figures.push((await service.call('GET', `/v1/customers/${id}`)).body);
  const read = async (report: string, query: Query): Promise<ReportAnswer> => {
    const path = `/v1/reports/${report}?${new URLSearchParams(query)}`;
    const { status, body, text } = await service.call('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    return body;
  };
  const asked: Asked = {
    read,
    customers: figures,
    models: BUILT_IN.map((model) => ({ model: model.model_id, stages: model.stages.map(({ stage }) => stage) })),
    since: parseDay('2021-01-01'),
    today,
    decimals: shop.decimals,
  };
  const carriers = figures.filter(({ groups }) => groups.includes('vip'));
  t.ok(carriers.length > 5, `${carriers.length} of ${figures.length} customers are in the group`);
  for (const { says, reports, broken } of IDENTITIES) {
    const missing = reports.filter((report) => !OFFERED.includes(report));
    const skip = missing.length > 0 && `there is no ${missing.join(', ')} yet`;
    await t.test(says, { skip }, async (t) => {
      t.strictSame(await broken(asked), [], 'of everybody');
      t.strictSame(await broken({ ...asked, customers: carriers, group: 'vip' }), [], 'of a group');
    });
  }
});
