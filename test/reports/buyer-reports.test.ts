import { randomInt } from 'node:crypto';
import t from 'tap';
import { verify } from '../../src/ingest/verify.ts';
import { Rng } from '../oracle/rng.ts';
import { date, day } from '../support/notation.ts';
import { testService } from '../support/service.ts';
import {
  GRAIN_NAMES,
  type GrainName,
  labelOf,
  labelsOf,
  type NaivePeriod,
  naivePeriods,
  randomCustomers,
  type ToldCustomer,
} from './naive-buyers.ts';

// The three reports that stand on the buyers of periods, over HTTP, against what each customer of random histories says of each period.

const SEED = randomInt(1_000_000_000);
const TODAY = day('2021-02-10');
const service = await testService(t, { clock: () => (TODAY * 24 + 12) * 3_600_000 });
const customers = randomCustomers(new Rng(SEED), 160, day('2019-06-01'), TODAY + 1);
const cents = (money: number): string => (money / 100).toFixed(2);

async function send(method: string, path: string, body?: unknown): Promise<void> {
  const { status, text } = await service.call(method, path, body);
  if (status > 299 || text.includes('"status":"invalid"'))
    throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
}

async function post(route: string, items: readonly object[]): Promise<void> {
  for (let begin = 0; begin < items.length; begin += 500) {
    await send('POST', `/v1/${route}`, { items: items.slice(begin, begin + 500) });
  }
}

const voided: string[] = [];
/** Gives an event its id, and notes it for later if it is to be voided. */
function named(
  kind: string,
  id: string,
  told: ToldCustomer,
  event: { readonly voided: boolean },
  body: object,
): object {
  if (event.voided) voided.push(`/v1/customers/${told.customer_id}/${kind}s/${id}`);
  return { customer_id: told.customer_id, [`${kind}_id`]: id, ...body };
}

await post(
  'customers',
  customers.map(({ customer_id, vip }) => ({ customer_id, known_since: '2019-01-01', groups: vip ? ['vip'] : [] })),
);
await post(
  'purchases',
  customers.flatMap((told) =>
    told.purchases.map((purchase, index) => {
      const { day: on, cents: amount, cost } = purchase;
      const body = { purchased_at: date(on), amount: cents(amount), cost: cents(cost) };
      return named('purchase', `p${index}`, told, purchase, body);
    }),
  ),
);
await post(
  'refunds',
  customers.flatMap((told) =>
    told.purchases.flatMap(({ refunds }, index) =>
      refunds.map((refund) => {
        const body = { purchase_id: `p${index}`, refunded_at: date(refund.day), amount: cents(refund.cents) };
        return named('refund', `r${index}`, told, refund, body);
      }),
    ),
  ),
);
await post(
  'interactions',
  customers.flatMap((told) =>
    told.interactions.map((talk, index) => {
      const body = { occurred_at: date(talk.day), kind: 'contact', cost: cents(talk.cost) };
      return named('interaction', `i${index}`, told, talk, body);
    }),
  ),
);
for (const path of voided) await send('DELETE', path);

/** Rows of an answer, whatever their members. */
// biome-ignore lint/suspicious/noExplicitAny: rows of three reports
type Rows = readonly any[];

async function rowsOf(report: string, query: string): Promise<Rows> {
  const { status, body, text } = await service.call('GET', `/v1/reports/${report}?${query}`);
  if (status !== 200) throw new Error(`${report} ${query}: ${status} ${text}`);
  return body.items;
}

/** What a grain and a group are asked, and what the naive computation says to it: all but the first and the last period, which nothing happens in. */
function asked(grain: GrainName, group: boolean) {
  const labels = labelsOf(day('2018-01-01'), day('2022-12-31'), grain);
  const members = group ? customers.filter((customer) => customer.vip) : customers;
  const query = `grain=${grain}&from=${labels[1]}&to=${labels.at(-1)}${group ? '&group=vip' : ''}`;
  const running = labels.indexOf(labelOf(TODAY, grain));
  const periods = naivePeriods(members, labels, grain).slice(0, -1);
  const complete = (period: string): boolean => labels.indexOf(period) < running;
  return { query, periods, complete };
}

const YEARS = labelsOf(day('2018-01-01'), day('2022-12-31'), 'year');
const BUYERS = customers.filter((customer) => naivePeriods([customer], YEARS, 'year').some((row) => row.buyers > 0));
const ASKED = GRAIN_NAMES.flatMap((grain) => [false, true].map((group) => ({ grain, group })));

t.test(`customer-flow gives what the customers say (seed ${SEED})`, async (t) => {
  for (const { grain, group } of ASKED) {
    const { query, periods, complete } = asked(grain, group);
    const expected = periods.map((row) => ({
      period: row.period,
      new_buyers: row.new_buyers,
      returning_buyers: row.returning_buyers,
      reactivated_buyers: row.reactivated_buyers,
      dormant_buyers: complete(row.period) ? row.dormant_buyers : null,
      buyers: row.buyers,
      complete: complete(row.period),
    }));
    t.strictSame(await rowsOf('customer-flow', query), expected, query);
  }
});

t.test(`buyers of a period are those before, and new, and reactivated, less the dormant (seed ${SEED})`, async (t) => {
  for (const { grain, group } of ASKED) {
    const { query } = asked(grain, group);
    const rows = await rowsOf('customer-flow', query);
    const wrong = rows.filter((row, index) => {
      const before = rows[index - 1]?.buyers ?? 0;
      return row.complete && before + row.new_buyers + row.reactivated_buyers - row.dormant_buyers !== row.buyers;
    });
    t.strictSame(wrong, [], query);
    t.ok(rows.filter((row) => row.complete && row.buyers > 0).length >= 2, 'there was something to add up');
    const bought = BUYERS.filter((customer) => !group || customer.vip);
    t.equal(
      rows.reduce((sum, row) => sum + row.new_buyers, 0),
      bought.length,
      'every buyer is new once',
    );
  }
});

const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

t.test(`revenue-movements gives what the customers say (seed ${SEED})`, async (t) => {
  for (const { grain, group } of ASKED) {
    const { query, periods, complete } = asked(grain, group);
    const expected = periods.map((row) => {
      const over = complete(row.period);
      return {
        period: row.period,
        opening_revenue: cents(row.opening),
        new_revenue: cents(row.new_revenue),
        reactivated_revenue: cents(row.reactivated_revenue),
        expansion_revenue: cents(row.expansion_revenue),
        contraction_revenue: over ? cents(row.contraction_revenue) : null,
        lost_revenue: over ? cents(row.lost_revenue) : null,
        closing_revenue: cents(row.new_revenue + row.returning_revenue + row.reactivated_revenue),
        nrr: over ? share(row.returning_revenue, row.opening) : null,
        grr: over ? share(row.kept_at_most, row.opening) : null,
        complete: over,
      };
    });
    t.strictSame(await rowsOf('revenue-movements', query), expected, query);
  }
});

t.test(
  `the movements lead from the opening to the closing revenue, and nrr is at least grr (seed ${SEED})`,
  async (t) => {
    const minor = (text: string): number => Math.round(Number(text) * 100);
    for (const { grain, group } of ASKED) {
      const { query } = asked(grain, group);
      const rows = (await rowsOf('revenue-movements', query)).filter((row) => row.complete);
      const wrong = rows.filter((row, index) => {
        const up = minor(row.new_revenue) + minor(row.reactivated_revenue) + minor(row.expansion_revenue);
        const down = minor(row.contraction_revenue) + minor(row.lost_revenue);
        const before = rows[index - 1]?.closing_revenue ?? '0.00';
        return minor(row.opening_revenue) + up - down !== minor(row.closing_revenue) || row.opening_revenue !== before;
      });
      t.strictSame(wrong, [], query);
      t.strictSame(
        rows.filter((row) => row.nrr !== null && (row.nrr < row.grr || row.grr > 1)),
        [],
        query,
      );
      t.ok(rows.filter((row) => row.nrr !== null).length >= 1, 'some period has both');
    }
  },
);

/** What a customer is worth, as the sum it is; null without a margin or a retention. */
function worth(margin: number | null, retention: number | null, discount: number): number | null {
  if (margin === null || retention === null) return null;
  let sum = 0;
  for (let chance = 1; chance > 1e-18; chance *= retention / (1 + discount)) sum += margin * chance;
  return sum;
}

function change(worthNow: number | null, worthThen: number | null, cost: number | null): number | null {
  if (worthNow === null || worthThen === null || cost === null || worthNow - cost <= 0) return null;
  return (worthThen - cost) / (worthNow - cost) - 1;
}

const PERIODS = { week: 52, month: 12, quarter: 4, year: 1 } as const;

function economics(row: NaivePeriod, before: number, complete: boolean, discount: number) {
  const winning = share(row.acquisition_costs / 100, row.new_buyers);
  const keeping = share(row.retention_costs / 100, row.returning_buyers + row.reactivated_buyers);
  const retention = complete ? share(row.returning_buyers, before) : null;
  const margin = share((row.revenue - row.costs) / 100, row.buyers);
  const now = worth(margin, retention, discount);
  const then = worth(margin, retention === null ? null : Math.min(retention + 0.05, 1), discount);
  return {
    exact: {
      period: row.period,
      buyers: row.buyers,
      buyers_before: before,
      new_buyers: row.new_buyers,
      returning_buyers: row.returning_buyers,
      reactivated_buyers: row.reactivated_buyers,
      revenue: cents(row.revenue),
      existing_revenue: cents(row.existing_revenue),
      existing_share: share(row.existing_revenue, row.revenue),
      acquisition_cost: cents(row.acquisition_costs),
      acquisition_cost_each: winning,
      retention_cost: cents(row.retention_costs),
      retention_cost_each: keeping,
      cost_ratio: winning === null || keeping === null ? null : share(winning, keeping),
      retention,
      profit: cents(row.revenue - row.costs),
      margin,
      complete,
    },
    near: {
      margin_now: now,
      profit_change_5_points: change(now, then, 0),
      ...(undecided(now, winning) ? {} : { profit_change_5_points_after_acquisition: change(now, then, winning) }),
    },
  };
}

const near = (found: number | null, wanted: number | null): boolean =>
  found === null || wanted === null
    ? found === wanted
    : Math.abs(found - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted));
/** The cost of winning a customer is so near to what they are worth that rounding decides what is left. */
const undecided = (worthNow: number | null, cost: number | null): boolean =>
  worthNow !== null && cost !== null && Math.abs(worthNow - cost) < 1e-6;

t.test(`loyalty-economics gives what the customers say (seed ${SEED})`, async (t) => {
  let worthy = 0;
  for (const { grain, group } of ASKED) {
    const { query, periods, complete } = asked(grain, group);
    const found = await rowsOf('loyalty-economics', `${query}&discount_rate=0.2`);
    t.equal(found.length, periods.length);
    const wrong: unknown[] = [];
    found.forEach((row, index) => {
      const naive = periods[index]!;
      const discount = 1.2 ** (1 / PERIODS[grain]) - 1;
      const wanted = economics(naive, periods[index - 1]?.buyers ?? 0, complete(naive.period), discount);
      const { margin_now, profit_change_5_points, profit_change_5_points_after_acquisition, ...exact } = row;
      const inexact = { margin_now, profit_change_5_points, profit_change_5_points_after_acquisition };
      if (JSON.stringify(exact) !== JSON.stringify(wanted.exact)) wrong.push({ exact, wanted: wanted.exact });
      if (Object.entries(wanted.near).some(([name, value]) => !near(inexact[name as keyof typeof inexact], value))) {
        wrong.push({ period: row.period, inexact, wanted: wanted.near });
      }
      if (profit_change_5_points_after_acquisition > profit_change_5_points) worthy += 1;
    });
    t.strictSame(wrong, [], query);
  }
  t.ok(worthy > 10, `${worthy} periods in which the cost of acquisition matters`);
});

t.test('an event of tomorrow counts in its period, though the period is running', async (t) => {
  const tomorrow = labelOf(TODAY + 1, 'month');
  const sum = async (): Promise<string> =>
    (await rowsOf('customer-flow', `from=${tomorrow}&to=2021-03`)).map((row) => row.new_buyers).join();
  const before = Number(await sum());
  await post('purchases', [
    { customer_id: 'tomorrow', purchase_id: 'p', purchased_at: date(TODAY + 1), amount: '1.00' },
  ]);
  t.equal(Number(await sum()), before + 1);
});

t.test('the roll-ups are those of a recomputation', async (t) => {
  const { differences, rollup_rows } = await verify(service.engine);
  t.strictSame(differences, []);
  t.ok(rollup_rows > 1_000, `${rollup_rows} rows`);
});
