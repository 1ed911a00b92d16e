import t from 'tap';
import { Shop, TODAY } from './shop.ts';

interface Linked {
  readonly customers: number;
  readonly customers_link: string | null;
}

async function openShop(test: typeof t): Promise<Shop> {
  const shop = await Shop.open(test);
  await shop.post('customers', { customer_id: 'ana', groups: ['a & b'] }, { customer_id: 'gus', groups: ['a & b'] });
  await shop.buys('ana', '2026-01-01', '2026-02-01', '2026-03-01', '2026-06-01');
  await shop.buys('ben', '2026-03-01');
  await shop.buys('cai', '2025-03-01', '2026-06-01');
  await shop.buys('dan', '2025-01-01');
  return shop;
}

/** Follows every link and says how many customers each row counts, and how many its list holds. */
async function follow(shop: Shop, rows: readonly Linked[]): Promise<string[]> {
  const counts: string[] = [];
  for (const { customers, customers_link } of rows) {
    const { status, body } = await shop.get(`${customers_link}&limit=1000`);
    counts.push(`${customers} counted, ${status === 200 ? body.items.length : status} listed`);
  }
  return counts;
}
const right = (rows: readonly Linked[]): string[] =>
  rows.map(({ customers }) => `${customers} counted, ${customers} listed`);

t.test('the link of a row lists exactly the customers that the row counts', async (t) => {
  const shop = await openShop(t as never);
  for (const query of ['', '?model=loyalty_ladder', '?group=a%20%26%20b']) {
    const { items } = (await shop.get(`/v1/reports/stage-population${query}`)).body;
    t.ok(items.length > 10 && items.some(({ customers }: Linked) => customers > 0));
    t.strictSame(await follow(shop, items), right(items), `stage-population${query}`);
  }
  for (const query of ['', '?value=profit', '?group=a%20%26%20b', '?model=journey']) {
    const { items, stages } = (await shop.get(`/v1/reports/value-segments${query}`)).body;
    t.strictSame(await follow(shop, [...items, ...stages]), right([...items, ...stages]), `value-segments${query}`);
  }
});

t.test('where the customers cannot be listed there is no link', async (t) => {
  const shop = await openShop(t as never);
  const links = async (path: string): Promise<(string | null)[]> =>
    (await shop.get(path)).body.items.map(({ customers_link }: Linked) => customers_link);
  t.ok((await links('/v1/reports/stage-population?as_of=2026-06-14')).every((link) => link === null));
  t.ok((await links('/v1/reports/value-segments?period=2026')).every((link) => link === null));
  const series = await links(`/v1/reports/stage-population?from=2026-06-14&to=2026-06-16&interval=day`);
  t.equal(series.filter((link) => link !== null).length, series.length / 2, `only ${TODAY} has them`);
});
