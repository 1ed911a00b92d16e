import type { FaultList, Fields } from './fault-list.ts';
import { MODEL_LIMITS } from './model.ts';

const THRESHOLDS = ['at_risk_after_days', 'lapsed_after_days'] as const;
const POLICIES: Readonly<Record<string, (value: unknown, list: FaultList) => void>> = {
  fixed: checkFixed,
  cadence: checkCadence,
};

/** Checks the lapse policy of a document and notes what is wrong with it. */
export function checkLapse(value: unknown, list: FaultList): void {
  const policy = (value as Fields | null | undefined)?.policy;
  const check = typeof policy === 'string' && Object.hasOwn(POLICIES, policy) ? POLICIES[policy]! : checkUnknown;
  check(value, list);
}

function checkUnknown(value: unknown, list: FaultList): void {
  const fields = list.object(value, '/lapse', ['policy', ...THRESHOLDS], ['prior_days', 'weight']);
  if (fields !== null) list.add('/lapse/policy', 'unknown_policy', 'must be "fixed" or "cadence"');
}

function checkFixed(value: unknown, list: FaultList): void {
  const fields = list.object(value, '/lapse', ['policy', ...THRESHOLDS]);
  if (fields === null) return;
  const atRisk = list.integer(fields.at_risk_after_days, '/lapse/at_risk_after_days', 0, MODEL_LIMITS.days);
  const lapsed = list.integer(fields.lapsed_after_days, '/lapse/lapsed_after_days', 1, MODEL_LIMITS.days);
  if (atRisk !== null && lapsed !== null && lapsed <= atRisk) {
    list.add('/lapse/lapsed_after_days', 'out_of_order', 'must be greater than at_risk_after_days');
  }
}

function checkCadence(value: unknown, list: FaultList): void {
  const fields = list.object(value, '/lapse', ['policy', 'prior_days', 'weight', ...THRESHOLDS]);
  if (fields === null) return;
  list.integer(fields.prior_days, '/lapse/prior_days', 1, MODEL_LIMITS.prior_days);
  list.integer(fields.weight, '/lapse/weight', 1, MODEL_LIMITS.weight);
  const atRisk = range(fields.at_risk_after_days, '/lapse/at_risk_after_days', 0, list);
  const lapsed = range(fields.lapsed_after_days, '/lapse/lapsed_after_days', 1, list);
  for (const bound of ['at_least', 'at_most'] as const) {
    const [low, high] = [atRisk?.[bound] ?? null, lapsed?.[bound] ?? null];
    if (low === null || high === null || high > low) continue;
    list.add(
      `/lapse/lapsed_after_days/${bound}`,
      'out_of_order',
      `must be greater than ${bound} of at_risk_after_days`,
    );
  }
}

/** The bounds of a range, each null if it is wrong by itself. */
function range(value: unknown, pointer: string, least: number, list: FaultList) {
  const fields = list.object(value, pointer, ['at_least', 'at_most']);
  if (fields === null) return null;
  const at_least = list.integer(fields.at_least, `${pointer}/at_least`, least, MODEL_LIMITS.days);
  const at_most = list.integer(fields.at_most, `${pointer}/at_most`, least, MODEL_LIMITS.days);
  if (at_least !== null && at_most !== null && at_most < at_least) {
    list.add(`${pointer}/at_most`, 'out_of_order', 'must not be less than at_least');
  }
  return { at_least, at_most };
}
