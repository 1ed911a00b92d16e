import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

const DESCRIPTION = `Counts every customer's lifecycle stage, for any day: where every customer stands and why, how many stand on each stage, how they move.

Send customers, purchases, refunds and interactions; every answer is up to date when the request that stored them is answered. Days are calendar days of the deployment's reporting time zone, money is decimal strings in its one currency. Errors are problem+json (RFC 9457).`;

/** Collects the OpenAPI document from the routes that are registered after it, and shows it. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Escalera',
        version,
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'This service.' }],
      tags: [
        { name: 'ingest', description: 'Store what customers do.' },
        { name: 'classify', description: 'Classify histories without storing them.' },
        { name: 'customers', description: 'Single customers: where they stand and why.' },
        { name: 'models', description: 'Lifecycle models.' },
        { name: 'reports', description: 'Counts and sums over all customers, for any day.' },
        { name: 'operations', description: 'For whoever runs the service.' },
      ],
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description:
              'A key with the scope that the operation names as x-scope. Without configured keys, none is needed.',
          },
        },
      },
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `schema-${index}`) },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    logLevel: 'silent',
    indexPrefix: '',
    uiConfig: { docExpansion: 'list', deepLinking: true, layout: 'BaseLayout' },
    theme: { title: 'Escalera' },
  });
  app.get('/openapi.json', { config: { scope: 'none' }, schema: { hide: true } as object }, async () => app.swagger());
}
