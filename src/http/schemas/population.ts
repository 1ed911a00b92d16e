import { Type } from '@sinclair/typebox';
import { count, nullable } from '../../reports/fields.ts';

/** Whom an answer about the whole population is read from. */
export const PopulationBasisSchema = Type.Object(
  {
    customers: count('Customers known at the end of the day: exact, sampled or not.'),
    sampled: Type.Boolean({ description: 'True if a sample of them was read instead of everybody.' }),
    sample_customers: count('Those of them whose histories were read.'),
    seed: nullable(Type.Integer(), { description: 'Seed of the sample; the same seed gives the same customers.' }),
    confidence: Type.Number({ description: 'Confidence level of every interval of the answer.' }),
    method: Type.String({ description: 'How the customers were chosen and what the bounds are, in words.' }),
  },
  { $id: 'PopulationBasis' },
);
