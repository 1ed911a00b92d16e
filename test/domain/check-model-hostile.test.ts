import t from 'tap';
import { checkModel, isModel } from '../../src/domain/check-model.ts';
import { MODEL_LIMITS } from '../../src/domain/model.ts';
import { hostileDocuments, modelDocument } from '../http/hostile/model-documents.ts';

/** CPU time that a check may take: tens of milliseconds are usual for the largest. */
const MOST_MS = 400;

/** Runs something and says how long this process computed. */
function timed<Result>(run: () => Result): { result: Result; ms: number } {
  const before = process.cpuUsage();
  const result = run();
  const { user, system } = process.cpuUsage(before);
  return { result, ms: (user + system) / 1_000 };
}

t.test('every hostile document is refused at once, by the place that is wrong, with a remedy', async (t) => {
  const cases = hostileDocuments();
  t.ok(cases.length > 150, `${cases.length} documents`);
  for (const { what, json, code, at } of cases) {
    const parsed = timed(() => JSON.parse(json()) as unknown);
    const checked = timed(() => checkModel(parsed.result, 2));
    // Naming the fields of an object of a million takes about as long as reading it.
    if (checked.ms > MOST_MS + parsed.ms) t.fail(`a model with ${what} took ${checked.ms} ms`);
    if (isModel(checked.result)) t.fail(`a model with ${what} was taken`);
    else {
      const [first] = checked.result;
      const found = [first?.code, first?.pointer];
      if (String(found) !== String([code, at])) t.same(found, [code, at], `a model with ${what}`);
      if (!checked.result.every(({ detail }) => detail.length > 5)) t.fail(`a model with ${what} gets no remedy`);
    }
  }
});

t.test('the sound document that they spoil is taken', async (t) => {
  t.ok(isModel(checkModel(modelDocument(), 2)));
});

t.test('a document may be 64 KiB long, in bytes of compact JSON', async (t) => {
  const spare = (bytes: number) => 'x'.repeat(bytes);
  const sized = (bytes: number) => {
    const stages = Array.from({ length: 31 }, (_, index) => ({
      ...(modelDocument().stages as object[])[Math.min(index, 1)],
      stage: `s${index}`,
      description: { en: spare(1_960), es: 'ñ', de: 'x' },
      ...(index === 0 ? {} : { when: { feature: 'purchase_days', at_least: index } }),
    }));
    const length = Buffer.byteLength(JSON.stringify(modelDocument({ stages })));
    return modelDocument({ stages, description: { en: spare(1 + bytes - length), es: 'x', de: 'x' } });
  };
  const largest = sized(MODEL_LIMITS.bytes);
  t.equal(Buffer.byteLength(JSON.stringify(largest)), 65_536);
  t.strictSame(checkModel(largest, 2), largest);
  t.match(checkModel(sized(MODEL_LIMITS.bytes + 1), 2), [{ pointer: '', code: 'too_large', detail: /is 65537 bytes/ }]);
});

t.test('the most intricate rules that are allowed are weighed at once', async (t) => {
  const bought = (within_days: number, at_least: number) => ({ feature: 'purchase_days', within_days, at_least });
  const parts = (count: number, from: number, at_least = 1) =>
    Array.from({ length: count }, (_, index) => bought(from + index, at_least));
  const model = (...whens: unknown[]) => {
    const [known, there] = modelDocument().stages as [object, object];
    return modelDocument({ stages: [known, ...whens.map((when, index) => ({ ...there, stage: `s${index}`, when }))] });
  };
  const stages = (count: number, when: (index: number) => unknown) =>
    model(...Array.from({ length: count }, (_, index) => when(index)));
  for (const [what, document] of [
    ['199 comparisons, all', model({ all: parts(199, 1) })],
    ['199 comparisons, any', model({ any: parts(199, 1) })],
    ['24 lists of 7', model({ all: Array.from({ length: 24 }, (_, index) => ({ any: parts(7, 1 + 7 * index) })) })],
    ['30 stages of any of 5', stages(30, (index) => ({ any: parts(5, 1 + 5 * index, 2) }))],
    ['12 stages of any of 15', stages(12, (index) => ({ any: parts(15, 1 + 15 * index, 2) }))],
    [
      '8 stages of 8 times 8 alternatives',
      stages(8, (index) => ({ all: [{ any: parts(8, 1 + 20 * index, 2) }, { any: parts(8, 9 + 20 * index, 2) }] })),
    ],
    ['30 stages of all of 5', stages(30, (index) => ({ all: parts(5, 1 + 5 * index, 2) }))],
    [
      '50 alternatives of two',
      stages(2, (index) => ({
        any: Array.from({ length: 30 }, (_, part) => ({ all: parts(2, 1 + 60 * index + 2 * part) })),
      })),
    ],
    ['nothing but a contradiction of all', model({ all: [...parts(197, 3), { activity: ['none'] }] })],
  ] as const) {
    const { ms } = timed(() => checkModel(document, 2));
    if (ms > MOST_MS) t.fail(`${what}: ${ms} ms`);
  }
});
