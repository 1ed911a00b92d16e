import t from 'tap';
import { SAMPLE_MISSING, sampleFigures, samplePurchases, sendSample } from '../support/cdnow-sample.ts';
import { day } from '../support/notation.ts';
import { testService } from '../support/service.ts';
import { GRAIN_NAMES, labelsOf, naivePeriods, type ToldCustomer } from './naive-buyers.ts';

// The CDNOW sample, whose months other programs have counted.

interface KnownMonth {
  readonly month: string;
  readonly revenue: string;
  readonly active: number;
  readonly new: number;
  readonly returning: number;
  readonly resurrecting: number;
  readonly dormant: number;
}

interface KnownFigures {
  readonly customers: number;
  readonly total_amount: string;
  readonly months: readonly KnownMonth[];
  /** By month of the first purchase: revenue of each month from that one on. */
  readonly cohorts: Readonly<Record<string, { readonly revenue: readonly string[] }>>;
}

const AFTER_1998 = { week: '1999-W01', month: '1999-01', quarter: '1999-Q1', year: '1999' } as const;

/** The sample as the naive computation takes it. */
function toldSample(): ToldCustomer[] {
  const customers = new Map<string, ToldCustomer['purchases'][number][]>();
  for (const { customer_id, purchased_at, amount } of samplePurchases()) {
    const own = customers.get(customer_id) ?? [];
    own.push({ day: day(purchased_at), cents: minor(amount), cost: 0, voided: false, refunds: [] });
    customers.set(customer_id, own);
  }
  return [...customers].map(([customer_id, purchases]) => ({ customer_id, vip: false, purchases, interactions: [] }));
}

function minor(text: string): number {
  return Math.round(Number(text) * 100);
}

function cents(money: number): string {
  return (money / 100).toFixed(2);
}

t.test('the CDNOW sample', { skip: SAMPLE_MISSING }, async (t) => {
  const service = await testService(t, { clock: () => Date.UTC(1998, 6, 15, 12) });
  await sendSample(service);
  const { months, cohorts, customers, total_amount } = sampleFigures<KnownFigures>('cdnow_sample.truth.json');
  const rowsOf = async (report: string, query = 'from=1997-01&to=1998-07') => {
    const { body } = await service.call('GET', `/v1/reports/${report}?${query}`);
    return body.items as Readonly<Record<string, unknown>>[];
  };
  /** Revenue of each month by the months of the first purchase, from the known cohorts. */
  const byCohort = (place: number): number[] =>
    months.slice(0, place + 1).map(({ month }, cohort) => minor(cohorts[month]?.revenue[place - cohort] ?? '0'));

  await t.test('customer-flow: every month as it is known', async (t) => {
    const known = months.map((month) => ({
      period: month.month,
      new_buyers: month.new,
      returning_buyers: month.returning,
      reactivated_buyers: month.resurrecting,
      dormant_buyers: month.dormant,
      buyers: month.active,
      complete: true,
    }));
    t.strictSame(await rowsOf('customer-flow'), known);
    t.equal(known.length, 18);
    t.equal(
      known.reduce((sum, row) => sum + row.new_buyers, 0),
      customers,
    );
  });

  await t.test('customer-flow: the figures of the project', async (t) => {
    const rows = await rowsOf('customer-flow');
    const figures = rows.map((row) => Object.values(row).slice(0, 5).join(' '));
    for (const figure of ['1997-02 857 124 0 657', '1997-03 719 168 61 813', '1997-04 0 171 96 777']) {
      t.ok(figures.includes(figure), figure);
    }
    t.equal(figures.at(-1), '1998-06 0 41 97 93');
  });

  await t.test(
    'revenue-movements: every month closes with its known revenue and opens with that of the month before',
    async (t) => {
      const rows = await rowsOf('revenue-movements');
      t.strictSame(
        rows.map(({ period, opening_revenue, closing_revenue }) => ({ period, opening_revenue, closing_revenue })),
        months.map(({ month, revenue }, place) => {
          return { period: month, opening_revenue: months[place - 1]?.revenue ?? '0.00', closing_revenue: revenue };
        }),
      );
      t.strictSame(
        rows.map((row) => row.new_revenue),
        months.map(({ month }) => cohorts[month]?.revenue[0] ?? '0.00'),
      );
      t.equal(cents(rows.reduce((sum, row) => sum + minor(String(row.closing_revenue)), 0)), total_amount);
    },
  );

  await t.test(
    'revenue-movements: all buyers of January are of one cohort, so what it brought in February was kept',
    async (t) => {
      const [, february] = await rowsOf('revenue-movements');
      t.match(february, { reactivated_revenue: '0.00', nrr: 700_373 / 2_859_270 });
    },
  );

  await t.test('loyalty-economics: existing revenue is that of the earlier cohorts', async (t) => {
    const rows = await rowsOf('loyalty-economics', 'grain=month&from=1997-01&to=1998-07');
    t.strictSame(
      rows.map(({ period, revenue, existing_revenue, existing_share, retention }) => {
        return { period, revenue, existing_revenue, existing_share, retention };
      }),
      months.map(({ month, revenue, returning }, place) => {
        const existing = byCohort(place)
          .slice(0, -1)
          .reduce((sum, part) => sum + part, 0);
        return {
          period: month,
          revenue,
          existing_revenue: cents(existing),
          existing_share: existing / minor(revenue),
          retention: place === 0 ? null : returning / months[place - 1]!.active,
        };
      }),
    );
  });

  await t.test('loyalty-economics: who bought in 1998 had bought in 1997', async (t) => {
    const [y1997, y1998, ...more] = await rowsOf('loyalty-economics', 'from=1997&to=1999');
    const total = (year: string): string =>
      cents(months.filter(({ month }) => month.startsWith(year)).reduce((sum, { revenue }) => sum + minor(revenue), 0));
    t.match(y1997, { buyers: customers, new_buyers: customers, revenue: total('1997'), existing_share: 0 });
    t.match(y1998, { buyers_before: customers, new_buyers: 0, revenue: total('1998'), existing_share: 1 });
    t.match(y1998, { retention: null, complete: false, reactivated_buyers: 0 });
    t.strictSame(more, []);
  });

  await t.test('every movement of every grain is that of a naive computation', async (t) => {
    const told = toldSample();
    t.equal(told.length, customers);
    for (const grain of GRAIN_NAMES) {
      const labels = labelsOf(day('1995-12-25'), day('1998-12-31'), grain);
      const rows = await rowsOf('revenue-movements', `grain=${grain}&from=${labels[1]}&to=${AFTER_1998[grain]}`);
      const known = naivePeriods(told, labels, grain);
      t.equal(rows.length, known.length, grain);
      t.strictSame(
        rows.map(({ nrr, grr, complete, ...money }) => money),
        known.map((row, index) => ({
          period: row.period,
          opening_revenue: cents(row.opening),
          new_revenue: cents(row.new_revenue),
          reactivated_revenue: cents(row.reactivated_revenue),
          expansion_revenue: cents(row.expansion_revenue),
          contraction_revenue: rows[index]?.complete ? cents(row.contraction_revenue) : null,
          lost_revenue: rows[index]?.complete ? cents(row.lost_revenue) : null,
          closing_revenue: cents(row.new_revenue + row.returning_revenue + row.reactivated_revenue),
        })),
        grain,
      );
      const over = known.filter((_, index) => rows[index]?.complete);
      t.strictSame(
        rows.filter((row) => row.complete).map(({ nrr, grr }) => ({ nrr, grr })),
        over.map(({ opening, returning_revenue, kept_at_most }) =>
          opening > 0 ? { nrr: returning_revenue / opening, grr: kept_at_most / opening } : { nrr: null, grr: null },
        ),
        grain,
      );
    }
  });
});
