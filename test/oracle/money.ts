/** Integer minor units of a decimal string with at most `decimals` decimals; refuses anything else. */
export function parseMoney(text: string, decimals: number): number {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  const fraction = match?.[3] ?? '';
  if (match === null || fraction.length > decimals) throw new RangeError(`not an amount: ${text}`);
  const minor = Number(`${match[2]}${fraction.padEnd(decimals, '0')}`);
  if (!Number.isSafeInteger(minor)) throw new RangeError(`amount too large: ${text}`);
  // The test on zero keeps −0 out of every sum.
  return match[1] === '-' && minor !== 0 ? -minor : minor;
}

/** The decimal string of integer minor units, always with all its decimals: `-12.30`. */
export function formatMoney(minor: number, decimals: number): string {
  if (!Number.isSafeInteger(minor)) throw new RangeError(`not a whole number of minor units: ${minor}`);
  const digits = String(Math.abs(minor)).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = decimals === 0 ? '' : `.${digits.slice(-decimals)}`;
  return `${minor < 0 ? '-' : ''}${whole}${fraction}`;
}
