import t from 'tap';
import type { Move } from '../../src/domain/compile-model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { nextMove, placeOn, scheduledMoves, walk } from '../../src/domain/walk.ts';
import { classifierOf, date, day, days, modelOf } from '../support/notation.ts';

const { compiled, memory } = classifierOf(BUILT_IN_MODELS.lifecycle);
/** Positions of a first-time buyer (stage 1) and an early repeat buyer (stage 2): 1 + 4 · stage + activity. */
const [FIRST_ACTIVE, FIRST_AT_RISK, FIRST_LAPSED, REPEAT_ACTIVE] = [6, 7, 8, 10] as const;
const told = ({ day, from, to }: Move): unknown => [date(day), from, to];

t.test('a walk tells every move up to its last day, those of silence included', async (t) => {
  const moves: Move[] = [];
  const { place, facts } = walk(memory, compiled, days('2025-01-01 1', '2026-01-01 1'), moves);
  t.strictSame(moves.map(told), [
    ['2025-01-01', 0, FIRST_ACTIVE],
    ['2025-04-02', FIRST_ACTIVE, FIRST_AT_RISK],
    ['2025-07-01', FIRST_AT_RISK, FIRST_LAPSED],
    ['2026-01-01', FIRST_LAPSED, REPEAT_ACTIVE],
  ]);
  t.match(place, { position: REPEAT_ACTIVE, since: day('2026-01-01'), reached: 0b111 });
  t.match(facts, { day: day('2026-01-01'), purchase_days: 2, revenue: 200 });
  t.strictSame(walk(memory, compiled, days('2025-01-01 1', '2026-01-01 1'), null), { place, facts });
});

t.test('a place on a later day and the moves until then tell the same story', async (t) => {
  const { facts, place } = walk(memory, compiled, days('2025-01-01 1'), null);
  t.strictSame(scheduledMoves(compiled, place, facts).map(told), [
    ['2025-04-02', FIRST_ACTIVE, FIRST_AT_RISK],
    ['2025-07-01', FIRST_AT_RISK, FIRST_LAPSED],
  ]);
  for (const [on, position, since, next] of [
    ['2025-01-01', FIRST_ACTIVE, '2025-01-01', '2025-04-02'],
    ['2025-04-01', FIRST_ACTIVE, '2025-01-01', '2025-04-02'],
    ['2025-04-02', FIRST_AT_RISK, '2025-04-02', '2025-07-01'],
    ['2025-06-30', FIRST_AT_RISK, '2025-04-02', '2025-07-01'],
    ['2199-12-31', FIRST_LAPSED, '2025-07-01', null],
  ] as const) {
    const found = placeOn(compiled, place, facts, day(on));
    const move = nextMove(compiled, found, facts, day(on));
    t.strictSame([found.position, date(found.since), move && date(move.day)], [position, since, next], on);
  }
});

t.test('the next move may need a stage that is reached in silence without a move', async (t) => {
  const own = classifierOf(
    modelOf({
      second_week: { feature: 'tenure_days', at_least: 7, less_than: 8 },
      buyer: { feature: 'purchase_days', at_least: 1 },
      ripe: { all: [{ stage_reached: 'second_week' }, { feature: 'tenure_days', at_least: 20 }] },
    }),
  );
  const { facts, place } = walk(own.memory, own.compiled, days('2025-01-01 1'), null);
  const [ripens] = scheduledMoves(own.compiled, place, facts);
  t.equal(date(ripens!.day), '2025-01-21');
  t.strictSame(nextMove(own.compiled, place, facts, facts.day), ripens);
});
