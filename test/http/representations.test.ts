import t from 'tap';
import { testService } from '../support/service.ts';
import { Shop } from './shop.ts';

const MOVES = '/v1/reports/stage-moves?from=2026-06-01&to=2026-06-16';
const CSV = { accept: 'text/csv' };

t.test('a report is answered as CSV, with the names and values of its JSON', async (t) => {
  const shop = await Shop.open(t);
  await shop.buys('ana', '2026-06-01', '2026-06-10');
  const { status, headers, text } = await shop.get(MOVES, CSV);
  t.equal(status, 200);
  t.match(headers['content-type'], /^text\/csv; charset=utf-8$/);
  t.equal(
    text,
    [
      'from_stage,from_activity,to_stage,to_activity,customers',
      ',,first_time_buyer,active,1',
      'first_time_buyer,active,early_repeat_buyer,active,1',
      '',
    ].join('\r\n'),
  );
  const balance = (await shop.get(`${MOVES}&table=balance`, CSV)).text;
  t.equal(balance.split('\r\n')[0], 'stage,opening,entered,left,closing');
  t.match(balance, /\r\nfirst_time_buyer,0,1,1,0\r\n/);
});

t.test('quotes, commas and line breaks of a name survive in CSV', async (t) => {
  const { csvOf } = await import('../../src/http/representations.ts');
  const rows = [{ name: 'a "b", c\nd', none: null, yes: true, no: false, amount: '-1.50', some: [1, 'x'] }];
  t.equal(
    csvOf(['name', 'none', 'yes', 'no', 'amount', 'some'], rows),
    'name,none,yes,no,amount,some\r\n"a ""b"", c\nd",,true,false,-1.50,"[1,""x""]"\r\n',
  );
  t.equal(csvOf(['name', 'none'], []), 'name,none\r\n', 'an empty report still names its columns');
});

t.test('the caller chooses the form: preferences count, what is not offered is refused', async (t) => {
  const shop = await Shop.open(t);
  const typeFor = async (accept: string): Promise<string> => {
    const { status, headers } = await shop.get(MOVES, { accept });
    return `${status} ${String(headers['content-type']).split(';')[0]}`;
  };
  t.equal(await typeFor('*/*'), '200 application/json');
  t.equal(await typeFor('text/csv;q=0.5, application/json'), '200 application/json');
  t.equal(await typeFor('text/csv, application/json;q=0.5'), '200 text/csv');
  t.equal(await typeFor('text/*'), '200 text/csv');
  t.equal(await typeFor('application/pdf'), '406 application/problem+json');
  t.match((await shop.get(MOVES, { accept: 'image/png' })).body, { code: 'not_acceptable', status: 406 });
});

t.test('table belongs to CSV, and names a table of the report', async (t) => {
  const shop = await Shop.open(t);
  const json = await shop.get(`${MOVES}&table=balance`);
  t.match(json, { status: 400, body: { errors: [{ parameter: 'table', code: 'not_allowed' }] } });
  t.match(await shop.get(`${MOVES}&table=nothing`, CSV), { status: 400, body: { errors: [{ parameter: 'table' }] } });
});

t.test('an answer that has not changed is not sent again', async (t) => {
  const service = await testService(t);
  const shop = new Shop(service);
  await shop.buys('ana', '2026-06-01');
  for (const path of [MOVES, '/v1/reports/stage-population', '/v1/definitions', '/v1/definitions/stage-moves']) {
    const first = await shop.get(path);
    const tag = String(first.headers.etag);
    t.match(tag, /^W\/"[^"]+"$/, path);
    t.equal(first.headers['cache-control'], 'private, no-cache');
    for (const known of [tag, tag.slice(2), `"other", ${tag}`, '*']) {
      const again = await shop.get(path, { 'if-none-match': known });
      t.equal(again.status, 304, known);
      t.equal(again.text, '');
      t.equal(again.headers.etag, tag);
    }
    t.equal((await shop.get(path, { 'if-none-match': 'W/"other"' })).status, 200);
  }
  const before = String((await shop.get(MOVES)).headers.etag);
  const csv = String((await shop.get(MOVES, CSV)).headers.etag);
  t.not(csv, before, 'each form has a tag of its own');
  await shop.buys('ben', '2026-06-02');
  const changed = await shop.get(MOVES, { 'if-none-match': before });
  t.equal(changed.status, 200, 'what has changed is sent');
  t.not(changed.headers.etag, before);
  t.equal((await shop.get('/v1/reports/stage-moves?from=x', { 'if-none-match': '*' })).status, 400);
});

t.test('over a socket a 304 has no body and leaves the connection usable', async (t) => {
  const service = await testService(t);
  const url = await service.listen();
  const first = await fetch(`${url}/v1/reports/stage-population`);
  const etag = first.headers.get('etag')!;
  await first.text();
  const again = await fetch(`${url}/v1/reports/stage-population`, {
    headers: { 'if-none-match': etag, 'cache-control': '' },
  });
  t.equal(again.status, 304);
  t.equal(await again.text(), '');
  t.equal((await fetch(`${url}/v1/reports/stage-population`)).status, 200);
});
