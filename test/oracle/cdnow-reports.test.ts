import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { formatDay, parseDay } from './calendar.ts';
import { LittleShop } from './little-shop.ts';
import { parseMoney } from './money.ts';

// The oracle against a separate program's figures of the CDNOW sample, and what is published of it.

const SAMPLE = new URL('../../../shared/data/cdnow_sample.csv', import.meta.url);
const TRUTH = new URL('../../../shared/data/cdnow_sample.truth.json', import.meta.url);
const STAGES = new URL('../../../shared/data/cdnow_sample.stages.json', import.meta.url);
const skip = existsSync(SAMPLE) ? false : '../shared/data/cdnow_sample.csv is not here';
const WHOLE = { from: '1997-01', to: '1998-07' };

interface Truth {
  readonly total_amount: string;
  readonly customers_by_number_of_purchase_days: Readonly<Record<string, number>>;
  readonly months: readonly (Readonly<Record<string, number>> & { readonly month: string; readonly revenue: string })[];
  readonly cohorts: Readonly<Record<string, { size: number; active: number[]; revenue: string[] }>>;
  readonly km_time_to_second_purchase_day: {
    readonly at: Readonly<Record<string, { S: number; se: number }>>;
    readonly first_steps: readonly { t: number; at_risk: number; events: number; S: number }[];
  };
}

function sample(today: string): LittleShop {
  const shop = new LittleShop(today);
  const lines = readFileSync(SAMPLE, 'utf8').trim().split(/\r?\n/).slice(1);
  shop.oracle.postPurchases(
    lines.map((line) => {
      const [customer_id = '', purchase_id = '', purchased_at = '', amount = ''] = line.split(',');
      return { customer_id, purchase_id, purchased_at, amount };
    }),
  );
  return shop;
}

const near = (one: unknown, other: number, within = 1e-12): boolean => Math.abs(Number(one) - other) <= within;

t.test('the CDNOW sample gives the figures of a separate program', { skip }, async (t) => {
  const truth = JSON.parse(readFileSync(TRUTH, 'utf8')) as Truth;
  const shop = sample('1998-07-01');

  t.test('customer-flow', async (t) => {
    const rows = shop.ask('customer-flow', WHOLE).items;
    const own = rows.map((row) => [
      row.period,
      row.new_buyers,
      row.returning_buyers,
      row.reactivated_buyers,
      row.dormant_buyers,
      row.buyers,
    ]);
    const theirs = truth.months.map((row) => [
      row.month,
      row.new,
      row.returning,
      row.resurrecting,
      row.dormant,
      row.active,
    ]);
    t.strictSame(own, theirs);
  });

  t.test('revenue-movements', async (t) => {
    const rows = shop.ask('revenue-movements', WHOLE).items;
    t.strictSame(
      rows.map((row) => [row.period, row.closing_revenue]),
      truth.months.map((row) => [row.month, row.revenue]),
    );
  });

  t.test('cohort-retention', async (t) => {
    for (const [cohort, { size, active, revenue }] of Object.entries(truth.cohorts)) {
      const to = formatDay(parseDay(`${cohort}-01`) + 31).slice(0, 7);
      const rows = shop.ask('cohort-retention', { from: cohort, to }).items.slice(0, active.length);
      t.ok(rows.every((row) => row.customers === size));
      t.strictSame(
        rows.map((row) => row.retained),
        active,
      );
      t.strictSame(
        rows.map((row) => row.revenue),
        revenue,
      );
    }
    t.equal(Object.keys(truth.cohorts).length, 3);
  });

  t.test('repeat-purchases', async (t) => {
    const byDays = Object.entries(truth.customers_by_number_of_purchase_days);
    const { items } = shop.ask('repeat-purchases');
    for (const n of [1, 2, 3, 10, 44]) {
      const row = items.find((one) => one.purchase_number === n);
      const least = (days: number): number =>
        byDays.reduce((sum, [own, count]) => (Number(own) >= days ? sum + count : sum), 0);
      t.match(row, { customers: least(n), bought_again: least(n + 1) }, `the ${n}-th`);
    }
    t.equal(
      items.find((one) => one.purchase_number === 45),
      undefined,
      'nobody bought on 45 days',
    );
    t.ok(near(items[0]?.share, 0.48324140857021636));
  });

  t.test('survival to the second purchase day', async (t) => {
    // The separate program watched until 1998-06-30.
    const { survival } = sample('1998-06-30').ask('repeat-purchases');
    const steps = survival as {
      days: number;
      at_risk: number;
      events: number;
      survival: number;
      lower: number;
      upper: number;
    }[];
    const { at, first_steps } = truth.km_time_to_second_purchase_day;
    for (const [place, step] of first_steps.entries()) {
      t.match(steps[place], { days: step.t, at_risk: step.at_risk, events: step.events });
      t.ok(near(steps[place]?.survival, step.S));
    }
    for (const [days, { S, se }] of Object.entries(at)) {
      const step = steps.findLast((one) => one.days <= Number(days));
      t.ok(near(step?.survival, S), `S(${days})`);
      // Log-log bounds from the published standard error.
      const spread = (1.959963984540054 * se) / (S * Math.abs(Math.log(S)));
      t.ok(near(step?.lower, S ** Math.exp(spread), 1e-9) && near(step?.upper, S ** Math.exp(-spread), 1e-9));
    }
  });

  t.test('value-segments', async (t) => {
    const own = shop.ask('value-segments');
    t.match(own.items[0], { segment: 'top', customers: 472, value: '164652.26' });
    t.ok(near(own.items[0]?.share, 0.6745501715460166));
    t.ok(near(own.gini, 0.6309171170162412));
    t.match(own, {
      customers_for_80_percent: 777,
      negative: { customers: 0 },
      cost_without_purchase: { customers: 0 },
    });
    const sums = own.items.map((row) => parseMoney(String(row.value), 2));
    t.equal(
      sums.reduce((sum, minor) => sum + minor, 0),
      parseMoney(truth.total_amount, 2),
    );
  });

  t.test('reports about stages agree with where everybody stood on three days', async (t) => {
    const stages = JSON.parse(readFileSync(STAGES, 'utf8')) as Record<string, Record<string, Record<string, number>>>;
    for (const model of ['lifecycle', 'loyalty_ladder'] as const) {
      const range = { model, grain: 'month', from: '1998-01', to: '1998-02' };
      const rows = shop.ask('stage-retention', range).items;
      const seen = Object.fromEntries(rows.map((row) => [`${row.stage}/${row.activity}`, row.customers]));
      t.strictSame(seen, stages['1997-12-31']?.[model], model);
    }
    const { balance, items } = shop.ask('stage-moves', { basis: 'net', from: '1998-01-01', to: '1998-07-01' });
    const closing = Object.fromEntries(
      (balance as { stage: string; closing: number }[]).map((row) => [row.stage, row.closing]),
    );
    t.match(closing, { first_time_buyer: 1218, early_repeat_buyer: 612, core_customer: 358, core_defector: 169 });
    const moved = items.reduce((sum, row) => sum + Number(row.customers), 0);
    t.ok(moved > 0 && moved < 2357, `${moved} stand elsewhere than half a year before`);
    const cash = shop.ask('cash-flow', WHOLE).items.reduce((sum, row) => sum + parseMoney(String(row.receipts), 2), 0);
    t.equal(cash, parseMoney(truth.total_amount, 2));
    const crosswalk = shop.rows('model-crosswalk', { other: 'journey' }, 'stage', 'other_stage', 'customers');
    t.ok(crosswalk.includes('first_time_buyer activation 1218'));
  });

  t.test('defections and stays', async (t) => {
    const defected = shop.ask('defections', { grain: 'year', from: '1997', to: '1998' }).items;
    const moves = shop.ask('stage-moves', { from: '1997-01-01', to: '1998-01-01' }).items;
    const total = (rows: readonly Readonly<Record<string, unknown>>[], member: string): number =>
      rows.reduce((sum, row) => sum + Number(row[member]), 0);
    const lapses = moves.filter((row) => row.to_activity === 'lapsed' && row.from_activity !== 'lapsed');
    const winBacks = moves.filter((row) => row.from_activity === 'lapsed' && row.to_activity !== 'lapsed');
    t.equal(total(defected, 'defections'), total(lapses, 'customers'));
    t.equal(
      total(defected, 'defections') - total(winBacks, 'customers'),
      1317 + 364 + 66,
      'who is lapsed at the end of 1997',
    );
    const { items, exits, spells } = shop.ask('time-in-stage', { stage: 'first_time_buyer' });
    t.ok(Number(spells) >= 2357, 'each began as a first-time buyer, some again after a lapse');
    const last = items.at(-1);
    const incidence = (exits as { incidence: number }[]).reduce((sum, row) => sum + row.incidence, 0);
    t.ok(near(Number(last?.survival) + incidence, 1, 1e-9));
  });
});
