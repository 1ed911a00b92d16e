import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Rng } from '../oracle/rng.ts';

/** The part of a tap test that is used here. */
interface Closing {
  teardown(end: () => Promise<void>): void;
}

/** What can go wrong between the service and its database. */
export const FAULTS = [
  /** Every connection is reset. */
  'reset',
  /** Every connection is reset, and so is the next attempt to connect. */
  'refuse',
  /** A connection ends within an answer of the server. */
  'cut_answer',
  /** A connection ends before COMMIT gets through: nothing is stored. */
  'before_commit',
  /** COMMIT gets through and its answer does not: all is stored, and the service cannot know. */
  'after_commit',
  /** The server's side of a connection ends, the service's side stays open. */
  'half_close',
  /** From a COMMIT on, no byte gets through in either direction, and nobody hears that anything ended. */
  'stall',
] as const;
/** One of `FAULTS`. */
export type Fault = (typeof FAULTS)[number];

/** Stands between a service and its database, and does what it is armed with. */
export interface FaultyProxy {
  /** The database as the service reaches it. */
  readonly url: string;
  /** Does it at the next opportunity. */
  arm(fault: Fault): void;
  /** What it is armed with and has not done yet. */
  armed(): Fault | null;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** COMMIT went through: its answer must not. */
  muted: boolean;
  stalled: boolean;
}

/** Starts a proxy on loopback in front of a database on a Unix socket or TCP port; it ends with the test. */
export async function faultyProxy(t: Closing, databaseUrl: string, rng: Rng): Promise<FaultyProxy> {
  const target = new URL(databaseUrl);
  const links = new Set<Link>();
  let armed: Fault | null = null;
  const strike = (fault: Fault): boolean => {
    if (armed !== fault) return false;
    armed = null;
    return true;
  };
  const resetAll = (): void => {
    for (const link of links) end(link);
  };
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    if (strike('refuse')) return void client.resetAndDestroy();
    const link: Link = { client, server: connectTo(target), muted: false, stalled: false };
    links.add(link);
    for (const socket of [link.client, link.server]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        links.delete(link);
        if (!link.stalled) end(link);
      });
    }
    client.on('data', (bytes) => {
      if (link.stalled) return;
      if (bytes.includes('commit')) {
        if (strike('before_commit')) return end(link);
        link.stalled = strike('stall');
        if (link.stalled) return;
        link.muted = strike('after_commit');
      }
      link.server.write(bytes);
    });
    client.on('end', () => link.stalled || link.server.end());
    link.server.on('data', (bytes) => {
      if (link.stalled) return;
      if (link.muted) return end(link);
      if (strike('half_close')) return void client.end();
      if (!strike('cut_answer')) return void (client.writable && client.write(bytes));
      client.end(bytes.subarray(0, rng.between(0, bytes.length - 1)));
      link.server.destroy();
    });
    link.server.on('end', () => link.stalled || client.end());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.teardown(async () => {
    listener.close();
    for (const { client, server } of links) for (const socket of [client, server]) socket.destroy();
  });
  const { port } = listener.address() as AddressInfo;
  return {
    url: `postgresql://${target.username}:${target.password}@127.0.0.1:${port}${target.pathname}`,
    arm(fault) {
      armed = fault;
      if (fault === 'reset') strike(fault);
      if (fault === 'reset' || fault === 'refuse') resetAll();
    },
    armed: () => armed,
  };
}

function end({ client, server }: Link): void {
  client.resetAndDestroy();
  server.destroy();
}

/** `postgresql://…?host=/folder&port=5432` is a Unix socket. */
function connectTo(target: URL): Socket {
  const folder = target.searchParams.get('host');
  if (folder !== null) return connect(`${folder}/.s.PGSQL.${target.searchParams.get('port') ?? 5432}`);
  return connect(Number(target.port || 5432), target.hostname);
}
