import t from 'tap';
import type { ActivityDay } from '../../src/domain/activity-day.ts';
import { LAST_DAY } from '../../src/domain/calendar.ts';
import { Differences } from '../../src/domain/differences.ts';
import {
  closeDays,
  type FoldPlan,
  forgetfulTallies,
  planFold,
  reopenDays,
  settleTail,
  spellOn,
} from '../../src/domain/fold.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import type { Projection } from '../../src/domain/projection.ts';
import { encodeFold } from '../../src/domain/saved-fold.ts';
import { date, day, days, modelOf, planOf } from '../support/notation.ts';

const { lifecycle, loyalty_ladder } = BUILT_IN_MODELS;
const DAYS = { name: 'day', least: day('1900-01-01'), size: 150_000 };

/** Moves by day, from and to, with the revenue before them. */
const MOVES: Projection<null> = {
  name: 'moves',
  version: 1,
  per_model: true,
  key: [DAYS, { name: 'from', least: 0, size: 128 }, { name: 'to', least: 0, size: 128 }],
  measures: ['customers', 'revenue_before'],
  start: null,
  advance(state, { moves, before }, tally) {
    for (const move of moves)
      tally
        .at(move.day, move.from, move.to)
        .add(0, 1)
        .add(1, before?.revenue ?? 0);
    return state;
  },
  settle(_state, facts, scheduled, tally) {
    for (const move of scheduled) tally.at(move.day, move.from, move.to).add(0, 1).add(1, facts.revenue);
  },
};

/** Gaps between activity days, by the later day, and the open gap after the last: it has a state of its own. */
const GAPS: Projection<number | null> = {
  name: 'gaps',
  version: 1,
  per_model: false,
  key: [DAYS, { name: 'open', least: 0, size: 2 }],
  measures: ['days', 'events'],
  start: null,
  advance(last, { day: on }, tally) {
    tally
      .at(on.day, 0)
      .add(0, last === null ? 0 : on.day - last)
      .add(1, on.stored_purchases);
    return on.day;
  },
  settle(last, facts, scheduled, tally) {
    tally
      .at(last!, 1)
      .add(0, facts.day - last! + scheduled.length)
      .add(1, 1);
  },
};

const PLAN = planOf(
  [lifecycle, loyalty_ladder, modelOf({ rich: { feature: 'revenue', at_least: '30', within_days: 40 } })],
  [GAPS, MOVES] as never,
);

/** Everything a fold emits, consolidated, and the fold as it is saved. */
function watch(plan: FoldPlan) {
  const differences = new Differences(plan);
  return {
    add: differences.tallies(1, [0]),
    takeBack: differences.tallies(-1, [0]),
    rows: () => plan.folds.map(({ projection }) => differences.rows(projection)),
  };
}

function whole(plan: FoldPlan, list: readonly ActivityDay[]) {
  const seen = watch(plan);
  const saved = closeDays(plan, null, list, seen.add);
  const { spells } = settleTail(plan, saved, seen.add);
  return { rows: seen.rows(), saved: encodeFold(saved), spells };
}

t.test('a projection that depends on a model is folded once for each model, others once', async (t) => {
  const shapes = PLAN.folds.map(({ projection, model }) => `${projection.name} ${model}`);
  t.strictSame(shapes, ['gaps null', 'moves 0', 'moves 1', 'moves 2']);
  t.strictSame(
    planFold([], PLAN.memory, [MOVES as never, GAPS as never]).folds.map(({ projection }) => projection.name),
    ['gaps'],
  );
});

t.test('the moves of a history are emitted on their days, scheduled ones included', async (t) => {
  const plan = planOf([lifecycle], [MOVES as never]);
  const { rows } = whole(plan, days('known 2024-12-24', '2025-01-01 5', '2025-05-01 7'));
  const [prospect, active, at_risk, repeat, repeat_at_risk, repeat_lapsed] = [1, 6, 7, 10, 11, 12];
  t.strictSame(
    rows[0]!.map(({ key, measures }) => [date(key[0]!), ...key.slice(1), ...measures]),
    [
      ['2024-12-24', 0, prospect, 1, 0],
      ['2025-01-01', prospect, active, 1, 0],
      ['2025-04-02', active, at_risk, 1, 500],
      ['2025-05-01', at_risk, repeat, 1, 500],
      ['2025-07-31', repeat, repeat_at_risk, 1, 1_200],
      ['2025-10-29', repeat_at_risk, repeat_lapsed, 1, 1_200],
    ],
  );
});

t.test('a day makes at most one net move', async (t) => {
  const plan = planOf([lifecycle], [MOVES as never]);
  const { rows } = whole(plan, days('2025-01-01 5', '2025-07-01 7'));
  const moved = rows[0]!.filter(({ key }) => date(key[0]!) === '2025-07-01').map(({ key }) => key.slice(1));
  t.strictSame(moved, [[7, 10]], 'from at risk, not by way of lapsed');
  t.strictSame(
    whole(plan, days('2025-01-01 5', '2025-02-01 visit')).rows[0]!.length,
    3,
    'a day that changes nothing moves nobody',
  );
});

t.test('without a model there is no position and no move', async (t) => {
  const seen: unknown[] = [];
  const spy: Projection = {
    ...(GAPS as Projection),
    advance: (state, folded) => {
      seen.push([folded.moves, folded.position, folded.before === null, state]);
      return 7;
    },
    settle: (state, _facts, scheduled) => void seen.push([scheduled, state]),
  };
  whole(planOf([lifecycle], [spy]), days('2025-01-01 5', '2025-02-01 5'));
  t.strictSame(seen, [
    [[], 0, true, null],
    [[], 0, false, 7],
    [[], 7],
  ]);
});

t.test('a projection sees the position at the end of the day', async (t) => {
  const seen: number[] = [];
  const spy: Projection = { ...(MOVES as Projection), advance: (_state, { position }) => seen.push(position) };
  whole(planOf([lifecycle], [spy]), days('known 2025-01-01', '2025-01-05 1', '2025-01-05 departure price'));
  t.strictSame(seen, [1, 8]);
});

const STORY = days(
  'known 2024-11-01',
  '2024-12-24 visit',
  '2025-01-01 5 products=a,b',
  '2025-01-01 complaint',
  '2025-01-03 7 cost=1',
  '2025-03-05 12.50 products=c',
  '2025-03-05 resolution',
  '2025-03-06 survey 9',
  '2025-06-05 20',
  '2025-06-07 refund 3 missing',
  '2025-12-20 31',
  '2025-12-21 departure price',
  '2026-02-01 2',
  '2026-02-03 referral cost=4',
);

t.test('a history taken in at any two points contributes what it contributes as a whole', async (t) => {
  const expected = whole(PLAN, STORY);
  for (let first = 1; first < STORY.length; first += 1) {
    for (let second = first + 1; second <= STORY.length; second += 1) {
      const seen = watch(PLAN);
      let saved = closeDays(PLAN, null, STORY.slice(0, first), seen.add);
      let spells = settleTail(PLAN, saved, seen.add).spells;
      for (const more of [STORY.slice(first, second), STORY.slice(second)]) {
        settleTail(PLAN, saved, seen.takeBack);
        saved = closeDays(PLAN, saved.closed, reopenDays(saved, more), seen.add);
        spells = settleTail(PLAN, saved, seen.add).spells;
      }
      t.strictSame({ rows: seen.rows(), saved: encodeFold(saved), spells }, expected, `cut at ${first} and ${second}`);
    }
  }
});

t.test('a last day that grows contributes what it contributes when it comes at once', async (t) => {
  const early = days('2025-01-01 5 products=a', '2025-02-01 7 products=b,c', '2025-02-01 visit');
  const late = days('2025-02-01 1 products=c,d', '2025-02-01 survey 4', '2025-03-01 9');
  const at_once = days(
    '2025-01-01 5 products=a',
    '2025-02-01 7 products=b,c',
    '2025-02-01 visit',
    '2025-02-01 1 products=c,d',
    '2025-02-01 survey 4 id=i1',
    '2025-03-01 9',
  );
  const plan = planOf([loyalty_ladder, modelOf({ broad: { feature: 'distinct_products', at_least: 3 } })], [
    GAPS,
    MOVES,
  ] as never);
  const seen = watch(plan);
  const before = closeDays(plan, null, early, seen.add);
  const open = { ...before.open, products: [...before.open.products], kinds: new Map(before.open.kinds) };
  settleTail(plan, before, seen.add);
  settleTail(plan, before, seen.takeBack);
  const reopened = reopenDays(before, late);
  t.strictSame(before.open, open, 'the saved day itself is left alone');
  const after = closeDays(plan, before.closed, reopened, seen.add);
  settleTail(plan, after, seen.add);
  t.strictSame(
    { rows: seen.rows(), saved: encodeFold(after) },
    { rows: whole(plan, at_once).rows, saved: whole(plan, at_once).saved },
  );
});

t.test('a saved fold that gets nothing more stays as it is', async (t) => {
  const saved = closeDays(PLAN, null, STORY, forgetfulTallies(PLAN));
  t.strictSame(reopenDays(saved, []), [saved.open]);
  t.strictSame(closeDays(PLAN, saved.closed, reopenDays(saved, []), []), saved);
});

t.test('the spells begin with the one at the last closed day, and reach into the future', async (t) => {
  const spellsOf = (list: readonly ActivityDay[]): unknown => {
    const plan = planOf([lifecycle]);
    const [found] = settleTail(plan, closeDays(plan, null, list, []), []).spells;
    return found!.positions.map((position, index) => `${date(found!.first_days[index]!)} ${position}`);
  };
  t.strictSame(spellsOf(days('2025-01-01 1')), ['2025-01-01 6', '2025-04-02 7', '2025-07-01 8']);
  t.strictSame(spellsOf(days('2025-01-01 1', '2025-01-05 1', '2025-01-09 visit')), [
    '2025-01-05 10',
    '2025-04-06 11',
    '2025-07-05 12',
  ]);
  t.strictSame(spellsOf(days('2025-01-01 1', '2025-05-01 1')), [
    '2025-01-01 6',
    '2025-04-02 7',
    '2025-05-01 10',
    '2025-07-31 11',
    '2025-10-29 12',
  ]);
});

t.test('the first spell says how long its stage, and its activity, have lasted without a break', async (t) => {
  const begins = (...lines: readonly string[]): string => {
    const plan = planOf([lifecycle]);
    const [found] = settleTail(plan, closeDays(plan, null, days(...lines), []), []).spells;
    const { positions, first_days, stage_since, activity_since } = found!;
    return `${positions[0]} ${[first_days[0]!, stage_since, activity_since].map(date).join(' ')}`;
  };
  t.equal(
    begins('2025-01-01 1'),
    '6 2025-01-01 2025-01-01 2025-01-01',
    'nothing is closed: it begins with the customer',
  );
  t.equal(
    begins('2025-01-01 1', '2025-01-10 1', '2025-01-20 visit'),
    '10 2025-01-10 2025-01-10 2025-01-01',
    'the second purchase day changed the stage alone',
  );
  const twice = ['2025-01-01 1', '2025-01-10 1'];
  t.equal(
    begins(...twice, '2025-05-01 visit', '2025-05-02 visit'),
    '11 2025-04-11 2025-01-10 2025-04-11',
    'silence changed the activity alone',
  );
  t.equal(
    begins(...twice, '2025-05-01 1', '2025-05-02 visit'),
    '10 2025-05-01 2025-01-10 2025-05-01',
    'a third purchase day ended the risk, in the same stage',
  );
  t.equal(
    begins('known 2025-01-01', '2025-02-01 1', '2025-02-02 visit'),
    '6 2025-02-01 2025-02-01 2025-02-01',
    'the first purchase changes both',
  );
});

t.test('the position of a day is that of the last first day on or before it, until the next one', async (t) => {
  const spells = { positions: [6, 7, 8], first_days: [100, 191, 281], stage_since: 100, activity_since: 100 };
  const on = (day: number): string => Object.values(spellOn(spells, day)).join(' until ');
  t.equal(on(99), '0 until 100', 'not known yet');
  t.equal(on(100), '6 until 191');
  t.equal(on(190), '6 until 191');
  t.equal(on(191), '7 until 281');
  t.equal(on(280), '7 until 281');
  t.equal(on(281), `8 until ${LAST_DAY + 1}`, 'nothing ends it');
  t.equal(on(LAST_DAY), `8 until ${LAST_DAY + 1}`);
});

t.test('what is saved does not grow with the history, and is bounded by the models’ windows', async (t) => {
  const plan = planOf([
    modelOf({
      busy: { feature: 'purchase_days', at_least: 5, within_days: 30 },
      broad: { feature: 'distinct_products', at_least: 9 },
    }),
  ]);
  const daily = (count: number): ActivityDay[] =>
    days(
      ...Array.from(
        { length: count },
        (_, index) => `${date(day('2020-01-01') + index)} 1 products=c${index},d${index}`,
      ),
    );
  const saved = closeDays(plan, null, daily(1_000), []);
  t.equal(saved.closed!.facts.recent.length, 30);
  t.equal(saved.closed!.facts.products.length, 10, 'one more than the largest threshold');
  const [short, long] = [100, 1_000].map((count) => encodeFold(closeDays(plan, null, daily(count), [])).length);
  t.ok(long! - short! < 100, `${short} and ${long} bytes`);
});
