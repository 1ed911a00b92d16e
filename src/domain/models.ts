import type { Model } from './model.ts';
import journey from './models/journey.json' with { type: 'json' };
import lifecycle from './models/lifecycle.json' with { type: 'json' };
import loyalty_ladder from './models/loyalty_ladder.json' with { type: 'json' };
import relationship from './models/relationship.json' with { type: 'json' };

/** The four built-in models by name. They are documents like any other; a test checks them. */
export const BUILT_IN_MODELS = { lifecycle, relationship, journey, loyalty_ladder } as unknown as Readonly<
  Record<'lifecycle' | 'relationship' | 'journey' | 'loyalty_ladder', Model>
>;
