import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import ts from 'typescript';

// Reads every file of src with TypeScript's own parser, and holds it against the plan of the house: which room may use which, and what
// the pure rooms may not touch.

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SRC = join(ROOT, 'src');
/** Rooms from the innermost outwards: each may use those before it, never one after it. */
const ROOMS = ['domain', 'reports', 'store', 'ingest', 'http', 'app', 'top'] as const;
type Room = (typeof ROOMS)[number];
/** Files beside the rooms that use nothing of ours, with the first room that may use them. */
const LEAVES: Readonly<Record<string, Room>> = { 'problems.ts': 'ingest', 'version.ts': 'app', 'config.ts': 'top' };
/** Files and folders of the outermost room. */
const TOP = ['main.ts', 'service.ts', 'commands'];
const FORBIDDEN_NAMES = /^(utils?|helpers?|common|services|types|misc|shared)(\.ts)?$/;
const MAX_LINES = 300;
const USUAL_LINES = 200;

/** A source file, parsed. */
interface Source {
  /** Path from src, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

function read(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

const PATHS = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/'));
const SOURCES = PATHS.filter((path) => path.endsWith('.ts')).map((path) =>
  read(path, readFileSync(join(SRC, path), 'utf8')),
);

function roomOf(path: string): Room | undefined {
  const [first = ''] = path.split('/');
  if (TOP.includes(first)) return 'top';
  if (first === 'app.ts') return 'app';
  return path.includes('/') ? ROOMS.find((room) => room === first) : undefined;
}

/** Every node of a tree. */
function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  for (const child of node.getChildren()) yield* nodesOf(child);
}

/** What a file imports or exports from, types included; `import()` and `require` too. */
function importsOf({ tree }: Source): string[] {
  const found: string[] = [];
  for (const node of nodesOf(tree)) {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined) found.push((node.moduleSpecifier as ts.StringLiteral).text);
    } else if (ts.isImportTypeNode(node)) {
      found.push(node.argument.getText().slice(1, -1));
    } else if (ts.isCallExpression(node)) {
      const called = node.expression.getText();
      if (called === 'import' || called === 'require') found.push(node.arguments[0]?.getText().slice(1, -1) ?? '');
    }
  }
  return found;
}

/** Path from src of a relative import, null of a package. */
function target(source: Source, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return relative(SRC, join(SRC, dirname(source.path), specifier)).replaceAll('\\', '/');
}

/** Imports of a file that go against the plan. */
function wrongArrows(source: Source): string[] {
  const from = LEAVES[source.path] === undefined ? roomOf(source.path) : undefined;
  return importsOf(source).flatMap((specifier) => {
    const to = target(source, specifier);
    if (to === null || to.endsWith('.json')) return [];
    const arrow = `${source.path} uses ${to}`;
    if (from === undefined) return [arrow];
    const outermost = LEAVES[to] ?? roomOf(to);
    if (outermost === undefined) return [arrow];
    return ROOMS.indexOf(outermost) > ROOMS.indexOf(from) ? [arrow] : [];
  });
}

/** What a file of the core may not hold. */
function impurities(source: Source): string[] {
  const found: string[] = [];
  for (const specifier of importsOf(source)) if (!specifier.startsWith('.')) found.push(`imports ${specifier}`);
  for (const node of nodesOf(source.tree)) {
    const text = node.getText();
    if (ts.isPropertyAccessExpression(node)) {
      if (['Date.now', 'Math.random', 'performance.now'].includes(text)) found.push(text);
    } else if (
      ts.isNewExpression(node) &&
      node.expression.getText() === 'Date' &&
      (node.arguments?.length ?? 0) === 0
    ) {
      found.push('new Date()');
    } else if (ts.isCallExpression(node) && node.expression.getText() === 'Date') {
      found.push('Date()');
    } else if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) {
      found.push('async');
    } else if (
      ts.isIdentifier(node) &&
      ['Promise', 'process', 'globalThis', 'crypto', 'fetch', 'setTimeout'].includes(text)
    ) {
      found.push(text);
    }
  }
  return found.map((what) => `${source.path}: ${what}`);
}

/** Exports of a file without a docstring. A type that bears the name of a value is what the value's docstring says. */
function silentExports({ path, tree }: Source): string[] {
  const exported = tree.statements.filter(
    (node) =>
      ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword),
  );
  const values = new Set(
    exported
      .flatMap((node) => (ts.isVariableStatement(node) ? node.declarationList.declarations : []))
      .map(({ name }) => name.getText()),
  );
  const silent = exported.filter((node) => {
    if (ts.isTypeAliasDeclaration(node) && values.has(node.name.text)) return false;
    return !ts.getJSDocCommentsAndTags(node).some(({ comment }) => String(comment ?? '').length > 0);
  });
  const elsewhere = tree.statements.filter((node) => ts.isExportDeclaration(node) || ts.isExportAssignment(node));
  return [...silent, ...elsewhere].map((node) => `${path}: ${node.getText().split('\n')[0]}`);
}

/** A cycle of imports, types included, as the files on it; null without one. */
function cycleIn(sources: readonly Source[]): string | null {
  const uses = new Map(
    sources.map((source) => [source.path, importsOf(source).map((specifier) => target(source, specifier))]),
  );
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path].join(' → ');
    if (done.has(path)) return null;
    for (const next of uses.get(path) ?? []) {
      const cycle = next === null ? null : visit(next, [...trail, path]);
      if (cycle !== null) return cycle;
    }
    done.add(path);
    return null;
  };
  for (const { path } of sources) {
    const cycle = visit(path, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

/** Uses of the environment in a file. */
function environmentUses({ path, tree }: Source): string[] {
  const uses = [...nodesOf(tree)].filter((node) => {
    if (ts.isPropertyAccessExpression(node)) return node.name.text === 'env' && node.expression.getText() === 'process';
    return ts.isImportDeclaration(node) && /^(node:)?process$/.test((node.moduleSpecifier as ts.StringLiteral).text);
  });
  return uses.map((node) => `${path}: ${node.getText()}`);
}

t.test('every file has its room', async (t) => {
  const homeless = SOURCES.filter(({ path }) => LEAVES[path] === undefined && roomOf(path) === undefined);
  t.strictSame(
    homeless.map(({ path }) => path),
    [],
  );
  t.ok(SOURCES.length > 60, `${SOURCES.length} files were read`);
  for (const room of ROOMS)
    t.ok(
      SOURCES.some(({ path }) => roomOf(path) === room),
      room,
    );
});

t.test('domain ← reports ← store ← ingest ← http ← app ← main, and never backwards', async (t) => {
  t.strictSame(SOURCES.flatMap(wrongArrows), []);
});

t.test('every import names a file that exists', async (t) => {
  const missing = SOURCES.flatMap((source) =>
    importsOf(source).filter((specifier) => {
      const to = target(source, specifier);
      return to !== null && !existsSync(join(SRC, to));
    }),
  );
  t.strictSame(missing, []);
});

t.test('no file uses itself by way of others', async (t) => {
  t.equal(cycleIn(SOURCES), null);
});

t.test('the core is pure: no package, no clock, no chance, no waiting', async (t) => {
  t.strictSame(SOURCES.filter(({ path }) => roomOf(path) === 'domain').flatMap(impurities), []);
});

t.test('reports ask no clock and no chance either', async (t) => {
  const reports = SOURCES.filter(({ path }) => roomOf(path) === 'reports').flatMap(impurities);
  const allowed = /: (async|Promise|imports (@sinclair\/typebox|kysely))$/;
  t.strictSame(
    reports.filter((found) => !allowed.test(found)),
    [],
  );
});

t.test('only config.ts reads the environment', async (t) => {
  const uses = SOURCES.flatMap(environmentUses);
  t.strictSame(
    uses.filter((use) => !use.startsWith('config.ts: ')),
    [],
  );
  t.equal(uses.length, 1, 'and it does so in one place');
});

t.test('only main.ts acts when it is imported', async (t) => {
  const acting = SOURCES.flatMap(({ path, tree }) =>
    tree.statements.some((statement) => !isDeclaration(statement)) ? [path] : [],
  );
  t.strictSame(acting, ['main.ts']);
});

function isDeclaration(statement: ts.Statement): boolean {
  return (
    ts.isImportDeclaration(statement) ||
    ts.isVariableStatement(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isModuleDeclaration(statement)
  );
}

t.test('no folder or file is a drawer for everything', async (t) => {
  const names = PATHS.filter((path) => path.split('/').some((name) => FORBIDDEN_NAMES.test(name)));
  t.strictSame(names, []);
});

t.test('every export says what it means', async (t) => {
  t.strictSame(SOURCES.flatMap(silentExports), []);
});

t.test('no file is longer than 300 lines', async (t) => {
  const lengths = SOURCES.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
  t.strictSame(
    lengths.filter(({ lines }) => lines > MAX_LINES),
    [],
  );
  const long = lengths.filter(({ lines }) => lines > USUAL_LINES).map(({ path, lines }) => `${path} ${lines}`);
  t.comment(`longer than ${USUAL_LINES} lines: ${long.join(', ') || 'none'}`);
});

t.test('the rules see what they forbid', async (t) => {
  const wrong = (path: string, ...lines: readonly string[]): Source => read(path, lines.join('\n'));
  const arrows = (path: string, specifier: string): number =>
    wrongArrows(wrong(path, `import type { X } from '${specifier}';`)).length;
  t.equal(arrows('domain/a.ts', '../reports/b.ts'), 1);
  t.equal(arrows('reports/a.ts', '../domain/b.ts'), 0);
  t.equal(arrows('ingest/a.ts', '../http/b.ts'), 1);
  t.equal(arrows('http/routes/a.ts', '../../store/b.ts'), 0);
  t.equal(arrows('http/a.ts', '../app.ts'), 1);
  t.equal(arrows('http/a.ts', '../config.ts'), 1);
  t.equal(arrows('store/a.ts', '../problems.ts'), 1);
  t.equal(arrows('problems.ts', './domain/b.ts'), 1);
  t.equal(arrows('app.ts', './service.ts'), 1);
  t.equal(arrows('commands/a.ts', '../service.ts'), 0);
  t.equal(arrows('domain/a.ts', './nowhere/../../elsewhere/b.ts'), 1);
  for (const line of [
    "import { readFile } from 'node:fs';",
    "const x = await import('kysely');",
    'const now = Date.now();',
    'const now = new Date();',
    'const now = new Date;',
    'const dice = Math.random();',
    'async function f() {}',
    'const f = async () => 1;',
    'const home = process.env.HOME;',
  ]) {
    t.not(impurities(wrong('domain/a.ts', line)).length, 0, line);
  }
  const pure = [
    '// Date.now() and new Date() in a comment',
    "const text = 'Math.random()';",
    'const day = new Date(0);',
  ];
  t.strictSame(impurities(wrong('domain/a.ts', ...pure)), []);
  t.equal(environmentUses(wrong('http/a.ts', 'const { HOME } = process.env;')).length, 1);
  t.equal(environmentUses(wrong('http/a.ts', "import { env } from 'node:process';")).length, 1);
  const exports = [
    '/** Says. */',
    'export const a = 1;',
    'export const b = 2;',
    'export function c() {}',
    '/** */',
    'export type D = 1;',
  ];
  t.equal(silentExports(wrong('domain/a.ts', ...exports)).length, 3);
  t.equal(
    silentExports(wrong('domain/a.ts', "export * from './b.ts';")).length,
    1,
    'a re-export hides where a thing is',
  );
  const circle = ['a', 'b', 'c'].map((name, index, all) =>
    wrong(`domain/${name}.ts`, `import '../domain/${all[(index + 1) % 3]}.ts';`),
  );
  t.equal(cycleIn(circle), 'domain/a.ts → domain/b.ts → domain/c.ts → domain/a.ts');
  t.equal(cycleIn(circle.slice(0, 2)), null);
  t.match('utils', FORBIDDEN_NAMES);
  t.notMatch('forecast', FORBIDDEN_NAMES);
});
