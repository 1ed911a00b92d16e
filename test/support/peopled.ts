/** Rows of stage-population with somebody in them, without the link to the list of these customers. */
export function peopled<Row extends { readonly customers: number }>(rows: readonly Row[]): object[] {
  const standing = rows.filter(({ customers }) => customers > 0);
  return standing.map(({ customers_link: _, ...row }: Row & { customers_link?: unknown }) => row);
}
