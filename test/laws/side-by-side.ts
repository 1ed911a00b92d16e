import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { build, isBuilding } from '../../src/ingest/build.ts';
import { removeRetired } from '../../src/ingest/switch-models.ts';
import { verify } from '../../src/ingest/verify.ts';
import { formatDay, parseDay } from '../oracle/calendar.ts';
import type { ModelDocument } from '../oracle/model-document.ts';
import { Oracle } from '../oracle/oracle.ts';
import type { Rng, Step } from '../oracle/random.ts';
import { type Answer, type TestService, testService } from '../support/service.ts';

/** The built-in models as the oracle knows them: written down a second time, not taken from the service. */
export const BUILT_IN: readonly ModelDocument[] = (
  JSON.parse(readFileSync(new URL('../oracle/models.json', import.meta.url), 'utf8')) as { models: ModelDocument[] }
).models;

export type PostStep = Extract<Step, { kind: 'post' }>;
type PutStep = Extract<Step, { kind: 'put' }>;
type DeleteStep = Extract<Step, { kind: 'delete' }>;
type Item = Readonly<Record<string, unknown>> & { readonly customer_id: string };

/** A deployment to compare. Its clock stands at noon UTC, which is the same day in every zone west of +12:00. */
export interface Shop {
  readonly startDay: string;
  readonly timeZone: string;
  readonly currency: string;
  readonly decimals: number;
  /** Models beside the built-in ones. */
  readonly models: readonly ModelDocument[];
  /** What the service starts with instead of `models`, which are published later; the oracle knows those from the start. */
  readonly models_at_start?: readonly ModelDocument[];
}

export const PLAIN_SHOP: Shop = { startDay: '2024-03-01', timeZone: 'UTC', currency: 'EUR', decimals: 2, models: [] };

const ITEM_ID = { purchases: 'purchase_id', refunds: 'refund_id', interactions: 'interaction_id' } as const;

/** The service answered something else than the oracle. */
export class Mismatch extends Error {
  readonly actual: unknown;
  readonly expected: unknown;

  constructor(what: string, actual: unknown, expected: unknown) {
    super(what);
    this.name = 'Mismatch';
    this.actual = actual;
    this.expected = expected;
  }
}

/** Throws a `Mismatch` unless both are deeply equal. */
export function requireSame(what: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) throw new Mismatch(what, actual, expected);
}

/** The service and the oracle side by side under one clock: everything is sent to both, and the outcomes are compared. */
export class SideBySide {
  readonly service: TestService;
  readonly shop: Shop;
  readonly models: readonly ModelDocument[];
  /** The models that are asked about: all, unless some do not answer yet. */
  asked: readonly ModelDocument[];
  oracle: Oracle;
  readonly #clock: { day: number };

  private constructor(service: TestService, shop: Shop, clock: { day: number }) {
    this.service = service;
    this.shop = shop;
    this.models = [...BUILT_IN, ...shop.models];
    this.asked = shop.models_at_start === undefined ? this.models : BUILT_IN;
    this.#clock = clock;
    this.oracle = this.#newOracle();
  }

  /** Runs a service with the built-in models and those of the shop; it ends with the test. */
  static async start(t: Parameters<typeof testService>[0], shop: Shop = PLAIN_SHOP): Promise<SideBySide> {
    const clock = { day: parseDay(shop.startDay) };
    const service = await testService(t, {
      clock: () => (clock.day * 24 + 12) * 3_600_000,
      time_zone: shop.timeZone,
      currency: shop.currency,
      currency_decimals: shop.decimals,
      models: [...Object.values(BUILT_IN_MODELS), ...((shop.models_at_start ?? shop.models) as readonly Model[])],
    });
    return new SideBySide(service, shop, clock);
  }

  /** Empties the store but for settings and models, and begins again on the first day with an oracle that knows nothing. */
  async startAnew(): Promise<void> {
    const { db } = this.service;
    const { rows } = await sql<{ name: string }>`
      select tablename as name from pg_tables where schemaname = current_schema()
        and tablename not in ('versions', 'models', 'fold_layouts', 'projections') and tablename not like 'kysely%'`.execute(
      db,
    );
    await sql`truncate ${sql.join(rows.map(({ name }) => sql.table(name)))}`.execute(db);
    this.#clock.day = parseDay(this.shop.startDay);
    this.oracle = this.#newOracle();
  }

  /** The day of the clock, as a day number. */
  get today(): number {
    return this.#clock.day;
  }

  /** Publishes the models that the service did not start with; nothing is built yet. */
  async publish(): Promise<void> {
    for (const model of this.shop.models) {
      const path = `/v1/models/${model.model_id}`;
      const known = (await this.service.call('GET', path)).status === 200;
      const { status, body } = await this.service.call('PUT', path, model, known ? { 'if-match': '*' } : {});
      requireSame(`PUT of ${model.model_id} is answered ${JSON.stringify(body.errors)}`, status, 202);
    }
  }

  /** Builds what was published: so many customers of it, or all and then removes what was there before and asks about what is there now. */
  async build(customers?: number): Promise<void> {
    const { service } = this;
    const engine = await service.source.renew(service.engine);
    if (customers !== undefined && !isBuilding(engine)) return;
    if (customers !== undefined) {
      let looked = 0;
      const signal = {
        get aborted(): boolean {
          looked += 1;
          return looked > 1;
        },
      };
      await build(engine, { chunk: customers, lanes: 1, signal });
      return;
    }
    if (isBuilding(engine)) await build(engine);
    await removeRetired(await service.source.renew(engine));
    this.asked = this.models;
  }

  get modelIds(): string[] {
    return this.asked.map((model) => model.model_id);
  }

  async apply(step: Step): Promise<void> {
    if (step.kind === 'advance_clock') this.#clock.day += step.days;
    else if (step.kind === 'post') await this.post([step]);
    else if (step.kind === 'put') await this.#put(step);
    else if (step.kind === 'delete') await this.#delete(step);
    else if (step.kind === 'merge') await this.#merge(step.customer_id, step.into);
    else await this.#erase(step.customer_id);
  }

  /**
   * Sends batches to the oracle one after the other, and to the service in the same way, or with an `rng` all at once: shuffled and split over
   * concurrent requests, where only items of one id stay together and in order, since among those the order decides.
   */
  async post(steps: readonly PostStep[], rng?: Rng): Promise<void> {
    const expected = steps.map((step) => postToOracle(this.oracle, step));
    const requests = rng === undefined ? wholeRequests(steps) : splitRequests(steps, rng, this.oracle);
    const statuses = steps.map((step) => step.items.map(() => 'not answered'));
    const send = async ({ route, items }: SplitRequest): Promise<void> => {
      const bodies = items.map(({ item }) => item);
      const answer = await this.service.call('POST', `/v1/${route}`, { items: bodies });
      requireSame(`POST /v1/${route} is answered`, answer.status, 200);
      const results = answer.body.items as { index: number; status: string; error: { code: string } | null }[];
      requireSame(
        `POST /v1/${route} answers each item once`,
        results.map(({ index }) => index),
        [...items.keys()],
      );
      for (const [index, { step, place }] of items.entries()) {
        const { status = '', error } = results[index] ?? {};
        statuses[step]![place] =
          status === 'invalid' && error?.code !== 'customer_erased' ? `invalid: ${error?.code}` : status;
      }
    };
    if (rng === undefined) for (const request of requests) await send(request);
    else await Promise.all(requests.map(send));
    requireSame('what became of the items', statuses, expected);
  }

  /** Folds everything anew from the stored events; nothing stored may differ. */
  async verify(): Promise<void> {
    const { differences } = await verify(this.service.engine);
    requireSame('verify finds nothing', differences, []);
  }

  async #put({ route, customer_id, item_id, body }: PutStep): Promise<void> {
    const expected = this.oracle.putItem(route, customer_id, item_id, body);
    const answer = await this.service.call('PUT', itemPath(route, customer_id, item_id), body);
    const code = { created: 201, updated: 200, duplicate: 200, customer_erased: 409 }[expected];
    const said = answer.status === 409 ? answer.body.code : answer.body.status;
    requireSame(`PUT of one of ${route}`, [answer.status, said], [code, expected]);
  }

  async #delete({ route, customer_id, item_id }: DeleteStep): Promise<void> {
    const found = this.oracle.deleteItem(route, customer_id, item_id);
    const answer = await this.service.call('DELETE', itemPath(route, customer_id, item_id));
    requireSame(`DELETE of one of ${route}`, outcomeOf(answer), found ? [204, null] : [404, 'item_not_found']);
  }

  async #erase(customerId: string): Promise<void> {
    const found = this.oracle.eraseCustomer(customerId);
    const answer = await this.service.call('DELETE', `/v1/customers/${encodeURIComponent(customerId)}`);
    requireSame('DELETE of a customer', outcomeOf(answer), found ? [204, null] : [404, 'customer_not_found']);
  }

  async #merge(customerId: string, into: string): Promise<void> {
    const expected = this.oracle.mergeCustomers(customerId, into);
    const path = `/v1/customers/${encodeURIComponent(customerId)}/merge`;
    const { status, body } = await this.service.call('POST', path, { into });
    const code = { merged: 200, customer_not_found: 404, customer_merged: 409, merge_conflict: 409 }[expected];
    requireSame('POST of a merge', [status, body.code ?? 'merged'], [code, expected]);
  }

  #newOracle(): Oracle {
    const { timeZone, decimals } = this.shop;
    return new Oracle({ timeZone, decimals, models: this.models, today: () => formatDay(this.#clock.day) });
  }
}

function itemPath(route: string, customerId: string, itemId: string): string {
  return `/v1/customers/${encodeURIComponent(customerId)}/${route}/${encodeURIComponent(itemId)}`;
}

function outcomeOf({ status, body }: Answer): [number, string | null] {
  return [status, body?.code ?? null];
}

/** Sends a batch to an oracle and says what became of each item. */
export function postToOracle(oracle: Oracle, step: PostStep): string[] {
  switch (step.route) {
    case 'customers':
      return oracle.postCustomers(step.items);
    case 'purchases':
      return oracle.postPurchases(step.items);
    case 'refunds':
      return oracle.postRefunds(step.items);
    case 'interactions':
      return oracle.postInteractions(step.items);
  }
}

/** An item with where it came from: which step, and its place in it. */
interface Sent {
  readonly item: Item;
  readonly step: number;
  readonly place: number;
}

interface SplitRequest {
  readonly route: PostStep['route'];
  readonly items: readonly Sent[];
}

function wholeRequests(steps: readonly PostStep[]): SplitRequest[] {
  return steps.map((step, index) => ({ route: step.route, items: sentItems(step, index) }));
}

function sentItems({ items }: PostStep, step: number): Sent[] {
  return (items as readonly Item[]).map((item, place) => ({ item, step, place }));
}

function splitRequests(steps: readonly PostStep[], rng: Rng, oracle: Oracle): SplitRequest[] {
  const routes = [...new Set(steps.map((step) => step.route))];
  return routes.flatMap((route) => {
    const sent = steps.flatMap((step, index) => (step.route === route ? sentItems(step, index) : []));
    const byId = new Map<string, Sent[]>();
    for (const one of sent) {
      const key = JSON.stringify([
        oracle.survivor(one.item.customer_id),
        route === 'customers' ? null : one.item[ITEM_ID[route]],
      ]);
      byId.set(key, [...(byId.get(key) ?? []), one]);
    }
    const requests = Array.from({ length: rng.between(1, 5) }, (): Sent[] => []);
    for (const together of rng.shuffled([...byId.values()])) rng.pick(requests).push(...together);
    return requests.filter((items) => items.length > 0).map((items) => ({ route, items }));
  });
}
