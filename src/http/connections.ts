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

/** Keeps book of an app's connections from now on. */
export function trackConnections(app: FastifyInstance): Connections {
  /** The request that is being received or answered on each, or null. */
  const open = new Map<Socket, IncomingMessage | null>();
  let stopping = false;
  let closing = false;
  const keep = (socket: Socket): void => {
    open.set(socket, null);
    socket.once('close', () => open.delete(socket));
  };
  app.server.on('connection', keep);
  app.addHook('onRequest', async ({ raw }, reply) => {
    const { socket } = raw;
    // Injected requests have no real socket; those of a second address (localhost is two) are seen here first.
    if (!(socket instanceof Socket)) return;
    if (!open.has(socket)) keep(socket);
    open.set(socket, raw);
    reply.raw.once('close', () => {
      // Of pipelined requests the last one counts.
      if (open.get(socket) === raw) open.set(socket, null);
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
      for (const [socket, request] of open) if (request === null) socket.destroy();
      await drained(UPLOAD_MS - IDLE_MS);
      for (const [socket, request] of open) if (request?.complete === false) giveUp(socket);
    },
  };
}

/** Says that the request came too late, and lets go whether or not that is read. */
function giveUp(socket: Socket): void {
  answerClientError(Object.assign(new Error('the upload stalled'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  socket.destroySoon();
}
