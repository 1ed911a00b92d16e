/**
 * The groups one batch needs. Names that are not registered yet get a negative number until the batch is decided; then `resolve` gives the ids that
 * the registry has given them.
 */
export class GroupBook {
  private readonly ids: ReadonlyMap<string, number>;
  private room: number;
  private readonly added: string[] = [];

  constructor(ids: ReadonlyMap<string, number>, room: number) {
    this.ids = ids;
    this.room = room;
  }

  /** Numbers of the groups, sorted; null if the deployment cannot have so many. */
  claim(names: readonly string[]): number[] | null {
    const fresh = names.filter((name) => !this.ids.has(name) && !this.added.includes(name));
    if (fresh.length > this.room) return null;
    this.room -= fresh.length;
    this.added.push(...fresh);
    return names.map((name) => this.ids.get(name) ?? -1 - this.added.indexOf(name)).sort((a, b) => a - b);
  }

  /** Names to be registered. */
  get newNames(): readonly string[] {
    return this.added;
  }

  /** The ids, sorted, of numbers that `claim` gave, once the new names are registered. */
  resolve(numbers: readonly number[], registered: ReadonlyMap<string, number>): number[] {
    const id = (number: number): number => (number >= 0 ? number : registered.get(this.added[-1 - number]!)!);
    return numbers.map(id).sort((a, b) => a - b);
  }
}
