import type { Grain } from '../domain/period.ts';

const PERIODS_A_YEAR: Readonly<Record<Grain, number>> = { week: 52, month: 12, quarter: 4, year: 1 };

/** Five points of retention: the step of the claim that 5 % more loyalty lifts profit by 25–85 %. */
const FIVE_POINTS = 0.05;

/** The discount rate of one period that compounds to a yearly rate: (1 + rate)^(1 / periods a year) − 1. */
export function discountOfPeriod(rate: number, grain: Grain): number {
  return (1 + rate) ** (1 / PERIODS_A_YEAR[grain]) - 1;
}

/**
 * What a customer is worth who brings `margin` now and again in every later period in which they are still there, in the margin's unit:
 * margin · (1 + discount) / (1 + discount − retention). Null if that sum has no end: a retention of 1 without a discount.
 * Fader & Hardie, note 024, "Reconciling and Clarifying CLV Formulas".
 */
export function customerValue(margin: number, retention: number, discount: number): number | null {
  const fading = 1 + discount - retention;
  return fading > 0 ? (margin * (1 + discount)) / fading : null;
}

/**
 * By which fraction five points more of retention (at most 1) change what a customer is worth, once winning them has cost `acquisition`. Null if either value
 * is undefined, or nothing is left to compare with.
 */
export function changeByFivePoints(
  margin: number,
  retention: number,
  discount: number,
  acquisition: number,
): number | null {
  const value = customerValue(margin, retention, discount);
  const raised = customerValue(margin, Math.min(retention + FIVE_POINTS, 1), discount);
  if (value === null || raised === null || value - acquisition <= 0) return null;
  return (raised - acquisition) / (value - acquisition) - 1;
}
