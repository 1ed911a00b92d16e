import type { IncomingMessage } from 'node:http';
import { Server, Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { answerClientError } from './errors.ts';

/** Readiness is refused for so long before connections are, and nothing else changes meanwhile: whoever balances load stops sending it here. */
const NOTICE_MS = 1_000;
/** Idle connections are kept for so long after the listener has closed: closed earlier, more of them would be closed at the moment a client uses one. */
const IDLE_MS = 2_000;
/** Uploads that have not arrived so long after the listener has closed are given up. */
const UPLOAD_MS = 12_000;
const POLL_MS = 20;

/** The connections of an app, and how they end. */
export interface Connections {
  /** True from the moment the service is told to stop. */
  stopping(): boolean;
  /**
   * Ends them so that no request that arrived is dropped: refuses readiness, then new connections, and from then on every answer ends its
   * connection; lets go of idle ones, at last of stalled uploads. Requests that are still worked on then are not waited for here.
   */
  end(): Promise<void>;
}

/** A request that is being received or answered. */
interface Running {
  readonly raw: IncomingMessage;
  /** When it has to have arrived (`performance.now`). */
  readonly due_at: number;
}

/** Keeps book of an app's connections from now on. A request that has not arrived within `request_timeout_ms` is given up, but for uploads. */
export function trackConnections(app: FastifyInstance, request_timeout_ms: number): Connections {
  /** The request on each, or null. */
  const open = new Map<Socket, Running | null>();
  const watch = setInterval(() => {
    const now = performance.now();
    for (const [socket, running] of open)
      if (running !== null && !running.raw.complete && running.due_at < now) giveUp(socket);
  }, request_timeout_ms / 10);
  watch.unref();
  app.addHook('onClose', async () => clearInterval(watch));
  let stopping = false;
  let closing = false;
  const keep = (socket: Socket): void => {
    open.set(socket, null);
    socket.once('close', () => open.delete(socket));
  };
  app.server.on('connection', keep);
  app.addHook('onRequest', async ({ raw, routeOptions }, reply) => {
    const { socket } = raw;
    // Injected requests have no real socket; those of a second address (localhost is two) are seen here first.
    if (!(socket instanceof Socket)) return;
    if (!open.has(socket)) keep(socket);
    const due_at = routeOptions.config.upload ? Number.POSITIVE_INFINITY : performance.now() + request_timeout_ms;
    open.set(socket, { raw, due_at });
    reply.raw.once('close', () => {
      // Of pipelined requests the last one counts.
      if (open.get(socket)?.raw === raw) open.set(socket, null);
    });
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  const drained = async (within_ms: number): Promise<void> => {
    const givenUpAt = performance.now() + within_ms;
    while (open.size > 0 && performance.now() < givenUpAt) await delay(POLL_MS);
  };
  return {
    stopping: () => stopping,
    async end() {
      stopping = true;
      await delay(NOTICE_MS);
      // Connections that wait to be accepted when the listener closes are reset by the kernel: this comes right after accepting.
      await nextTurn();
      // That of http.Server would also close idle connections, at once.
      Server.prototype.close.call(app.server);
      closing = true;
      await drained(IDLE_MS);
      for (const [socket, running] of open) if (running === null) socket.destroy();
      await drained(UPLOAD_MS - IDLE_MS);
      for (const [socket, running] of open) if (running?.raw.complete === false) giveUp(socket);
    },
  };
}

/** Says that the request came too late, and lets go whether or not that is read. */
function giveUp(socket: Socket): void {
  answerClientError(Object.assign(new Error('the upload stalled'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  socket.destroySoon();
}
