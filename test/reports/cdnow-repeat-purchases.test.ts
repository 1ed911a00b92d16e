import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { day } from '../support/notation.ts';
import { testService } from '../support/service.ts';
import { naiveGaps, naiveNumbers, naiveSurvival } from './naive-repeat-purchases.ts';
import { send } from './random-shop.ts';

// The CDNOW sample (2,357 customers who first bought in January–March 1997): what cohort-retention and repeat-purchases say of it is known from
// other programs.

const SAMPLE = new URL('../../../shared/data/cdnow_sample.csv', import.meta.url);
const TRUTH = new URL('../../../shared/data/cdnow_sample.truth.json', import.meta.url);

interface Truth {
  readonly rows: number;
  readonly customers: number;
  readonly total_amount: string;
  readonly customers_by_number_of_purchase_days: Readonly<Record<string, number>>;
  readonly repeat_purchase_rate: { readonly by_purchase_days: { readonly n: number; readonly rate: number } };
  readonly months: readonly {
    readonly month: string;
    readonly orders: number;
    readonly revenue: string;
    readonly active: number;
  }[];
  readonly cohorts: Readonly<Record<string, Cohort>>;
  readonly km_time_to_second_purchase_day: {
    readonly n: number;
    readonly events: number;
    readonly observation_end: string;
    readonly at: Readonly<Record<string, { readonly S: number; readonly se: number }>>;
    readonly first_steps: readonly {
      readonly t: number;
      readonly at_risk: number;
      readonly events: number;
      readonly S: number;
    }[];
  };
}

interface Cohort {
  readonly size: number;
  readonly active: readonly number[];
  readonly retention: readonly number[];
  readonly revenue: readonly string[];
}

interface CohortRow {
  readonly cohort: string;
  readonly age: number;
  readonly customers: number;
  readonly retained: number;
  readonly retention: number | null;
  readonly purchases: number;
  readonly purchase_days: number;
  readonly revenue: string;
  readonly profit: string;
}

interface SurvivalRow {
  readonly days: number;
  readonly at_risk: number;
  readonly events: number;
  readonly survival: number;
  readonly lower: number;
  readonly upper: number;
}

const cents = (money: string): number => Math.round(Number(money) * 100);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const near = (found: number, known: number): boolean => Math.abs(found - known) < 1e-6;

const missing = existsSync(SAMPLE) ? false : 'the CDNOW sample is not here';
t.test('the CDNOW sample comes back as other programs counted it', { skip: missing, timeout: 300_000 }, async (t) => {
  const truth = JSON.parse(readFileSync(TRUTH, 'utf8')) as Truth;
  const purchases = readFileSync(SAMPLE, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((text) => {
      const [customer_id = '', purchase_id = '', purchased_at = '', amount = ''] = text.trim().split(',');
      return { customer_id, purchase_id, purchased_at, amount };
    });
  t.equal(purchases.length, truth.rows);
  const clock = { today: truth.km_time_to_second_purchase_day.observation_end };
  const service = await testService(t, { clock: () => Date.parse(`${clock.today}T12:00:00Z`) });
  await send(service.call, 'purchases', purchases);
  const read = async (path: string) => {
    const { status, body, text } = await service.call('GET', `/v1/reports/${path}`);
    if (status !== 200) throw new Error(`${path}: ${text}`);
    return body;
  };
  const cohortRows = async (query: string): Promise<CohortRow[]> => (await read(`cohort-retention?${query}`)).items;

  await t.test('monthly cohorts: customers, retained, retention, revenue', async (t) => {
    const rows = await cohortRows('from=1997-01&to=1997-04');
    t.equal(rows.length, 18 + 17 + 16);
    for (const [cohort, { size, active, retention, revenue }] of Object.entries(truth.cohorts)) {
      const found = rows.filter((row) => row.cohort === cohort);
      t.strictSame([...new Set(found.map((row) => row.customers))], [size], cohort);
      t.strictSame(
        found.map((row) => row.retained),
        active,
        cohort,
      );
      t.strictSame(
        found.map((row) => row.revenue),
        revenue,
        cohort,
      );
      t.strictSame(
        found.map((row) => row.profit),
        revenue,
        'nothing cost anything',
      );
      t.equal(found.at(-1)?.retention, null, 'June 1998 is not over on its last day');
      const far = found.slice(0, -1).filter((row) => !near(row.retention!, retention[row.age]!));
      t.strictSame(far, [], `${cohort}: retention to six decimals`);
    }
    t.strictSame(
      rows.slice(0, 8).map((row) => row.retained),
      [781, 124, 95, 70, 65, 77, 65, 53],
    );
    t.match(rows[1], { purchases: 180, purchase_days: 174 }, 'what the January cohort did in February');
  });

  await t.test('the cohorts of a month add up to its purchases, buyers and revenue', async (t) => {
    const rows = await cohortRows('from=1997-01&to=1997-04');
    const monthOf = ({ cohort, age }: CohortRow): number => Number(cohort.slice(5)) - 1 + age;
    for (const [index, { month, orders, revenue, active }] of truth.months.entries()) {
      const cells = rows.filter((row) => monthOf(row) === index);
      t.equal(sum(cells.map((row) => row.purchases)), orders, month);
      t.equal(sum(cells.map((row) => row.retained)), active, month);
      t.equal(sum(cells.map((row) => cents(row.revenue))), cents(revenue), month);
    }
  });

  await t.test('cohorts of every length add up to the same purchases, purchase days and revenue', async (t) => {
    const ranges = ['grain=week&from=1997-W01&to=1998-W01', 'from=1996-07', 'grain=quarter', 'grain=year&from=1990'];
    for (const query of ranges) {
      const rows = await cohortRows(query);
      const totals = [
        sum(rows.map((row) => row.purchases)),
        sum(rows.map((row) => row.purchase_days)),
        sum(rows.map((row) => cents(row.revenue))),
        sum(rows.filter((row) => row.age === 0).map((row) => row.customers)),
      ];
      t.strictSame(totals, [truth.rows, 6_696, cents(truth.total_amount), truth.customers], query);
      const later = await cohortRows(`${query}&basis=on_or_after`);
      t.ok(
        rows.every((row, index) => row.retained <= later[index]!.retained),
        'on is never more than on or after',
      );
      const rising = later.filter((row, index) => row.age > 0 && row.retained > later[index - 1]!.retained);
      t.strictSame(rising, [], 'on or after never rises with age');
    }
  });

  await t.test('customers by purchase days, and the share who bought again', async (t) => {
    const { items } = await read('repeat-purchases');
    const byDays = truth.customers_by_number_of_purchase_days;
    const reached = (number: number): number =>
      sum(Object.entries(byDays).flatMap(([days, customers]) => (Number(days) >= number ? [customers] : [])));
    t.equal(items.length, 44 * 4, 'one customer reached 44 purchase days');
    for (const { purchase_number: n, customers, bought_again, share } of items) {
      t.strictSame(
        [customers, bought_again, share],
        [reached(n), reached(n + 1), reached(n + 1) / reached(n)],
        `n = ${n}`,
      );
    }
    const { n, rate } = truth.repeat_purchase_rate.by_purchase_days;
    t.match(items[0], { customers: truth.customers, bought_again: n, share: rate });
    const exactly = (number: number): number => reached(number) - reached(number + 1);
    t.strictSame([1, 2, 3, 4, 5].map(exactly), [1_218, 403, 209, 149, 95]);
  });

  await t.test('Kaplan–Meier to the second purchase day', async (t) => {
    const { n, events, at, first_steps } = truth.km_time_to_second_purchase_day;
    const survival: SurvivalRow[] = (await read('repeat-purchases')).survival;
    t.equal(survival[0]?.at_risk, n);
    t.equal(sum(survival.map((row) => row.events)), events);
    t.strictSame(
      survival.slice(0, first_steps.length).map((row) => [row.days, row.at_risk, row.events]),
      first_steps.map((step) => [step.t, step.at_risk, step.events]),
    );
    for (const [days, { S, se }] of Object.entries(at)) {
      const row = survival.findLast((step) => step.days <= Number(days))!;
      t.ok(near(row.survival, S), `S(${days}) = ${row.survival}, known ${S}`);
      const spread = (1.959963984540054 * se) / (S * Math.abs(Math.log(S)));
      t.ok(near(row.lower, S ** Math.exp(spread)), `lower bound of S(${days}) by the known standard error`);
      t.ok(near(row.upper, S ** Math.exp(-spread)), `upper bound of S(${days})`);
    }
    const shown = (days: number): string | undefined =>
      survival.findLast((step) => step.days <= days)?.survival.toFixed(6);
    t.strictSame([shown(30), shown(90)], ['0.826050', '0.708528']);
  });

  await t.test(
    'rows, estimates and percentiles after the n-th purchase day, counted customer by customer',
    async (t) => {
      const people = new Map<string, Set<number>>();
      for (const { customer_id, purchased_at } of purchases) {
        people.set(customer_id, (people.get(customer_id) ?? new Set()).add(day(purchased_at)));
      }
      const days = [...people.values()].map((own) => [...own].sort((a, b) => a - b));
      const today = day(clock.today);
      t.strictSame((await read('repeat-purchases')).items, naiveNumbers(days, today));
      for (const number of [1, 2, 3, 4, 10, 20]) {
        const { survival, gaps } = await read(`repeat-purchases?purchase_number=${number}`);
        t.strictSame(gaps, naiveGaps(days, number), `gaps after purchase day ${number}`);
        const wanted = naiveSurvival(days, today, number);
        t.equal(survival.length, wanted.length);
        const far = (survival as SurvivalRow[]).filter((row, index) => {
          const { lower, upper, ...known } = wanted[index]!;
          const counts = row.days === known.days && row.at_risk === known.at_risk && row.events === known.events;
          const bounded =
            lower === null || upper === null ? row.lower === null : near(row.lower, lower) && near(row.upper, upper);
          return !counts || !near(row.survival, known.survival) || !bounded;
        });
        t.strictSame(far, [], `survival after purchase day ${number}`);
      }
    },
  );

  await t.test('a day later June is over, and its retention is known', async (t) => {
    clock.today = '1998-07-01';
    const rows = await cohortRows('from=1997-01&to=1997-04');
    for (const [cohort, { retention }] of Object.entries(truth.cohorts)) {
      const known = rows.filter((row) => row.cohort === cohort && row.retention !== null);
      t.equal(known.length, retention.length);
      t.ok(
        known.every((row) => near(row.retention!, retention[row.age]!)),
        cohort,
      );
    }
  });
});
