import { randomInt } from 'node:crypto';
import t from 'tap';
import type { Differences } from '../../src/domain/differences.ts';
import { closeDays, type FoldPlan, forgetfulTallies } from '../../src/domain/fold.ts';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import type { Projection } from '../../src/domain/projection.ts';
import { DEFECTION_REASONS, defectionsRollup } from '../../src/reports/defections-rollup.ts';
import { Rng, randomModels } from '../oracle/random.ts';
import { date, day, days, modelOf, planOf } from '../support/notation.ts';
import { folded, foldedInParts } from './folded.ts';
import { trueDefections } from './leaving-truth.ts';
import { linesOf, randomLife, walk } from './lives.ts';

const projection = defectionsRollup as Projection;
const planFor = (model: Model): FoldPlan => planOf([model], [projection]);
const LIFECYCLE = planFor(BUILT_IN_MODELS.lifecycle);

/** Rows of everybody as texts: `2025-07 first_time_buyer unknown 1 1200 180 0 0 0 0`, the week rows by their Mondays. */
function rowsOf(plan: FoldPlan, differences: Differences): string[] {
  const stages = plan.models[0]!.model.stages.map(({ stage }) => stage);
  return differences.rows(projection).map(({ key: [grain, on, left, reason], measures }) => {
    const stage = left === 0 ? '-' : stages[left! - 1];
    return `${grain === 0 ? date(on!) : date(on!).slice(0, 7)} ${stage} ${DEFECTION_REASONS[reason!]} ${measures.join(' ')}`;
  });
}

/** The month rows of a history in the built-in lifecycle. */
function months(...lines: readonly string[]): string[] {
  return rowsOf(LIFECYCLE, folded(LIFECYCLE, days(...lines))).filter((row) => /^\d{4}-\d{2} /.test(row));
}

t.test('a lapse that silence will bring is there on the day of the purchase', async (t) => {
  t.strictSame(rowsOf(LIFECYCLE, folded(LIFECYCLE, days('2025-01-15 12'))), [
    '2025-07-14 first_time_buyer unknown 1 1200 181 0 0 0 0',
    '2025-07 first_time_buyer unknown 1 1200 181 0 0 0 0',
  ]);
  t.strictSame(months('2025-01-01 visit'), [], 'who never bought cannot leave');
});

t.test('the reason is that of the latest departure since the last purchase day', async (t) => {
  const left = (...lines: readonly string[]): string => months('2025-01-15 12', ...lines)[0]!.split(' ')[2]!;
  t.equal(left('2025-02-01 departure price'), 'price', 'before the silence');
  t.equal(left('2025-08-01 departure boredom'), 'boredom', 'after it');
  t.equal(left('2025-02-01 departure price', '2025-03-01 departure other'), 'other', 'the later day');
  t.equal(
    left(
      '2025-02-01T10:00 departure price',
      '2025-02-01T11:00 departure competitor',
      '2025-02-01T09:00 departure other',
    ),
    'competitor',
    'the later instant of a day',
  );
  t.equal(left('2025-01-15 departure price'), 'price', 'on the day of the purchase');
  t.equal(months('2025-01-14 departure price', '2025-01-15 12')[0]!.split(' ')[2], 'unknown', 'before it');
  t.equal(left('2025-02-01 departure price void'), 'unknown', 'voided');
});

t.test('a departure on or after the next purchase day says nothing of the defection before it', async (t) => {
  t.strictSame(months('2025-01-15 12', '2025-08-01 1', '2025-08-01 departure price', '2025-08-02 departure boredom'), [
    '2025-07 first_time_buyer unknown 1 1200 181 0 1 1 1',
  ]);
  t.strictSame(months('2025-01-15 12', '2025-08-01 1', '2025-08-02 departure boredom'), [
    '2025-07 first_time_buyer unknown 1 1200 181 0 1 1 1',
    '2025-08 early_repeat_buyer boredom 1 1300 199 0 0 0 0',
  ]);
});

t.test('a departure whose reason was never stated is one for other reasons', async (t) => {
  const [bought, left] = days('2025-01-15 12', '2025-02-01 departure other');
  left!.departure = { at: 0, id: 'i1', reason: null };
  t.match(rowsOf(LIFECYCLE, folded(LIFECYCLE, [bought!, left!])), [/^2025-01-27 first_time_buyer other 1 /, /./]);
});

t.test('who leaves on the day of the first purchase is lost on that very day', async (t) => {
  t.strictSame(months('2025-01-15 12', '2025-01-15 departure price'), ['2025-01 - price 1 1200 0 0 0 0 0']);
  t.strictSame(
    months('known 2025-01-01', '2025-01-15 12', '2025-01-15 departure price'),
    ['2025-01 prospect price 1 1200 0 0 0 0 0'],
    'from the stage of the eve',
  );
});

t.test('of departures and open complaints, what was stated counts; the complaint is counted beside it', async (t) => {
  const left = (...lines: readonly string[]): string =>
    months('2025-01-15 12', ...lines)[0]!
      .split(' ')
      .filter((_, index) => index === 2 || index === 6)
      .join(' ');
  t.equal(left('2025-02-01 complaint'), 'open_complaint 1');
  t.equal(left('2025-02-01 complaint', '2025-07-15 resolution'), 'unknown 0', 'resolved on the day');
  t.equal(left('2025-02-01 complaint', '2025-07-16 resolution'), 'open_complaint 1', 'resolved the day after');
  t.equal(left('2025-07-15 complaint'), 'open_complaint 1', 'on the day itself');
  t.equal(left('2025-07-16 complaint'), 'unknown 0', 'the day after');
  t.equal(left('2025-02-01 complaint', '2025-09-01 departure price'), 'price 1');
});

t.test('a purchase day wins back within 90 days, not on the 91st', async (t) => {
  const won = (gap: number): string =>
    months('2025-01-15 12', `${date(day('2025-07-15') + gap)} 1`)[0]!.replace(/^.*181 0 /, '');
  t.strictSame([1, 90, 91, 180, 181, 365, 366].map(won), [
    '1 1 1',
    '1 1 1',
    '0 1 1',
    '0 1 1',
    '0 0 1',
    '0 0 1',
    '0 0 0',
  ]);
  t.match(months('2025-01-15 12', '2025-08-01 5 id=p', '2025-08-02 refund 5 p'), [/ 0 0 0$/], 'wholly refunded');
});

t.test('the value at stake is that of the month of the last purchase and the eleven before', async (t) => {
  const stake = (...lines: readonly string[]): number =>
    Number(
      months(...lines)
        .at(-1)!
        .split(' ')[4],
    );
  const year = ['2024-01-31 1', '2024-02-01 2', '2024-12-31 4'];
  t.equal(stake(...year, '2025-01-31 8'), 200 + 400 + 800, 'January to February');
  t.equal(stake(...year, '2024-12-31 16'), 100 + 200 + 400 + 1600, 'December to January');
  t.equal(stake('2024-02-29 1', '2024-03-01 2', '2025-02-28 4'), 600, 'over a leap day');
  t.equal(stake('2025-01-05 10 id=p', '2025-01-20 refund 2.50 p'), 750, 'less refunds, on the day of the purchase');
});

t.test('what is refunded in excess is a loss of its own day', async (t) => {
  const stake = (...lines: readonly string[]): number =>
    Number(
      months(...lines)
        .at(-1)!
        .split(' ')[4],
    );
  const over = (on: string): string[] => [`${on} 5 id=o${on}`, `${on} refund 8 o${on}`];
  t.equal(stake('2025-01-05 10', ...over('2025-01-20')), 700, 'after the last purchase, in its month');
  t.equal(stake('2025-01-05 10', ...over('2025-02-20')), 1000, 'in a later month it is not the last year’s');
  t.equal(stake('2025-01-05 10', ...over('2025-02-20'), '2025-03-01 1'), 800, 'until another purchase follows');
  t.equal(
    stake('2024-02-01 1', '2025-01-05 10', ...over('2025-02-20')),
    1100,
    'and takes nothing away from the eleven months before the purchase',
  );
  t.equal(
    stake('2023-01-05 10', ...over('2024-03-20'), ...over('2025-02-20'), '2025-02-25 10'),
    1000 - 300 - 300,
    'losses count for a purchase that follows within eleven months',
  );
  t.equal(stake(...over('2024-12-20'), '2025-01-05 1'), -200, 'before the first purchase, and more than it brought');
  t.equal(
    stake('2025-01-05 10', '2025-01-10 departure price', ...over('2025-01-10')),
    700,
    'on the very day of the defection',
  );
  t.equal(stake('2025-01-05 10', '2025-01-10 departure price', ...over('2025-01-11')), 1000, 'the day after it');
});

t.test('two defections of one customer are two', async (t) => {
  t.strictSame(months('2024-01-01 1', '2024-02-01 departure price', '2024-03-01 2', '2025-03-01 4'), [
    '2024-02 first_time_buyer price 1 100 31 0 1 1 1',
    '2024-08 early_repeat_buyer unknown 1 300 241 0 0 0 1',
    '2025-08 early_repeat_buyer unknown 1 400 606 0 0 0 0',
  ]);
});

t.test('a lapse after the last day of the calendar is no defection', async (t) => {
  t.strictSame(months('2199-12-01 1'), []);
});

t.test('what is saved stays small however long the history', async (t) => {
  const lines: string[] = [];
  for (let on = day('1990-01-01'); on < day('2025-01-01'); on += 10) lines.push(`${date(on)} 99.99`);
  // And a long line of losses without a purchase after it.
  for (let on = day('2025-01-01'); on < day('2035-01-01'); on += 10) {
    lines.push(`${date(on)} 1 id=p${on}`, `${date(on)} refund 2 p${on}`);
  }
  const { closed } = closeDays(LIFECYCLE, null, days(...lines), forgetfulTallies(LIFECYCLE));
  t.ok(JSON.stringify(closed!.states).length < 450, JSON.stringify(closed!.states));
  const quiet = closeDays(
    LIFECYCLE,
    null,
    days('2025-01-01 1', '2025-01-02 visit', '2025-01-03 visit'),
    forgetfulTallies(LIFECYCLE),
  );
  t.strictSame(quiet.closed!.states, [[7, null, [day('2025-01-01'), 100]]]);
});

const SEED = randomInt(1_000_000_000);
t.test(
  `random lives in random models, folded in parts, add up to what going through them says (${SEED})`,
  async (t) => {
    const rng = new Rng(SEED);
    const seen = new Set<string>();
    for (const model of randomModels(rng, 12)) {
      const plan = planFor(model as Model);
      for (let number = 0; number < 25; number += 1) {
        const told = randomLife(rng, day('2023-11-20'), 30);
        const expected = new Map<string, number[]>();
        for (const lost of trueDefections(walk(told, model))) {
          seen.add(lost.reason);
          const won = [90, 180, 365].map((within) => (lost.silence <= within ? 1 : 0));
          const measures = [1, lost.cents, lost.tenure_days, lost.open_complaint ? 1 : 0, ...won];
          const monday = lost.day - ((new Date(lost.day * 86_400_000).getUTCDay() + 6) % 7);
          for (const period of [date(monday), date(lost.day).slice(0, 7)]) {
            const key = `${period} ${lost.stage_left ?? '-'} ${lost.reason}`;
            const before = expected.get(key);
            expected.set(
              key,
              measures.map((measure, index) => measure + (before?.[index] ?? 0)),
            );
          }
        }
        const found = rowsOf(plan, foldedInParts(plan, days(...linesOf(told)), rng));
        const truth = [...expected].map(([key, measures]) => `${key} ${measures.join(' ')}`);
        if (found.toSorted().join() !== truth.toSorted().join()) {
          t.strictSame(found.toSorted(), truth.toSorted(), `${model.model_id}: ${linesOf(told).join(' | ')}`);
          return;
        }
      }
    }
    t.strictSame([...seen].sort(), [...DEFECTION_REASONS].sort(), 'every reason occurred');
  },
);

t.test('each model has rows of its own', async (t) => {
  const quick = modelOf({}, { at_risk: 1, lapsed: 2 });
  t.strictSame(rowsOf(planFor(quick), folded(planFor(quick), days('2025-01-15 12'))), [
    '2025-01-13 known unknown 1 1200 3 0 0 0 0',
    '2025-01 known unknown 1 1200 3 0 0 0 0',
  ]);
});
