import { EventEmitter } from 'node:events';
import type { FastifyReply } from 'fastify';
import pg from 'pg';
import t, { type Test } from 'tap';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { type PopulationRead, populationReads } from '../../src/http/population-reads.ts';
import { type LogLine, testService } from '../support/service.ts';

const EVERYBODY = { group_id: 0, sample: null };
const ASKED = { models: [BUILT_IN_MODELS.lifecycle], place: { pointer: '/model' } };
const QUESTION = { model: BUILT_IN_MODELS.lifecycle };

/** The part of a reply that is looked at. */
function replyOf(): FastifyReply & { hijacked: boolean; raw: { destroyed: boolean } } {
  const reply = { raw: Object.assign(new EventEmitter(), { destroyed: false }), hijacked: false, hijack };
  function hijack(this: void) {
    reply.hijacked = true;
    return reply;
  }
  return reply as never;
}

/** A service with so many customers of one purchase each. */
async function crowded(t: Test, customers: number, log_lines?: LogLine[]) {
  const service = await testService(t, log_lines === undefined ? {} : { log_lines });
  const items = Array.from({ length: customers }, (_, index) => {
    return { customer_id: `c-${index}`, purchase_id: 'p', purchased_at: '2026-06-01', amount: '1' };
  });
  for (let start = 0; start < items.length; start += 1_000)
    await service.call('POST', '/v1/purchases', { items: items.slice(start, start + 1_000) });
  return service;
}

t.test('everybody is read page by page, and others are let through in between', async (t) => {
  const { engine } = await crowded(t, 2_100);
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const most: number[] = [];
  let before = 0;
  let visited = 0;
  await populationReads(1).run(engine, { reply: replyOf(), reads: [] }, async (read) => {
    await read.each(EVERYBODY, ASKED, (days) => {
      t.equal(days.length, 1);
      if (turns !== before) most.push(0);
      before = turns;
      most[most.length - 1]! += 1;
      visited += 1;
    });
  });
  over = true;
  t.equal(visited, 2_100);
  t.ok(Math.max(...most) <= 500 && most.length >= 5, `at most 500 between two turns of the loop: ${most.join(' ')}`);
});

t.test('when the caller is gone the reading ends, its place is free and its connection goes back', async (t) => {
  const { engine } = await crowded(t, 1_100);
  const reads = populationReads(1);
  const reply = replyOf();
  let visited = 0;
  const connections = engine.pool.totalCount;
  const outcome = await reads.run(engine, { reply, reads: [] }, async (read) => {
    await read.each(EVERYBODY, ASKED, () => {
      visited += 1;
      reply.raw.destroyed = true;
    });
    return 'answered';
  });
  t.not(outcome, 'answered');
  t.ok(visited <= 500 && reply.hijacked, `${visited} were visited before it was noticed`);
  t.strictSame([engine.pool.idleCount, engine.pool.totalCount], [connections, connections], 'every connection is kept');
  t.equal(await reads.run(engine, { reply: replyOf(), reads: [] }, async () => 'next'), 'next');
});

t.test('beyond as many as possible they are refused as busy, and so is what takes too long', async (t) => {
  const { engine } = await crowded(t, 10);
  const reads = populationReads(1);
  // For the server less than a millisecond is no limit; every answer takes longer.
  const late = { ...engine, statement_timeout_ms: 0.01 };
  const all = async (read: PopulationRead) => await read.each(EVERYBODY, ASKED, () => undefined);
  const first = reads.run(late, { reply: replyOf(), reads: [] }, all);
  await t.rejects(reads.run(engine, { reply: replyOf(), reads: [] }, all), {
    code: 'busy',
    message: /As many previews/,
  });
  await t.rejects(first, { code: 'busy', message: /longer than a statement may/ });
  t.equal(await reads.run(engine, { reply: replyOf(), reads: [] }, async () => 'next'), 'next');
});

t.test('over HTTP: a third one is busy, and those whose callers leave make room', async (t) => {
  const log_lines: LogLine[] = [];
  const service = await crowded(t, 10, log_lines);
  const url = await service.listen();
  const blocker = new pg.Client(service.connection);
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query('lock table customers in access exclusive mode');
  const callers = [new AbortController(), new AbortController()];
  const asked = callers.map(({ signal }) =>
    fetch(`${url}/v1/models/preview`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(QUESTION),
      signal,
    }),
  );
  const waiting = async (): Promise<number> => {
    const { rows } = await blocker.query('select count(*)::int4 as locks from pg_locks where not granted');
    return (rows[0] as { locks: number }).locks;
  };
  while ((await waiting()) < 2);
  const third = await service.call('GET', '/v1/models/lifecycle/calibration');
  t.match([third.status, third.headers['retry-after'], third.body.code], [503, '1', 'busy']);
  for (const caller of callers) caller.abort();
  for (const gone of asked) await t.rejects(gone, { name: 'AbortError' });
  await blocker.query('rollback');
  await blocker.end();
  let status = 503;
  while (status === 503) status = (await service.call('POST', '/v1/models/preview', QUESTION)).status;
  t.equal(status, 200);
  const failed = log_lines.filter(({ msg }) => msg === 'request failed');
  const refused = log_lines.filter((line) => line.msg === 'answered' && line.status === 503);
  t.equal(failed.length, refused.length, 'that a caller has left is no failure');
});
