import { readFileSync } from 'node:fs';
import t from 'tap';
import { demoShop } from '../../src/commands/demo-shop.ts';
import { dayOf } from '../../src/domain/calendar.ts';
import { checkModel } from '../../src/domain/check-model.ts';
import { ACTIVITIES, FEATURES, type Model } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { build } from '../../src/ingest/build.ts';
import { codeOf, type Section, sectionsOf, type Table, tablesOf } from '../support/markdown.ts';
import { type TestService, testService } from '../support/service.ts';

// Whatever docs/models.md quotes of the worked models is asked again, of the shop that it names.

t.setTimeout(120_000);
const DOCS = new URL('../../docs/', import.meta.url);
const NAMES = ['grocery', 'fashion', 'wholesale', 'bank', 'subscription'];
const AS_OF = '2026-06-30';
const guide = readFileSync(new URL('models.md', DOCS), 'utf8');
const documents = NAMES.map((name) => JSON.parse(readFileSync(new URL(`models/${name}.json`, DOCS), 'utf8')) as Model);
const chapter = (title: string): string => sectionsOf(guide, 2).find((one) => one.title === title)!.text;
const cookbook = chapter('Five worked models');
const recipes: readonly Section[] = sectionsOf(cookbook, 3);

/** An answer, whatever its shape. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
type Body = any;
interface Row {
  readonly [field: string]: string | number;
}

/** A shop of `npm run demo -- 3000 2026-07-01`, stored in few requests. */
async function stocked(): Promise<TestService> {
  const clock = () => Date.UTC(2026, 6, 1, 12);
  const service = await testService(t, { models: [BUILT_IN_MODELS.lifecycle], clock, exact_read_max_age_seconds: 60 });
  const told: Record<string, unknown[]> = { customers: [], purchases: [], refunds: [], interactions: [] };
  for (const { route, items } of demoShop({ seed: 7, customers: 3_000, today: dayOf(2026, 7, 1) }))
    told[route]!.push(...items);
  for (const [route, items] of Object.entries(told)) {
    for (let first = 0; first < items.length; first += 1_000) {
      const part = items.slice(first, first + 1_000);
      const { body } = await service.call('POST', `/v1/${route}`, { items: part });
      if (body.summary?.created !== part.length) throw new Error(`not stored: ${JSON.stringify(body).slice(0, 300)}`);
    }
  }
  return service;
}

const service = await stocked();

async function get(path: string): Promise<Body> {
  const { status, body, text } = await service.call('GET', path);
  if (status !== 200) throw new Error(`${path}: ${text}`);
  return body;
}

async function preview(model: Model): Promise<Body> {
  const body = { model, as_of: AS_OF, compare_with: 'lifecycle' };
  return (await service.call('POST', '/v1/models/preview', body)).body;
}

/** A number as the text writes it: a dash is nobody. */
const shown = (count: number): string => (count === 0 ? '–' : count.toLocaleString('en-US'));

/** The first table with this first cell. */
function tableOf(section: string, cell: string): Table {
  const found = tablesOf(section).find(({ head }) => head[0] === cell);
  if (found === undefined) throw new Error(`no table begins with ${cell}`);
  return found;
}

/** The rows of a stage table that an answer gives, a stage each. */
function stageRows(model: Model, items: readonly Row[]): string[][] {
  return model.stages.map(({ stage }) => [
    stage,
    ...ACTIVITIES.map((activity) =>
      shown(Number(items.find((row) => row.stage === stage && row.activity === activity)?.customers ?? 0)),
    ),
  ]);
}

/** True if the value is somewhere within, under this key. */
function holds(within: unknown, key: string, value: string): boolean {
  if (typeof within !== 'object' || within === null) return false;
  return Object.entries(within).some(
    ([name, part]) => (name === key && JSON.stringify(part) === value) || holds(part, key, value),
  );
}

t.test('every document is a model that can be published, and together they use every feature', async (t) => {
  for (const [index, document] of documents.entries()) {
    t.equal(document.model_id, NAMES[index]);
    t.equal(checkModel(document, 2), document, JSON.stringify(checkModel(document, 2)).slice(0, 300));
  }
  for (const feature of FEATURES) t.ok(holds(documents, 'feature', JSON.stringify(feature)), feature);
  for (const shape of ['all', 'any', 'not', 'stage_reached', 'activity', 'within_days', 'off_ladder'])
    t.match(JSON.stringify(documents), `"${shape}"`);
});

t.test('there is a recipe for each, and the rules that it quotes are those of the document', async (t) => {
  t.strictSame(
    recipes.map(({ title }) => /\(`(\w+)`\)$/.exec(title)?.[1]),
    NAMES,
  );
  for (const [index, recipe] of recipes.entries()) {
    const quoted = codeOf(recipe.text, 'json').map((code) => JSON.parse(`{${code}}`) as object);
    t.equal(quoted.length, 1, recipe.title);
    for (const [key, value] of quoted.flatMap(Object.entries))
      t.ok(holds(documents[index], key, JSON.stringify(value)), `${key} of ${recipe.title}`);
    for (const { stage } of documents[index]!.stages)
      t.match(recipe.text.split('```')[0], stage, 'it names all stages');
  }
});

t.test('counts, moves and changes are those of the preview', async (t) => {
  for (const [index, { text }] of recipes.entries()) {
    const answer = await preview(documents[index]!);
    t.strictSame(tableOf(text, 'stage').rows, stageRows(documents[index]!, answer.counts), NAMES[index]!);
    const rows = tableOf(text, 'in lifecycle').rows;
    t.strictSame(rows.at(-1), ['all who change', '', shown(answer.changed.customers)], NAMES[index]!);
    const moves = (answer.moves as Row[]).map((move) => [
      `${move.from_stage}, ${move.from_activity}`,
      `${move.to_stage}, ${move.to_activity}`,
      shown(Number(move.customers)),
    ]);
    for (const row of rows.slice(0, -1))
      t.strictSame(
        moves.find(([from, to]) => from === row[0] && to === row[1]),
        row,
      );
  }
});

t.test('what the business reads are figures of the tables or of the document', async (t) => {
  for (const [index, { text }] of recipes.entries()) {
    const known = new Set(tablesOf(text).flatMap(({ rows }) => rows.flat()));
    for (const [number] of JSON.stringify(documents[index]).matchAll(/\d+/g)) known.add(number);
    const reading = /^\*\*Read by the business\.\*\*.*?\n\n/ms.exec(`${text}\n\n`)?.[0] ?? '';
    const numbers = [...reading.matchAll(/\d[\d,]*/g)].map(([number]) => number);
    t.ok(numbers.length >= 2, `${NAMES[index]}: ${numbers}`);
    // 90 days of silence are still active in lifecycle.
    for (const number of numbers) t.ok(known.has(number) || number === '90', `${NAMES[index]}: ${number}`);
  }
});

t.test('published and built, each has the counts of its preview in stage-population', async (t) => {
  for (const document of documents) {
    const path = `/v1/models/${document.model_id}`;
    t.match(await service.call('PUT', path, document, { 'if-none-match': '*' }), {
      status: 202,
      headers: { etag: '"1"' },
    });
  }
  t.ok(await build(service.source.current()!));
  await service.source.renew(service.source.current()!);
  for (const document of documents) {
    const { items } = await get(`/v1/reports/stage-population?model=${document.model_id}&as_of=${AS_OF}`);
    const { counts } = await preview(document);
    t.strictSame(stageRows(document, items), stageRows(document, counts), document.model_id);
  }
});

t.test('the figures behind the thresholds are those of calibration and value-segments', async (t) => {
  const fraction = (share: number): string => share.toFixed(3);
  const calibrate = (model: string, more: string) => get(`/v1/models/${model}/calibration?${more}`);
  const judged = tableOf(cookbook, 'model').rows;
  t.strictSame(
    judged.map(([model]) => model),
    ['lifecycle', ...NAMES],
  );
  for (const row of judged) {
    const { candidates, recommendation } = await calibrate(row[0]!, `at=${row[1]}&horizon_days=${row[2]}`);
    const at180 = candidates.find((one: Row) => one.source === 'fixed' && one.lapsed_after_days === 180);
    const { false_lapse, caught, balanced_accuracy } = candidates[0];
    const shares = [false_lapse, caught, balanced_accuracy, at180.balanced_accuracy].map(({ share }) =>
      fraction(share),
    );
    t.strictSame(row.slice(3), [...shares, String(recommendation.keeps_present)], row[0]!);
  }
  const { gaps, repeat, buyers, returners, silent, recommendation } = await calibrate('lifecycle', 'at=2025-12-31');
  const percentiles = tableOf(cookbook, 'percentile of the gaps');
  t.strictSame(
    percentiles.head.slice(1),
    gaps.map((one: Row) => String(one.percentile)),
  );
  t.strictSame(
    percentiles.rows[0]!.slice(1),
    gaps.map((one: Row) => String(one.days)),
  );
  const goingOn = tableOf(cookbook, 'after the n-th purchase day').rows[0]!.slice(1);
  t.strictSame(
    goingOn,
    repeat.slice(0, 4).map((one: { share: number }) => fraction(one.share)),
  );
  const told = chapter('From draft to published').replaceAll('\n ', ' ');
  t.match(told, `"buyers":${buyers},"returners":${returners},"silent":${silent}`);
  t.match(told, recommendation.reason);
  for (const row of tableOf(cookbook, 'value').rows) {
    const { items } = await get(`/v1/reports/value-segments?period=2025&value=${row[0]}`);
    t.strictSame(row.slice(1), [String(items[0].customers), fraction(items[0].share), items[0].threshold]);
  }
});
