import t from 'tap';
import { revenueMovements } from '../../src/reports/revenue-movements.ts';
import { day } from '../support/notation.ts';
import { testService } from '../support/service.ts';

const { call, db, engine } = await testService(t, { clock: () => Date.UTC(2025, 5, 15, 12) });

async function movements(query: string): Promise<string[]> {
  const { status, body, text } = await call('GET', `/v1/reports/revenue-movements?${query}`);
  if (status !== 200) throw new Error(`${query}: ${status} ${text}`);
  return (body.items as object[]).map((row) => Object.values(row).map(String).join(' '));
}

const buy = (customer_id: string, purchased_at: string, amount: string) => ({
  customer_id,
  purchase_id: purchased_at,
  purchased_at,
  amount,
});

t.test('without customers nothing moves, and no share is kept of nothing', async (t) => {
  t.strictSame(await movements('from=2025-05&to=2025-07'), [
    '2025-05 0.00 0.00 0.00 0.00 0.00 0.00 0.00 null null true',
    '2025-06 0.00 0.00 0.00 0.00 null null 0.00 null null false',
  ]);
  const context = { trx: db, model: engine.plan.models[0]!, group_id: 0, today: day('2025-06-15'), decimals: 2 };
  const answer = await revenueMovements.read(context, { from: '2025-05', to: '2025-06' });
  t.match(answer, { items: [{ nrr: null, grr: null }] }, 'no quotient that JSON cannot write');
});

t.test('with five customers stored', async (t) => {
  const items = [
    // Brings more, brings less, stays away, comes back, and is new.
    buy('more', '2025-03-10', '10'),
    buy('more', '2025-04-10', '30'),
    buy('less', '2025-03-10', '40'),
    buy('less', '2025-04-10', '10'),
    buy('away', '2025-03-31', '50'),
    buy('back', '2025-02-28', '9'),
    buy('back', '2025-04-01', '7'),
    buy('new', '2025-04-30', '3'),
    buy('new', '2025-06-01', '4'),
  ];
  await call('POST', '/v1/customers', { items: [{ customer_id: 'less', groups: ['vip'] }] });
  t.equal((await call('POST', '/v1/purchases', { items })).body.summary.invalid, 0);

  await t.test('every movement has its share, and a running period has those that silence cannot change', async (t) => {
    t.strictSame(await movements('from=2025-03&to=2025-07'), [
      '2025-03 9.00 100.00 0.00 0.00 0.00 9.00 100.00 0 0 true',
      // Of 100: 20 more, 30 less, 50 lost; 10 + 10 of it kept without what is more.
      '2025-04 100.00 3.00 7.00 20.00 30.00 50.00 50.00 0.4 0.2 true',
      '2025-05 50.00 0.00 0.00 0.00 0.00 50.00 0.00 0 0 true',
      '2025-06 0.00 0.00 4.00 0.00 null null 4.00 null null false',
    ]);
  });

  await t.test('a group has its own movements', async (t) => {
    t.strictSame(await movements('from=2025-04&to=2025-05&group=vip'), [
      '2025-04 40.00 0.00 0.00 0.00 30.00 0.00 10.00 0.25 0.25 true',
    ]);
  });

  await t.test('quarters and years have movements of their own', async (t) => {
    t.strictSame(await movements('grain=quarter&from=2025-Q1&to=2025-Q3'), [
      '2025-Q1 0.00 109.00 0.00 0.00 0.00 0.00 109.00 null null true',
      '2025-Q2 109.00 7.00 0.00 20.00 null null 54.00 null null false',
    ]);
    t.strictSame(await movements('grain=year&from=2026&to=2027'), [
      '2026 163.00 0.00 0.00 0.00 null null 0.00 null null false',
    ]);
  });

  await t.test(
    'a late refund of more than was paid restates the period of its purchase, below zero if need be',
    async (t) => {
      // `less` brings −5 in April, by a purchase of which more than its price was paid back, and a free one that makes a buyer of them.
      const refund = {
        customer_id: 'less',
        refund_id: 'r',
        purchase_id: '2025-04-10',
        refunded_at: '2025-06-02',
        amount: '15',
      };
      await call('POST', '/v1/refunds', { items: [refund] });
      await call('POST', '/v1/purchases', { items: [buy('less', '2025-04-11', '0')] });
      t.strictSame(await movements('from=2025-04&to=2025-06'), [
        '2025-04 100.00 3.00 7.00 20.00 45.00 50.00 35.00 0.25 0.05 true',
        // Whoever is lost takes a loss along: −5 of the 35. Nothing of it can be kept but the loss.
        '2025-05 35.00 0.00 0.00 0.00 0.00 35.00 0.00 0 -0.14285714285714285 true',
      ]);
      t.strictSame(await movements('from=2025-04&to=2025-06&group=vip'), [
        '2025-04 40.00 0.00 0.00 0.00 45.00 0.00 -5.00 -0.125 -0.125 true',
        '2025-05 -5.00 0.00 0.00 0.00 0.00 -5.00 0.00 null null true',
      ]);
    },
  );
});

t.test('what is no period of the grain is refused by name', async (t) => {
  const { status, body } = await call('GET', '/v1/reports/revenue-movements?grain=quarter&from=2025-04');
  t.equal(status, 400);
  t.match(body.errors, [{ parameter: 'from', code: 'not_a_period' }]);
});
