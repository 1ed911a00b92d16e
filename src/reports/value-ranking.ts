/** Customers whose values lie between two bounds, both included, and what they are worth together. A level if the bounds are one. */
export interface ValueClass {
  readonly least: number;
  readonly greatest: number;
  /** More than 0. */
  readonly customers: number;
  readonly value: bigint;
}

/** The error that the Gini coefficient and each point of the Lorenz curve may have. */
const MOST_ERROR = 1e-6;
/** Points of the Lorenz curve: every twentieth of the customers, both ends included. */
const LORENZ_STEPS = 20;

/** A class whose customers all have one value, if its sum says so, else as it is. */
export function levelIfSure(found: ValueClass): ValueClass {
  const { least, greatest, customers, value } = found;
  if (customers === 1) return { ...found, least: Number(value), greatest: Number(value) };
  if (value === BigInt(least) * BigInt(customers)) return { ...found, greatest: least };
  if (value === BigInt(greatest) * BigInt(customers)) return { ...found, least: greatest };
  return found;
}

/** The class of so many customers of one value. */
export function levelOf(value: number, customers: number): ValueClass {
  return { least: value, greatest: value, customers, value: BigInt(value) * BigInt(customers) };
}

/** What all customers of the classes are worth together, those below zero left out if asked so. */
export function totalOf(classes: readonly ValueClass[], positiveOnly = false): bigint {
  return classes.reduce((sum, { value }) => sum + (positiveOnly && value < 0n ? 0n : value), 0n);
}

/** Customers of all classes. */
export function customersOf(classes: readonly ValueClass[]): number {
  return classes.reduce((sum, { customers }) => sum + customers, 0);
}

/** Ranks of the last customer of the top, the middle and the bottom segment, of so many customers. */
export function lastRanks(customers: number): readonly [top: number, middle: number, bottom: number] {
  return [Math.ceil(customers / 5), Math.ceil((customers * 4) / 5), customers];
}

/** What a rank is worth: rank 1 is the most valuable customer. */
export interface Ranked {
  /** Index of the class that holds the rank. */
  readonly index: number;
  /** Place of the rank in its class, counted from 1. */
  readonly place: number;
  /** The value of all customers up to the rank; exact if the class is a level. */
  readonly value: bigint;
}

/** Finds a rank between 1 and the number of customers. The classes descend. */
export function rankIn(classes: readonly ValueClass[], rank: number): Ranked {
  let before = 0;
  let value = 0n;
  let index = 0;
  for (; before + classes[index]!.customers < rank; index += 1) {
    before += classes[index]!.customers;
    value += classes[index]!.value;
  }
  const place = rank - before;
  return { index, place, value: value + BigInt(classes[index]!.greatest) * BigInt(place) };
}

/**
 * The fewest customers that bring at least 80 % of the total, the most valuable first, and the class in which the last of them lies. The number is
 * exact if that class is a level. Null if the total is not above zero.
 */
export function eightyPercent(
  classes: readonly ValueClass[],
): { readonly customers: number; readonly index: number } | null {
  const total = totalOf(classes);
  if (total <= 0n) return null;
  let customers = 0;
  let value = 0n;
  let index = 0;
  // As long as 80 % are missing the values are above zero: all that are, bring the total at least.
  for (; 5n * (value + classes[index]!.value) < 4n * total; index += 1) {
    customers += classes[index]!.customers;
    value += classes[index]!.value;
  }
  const missing = 4n * total - 5n * value;
  const each = 5n * BigInt(classes[index]!.greatest);
  return { customers: customers + Number((missing + each - 1n) / each), index };
}

/** A point of the Lorenz curve. */
export interface LorenzPoint {
  readonly share_of_customers: number;
  readonly share_of_value: number;
}

/**
 * Gini coefficient of max(value, 0), `2 Σ i·x_i / (n Σ x) − (n + 1)/n` with the values ascending: exact between the classes, and within a class halfway
 * between the least and the most that its bounds and its mean allow. Null if nobody has a value above zero. The classes descend.
 */
export function giniOf(classes: readonly ValueClass[]): number | null {
  const customers = customersOf(classes);
  const total = Number(totalOf(classes, true));
  if (total === 0) return null;
  let below = customers;
  let concentrated = 0;
  let within = 0;
  for (const one of classes) {
    below -= one.customers;
    // The mean rank of the class is below + (customers + 1) / 2.
    concentrated += (positive(one) / total) * (2 * below + one.customers + 1);
    within += (bendOf(one) / total) * one.customers;
  }
  return (concentrated - (customers + 1) + within / 2) / customers;
}

/**
 * The Lorenz curve of max(value, 0), the least valuable customers first, straight between two customers; empty if nobody has a value above zero. A
 * point within a class lies halfway between the least and the most that its bounds and its mean allow.
 */
export function lorenzOf(classes: readonly ValueClass[]): LorenzPoint[] {
  const total = Number(totalOf(classes, true));
  return lorenzPlaces(classes).map(({ step, index, part, below }) => {
    const one = classes[index]!;
    const worth = below + part * positive(one) - sagOf(one, part) / 2;
    return { share_of_customers: step / LORENZ_STEPS, share_of_value: worth / total };
  });
}

/** Where the points of the Lorenz curve fall: in which class, after which part of its customers, and what all below the class are worth. */
function lorenzPlaces(classes: readonly ValueClass[]) {
  if (totalOf(classes, true) === 0n) return [];
  const customers = customersOf(classes);
  let [before, below] = [0, 0];
  let index = classes.length - 1;
  return Array.from({ length: LORENZ_STEPS + 1 }, (_, step) => {
    const wanted = (customers * step) / LORENZ_STEPS;
    for (; before + classes[index]!.customers < wanted; index -= 1) {
      before += classes[index]!.customers;
      below += positive(classes[index]!);
    }
    return { step, index, part: (wanted - before) / classes[index]!.customers, below };
  });
}

function positive({ value }: ValueClass): number {
  return value > 0n ? Number(value) : 0;
}

/**
 * Indices of the classes whose customers must be read one value at a time, ascending: those in which a segment or the 80 % end, and those so crowded that
 * the shape of the curve could be off by more than `MOST_ERROR`.
 */
export function classesToRead(classes: readonly ValueClass[]): number[] {
  const customers = customersOf(classes);
  if (customers === 0) return [];
  const wanted = new Set(lastRanks(customers).map((rank) => rankIn(classes, rank).index));
  const eighty = eightyPercent(classes);
  if (eighty !== null) wanted.add(eighty.index);
  const total = Number(totalOf(classes, true));
  for (const { index, part } of lorenzPlaces(classes))
    if (sagOf(classes[index]!, part) / 2 / total > MOST_ERROR) wanted.add(index);
  for (const index of crowded(classes, customers, total)) wanted.add(index);
  return [...wanted].filter((index) => classes[index]!.least !== classes[index]!.greatest).sort((a, b) => a - b);
}

/** The classes that must be known for the Gini coefficient, so few as possible. */
function crowded(classes: readonly ValueClass[], customers: number, total: number): number[] {
  const errors = classes.flatMap((one, index) => {
    const bend = bendOf(one);
    return bend > 0 ? [{ index, error: ((bend / total) * one.customers) / customers / 2 }] : [];
  });
  let left = errors.reduce((sum, { error }) => sum + error, 0);
  if (left <= MOST_ERROR) return [];
  errors.sort((a, b) => b.error - a.error);
  return errors.flatMap(({ index, error }) => {
    const dear = left > MOST_ERROR;
    if (dear) left -= error;
    return dear ? [index] : [];
  });
}

/**
 * How far the curve of a class may leave the straight line, in minor units: n customers with mean m between a and b bend it most if they all have a or
 * b, by n·(m − a)(b − m)/(b − a). 0 for values that are not above zero.
 */
function bendOf({ least, greatest, customers, value }: ValueClass): number {
  if (least === greatest || value <= 0n) return 0;
  const mean = Number(value) / customers;
  return (customers * (mean - least) * (greatest - mean)) / (greatest - least);
}

/** The same after a part of the customers. */
function sagOf({ least, greatest, customers, value }: ValueClass, part: number): number {
  if (least === greatest || value <= 0n) return 0;
  const mean = Number(value) / customers;
  return customers * Math.min(part * (mean - least), (1 - part) * (greatest - mean));
}

/** The classes with some of them, all of one bucket each, replaced by what was read of them. */
export function refine(classes: readonly ValueClass[], read: ReadonlyMap<number, readonly ValueClass[]>): ValueClass[] {
  return classes.flatMap((one, index) => read.get(index) ?? [one]);
}
