import { formatDay } from '../oracle/calendar.ts';
import { parseMoney } from '../oracle/money.ts';
import {
  type Asked,
  ask,
  balanced,
  buyersOf,
  cents,
  collector,
  GRAINS,
  num,
  overGrains,
  overModels,
  type Row,
  rangeOf,
  sum,
  tableOf,
  total,
} from './adding-up.ts';

/** An identity: a sentence that holds of every data, the reports it needs, and where it does not hold. */
export interface Identity {
  readonly says: string;
  readonly reports: readonly string[];
  broken(asked: Asked): Promise<string[]>;
}

/** All identities, each independent of the others. */
export const IDENTITIES: readonly Identity[] = [
  {
    says: 'buyers are those of the period before, and new, and reactivated, less dormant',
    reports: ['customer-flow'],
    broken: async (asked) =>
      await overGrains(asked, async (grain, range, off) => {
        const rows = (await ask(asked, 'customer-flow', range)).items;
        for (const [place, row] of rows.entries()) {
          const [all, fresh, back] = [num(row.buyers), num(row.new_buyers), num(row.reactivated_buyers)];
          off(`${grain} ${row.period}: who bought`, all, fresh + back + num(row.returning_buyers));
          if (row.dormant_buyers === null) continue;
          const before = place === 0 ? 0 : num(rows[place - 1]?.buyers);
          off(`${grain} ${row.period}: buyers`, all, before + fresh + back - num(row.dormant_buyers));
        }
        off(
          `${grain}: somebody bought`,
          rows.some((row) => num(row.buyers) > 0),
          buyersOf(asked).length > 0,
        );
      }),
  },
  {
    says: 'everybody with a purchase day is new once',
    reports: ['customer-flow', 'repeat-purchases'],
    broken: async (asked) =>
      await overGrains(asked, async (grain, range, off) => {
        const { items } = await ask(asked, 'customer-flow', range);
        off(`${grain}: new buyers`, total(items, 'new_buyers'), buyersOf(asked).length);
        const again = (await ask(asked, 'repeat-purchases', { purchase_number: '1' })).items[0];
        off('customers with a first purchase day', num(again?.customers), buyersOf(asked).length);
        const days = (await ask(asked, 'repeat-purchases', {})).items.filter((row) => row.within_days === 30);
        const most = asked.customers.reduce((sum, customer) => sum + Math.min(50, customer.purchase_days), 0);
        off('purchase days, counted by their number', total(days, 'customers'), most);
      }),
  },
  {
    says: 'revenue movements lead from opening to closing, and closing is the next opening',
    reports: ['revenue-movements'],
    broken: async (asked) =>
      await overGrains(asked, async (grain, range, off) => {
        const money = (value: unknown): number => parseMoney(String(value), asked.decimals);
        const rows = (await ask(asked, 'revenue-movements', range)).items;
        for (const [place, row] of rows.entries()) {
          const before = rows[place - 1];
          if (before !== undefined) off(`${grain} ${row.period}: opening`, row.opening_revenue, before.closing_revenue);
          if (row.lost_revenue === null) continue;
          const gains = ['opening', 'new', 'reactivated', 'expansion'].map((name) => money(row[`${name}_revenue`]));
          const losses = ['contraction', 'lost'].map((name) => money(row[`${name}_revenue`]));
          off(`${grain} ${row.period}: closing`, money(row.closing_revenue), sum(gains) - sum(losses));
          if (row.nrr === null) off(`${grain} ${row.period}: both rates or none`, row.grr, null);
          else off(`${grain} ${row.period}: NRR ≥ GRR ≤ 1`, num(row.nrr) >= num(row.grr) && num(row.grr) <= 1, true);
        }
      }),
  },
  {
    says: 'the cohorts hold every purchase, and all that buyers brought and cost',
    reports: ['cohort-retention'],
    broken: async (asked) =>
      await overGrains(asked, async (grain, range, off) => {
        if (grain === 'week') return;
        const buyers = buyersOf(asked);
        for (const basis of ['on', 'on_or_after']) {
          const { items } = await ask(asked, 'cohort-retention', { ...range, basis });
          const first = items.filter((row) => row.age === 0);
          off(`${grain}: buyers`, total(first, 'customers'), buyers.length);
          off(`${grain}: retained at age 0`, total(first, 'retained'), buyers.length);
          off(`${grain}: purchases`, total(items, 'purchases'), total(buyers, 'purchases'));
          off(`${grain}: purchase days`, total(items, 'purchase_days'), total(buyers, 'purchase_days'));
          off(`${grain}: revenue`, cents(asked, items, 'revenue'), cents(asked, buyers, 'revenue'));
          off(`${grain}: profit`, cents(asked, items, 'profit'), cents(asked, buyers, 'profit'));
        }
      }),
  },
  {
    says: 'everybody stands on one stage, and the stages hold all revenue',
    reports: ['stage-population'],
    broken: async (asked) =>
      await overModels(asked, async (model, _stages, off) => {
        const { items } = await ask(asked, 'stage-population', { model, as_of: formatDay(asked.today) });
        off(`${model}: customers`, total(items, 'customers'), asked.customers.length);
        off(`${model}: revenue`, cents(asked, items, 'revenue'), cents(asked, asked.customers, 'revenue'));
      }),
  },
  {
    says: 'the rows of a period hold all customers, its revenue and its purchases',
    reports: ['stage-retention', 'stage-population'],
    broken: async (asked) =>
      await overModels(asked, async (model, _stages, off) => {
        for (const grain of ['month', 'year'] as const) {
          const { items } = await ask(asked, 'stage-retention', { model, ...rangeOf(asked, grain) });
          off(`${model} ${grain}: revenue`, cents(asked, items, 'revenue'), cents(asked, asked.customers, 'revenue'));
          off(`${model} ${grain}: purchases`, total(items, 'purchases'), total(asked.customers, 'purchases'));
          off(
            `${model} ${grain}: purchase days`,
            total(items, 'purchase_days'),
            total(asked.customers, 'purchase_days'),
          );
          const arrived = items.filter((row) => row.stage === null);
          off(`${model} ${grain}: arrivals`, total(arrived, 'customers'), asked.customers.length);
          const last = items.at(-1)?.period;
          const standing = total(
            items.filter((row) => row.period === last),
            'customers',
          );
          off(`${model} ${grain}: all stand or arrive`, standing, asked.customers.length);
        }
      }),
  },
  {
    says: 'opening and entered less left is closing, which is the stock of the last day',
    reports: ['stage-moves', 'stage-population'],
    broken: async (asked) =>
      await overModels(asked, async (model, stages, off) => {
        const to = formatDay(asked.today + 1);
        const stock = (await ask(asked, 'stage-population', { model, as_of: formatDay(asked.today) })).items;
        const daily = await ask(asked, 'stage-moves', { model, from: formatDay(asked.since), to });
        balanced(`${model} by day`, daily, stages, off);
        for (const row of tableOf(daily.balance)) {
          const here = total(
            stock.filter((one) => one.stage === row.stage),
            'customers',
          );
          off(`${model} ${row.stage}: stock`, num(row.closing), here);
        }
      }),
  },
  {
    says: 'net moves of a year balance, and lead from one stock to the next',
    reports: ['stage-moves basis=net', 'stage-population'],
    broken: async (asked) =>
      await overModels(asked, async (model, stages, off) => {
        const year = Number(formatDay(asked.today).slice(0, 4)) - 1;
        const range = { from: `${year}-01-01`, to: `${year + 1}-01-01` };
        const net = await ask(asked, 'stage-moves', { model, basis: 'net', ...range });
        const stock = (await ask(asked, 'stage-population', { model, as_of: `${year}-12-31` })).items;
        balanced(`${model} net`, net, stages, off);
        for (const row of tableOf(net.balance)) {
          const here = total(
            stock.filter((one) => one.stage === row.stage),
            'customers',
          );
          off(`${model} ${row.stage}: stock`, num(row.closing), here);
        }
      }),
  },
  {
    says: 'survival and the incidences of all exits are one',
    reports: ['time-in-stage'],
    broken: async (asked) =>
      asked.group !== undefined
        ? []
        : await overModels(asked, async (model, stages, off) => {
            for (const stage of stages) {
              const { items, exits } = await asked.read('time-in-stage', { model, stage });
              const rest = num(items.at(-1)?.survival ?? 1);
              const incidence = sum(tableOf(exits).map((row) => num(row.incidence)));
              off(`${model} ${stage}: S + Σ incidence`, Math.abs(rest + incidence - 1) < 1e-9, true);
              off(`${model} ${stage}: exits`, total(items, 'exits'), total(tableOf(exits), 'exits'));
            }
          }),
  },
  {
    says: 'the segments hold every buyer and what they are worth',
    reports: ['value-segments'],
    broken: async (asked) => {
      const { off, found } = collector();
      for (const value of ['revenue', 'profit'] as const) {
        const { items } = await ask(asked, 'value-segments', { value });
        off(`${value}: customers`, total(items, 'customers'), buyersOf(asked).length);
        off(`${value}: value`, cents(asked, items, 'value'), cents(asked, buyersOf(asked), value));
        const shares = items.map((row) => row.share);
        if (shares.every((one) => one !== null))
          off(`${value}: shares`, Math.abs(sum(shares.map(num)) - 1) < 1e-9, true);
      }
      return found;
    },
  },
  {
    says: 'defections are the moves into lapsed, at any grain',
    reports: ['defections', 'stage-moves'],
    broken: async (asked) =>
      await overModels(asked, async (model, _stages, off) => {
        const end = formatDay(asked.today).slice(0, 4);
        const range = { from: formatDay(asked.since), to: `${Number(end) + 1}-01-01` };
        const moves = (await ask(asked, 'stage-moves', { model, ...range })).items;
        const lapses = moves.filter((row) => row.to_activity === 'lapsed' && row.from_activity !== 'lapsed');
        for (const grain of ['month', 'quarter', 'year'] as const) {
          const { items } = await ask(asked, 'defections', { model, ...rangeOf(asked, grain, range.to) });
          off(`${model} ${grain}`, total(items, 'defections'), total(lapses, 'customers'));
        }
      }),
  },
  {
    says: 'receipts less refunds less costs is net, and all of it is profit',
    reports: ['cash-flow'],
    broken: async (asked) =>
      await overModels(asked, async (model, _stages, off) => {
        for (const grain of GRAINS) {
          const { items } = await ask(asked, 'cash-flow', { model, ...rangeOf(asked, grain) });
          const of = (member: string): number => cents(asked, items, member);
          off(`${model} ${grain}: net`, of('net'), of('receipts') - of('refunds') - of('costs'));
          off(`${model} ${grain}: revenue`, of('receipts') - of('refunds'), cents(asked, asked.customers, 'revenue'));
          off(`${model} ${grain}: profit`, of('net'), cents(asked, asked.customers, 'profit'));
        }
      }),
  },
  {
    says: 'a crosswalk adds up to the stock of both models',
    reports: ['model-crosswalk', 'stage-population'],
    broken: async (asked) =>
      await overModels(asked, async (model, stages, off) => {
        for (const { model: other } of asked.models) {
          const { items } = await ask(asked, 'model-crosswalk', { model, other });
          const stock = (await ask(asked, 'stage-population', { model, as_of: formatDay(asked.today) })).items;
          off(`${model} × ${other}`, total(items, 'customers'), asked.customers.length);
          for (const stage of stages) {
            const here = (rows: readonly Row[]): number =>
              total(
                rows.filter((row) => row.stage === stage),
                'customers',
              );
            off(`${model} × ${other}: ${stage}`, here(items), here(stock));
          }
        }
      }),
  },
  {
    says: 'who existed before brings part of the revenue, and retention is returning by buyers before',
    reports: ['loyalty-economics', 'customer-flow'],
    broken: async (asked) =>
      await overGrains(asked, async (grain, range, off) => {
        const rows = (await ask(asked, 'loyalty-economics', range)).items;
        const flow = (await ask(asked, 'customer-flow', range)).items;
        for (const [place, row] of rows.entries()) {
          const same = flow[place];
          off(`${grain} ${row.period}: period`, row.period, same?.period);
          off(
            `${grain} ${row.period}: buyers`,
            [row.buyers, row.returning_buyers],
            [same?.buyers, same?.returning_buyers],
          );
          if (row.retention === null) continue;
          const retention = num(row.returning_buyers) / num(row.buyers_before);
          off(`${grain} ${row.period}: retention`, Math.abs(num(row.retention) - retention) < 1e-9, true);
        }
      }),
  },
];
