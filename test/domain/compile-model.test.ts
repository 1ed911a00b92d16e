import t from 'tap';
import {
  activityOf,
  compileModel,
  conditionsOf,
  foldSteps,
  memoryOfModels,
  NOWHERE,
  positionOf,
  stageOf,
  UNKNOWN,
} from '../../src/domain/compile-model.ts';
import { NEVER } from '../../src/domain/condition.ts';
import { takeDay } from '../../src/domain/facts.ts';
import { ACTIVITIES } from '../../src/domain/model.ts';
import { BUILT_IN_MODELS } from '../../src/domain/models.ts';
import { date, day, days, lifecycleOn, modelOf, spells } from '../support/notation.ts';

const { lifecycle, relationship, loyalty_ladder } = BUILT_IN_MODELS;

t.test('day 90 of silence is active, day 91 at risk, day 180 at risk, day 181 lapsed', async (t) => {
  const activityOn = (on: string): string | undefined => lifecycleOn(on, '2025-01-01 12.00')?.split(' ')[1];
  t.equal(activityOn('2025-01-01'), 'active');
  t.equal(activityOn('2025-04-01'), 'active', 'day 90');
  t.equal(activityOn('2025-04-02'), 'at_risk', 'day 91');
  t.equal(activityOn('2025-06-30'), 'at_risk', 'day 180');
  t.equal(activityOn('2025-07-01'), 'lapsed', 'day 181');
  t.equal(activityOn('2199-12-31'), 'lapsed');
});

t.test('a purchase on day 90, 91, 180 or 181 of silence starts the silence again', async (t) => {
  for (const [again, after] of [
    ['2025-04-01', ['2025-04-01 early_repeat_buyer active']],
    ['2025-04-02', ['2025-04-02 early_repeat_buyer active']],
    ['2025-06-30', ['2025-04-02 first_time_buyer at_risk', '2025-06-30 early_repeat_buyer active']],
    ['2025-07-01', ['2025-04-02 first_time_buyer at_risk', '2025-07-01 early_repeat_buyer active']],
    [
      '2025-07-02',
      [
        '2025-04-02 first_time_buyer at_risk',
        '2025-07-01 first_time_buyer lapsed',
        '2025-07-02 early_repeat_buyer active',
      ],
    ],
  ] as const) {
    const found = spells(lifecycle, '2025-01-01 12.00', `${again} 1.00`);
    t.strictSame(found.slice(1, -2), after, again);
  }
});

t.test('the thresholds of silence are the model’s own', async (t) => {
  t.strictSame(spells(modelOf({}, { at_risk: 0, lapsed: 1 }), '2025-01-01 1'), [
    '2025-01-01 known active',
    '2025-01-02 known at_risk',
    '2025-01-03 known lapsed',
  ]);
});

t.test('who never bought has the activity none, however silent', async (t) => {
  t.strictSame(spells(lifecycle, 'known 2020-01-01', '2020-05-01 visit', '2020-06-01 departure price'), [
    '2020-01-01 prospect none',
  ]);
});

t.test(
  'a departure lapses a buyer from its own day, even with a purchase on it, until a later purchase day',
  async (t) => {
    t.strictSame(
      spells(lifecycle, '2025-01-01 1', '2025-01-10 1', '2025-01-10 departure price', '2025-02-01 1').slice(0, 3),
      [
        '2025-01-01 first_time_buyer active',
        '2025-01-10 early_repeat_buyer lapsed',
        '2025-02-01 early_repeat_buyer active',
      ],
    );
  },
);

t.test('a departure before the first purchase day is forgotten by it', async (t) => {
  t.strictSame(spells(lifecycle, '2025-01-01 departure other', '2025-01-02 1').slice(0, 2), [
    '2025-01-01 prospect none',
    '2025-01-02 first_time_buyer active',
  ]);
  t.strictSame(
    spells(lifecycle, '2025-01-02 1', '2025-01-02 departure other'),
    ['2025-01-02 first_time_buyer lapsed'],
    'on the very day it lapses',
  );
});

t.test('a purchase that is refunded does not win a departed customer back', async (t) => {
  const lines = ['2025-01-01 1', '2025-01-10 departure price', '2025-02-01 5', '2025-02-03 refund 5 p2'];
  t.strictSame(spells(lifecycle, ...lines), [
    '2025-01-01 first_time_buyer active',
    '2025-01-10 first_time_buyer lapsed',
  ]);
});

t.test('a voided departure has no effect', async (t) => {
  t.equal(lifecycleOn('2025-01-10', '2025-01-01 1', '2025-01-10 departure price void'), 'first_time_buyer active');
});

t.test(
  'the fourth purchase day makes a core customer, whose lapse makes a core defector until the win-back',
  async (t) => {
    t.strictSame(
      spells(
        lifecycle,
        '2022-01-01 1',
        '2022-01-02 1',
        '2022-01-03 1',
        '2022-01-03 1',
        '2022-01-04 1',
        '2022-08-01 1',
      ).slice(0, 7),
      [
        '2022-01-01 first_time_buyer active',
        '2022-01-02 early_repeat_buyer active',
        '2022-01-04 core_customer active',
        '2022-04-05 core_customer at_risk',
        '2022-07-04 core_defector lapsed',
        '2022-08-01 core_customer active',
        '2022-10-31 core_customer at_risk',
      ],
    );
  },
);

t.test('the last listed stage whose rule holds is the customer’s', async (t) => {
  const always = { feature: 'purchase_days', at_least: 0 } as const;
  const never = { feature: 'purchase_days', at_least: 99 } as const;
  t.strictSame(spells(modelOf({ low: always, high: always, top: never }), 'known 2025-01-01'), [
    '2025-01-01 high none',
  ]);
  t.strictSame(
    spells(modelOf({ low: never }), 'known 2025-01-01'),
    ['2025-01-01 known none'],
    'everybody reaches the first',
  );
});

t.test('a stage once reached stays reached', async (t) => {
  const model = modelOf({
    busy: { feature: 'purchase_days', at_least: 2, within_days: 10 },
    veteran: { all: [{ stage_reached: 'busy' }, { activity: ['lapsed'] }] },
  });
  t.strictSame(spells(model, '2025-01-01 1', '2025-01-05 1'), [
    '2025-01-01 known active',
    '2025-01-05 busy active',
    '2025-01-11 known active',
    '2025-04-06 known at_risk',
    '2025-07-05 veteran lapsed',
  ]);
  t.strictSame(
    spells(model, '2025-01-01 1').at(-1),
    '2025-07-01 known lapsed',
    'who never reached it does not have it',
  );
});

t.test('a stage is reached on the day its rule holds, on scheduled days of silence too', async (t) => {
  const model = modelOf({
    third_week: { feature: 'tenure_days', at_least: 14, less_than: 15 },
    afterwards: { stage_reached: 'third_week' },
  });
  t.strictSame(spells(model, '2025-01-01 1', '2025-03-01 visit').slice(0, 2), [
    '2025-01-01 known active',
    '2025-01-15 afterwards active',
  ]);
  t.strictSame(
    spells(model, '2025-01-01 1', '2025-01-14 visit', '2025-01-16 visit')[1],
    '2025-01-15 afterwards active',
    'between two events too',
  );
});

t.test('a rule that holds below the customer’s stage counts as reached as well', async (t) => {
  const model = modelOf({
    praised: { feature: 'latest_score', at_least: 9 },
    buyer: { feature: 'purchase_days', at_least: 1 },
    fan: { all: [{ stage_reached: 'praised' }, { feature: 'purchase_days', at_least: 2 }] },
  });
  t.strictSame(
    spells(model, '2025-01-01 1', '2025-01-02 survey 10', '2025-01-03 survey 1', '2025-01-04 1').slice(0, 2),
    ['2025-01-01 buyer active', '2025-01-04 fan active'],
  );
});

t.test('relationship: contact, acquisition by a sign of their own, conversion, continuation, loyalty', async (t) => {
  t.strictSame(
    spells(
      relationship,
      '2025-01-01 contact',
      '2025-01-02 inquiry',
      '2025-01-03 1',
      '2025-01-04 1',
      '2025-01-05 1',
      '2025-01-06 1',
      '2025-01-07 survey 6',
      '2025-01-08 survey 7',
    ).slice(0, -2),
    [
      '2025-01-01 contact none',
      '2025-01-02 acquisition none',
      '2025-01-03 conversion active',
      '2025-01-04 continuation active',
      '2025-01-06 loyalty active',
      '2025-01-07 continuation active',
      '2025-01-08 loyalty active',
    ],
  );
  t.equal(
    spells(relationship, '2025-01-01 departure price')[0],
    '2025-01-01 contact none',
    'a departure is not inbound',
  );
  t.equal(
    spells(relationship, '2025-01-01 own_kind')[0],
    '2025-01-01 contact none',
    'nor is a kind of the caller’s own',
  );
});

t.test('loyalty ladder: a testimonial makes an advocate and a referral a promoter, for 365 days', async (t) => {
  const four = ['2025-01-01 1', '2025-01-02 1', '2025-01-03 1', '2025-01-04 1'];
  const monthly = Array.from({ length: 14 }, (_, month) => `${date(day('2025-02-01') + month * 30)} 1`);
  const stages = (...lines: readonly string[]): string[] =>
    spells(loyalty_ladder, ...four, ...monthly, ...lines)
      .slice(3, -2)
      .map((spell) => spell.replace(' active', ''));
  t.strictSame(stages('2025-01-10 testimonial'), ['2025-01-10 advocate', '2026-01-10 frequent_customer']);
  t.strictSame(stages('2025-01-10 referral', '2025-01-10 testimonial'), [
    '2025-01-10 promoter',
    '2026-01-10 frequent_customer',
  ]);
  t.strictSame(stages('2025-01-10 survey 9', '2025-02-10 referral', '2025-03-01 survey 6'), [
    '2025-01-10 advocate',
    '2025-02-10 promoter',
    '2025-03-01 frequent_customer',
  ]);
  t.strictSame(stages('2025-01-10 survey 8'), []);
});

t.test('a position is one small integer that gives back stage and activity', async (t) => {
  const seen = new Set<number>([UNKNOWN]);
  for (let stage = 0; stage < 31; stage += 1) {
    for (let activity = 0; activity < ACTIVITIES.length; activity += 1) {
      const position = positionOf(stage, activity);
      t.strictSame([stageOf(position), activityOf(position)], [stage, activity]);
      seen.add(position);
    }
  }
  t.equal(seen.size, 1 + 31 * 4);
  t.equal(Math.max(...seen), 31 * 4);
});

t.test(
  'the days on which silence could change anything are few, ascending, each once, and before the limit',
  async (t) => {
    const model = modelOf({
      old: {
        any: [
          { feature: 'tenure_days', at_least: 91 },
          { feature: 'tenure_days', more_than: 90 },
        ],
      },
    });
    const memory = memoryOfModels([model]);
    const compiled = compileModel(model, 7, memory, 2);
    const facts = takeDay(memory, null, days('2025-01-01 1')[0]!);
    const after = (eve: string): string => {
      const next = compiled.nextTurn(facts, day(eve));
      return next === NEVER ? 'never' : date(next);
    };
    t.strictSame(
      ['2025-01-01', '2025-03-31', '2025-04-01', '2025-04-02', '2025-04-03', '2025-06-30', '2025-07-01'].map(after),
      ['2025-04-01', '2025-04-01', '2025-04-02', '2025-04-03', '2025-07-01', '2025-07-01', 'never'],
    );
    t.equal(compiled.version, 7);
  },
);

t.test('nothing is scheduled after 2199', async (t) => {
  t.strictSame(spells(lifecycle, '2199-09-01 1'), [
    '2199-09-01 first_time_buyer active',
    '2199-12-01 first_time_buyer at_risk',
  ]);
  t.equal(spells(lifecycle, '2199-10-01 1').at(-1), '2199-12-31 first_time_buyer at_risk', 'the last day itself');
  t.equal(spells(lifecycle, '2199-10-02 1').length, 1, 'one day later the move would fall into 2200');
  t.strictSame(spells(lifecycle, '2199-12-31 1'), ['2199-12-31 first_time_buyer active']);
});

t.test('the place before the first day is nowhere', async (t) => {
  t.strictSame(NOWHERE, { position: UNKNOWN, since: 0, stage_since: 0, activity_since: 0, reached: 0 });
});

t.test('the conditions of models are those of all their stages', async (t) => {
  t.equal(conditionsOf([lifecycle, loyalty_ladder]).length, 4 + 6);
  t.strictSame(conditionsOf([modelOf({})]), []);
});

t.test('the estimated steps of a fold grow with the events and with the windows', async (t) => {
  const lasting = { feature: 'purchase_days', at_least: 1 } as const;
  const windowed = { ...lasting, within_days: 30 } as const;
  t.equal(foldSteps([lasting, { not: lasting }])(100), 200, 'one step a comparison and day');
  t.equal(foldSteps([windowed])(10), (10 + 10) * (1 + 10), 'a window sees ten days at most if there are ten');
  t.equal(foldSteps([windowed])(1_000), (1_000 + 30) * (1 + 30));
  t.equal(foldSteps([{ feature: 'distinct_products', at_least: 2 }])(5_000), (5_000 + 1_000) * (1 + 1_000));
  t.equal(foldSteps([])(1_000), 0);
});
