import { ACTIVITIES, type Activity, type Comparison, type Condition, isComparison, type Model } from './model.ts';

/**
 * The activities a customer of a stage can have, by what the stage's rule plainly says: `purchase_days` decides between `none` and the rest, an
 * `activity` condition names them. What the rule does not say plainly stays possible, so no customer is ever left out. A rule that
 * contradicts itself leaves every activity: reports list every stage, this one with zeros.
 */
export function possibleActivities(model: Model, stage: number): readonly Activity[] {
  const when = model.stages[stage]!.when;
  const possible = when === undefined ? ACTIVITIES : ACTIVITIES.filter((activity) => allows(when, activity));
  return possible.length === 0 ? ACTIVITIES : possible;
}

function allows(condition: Condition, activity: Activity): boolean {
  if (isComparison(condition)) return comparisonAllows(condition, activity);
  if ('all' in condition) return condition.all.every((part) => allows(part, activity));
  if ('any' in condition) return condition.any.some((part) => allows(part, activity));
  if ('activity' in condition) return condition.activity.includes(activity);
  if ('not' in condition && 'activity' in condition.not) return !condition.not.activity.includes(activity);
  return true;
}

/** A customer has the activity `none` exactly while they have no purchase day. */
function comparisonAllows(comparison: Comparison, activity: Activity): boolean {
  if (comparison.feature !== 'purchase_days') return true;
  if (activity === 'none') {
    return !(Number(comparison.at_least ?? 0) > 0 || comparison.more_than !== undefined);
  }
  if (comparison.within_days !== undefined) return true;
  return !(comparison.at_most === 0 || Number(comparison.less_than ?? 2) < 2);
}
