/** Smaller pages cost more roll-up rows than a lane without work would cost time. */
const FEWEST_ROWS = 20_000;

/**
 * Rows of a page, so that as many pages come to every lane, all of one size: a third page of 100,000 rows would leave one of two lanes without work. At most `most`, and
 * no fewer than 20,000 unless that is more than `most`.
 */
export function evenRows(left: number, lanes: number, most: number): number {
  const pages = Math.max(1, Math.ceil(left / (most * lanes))) * lanes;
  return Math.min(most, Math.max(FEWEST_ROWS, Math.ceil(left / pages)));
}
