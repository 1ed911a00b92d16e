import { type Static, Type } from '@sinclair/typebox';
import { sql } from 'kysely';
import { type CompiledModel, type Position, stageOf, UNKNOWN } from '../domain/compile-model.ts';
import { formatInstant } from '../domain/instant.ts';
import { positionIn } from '../domain/standing.ts';
import { count, stage } from './fields.ts';
import { groupParameter, modelParameter } from './parameters.ts';
import { positionToday } from './position-today.ts';
import type { ExactContext, Report } from './report.ts';
import { inGroup } from './value-classes.ts';

const query = Type.Object(
  {
    model: modelParameter,
    other: Type.Optional(
      Type.String({
        pattern: '^[a-z][a-z0-9_]{0,63}$',
        description: 'The other lifecycle model; if absent, the first active one that is not `model`.',
      }),
    ),
    group: groupParameter,
  },
  { additionalProperties: false },
);
type Query = Static<typeof query>;

const row = Type.Object({
  stage: stage('Stage of `model`.'),
  other_stage: stage('Stage of `other`.'),
  customers: count('Customers who stand in both today.'),
});

/** Where the customers of each stage of one model stand in another. */
export const modelCrosswalk: Report<Query, ExactContext> = {
  definition: {
    report: 'model-crosswalk',
    definition_version: 1,
    question: 'In which stages of another model do the customers of each stage stand?',
    formula:
      'customers = number of customers who stand, at the end of today, in the stage of the one model and in the stage of the other. An exact read of every customer, as of computed_at.',
    denominator: 'None: counts.',
    window: 'Today, by all stored events.',
    exclusions: 'Customers known only from tomorrow on. Pairs of stages in which nobody stands have no row.',
    reading: 'Of the core customers of the lifecycle, 41 are promoters on the loyalty ladder.',
  },
  operation_id: 'getModelCrosswalk',
  per_model: true,
  reads: [],
  query,
  row,
  summary: {
    other: Type.String({ description: 'The other lifecycle model.' }),
    other_version: Type.Integer({ minimum: 1 }),
    computed_at: Type.String({
      format: 'date-time',
      description: 'When the customers were counted (UTC): at most 60 seconds ago.',
    }),
  },
  tables: {},
  example: {
    other: 'loyalty_ladder',
    other_version: 1,
    computed_at: '2025-06-30T10:15:00Z',
    items: [{ stage: 'core_customer', other_stage: 'promoter', customers: 41 }],
  },
  async read(context, request) {
    const { model, models } = context;
    const other = models.find(({ compiled }) =>
      request.other === undefined ? compiled.version !== model.version : compiled.model.model_id === request.other,
    );
    if (other === undefined) {
      const names = models.map(({ compiled }) => compiled.model.model_id).join(', ');
      return { parameter: 'other', code: 'unknown_model', detail: `names no other active model; there are ${names}` };
    }
    const key = ['model-crosswalk', model.version, other.compiled.version, context.group_id, context.today];
    const { found, computed_at } = await context.exact(key, () => readPairs(context, other.compiled));
    return {
      as_of: context.today,
      projected: false,
      items: found,
      summary: {
        other: other.compiled.model.model_id,
        other_version: other.published,
        computed_at: formatInstant(computed_at),
      },
    };
  },
};

/** Counts by pairs of stages, in their order. */
async function readPairs(context: ExactContext, other: CompiledModel) {
  const counts = new Map<string, number>();
  const add = (first: Position, second: Position, customers: number): void => {
    if (first === UNKNOWN || second === UNKNOWN) return;
    const pair = `${stageOf(first)} ${stageOf(second)}`;
    counts.set(pair, (counts.get(pair) ?? 0) + customers);
  };
  for (const { one, two, customers } of await readStored(context, other)) add(one, two, customers);
  for (const { stale_one, stale_two, one, two, customers } of await readRipe(context, other)) {
    add(stale_one, stale_two, -customers);
    add(one, two, customers);
  }
  return context.model.model.stages.flatMap(({ stage: name }, first) =>
    other.model.stages.flatMap(({ stage: other_stage }, second) => {
      const customers = counts.get(`${first} ${second}`) ?? 0;
      return customers === 0 ? [] : [{ stage: name, other_stage, customers }];
    }),
  );
}

interface Pair {
  readonly one: Position;
  readonly two: Position;
  readonly customers: number;
}

/** Pairs of the stored positions, from an index that holds them of all models. */
async function readStored({ trx, model, group_id }: ExactContext, other: CompiledModel): Promise<Pair[]> {
  const { rows } = await sql<{ standing: string; customers: number }>`
    select standing, count(*)::float8 as customers from customer_states where true ${inGroup(group_id)} group by 1`.execute(
    trx,
  );
  return rows.map(({ standing, customers }) => ({
    one: positionIn(standing, model.version),
    two: positionIn(standing, other.version),
    customers,
  }));
}

/** Pairs of those whose stored position is over in one of the models: what is stored, and what holds today. */
async function readRipe({ trx, model, group_id, today }: ExactContext, other: CompiledModel) {
  const { rows } = await sql<Pair & { readonly stale_one: Position; readonly stale_two: Position }>`
    select one.position as stale_one, two.position as stale_two, ${positionToday(today, 'one')} as one,
      ${positionToday(today, 'two')} as two, count(*)::float8 as customers
    from customer_states
    join customer_stages as one on one.customer_id = customer_states.customer_id and one.model_version = ${model.version}
    join customer_stages as two on two.customer_id = customer_states.customer_id and two.model_version = ${other.version}
    where next_change <= ${today} ${inGroup(group_id)}
    group by 1, 2, 3, 4`.execute(trx);
  return rows;
}
