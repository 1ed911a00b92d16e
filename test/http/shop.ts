import type { Test } from 'tap';
import { type Answer, type TestService, type TestServiceOptions, testService } from '../support/service.ts';

/** Today, by the clock of the tests. */
export const TODAY = '2026-06-15';

/** A service, spoken to in short words. Its clock says noon of 2026-06-15, UTC. */
export class Shop {
  readonly service: TestService;
  private made = 0;

  constructor(service: TestService) {
    this.service = service;
  }

  static async open(t: Test, options: TestServiceOptions = {}): Promise<Shop> {
    return new Shop(await testService(t, options));
  }

  /** Another service on the same database. */
  async again(t: Test, options: TestServiceOptions): Promise<Shop> {
    return await Shop.open(t, { ...options, connection: this.service.connection });
  }
  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return await this.service.call('GET', path, undefined, headers);
  }
  async send(method: string, path: string, body?: unknown): Promise<Answer> {
    return await this.service.call(method, path, body);
  }
  /** Posts items and gives their statuses, joined by spaces. */
  async post(kind: string, ...items: object[]): Promise<string> {
    const { body } = await this.service.call('POST', `/v1/${kind}`, { items });
    return (body.items as { status: string }[]).map((item) => item.status).join(' ');
  }
  /** A customer's purchases on these days, ten euros each. */
  async buys(customer_id: string, ...days: string[]): Promise<string> {
    return await this.post(
      'purchases',
      ...days.map((purchased_at) => ({ customer_id, purchase_id: `p${++this.made}`, purchased_at, amount: '10' })),
    );
  }
  /** An interaction of a customer. */
  async tells(customer_id: string, kind: string, occurred_at: string, more: object = {}): Promise<string> {
    return await this.post('interactions', {
      customer_id,
      interaction_id: `i${++this.made}`,
      kind,
      occurred_at,
      ...more,
    });
  }
  /** The stage answer of one model. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  async stage(customer_id: string, model: string, more = '', headers: Record<string, string> = {}): Promise<any> {
    return (await this.get(`/v1/customers/${customer_id}/stages?model=${model}${more}`, headers)).body.items[0];
  }
  /** Stage and activity in every model: `lifecycle prospect none, …`. */
  async stands(customer_id: string, as_of = TODAY): Promise<Record<string, string>> {
    const { body } = await this.get(`/v1/customers/${customer_id}/stages?as_of=${as_of}`);
    return Object.fromEntries(
      (body.items as Record<string, string>[]).map(({ model, stage, activity }) => [model, `${stage} ${activity}`]),
    );
  }
}

/** A valid purchase, changed. */
export const bought = (more: object = {}) => ({
  customer_id: 'ana',
  purchase_id: 'p',
  purchased_at: '2026-01-05T10:00:00Z',
  amount: '10.00',
  ...more,
});
/** A valid refund of it, changed. */
export const refunded = (more: object = {}) => ({
  customer_id: 'ana',
  refund_id: 'r',
  purchase_id: 'p',
  refunded_at: '2026-01-09',
  amount: '4',
  ...more,
});
