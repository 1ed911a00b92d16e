import t from 'tap';
import { brokenBy } from '../../src/ingest/storing-thread.ts';
import { ImportMovedError } from '../../src/store/imports.ts';

t.test('what broke off says whether it is tried again, and with smaller transactions', async (t) => {
  const failed = (code: string): Error => Object.assign(new Error('broken'), { code });
  t.strictSame(brokenBy(failed('ERR_WORKER_OUT_OF_MEMORY')), {
    failure: 'too_large',
    reason: 'ERR_WORKER_OUT_OF_MEMORY',
  });
  t.strictSame(brokenBy(failed('57014')), { failure: 'timeout', reason: '57014' });
  t.strictSame(brokenBy(failed('ECONNREFUSED')), { failure: 'unavailable', reason: 'ECONNREFUSED' });
  t.strictSame(brokenBy(new ImportMovedError()), { failure: 'moved', reason: 'ImportMovedError' });
  t.strictSame(brokenBy(new RangeError('odd')), { failure: 'unexpected', reason: 'RangeError' });
});
