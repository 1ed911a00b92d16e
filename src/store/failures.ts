/** What a failed statement means for the caller. */
export type Failure =
  /** The database is away, starting, or out of connections; whether a COMMIT got through is not known. */
  | 'unavailable'
  /** Two transactions met; the loser may simply run again. */
  | 'serialization'
  /** The statement took too long and was stopped. */
  | 'timeout'
  /** Anything else: a fault of ours. */
  | 'unexpected';

const SERIALIZATION = new Set(['40P01' /* deadlock_detected */, '40001' /* serialization_failure */]);
const TIMEOUT = new Set(['57014' /* query_canceled */, '55P03' /* lock_not_available */]);
const UNAVAILABLE = new Set([
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '25P03', // idle_in_transaction_session_timeout: it did not hear us in time
  '53300', // too_many_connections
  '25006', // read_only_sql_transaction: a replica
  '3D000', // invalid_catalog_name: not created yet
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT', // the socket is gone
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const LOST = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  'Client was closed',
  'Cannot use a pool after calling end',
  'server conn crashed',
];

/** Sorts an error of the database driver. SQLSTATE class 08 and lost sockets are `unavailable`. */
export function classifyFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return 'unexpected';
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') {
    if (SERIALIZATION.has(code)) return 'serialization';
    if (TIMEOUT.has(code)) return 'timeout';
    if (UNAVAILABLE.has(code) || /^08...$/.test(code)) return 'unavailable';
  }
  if (LOST.some((text) => error.message.includes(text))) return 'unavailable';
  // A failed migration names its file, and carries the driver's error.
  return classifyFailure(error.cause);
}
