import type { Socket } from 'node:net';
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import type { StoreLog } from './log.ts';
import type { Tables } from './tables.ts';

/** The service's database handle. */
export type Database = Kysely<Tables>;
/** A running transaction. What locks or writes takes one, so that it cannot be called outside. */
export type Trx = Transaction<Tables>;

/** What a single statement of a transaction needs. */
export type Statements = Pick<Trx, 'getExecutor' | 'isTransaction'>;
/** A transaction inside `pipelined`: statements are sent at once. */
export interface Pipeline extends Statements {
  readonly pipelined: true;
}

/** How the pool behaves. */
export interface PoolOptions {
  readonly connection: Readonly<pg.PoolConfig>;
  /** Connections at most. */
  readonly max: number;
  /** How long a request waits for a connection. */
  readonly connect_timeout_ms: number;
  /**
   * A connection in use on which nothing moves for so long is given up: the network has lost it, and nobody said so. Longer than any statement may
   * take; absent, it is waited for however long.
   */
  readonly silence_ms?: number;
}

/** A pool and Kysely over it. */
export interface Connected {
  readonly pool: pg.Pool;
  readonly db: Database;
}

const INT8 = 20;

/**
 * Opens no connection yet. Integers of 8 bytes come as bigint. No startup parameters and no named statements, so a transaction pooler may stand
 * between. Statements are sent without waiting for earlier ones (`pipelined`). Lost connections, idle or checked out, are logged and replaced.
 */
export function connect({ connection, max, connect_timeout_ms, silence_ms }: PoolOptions, log: StoreLog): Connected {
  const types = {
    getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
      oid === INT8 ? BigInt : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
  };
  const pool = new pg.Pool({
    ...connection,
    max,
    types,
    connectionTimeoutMillis: connect_timeout_ms,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: undefined,
  } as pg.PoolConfig);
  const lost = (error: Error): void =>
    log.warn({ code: (error as { code?: string }).code ?? error.name }, 'a database connection was lost');
  pool.on('error', lost);
  // Without a listener of its own, a checked-out client that loses its connection between two queries would end the process.
  pool.on('connect', (client) => client.on('error', lost));
  pool.on('connect', askByCallback);
  if (silence_ms !== undefined) giveUpSilent(pool, silence_ms);
  return { pool, db: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }) };
}

/**
 * Sends statements in pg's pipeline mode, and waits for a result by a callback of its own. The one pg makes where none is given refers to the query it
 * answers, and with it every row read outlives two or three minor collections until a full one comes: each then takes 5 to 15 ms where 0.3 ms would do
 * (pg 8.23.1, Node 24).
 */
function askByCallback(client: pg.PoolClient): void {
  const submit = client.query.bind(client) as (...given: unknown[]) => unknown;
  const ask = (text: unknown, values: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      submit(text, values, (error: Error | null, result: unknown) => (error ? reject(error) : resolve(result)));
    });
  client.query = ((text: unknown, ...rest: unknown[]) => {
    // COPY and cursors are objects, and must have the connection to themselves: pg refuses them in its pipeline mode.
    (client as { pipeline?: boolean }).pipeline = typeof text === 'string';
    return typeof text === 'string' && typeof rest.at(-1) !== 'function' ? ask(text, rest[0]) : submit(text, ...rest);
  }) as typeof client.query;
}

/** The server stops statements that take too long (`limitStatements`); this is for when it is no longer heard at all. */
function giveUpSilent(pool: pg.Pool, silence_ms: number): void {
  const socketOf = (client: pg.PoolClient): Socket =>
    (client as unknown as { connection: { stream: Socket } }).connection.stream;
  pool.on('connect', (client) => {
    const socket = socketOf(client);
    socket.on('timeout', () =>
      socket.destroy(Object.assign(new Error('Connection terminated: the server is silent'), { code: 'ETIMEDOUT' })),
    );
  });
  pool.on('acquire', (client) => socketOf(client).setTimeout(silence_ms));
  pool.on('release', (_error, client) => socketOf(client).setTimeout(0));
}

/**
 * Sends statements of a transaction one behind the other, none waiting for the answer to the one before: the server runs them in this order while the next ones
 * are still being written. `send` begins all of them before it waits for any (`Promise.all`): one begun later could fall behind the end of the transaction. If one
 * fails, its error is thrown, and the server skips those after it.
 */
export async function pipelined<Result>(trx: Trx, send: (trx: Pipeline) => Promise<Result>): Promise<Result> {
  const executor = trx.getExecutor();
  return await executor.provideConnection(async (connection) => {
    // That of the transaction hands its connection out to one statement after the other.
    const atOnce = executor.withConnectionProvider({ provideConnection: (use) => use(connection) });
    return await send({ isTransaction: true, pipelined: true, getExecutor: () => atOnce });
  });
}

/**
 * Lends one connection, as a handle and as the driver's own client, on which COPY runs: also within a transaction of the handle, while no statement of it is under
 * way. After an error the connection is given up, for it may be in the middle of a COPY.
 */
export async function onConnection<Result>(
  pool: pg.Pool,
  use: (db: Database, client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  const lent = { query: client.query.bind(client), release: () => undefined };
  const dialect = new PostgresDialect({ pool: { connect: async () => lent, end: async () => undefined } as never });
  try {
    const result = await use(new Kysely<Tables>({ dialect }), client);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** Runs reads in one snapshot that nothing written meanwhile changes. */
export async function inSnapshot<Result>(
  db: Database,
  timeout_ms: number,
  read: (trx: Trx) => Promise<Result>,
): Promise<Result> {
  return await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      await limitStatements(trx, timeout_ms);
      return await read(trx);
    });
}

/** A snapshot that is read bit by bit. */
export interface OpenSnapshot {
  readonly trx: Trx;
  /** Ends the transaction; whoever opened it must call it. Never rejects. */
  end(): Promise<void>;
}

/**
 * As `inSnapshot`, for reads at the pace of somebody else. Both limits hold: a statement, and a pause between two of them, may each take so long.
 */
export async function openSnapshot(db: Database, timeout_ms: number): Promise<OpenSnapshot> {
  const trx = await db.startTransaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute();
  const end = async (): Promise<void> => {
    if (trx.isRolledBack) return;
    await trx
      .rollback()
      .execute()
      .catch(() => undefined);
  };
  try {
    await limitStatements(trx, timeout_ms);
  } catch (error) {
    await end();
    throw error;
  }
  return { trx, end };
}

/**
 * Ends any statement of the transaction that takes longer; the server stops it, not only the wait for it. It also ends the transaction, with all
 * its locks, if it hears nothing for so long: the process may have been cut off. With `lock_wait_ms`, a wait for a lock ends sooner, until `liftLockLimit`.
 */
export async function limitStatements(trx: Statements, timeout_ms: number, lock_wait_ms?: number): Promise<void> {
  const limit = String(Math.trunc(timeout_ms));
  const locks = lock_wait_ms === undefined ? sql`` : sql`, set_config('lock_timeout', ${String(lock_wait_ms)}, true)`;
  await sql`
    select set_config('statement_timeout', ${limit}, true), set_config('idle_in_transaction_session_timeout', ${limit}, true)${locks}`.execute(
    trx,
  );
}

/** From here on, the transaction waits for locks as long as a statement may take. */
export async function liftLockLimit(trx: Trx): Promise<void> {
  await sql`set local lock_timeout to default`.execute(trx);
}
