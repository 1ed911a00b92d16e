/** Microseconds since 1970-01-01T00:00:00Z, from the machine's clock. */
export function machineClock(): number {
  return Date.now() * 1_000;
}
