import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { estimate } from './survival.ts';

// Textbook data sets, on which R's survival package and lifelines agree.
const REFERENCE = new URL('../../../shared/data/km_reference.json', import.meta.url);
const skip = existsSync(REFERENCE) ? false : '../shared/data/km_reference.json is not here';

interface Reference {
  readonly table: readonly {
    readonly t: number;
    readonly at_risk: number;
    readonly events: number;
    readonly S: number;
    readonly loglog_lower: number | null;
    readonly loglog_upper: number | null;
  }[];
}

t.test('survival and its bounds are those of the reference programs', { skip }, async (t) => {
  const sets = JSON.parse(readFileSync(REFERENCE, 'utf8')) as Readonly<Record<string, Reference>>;
  let compared = 0;
  for (const [name, { table }] of Object.entries(sets)) {
    const steps = table.map(({ at_risk, events }) => ({ atRisk: at_risk, events }));
    for (const [place, row] of table.entries()) {
      const { survival, lower, upper } = estimate(steps.slice(0, place + 1));
      const near = (one: number | null, other: number | null): boolean => Math.abs((one ?? 0) - (other ?? 0)) < 1e-9;
      const isAlike =
        near(survival, row.S) &&
        (row.S === 0 || row.S === 1 || (near(lower, row.loglog_lower) && near(upper, row.loglog_upper)));
      if (!isAlike) t.same({ survival, lower, upper }, row, `${name}, t = ${row.t}`);
      compared += 1;
    }
  }
  t.ok(compared > 100, `${compared} rows alike`);
});

t.test('where survival is 1 or 0 there are no bounds', async (t) => {
  t.strictSame(estimate([]), { survival: 1, lower: null, upper: null });
  t.strictSame(
    estimate([
      { atRisk: 2, events: 1 },
      { atRisk: 1, events: 1 },
    ]),
    { survival: 0, lower: null, upper: null },
  );
});
