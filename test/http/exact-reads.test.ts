import t from 'tap';
import { MOST_EXACT_READS, rememberExactReads } from '../../src/http/exact-reads.ts';
import { testService } from '../support/service.ts';

const SECOND = 1_000_000;

/** A memory whose clock is set by hand, and a count of what was really read. */
function memory(max_age_seconds: number) {
  const clock = { at: 1_000 * SECOND };
  const exact = rememberExactReads({ now: () => clock.at, max_age_seconds });
  const read: string[] = [];
  const ask = (...key: (string | number | boolean)[]) =>
    exact(key, async () => {
      read.push(key.join());
      return `${key.join()}#${read.length}`;
    });
  return { clock, exact, read, ask };
}

t.test('what was read is given again until it is too old, with the instant it was read', async (t) => {
  const { clock, read, ask } = memory(60);
  const first = { found: 'a#1', computed_at: 1_000 * SECOND };
  t.strictSame(await ask('a'), first);
  clock.at += 60 * SECOND - 1;
  t.strictSame(await ask('a'), first);
  clock.at += 1;
  t.strictSame(await ask('a'), { found: 'a#2', computed_at: 1_060 * SECOND });
  t.strictSame(await ask('a'), { found: 'a#2', computed_at: 1_060 * SECOND });
  t.equal(read.length, 2);
});

t.test('a clock that was set back makes nothing younger', async (t) => {
  const { clock, ask } = memory(60);
  await ask('a');
  clock.at -= 1;
  t.strictSame(await ask('a'), { found: 'a#2', computed_at: 1_000 * SECOND - 1 });
});

t.test('every part of the key counts, its kind too', async (t) => {
  const { read, ask } = memory(60);
  const keys = [['a'], ['a', 1], ['a', '1'], ['a', true], ['a,1'], ['b'], ['a', 2], ['a', 1, 0]];
  for (const key of [...keys, ...keys]) await ask(...key);
  t.equal(read.length, keys.length);
});

t.test('with an age of nothing, nothing is remembered or shared', async (t) => {
  const { read, ask } = memory(0);
  await Promise.all([ask('a'), ask('a')]);
  await ask('a');
  t.equal(read.length, 3);
});

t.test('those who ask at once share one read', async (t) => {
  const { read, ask } = memory(60);
  const answers = await Promise.all([ask('a'), ask('a'), ask('b'), ask('a')]);
  t.strictSame(
    answers.map(({ found }) => found),
    ['a#1', 'a#1', 'b#2', 'a#1'],
  );
  t.equal(read.length, 2);
});

t.test('a read that fails is forgotten, and who waited for it reads by itself', async (t) => {
  const { exact, ask } = memory(60);
  const failing = exact(['a'], () => Promise.reject(new Error('the connection is gone')));
  const waiting = ask('a');
  await t.rejects(failing, { message: 'the connection is gone' });
  t.match(await waiting, { found: 'a#1' });
  t.match(await ask('a'), { found: 'a#1' });
});

t.test('only so many are kept: the one read longest ago goes first', async (t) => {
  const { clock, read, ask } = memory(60);
  for (let key = 0; key < MOST_EXACT_READS; key += 1) await ask(key);
  clock.at += 61 * SECOND;
  await ask(0);
  await ask('more');
  t.equal(read.length, MOST_EXACT_READS + 2);
  clock.at -= 61 * SECOND;
  await ask(2);
  t.equal(read.length, MOST_EXACT_READS + 2, 'the third is still there');
  await ask(1);
  t.equal(read.length, MOST_EXACT_READS + 3, 'the second made room, for the first was read anew');
});

t.test('an answer says when it was read, and is whole; what needs no exact read is of the moment', async (t) => {
  const clock = { at: Date.parse('2025-06-15T12:00:00Z') };
  const service = await testService(t, { clock: () => clock.at, exact_read_max_age_seconds: 60 });
  const buy = async (customer_id: string) => {
    const item = { customer_id, purchase_id: 'p', purchased_at: '2025-06-01', amount: '10' };
    t.equal((await service.call('POST', '/v1/purchases', { items: [item] })).status, 200);
  };
  const segments = async (query = '') => (await service.call('GET', `/v1/reports/value-segments${query}`)).body;
  await buy('a');
  const first = await segments();
  t.match(first, {
    customers: 1,
    computed_at: '2025-06-15T12:00:00Z',
    items: [{ customers: 1, profile: { customers: 1 } }],
  });
  await buy('b');
  clock.at += 59_999;
  const second = await segments();
  t.strictSame(second, first, 'segments and profiles are as old as they say');
  t.match(
    await segments('?profile=false'),
    { customers: 2, total: '20.00', computed_at: null },
    'what comes from the roll-up is of now',
  );
  t.match(
    await segments('?value=profit'),
    { computed_at: '2025-06-15T12:00:59.999Z' },
    'another question is another read',
  );
  t.match(await segments('?model=journey'), { computed_at: '2025-06-15T12:00:59.999Z' });
  t.match(await segments('?period=2025'), { customers: 2, computed_at: '2025-06-15T12:00:59.999Z' });
  clock.at += 1;
  t.match(await segments(), { customers: 2, computed_at: '2025-06-15T12:01:00Z' });
  const crosswalk = async () => (await service.call('GET', '/v1/reports/model-crosswalk?other=journey')).body;
  t.match(await crosswalk(), { computed_at: '2025-06-15T12:01:00Z', items: [{ customers: 2 }] });
  await buy('c');
  t.match(await crosswalk(), { computed_at: '2025-06-15T12:01:00Z', items: [{ customers: 2 }] });
  const other = await testService(t, { clock: () => clock.at, exact_read_max_age_seconds: 60 });
  t.match(
    (await other.call('GET', '/v1/reports/model-crosswalk?other=journey')).body,
    { items: [] },
    'another database, another memory',
  );
});

t.test('on the next day nothing of the day before is given again', async (t) => {
  const clock = { at: Date.parse('2025-06-15T23:59:50Z') };
  const service = await testService(t, { clock: () => clock.at, exact_read_max_age_seconds: 60 });
  const segments = async () => (await service.call('GET', '/v1/reports/value-segments')).body;
  const before = await segments();
  clock.at += 11_000;
  t.match(await segments(), { as_of: '2025-06-16', computed_at: '2025-06-16T00:00:01Z' });
  t.match(before, { as_of: '2025-06-15' });
});
