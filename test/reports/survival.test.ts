import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { kaplanMeier, type SurvivalStep } from '../../src/reports/survival.ts';

const DATA = new URL('../../../shared/data/', import.meta.url);
const missing = existsSync(new URL('km_reference.json', DATA)) ? false : 'the reference data are not here';

/** One subject: how long watched, and whether the event ended it. */
interface Subject {
  readonly time: number;
  readonly event: boolean;
}

/** The steps of a sample, counted subject by subject. */
function stepsOf(subjects: readonly Subject[]): SurvivalStep[] {
  const times = [...new Set(subjects.filter(({ event }) => event).map(({ time }) => time))].sort((a, b) => a - b);
  return times.map((time) => ({
    time,
    at_risk: subjects.filter((subject) => subject.time >= time).length,
    events: subjects.filter((subject) => subject.event && subject.time === time).length,
  }));
}

/** A row of the reference: R's `survival` and Python's `lifelines` agree on it. Without bounds where S is 0. */
interface Known {
  readonly t: number;
  readonly at_risk: number;
  readonly events: number;
  readonly S: number;
  readonly loglog_lower?: number;
  readonly loglog_upper?: number;
}

function fields(file: string, separator: string | RegExp): string[][] {
  const lines = readFileSync(new URL(file, DATA), 'utf8').trim().split('\n');
  return lines.map((line) => line.trim().split(separator));
}

/** The subjects of the reference's samples: arms of Gehan's leukemia trial, glioma patients, and advanced lung cancer. */
function samples(): Readonly<Record<string, readonly Subject[]>> {
  const gehan = (arm: string) =>
    fields('gehan.dat', /\s+/)
      .filter(([group]) => group === arm)
      .map(([, time, status]) => ({ time: Number(time), event: status === '1' }));
  const g3 = (arm: string) =>
    fields('g3.csv', ',')
      .filter(([, , , , group]) => group === arm)
      .map(([, , , , , event, time]) => ({ time: Number(time), event: event === 'True' }));
  const lung = fields('lung.csv', ',')
    .slice(1)
    .map(([, time, status]) => ({ time: Number(time), event: status === '1' }));
  return {
    gehan_group_1: gehan('1'),
    gehan_group_2: gehan('2'),
    g3_RIT: g3('RIT'),
    g3_notRIT: g3('Control'),
    lung,
  };
}

/** True if two figures agree to a millionth, or both are undefined. */
function close(found: number | null, known: number | undefined): boolean {
  return found === null || known === undefined ? found === (known ?? null) : Math.abs(found - known) < 1e-6;
}

t.test('estimates and bounds are those of the textbook samples', { skip: missing }, async (t) => {
  const reference = JSON.parse(readFileSync(new URL('km_reference.json', DATA), 'utf8')) as Readonly<
    Record<string, { readonly n: number; readonly table: readonly Known[] }>
  >;
  for (const [name, subjects] of Object.entries(samples())) {
    const { n, table } = reference[name]!;
    t.equal(subjects.length, n, name);
    const points = kaplanMeier(stepsOf(subjects));
    const known = table.filter(({ events }) => events > 0);
    t.strictSame(
      points.map(({ time, at_risk, events }) => [time, at_risk, events]),
      known.map(({ t: time, at_risk, events }) => [time, at_risk, events]),
      `${name}: times, at risk, events`,
    );
    const wrong = points.filter(({ survival, lower, upper }, index) => {
      const { S, loglog_lower, loglog_upper } = known[index]!;
      return !close(survival, S) || !close(lower, loglog_lower) || !close(upper, loglog_upper);
    });
    t.strictSame(wrong, [], `${name}: survival and bounds`);
  }
});

t.test('without censoring the estimate is the share that is left', async (t) => {
  const points = kaplanMeier(stepsOf([1, 2, 2, 5].map((time) => ({ time, event: true }))));
  t.strictSame(
    points.map(({ time, at_risk, events, survival }) => [time, at_risk, events, survival]),
    [
      [1, 4, 1, 0.75],
      [2, 3, 2, 0.25],
      [5, 1, 1, 0],
    ],
  );
});

t.test('who is censored counts as at risk up to that time, and no longer', async (t) => {
  // Five subjects: events after 2 and 4, censored after 1, 2 and 3. S(2) = 1 − 1/4, S(4) = 3/4 · (1 − 1/1).
  const sample = [
    { time: 1, event: false },
    { time: 2, event: true },
    { time: 2, event: false },
    { time: 3, event: false },
    { time: 4, event: true },
  ];
  const points = kaplanMeier(stepsOf(sample));
  t.strictSame(
    points.map(({ at_risk, survival }) => [at_risk, survival]),
    [
      [4, 0.75],
      [1, 0],
    ],
  );
});

t.test('bounds lie around the estimate by Greenwood on the scale of log(−log S)', async (t) => {
  // The first step of Gehan's treated arm: S = 18/21, and log(−log S) has the standard error √(3 / (21 · 18)) / |log S|.
  const [point] = kaplanMeier([{ time: 6, at_risk: 21, events: 3 }]);
  const spread = (1.959963984540054 * Math.sqrt(3 / 378)) / Math.abs(Math.log(6 / 7));
  t.ok(close(point!.lower, (6 / 7) ** Math.exp(spread)) && close(point!.upper, (6 / 7) ** Math.exp(-spread)));
  t.ok(close(point!.lower, 0.619718) && close(point!.upper, 0.951552), 'the published bounds');
});

t.test('bounds are not defined where everybody or nobody is left', async (t) => {
  t.strictSame(kaplanMeier([{ time: 3, at_risk: 5, events: 0 }]), [
    { time: 3, at_risk: 5, events: 0, survival: 1, lower: null, upper: null },
  ]);
  t.strictSame(kaplanMeier([{ time: 3, at_risk: 5, events: 5 }]), [
    { time: 3, at_risk: 5, events: 5, survival: 0, lower: null, upper: null },
  ]);
  t.strictSame(kaplanMeier([]), []);
});

t.test('a time without an event changes neither the estimate nor its bounds', async (t) => {
  const [first, second] = kaplanMeier([
    { time: 1, at_risk: 10, events: 2 },
    { time: 2, at_risk: 5, events: 0 },
  ]);
  t.strictSame({ ...second!, time: 1, at_risk: 10, events: 2 }, first);
});
