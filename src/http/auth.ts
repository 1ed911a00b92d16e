import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problems.ts';
import type { KeyRing, Scope } from './keys.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope a key needs; `none` for what needs no key. Every route declares one. */
    scope?: Scope | 'none';
  }
  interface FastifyRequest {
    /** Name of the key the request came with, for the log. */
    keyName: string | null;
  }
}

/** Checks every request's key against the scope its route declares. A route that declares none fails the build. */
export function requireKeys(app: FastifyInstance, keys: KeyRing): void {
  app.decorateRequest('keyName', null);
  app.addHook('onRoute', (route) => {
    // The pages that show the document declare nothing themselves; they hold no data.
    if (route.url.startsWith('/docs')) route.config = { ...route.config, scope: 'none' };
    if (route.config?.scope === undefined)
      throw new Error(`the route ${String(route.method)} ${route.url} declares no scope`);
  });
  app.addHook('onRequest', async (request) => {
    const scope = request.routeOptions.config.scope;
    // Without a route there is nothing to protect: the answer is 404.
    if (scope === undefined || scope === 'none' || !keys.configured) return;
    const key = await keys.find(tokenOf(request));
    if (key === undefined) throw new Problem('unauthorized');
    request.keyName = key.name;
    if (!key.scopes.includes(scope)) {
      throw new Problem('forbidden', { detail: `This operation needs a key with the scope ${scope}.` });
    }
  });
}

function tokenOf(request: FastifyRequest): string {
  const match = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '');
  if (match === null) throw new Problem('unauthorized');
  return match[1]!;
}
