import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pino } from 'pino';
import t from 'tap';
import { openapiText } from '../../src/commands/openapi.ts';
import { PROBLEMS } from '../../src/problems.ts';
import { ApiDocument, DOCUMENT_FILE, documentText } from './document.ts';

const REDOCLY = fileURLToPath(new URL('../../node_modules/.bin/redocly', import.meta.url));
const api = new ApiDocument();

t.test('the committed document is the one the routes generate', async (t) => {
  const generated = await openapiText(pino({ level: 'silent' }), 4_194_304);
  t.ok(generated === documentText(), 'npm run openapi writes it anew');
});

t.test('redocly finds nothing to complain about', async (t) => {
  const quiet = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const { stdout } = await promisify(execFile)(process.execPath, [REDOCLY, 'lint', '--format=json', DOCUMENT_FILE], {
    env: quiet,
  });
  const { totals, problems } = JSON.parse(stdout) as { totals: object; problems: object[] };
  t.strictSame({ totals, problems }, { totals: { errors: 0, warnings: 0, ignored: 0 }, problems: [] });
});

t.test('the document says OpenAPI 3.1, and no path, id or summary is given twice', async (t) => {
  t.match(api.document.openapi, /^3\.1\./);
  t.ok(api.operations.length >= 29);
  for (const key of ['operationId', 'summary'] as const) {
    const given = api.operations.map((operation) => operation[key]);
    t.equal(new Set(given).size, given.length, `every ${key} is given once`);
  }
});

for (const operation of api.operations) {
  t.test(`${operation.method} ${operation.path} is described completely`, async (t) => {
    t.match(operation.operationId, /^[a-z][A-Za-z]+$/);
    t.match(operation.summary, /^[A-Z].{9,}/);
    t.equal(operation.tags.length, 1);
    const scope = operation['x-scope'];
    t.ok(['read', 'write', 'admin', 'none'].includes(scope), 'a scope');
    t.strictSame(operation.security, scope === 'none' ? [] : [{ key: [] }], 'a key, unless the scope is none');
    for (const parameter of operation.parameters ?? [])
      t.match(parameter.description, /.{8,}/, `${parameter.name} is described`);
    const named = [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const inPath = (operation.parameters ?? [])
      .filter((parameter) => parameter.in === 'path')
      .map((parameter) => parameter.name);
    t.strictSame(inPath, named, 'the parameters of the path');
  });

  t.test(`${operation.method} ${operation.path} documents what it refuses`, async (t) => {
    const statuses = Object.keys(operation.responses).map(Number);
    const expected = [400, 431, 500, 503];
    if (operation['x-scope'] !== 'none') expected.push(401, 403);
    if (operation.path.includes('{')) expected.push(414);
    if (operation.requestBody !== undefined) expected.push(408, 413, 415);
    t.strictSame(
      expected.filter((status) => !statuses.includes(status)),
      [],
      'nothing is missing',
    );
    t.ok(
      statuses.some((status) => status < 300),
      'and what it gives',
    );
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      if (Number(status) < 400) continue;
      t.strictSame(Object.keys(content ?? {}), ['application/problem+json'], `${status} is a problem`);
      const codes = [...description.matchAll(/`(\w+)`/g)].map((match) => match[1] as keyof typeof PROBLEMS);
      t.ok(
        codes.length > 0 && codes.every((code) => PROBLEMS[code].status === Number(status)),
        `${status} names its codes`,
      );
    }
  });

  t.test(`the examples of ${operation.method} ${operation.path} fit their schemas`, async (t) => {
    const bodies = Object.values(operation.requestBody?.content ?? {});
    const answers = Object.entries(operation.responses).flatMap(([status, { content }]) =>
      Object.values(content ?? {}).map((media) => ({ status, media })),
    );
    const given = [
      ...bodies.map((media) => ({ what: 'the body', media })),
      ...answers.map(({ status, media }) => ({ what: `the answer ${status}`, media })),
      ...(operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'path' && parameter.example !== undefined)
        .map((parameter) => ({ what: `the parameter ${parameter.name}`, media: parameter })),
    ];
    for (const { what, media } of given) {
      const examples = api.examplesOf(media);
      t.ok(examples.length > 0, `${what} has an example`);
      for (const example of examples) t.equal(api.faults(media.schema, example), '', `that of ${what} fits`);
    }
    t.ok(
      given.some(({ what }) => !/answer [45]/.test(what)),
      'one example at least shows how it is used',
    );
  });
}

t.test('money, days and counts are described with their unit or form', async (t) => {
  const bare: string[] = [];
  const visit = (value: unknown, place: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const { properties } = value as {
      properties?: Record<string, { description?: string; type?: unknown; pattern?: string; $ref?: string }>;
    };
    for (const [name, field] of Object.entries(properties ?? {})) {
      const numeric = field.type === 'integer' || field.type === 'number' || field.pattern !== undefined;
      if (numeric && field.description === undefined && !/^(status|index|version|model_version)$/.test(name))
        bare.push(`${place}.${name}`);
    }
    for (const [key, child] of Object.entries(value)) visit(child, `${place}/${key}`);
  };
  visit(api.document.components.schemas, '');
  t.strictSame(bare, []);
});
