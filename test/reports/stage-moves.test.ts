import { sql } from 'kysely';
import t from 'tap';
import { MAX_ROWS } from '../../src/reports/report.ts';
import { stageMoves } from '../../src/reports/stage-moves.ts';
import { day } from '../support/notation.ts';
import { testService } from '../support/service.ts';

const { call, db, engine } = await testService(t);
const TODAY = day('2025-06-15');
const context = { trx: db, model: engine.plan.models[0]!, group_id: 0, today: TODAY, decimals: 2 };
type Query = Parameters<typeof stageMoves.read>[1];

async function answerTo(query: Query, change: Partial<typeof context> = {}) {
  const answer = await stageMoves.read({ ...context, ...change }, query);
  if ('code' in answer) throw new Error(`${answer.parameter} ${answer.code}`);
  const words = (rows: readonly unknown[]): string[] => (rows as object[]).map((row) => Object.values(row).join(' '));
  return { ...answer, moves: words(answer.items), balance: words(answer.tables!.balance!) };
}

t.test('without customers nobody moves, and every stage balances at zero', async (t) => {
  const { moves, balance } = await answerTo({});
  t.strictSame(moves, []);
  t.strictSame(
    balance,
    ['prospect', 'first_time_buyer', 'early_repeat_buyer', 'core_customer', 'core_defector'].map(
      (stage) => `${stage} 0 0 0 0`,
    ),
  );
});

t.test('with three customers stored', async (t) => {
  // Ana is known in 2024 and buys three times in the first days of 2025; Ben buys in April; Cai buys once in 2024 and never again.
  const buy = (customer_id: string, purchased_at: string) => ({
    customer_id,
    purchase_id: purchased_at,
    purchased_at,
    amount: '5',
  });
  const items = [
    buy('ana', '2025-01-02'),
    buy('ana', '2025-01-03'),
    buy('ana', '2025-01-05'),
    buy('ben', '2025-04-30'),
    buy('cai', '2024-06-01'),
  ];
  t.equal(
    (
      await call('POST', '/v1/customers', {
        items: [{ customer_id: 'ana', known_since: '2024-12-01', groups: ['vip'] }],
      })
    ).status,
    200,
  );
  t.equal((await call('POST', '/v1/purchases', { items })).status, 200);

  await t.test('moves are those dated in the range, its last day excluded', async (t) => {
    const { moves, balance } = await answerTo({ from: '2025-01-01', to: '2025-04-05' });
    t.strictSame(moves, [
      'prospect none first_time_buyer active 1',
      'first_time_buyer active early_repeat_buyer active 1',
    ]);
    t.strictSame(balance, [
      'prospect 1 0 1 0',
      'first_time_buyer 1 1 1 1',
      'early_repeat_buyer 0 1 0 1',
      'core_customer 0 0 0 0',
      'core_defector 0 0 0 0',
    ]);
    t.strictSame(
      (await answerTo({ from: '2025-01-03', to: '2025-04-06' })).moves,
      ['first_time_buyer active early_repeat_buyer active 1'],
      'the first day belongs to the range',
    );
    t.strictSame((await answerTo({ from: '2025-01-04', to: '2025-04-06' })).moves, []);
    t.strictSame((await answerTo({ from: '2025-01-04', to: '2025-04-07' })).moves, [
      'early_repeat_buyer active early_repeat_buyer at_risk 1',
    ]);
  });

  await t.test('becoming known has no stage before it', async (t) => {
    const { moves, balance } = await answerTo({ from: '2024-12-01', to: '2024-12-02' });
    t.strictSame(moves, ['  prospect none 1']);
    t.strictSame(balance[0], 'prospect 0 1 0 1');
    const answer = await stageMoves.read(context, { from: '2024-06-01', to: '2024-06-02' });
    t.match(answer, {
      items: [
        { from_stage: null, from_activity: null, to_stage: 'first_time_buyer', to_activity: 'active', customers: 1 },
      ],
    });
  });

  await t.test('a change of activity alone is a move, but neither enters nor leaves a stage', async (t) => {
    const { moves, balance } = await answerTo({ from: '2024-08-01', to: '2024-12-01' });
    t.strictSame(moves, [
      'first_time_buyer active first_time_buyer at_risk 1',
      'first_time_buyer at_risk first_time_buyer lapsed 1',
    ]);
    t.strictSame(balance[1], 'first_time_buyer 1 0 0 1');
  });

  await t.test('without a range it is the current month until today', async (t) => {
    const answer = await answerTo({});
    t.match(answer, { as_of: TODAY, projected: false });
    t.strictSame(answer.moves, []);
    t.strictSame((await answerTo({}, { today: day('2025-04-30') })).moves, [
      '  first_time_buyer active 1',
      'early_repeat_buyer active early_repeat_buyer at_risk 1',
    ]);
  });

  await t.test('days to come hold what is scheduled, and the answer says so', async (t) => {
    const answer = await answerTo({ from: '2025-06-01', to: '2025-08-01' });
    t.match(answer, { as_of: day('2025-07-31'), projected: true });
    t.strictSame(answer.moves, [
      'first_time_buyer active first_time_buyer at_risk 1',
      'early_repeat_buyer at_risk early_repeat_buyer lapsed 1',
    ]);
  });

  await t.test('the closing of one range is the opening of the next', async (t) => {
    const cuts = [
      '2024-06-01',
      '2024-06-02',
      '2024-12-02',
      '2025-01-03',
      '2025-01-31',
      '2025-04-30',
      '2025-07-05',
      '2026-01-01',
    ];
    let before: string[] | null = null;
    for (const [index, from] of cuts.slice(0, -1).entries()) {
      const { balance } = await answerTo({ from, to: cuts[index + 1]! });
      if (before !== null)
        t.strictSame(
          balance.map((row) => row.split(' ')[1]),
          before,
          from,
        );
      before = balance.map((row) => row.split(' ')[4]!);
    }
  });

  await t.test('net moves count each customer once, from the eve of the period to its end', async (t) => {
    const net = (from: string, to: string) => answerTo({ from, to, basis: 'net' });
    const january = await net('2025-01-01', '2025-02-01');
    t.strictSame(january.moves, ['prospect none early_repeat_buyer active 1']);
    t.strictSame(january.balance.slice(0, 3), [
      'prospect 1 0 1 0',
      'first_time_buyer 1 0 0 1',
      'early_repeat_buyer 0 1 0 1',
    ]);
    t.match(january, { as_of: day('2025-01-31'), projected: false });
    t.strictSame(
      (await net('2024-12-30', '2025-01-06')).moves,
      ['prospect none early_repeat_buyer active 1'],
      'a week',
    );
    t.strictSame((await net('2024-04-01', '2024-07-01')).moves, ['  first_time_buyer active 1'], 'a quarter');
    t.strictSame((await net('2024-01-01', '2025-01-01')).moves, ['  prospect none 1', '  first_time_buyer lapsed 1']);
  });

  await t.test('without a range the net moves are those of the last month that is over', async (t) => {
    const answer = await answerTo({ basis: 'net' }, { today: day('2025-05-01') });
    t.match(answer, { as_of: day('2025-04-30'), projected: false });
    t.strictSame(answer.moves, [
      '  first_time_buyer active 1',
      'early_repeat_buyer active early_repeat_buyer at_risk 1',
    ]);
    t.strictSame(
      (await answerTo({ basis: 'gross' }, { today: day('2025-04-30') })).moves,
      answer.moves,
      'gross is what is answered without a basis',
    );
  });

  await t.test('a group moves by itself', async (t) => {
    t.strictSame((await answerTo({ from: '2024-01-01', to: '2025-01-03' }, { group_id: 1 })).moves, [
      '  prospect none 1',
      'prospect none first_time_buyer active 1',
    ]);
  });
});

t.test('a wrong range is refused', async (t) => {
  t.match(await stageMoves.read(context, { from: '2025-02-30' }), { parameter: 'from', code: 'not_a_day' });
  t.match(
    await stageMoves.read(context, { from: '2025-06-16' }),
    { parameter: 'to', code: 'invalid_range' },
    'absent, `to` is tomorrow',
  );
});

t.test('net moves are refused for anything but one period that is over', async (t) => {
  const refused = async (from: string | undefined, to: string | undefined): Promise<string> => {
    const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    const answer = await stageMoves.read({ ...context, today: day('2025-04-01') }, { basis: 'net', ...range });
    return 'code' in answer ? `${answer.parameter} ${answer.code}: ${answer.detail}` : 'answered';
  };
  t.equal(await refused('2025-03-01', '2025-04-01'), 'answered', 'over since yesterday');
  t.equal(await refused('2025-01-01', '2025-04-01'), 'answered');
  t.match(await refused('2025-04-01', '2025-05-01'), /^to invalid_range: .* must be over$/);
  t.match(await refused('2025-03-31', '2025-04-07'), /^to invalid_range: .* must be over$/);
  for (const [from, to] of [
    ['2025-01-01', '2025-03-01'],
    ['2025-01-02', '2025-02-02'],
    ['2025-01-07', '2025-01-14'],
    ['2025-02-01', '2025-02-28'],
    ['2024-02-01', '2025-02-01'],
  ] as const) {
    t.match(
      await refused(from, to),
      /^to invalid_range: .* exactly one week, month, quarter or year$/,
      `${from} ${to}`,
    );
  }
  t.match(await refused('2025-03-01', undefined), /^to invalid_range: is missing/);
  t.match(await refused(undefined, '2025-04-01'), /^from invalid_range: is missing/);
  t.match(await refused('2025-02-30', '2025-04-01'), /^from not_a_day/);
});

t.test('more than 10,000 kinds of moves are too many for one answer', async (t) => {
  const stages = Array.from({ length: 31 }, (_, index) => ({ ...context.model.model.stages[0]!, stage: `s${index}` }));
  const model = { ...context.model, version: 99, model: { ...context.model.model, stages } };
  const storeMoves = (offset: number, limit: number) =>
    sql`
      insert into rollup_stage_moves
      select 99, 0, 0, ${day('2025-01-01')}::int, from_position, to_position, 1, 0
      from generate_series(1, 120) as from_position, generate_series(1, 120) as to_position
      where from_position <> to_position
      order by from_position, to_position offset ${offset} limit ${limit}`.execute(db);
  await storeMoves(0, MAX_ROWS);
  const range = { from: '2025-01-01', to: '2025-01-02' };
  t.equal((await answerTo(range, { model })).moves.length, MAX_ROWS);
  await storeMoves(MAX_ROWS, 1);
  t.match(await stageMoves.read({ ...context, model }, range), { parameter: 'to', code: 'range_too_wide' });
});
