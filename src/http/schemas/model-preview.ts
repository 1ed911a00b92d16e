import { Type } from '@sinclair/typebox';
import { activity, count, day, maybeFraction, nullable, stage } from '../../reports/fields.ts';

const bound = (which: string) =>
  nullable(count(`${which} bound of customers, 95 %.`), {
    description: `${which} bound of the 95 % interval of \`customers\`, rounded outwards; null if everybody was counted.`,
  });
const headcount = {
  customers: count('Number of customers; from a sample the estimate, rounded.'),
  lower: bound('Lower'),
  upper: bound('Upper'),
};
const shared = {
  customers: headcount.customers,
  share: maybeFraction('Of all customers known at the end of as_of; null if none was read.'),
  lower: headcount.lower,
  upper: headcount.upper,
};

/** What a draft of a model would make of the stored customers. */
export const modelPreviewAnswer = Type.Object({
  model: Type.String({ description: 'model_id of the draft.' }),
  compared_with: Type.Object(
    { model: Type.String(), model_version: Type.Integer({ minimum: 1, description: 'Its version as published.' }) },
    { description: 'The active model that `moves` and `changed` start from.' },
  ),
  as_of: day('End of this day.'),
  projected: Type.Boolean({
    description: 'True if as_of is after today: only what is scheduled is known of those days.',
  }),
  basis: Type.Ref('PopulationBasis'),
  counts: Type.Array(
    Type.Object({ stage: stage('Stage of the draft.'), activity: activity('Activity by the draft.'), ...shared }),
    { description: 'Every stage of the draft with each activity its rule allows, zeros too.' },
  ),
  changed: Type.Object(shared, {
    description: 'Customers whose stage or activity would have another name than in the model compared with.',
  }),
  moves: Type.Array(
    Type.Object({
      from_stage: stage('Where they stand in the model compared with.'),
      from_activity: activity('Their activity there.'),
      to_stage: stage('Where the draft would put them.'),
      to_activity: activity('Their activity by the draft.'),
      ...headcount,
    }),
    { description: 'From where to where, those who stay included; pairs in which nobody is have no row.' },
  ),
});
