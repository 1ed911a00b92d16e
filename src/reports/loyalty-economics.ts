import { type Static, Type } from '@sinclair/typebox';
import { formatMoney, parseMoney } from '../domain/money.ts';
import { formatPeriod, GRAINS } from '../domain/period.ts';
import { buyerPeriodsRollup, buyersOf, type PeriodWithEve, readBuyerPeriods } from './buyer-periods-rollup.ts';
import { changeByFivePoints, customerValue, discountOfPeriod } from './customer-value.ts';
import { type PeriodMoney, readPeriodMoney } from './daily-totals-rollup.ts';
import { oneOf } from './fields.ts';
import { economicsRow, FOLK_FIGURES, folkFigureRow } from './loyalty-economics-row.ts';
import { groupParameter } from './parameters.ts';
import { periodParameters, readPeriods } from './period-range.ts';
import { quotient } from './quotient.ts';
import type { Report, ReportFault } from './report.ts';

const DISCOUNT_RATE = 0.1;

const amount = (description: string) =>
  Type.Optional(Type.String({ pattern: '^(0|[1-9]\\d{0,13})(\\.\\d{1,4})?$', maxLength: 19, description }));

const query = Type.Object(
  {
    group: groupParameter,
    ...periodParameters,
    grain: Type.Optional(
      oneOf(GRAINS, { description: 'Length of the periods; `year` if absent. Weeks are ISO weeks.' }),
    ),
    acquisition_cost: amount('What winning a customer costs, in place of acquisition_cost_each.'),
    retention_cost: amount('What keeping a customer for a period costs, in place of retention_cost_each.'),
    discount_rate: Type.Optional(
      Type.Number({ minimum: 0, maximum: 10, description: 'Yearly discount rate; 0.1 if absent.' }),
    ),
  },
  { additionalProperties: false },
);
type Query = Static<typeof query>;

/** What is keeping a customer worth? */
export const loyaltyEconomics: Report<Query> = {
  definition: {
    report: 'loyalty-economics',
    definition_version: 1,
    question: 'What is keeping a customer worth here, beside the figures that everybody quotes?',
    formula:
      'existing_share = existing_revenue / revenue. acquisition_cost_each = acquisition_cost / new_buyers, retention_cost_each = retention_cost / (returning_buyers + reactivated_buyers), cost_ratio = the former / the latter. retention r = returning_buyers / buyers_before; margin m = profit / buyers; d = (1 + discount_rate)^(1 / periods a year) − 1 with 52 weeks, 12 months, 4 quarters, 1 year. margin_now V(r) = m · (1 + d) / (1 + d − r): a customer who brings m now, and again in each later period with the chance r of still being there (Fader & Hardie, note 024). profit_change_5_points = V(min(r + 0.05, 1)) / V(r) − 1; the same after acquisition takes acquisition_cost_each from both values first.',
    denominator: 'Each ratio names its own; a ratio whose denominator is zero or negative is null.',
    window:
      'All stored events dated in the period, as known now. Whatever rests on retention is null until the period is over.',
    exclusions:
      'Voided purchases. Costs that are no event of a customer, such as advertising: give what winning or keeping one costs as parameters.',
    reading:
      'In 2024, 58 % of revenue came from customers of earlier years; winning a buyer cost 4.1 times as much as keeping one. At a retention of 43 %, five points more would lift the worth of a customer by 8 %, and by 10 % after the cost of winning them.',
  },
  operation_id: 'getLoyaltyEconomics',
  per_model: false,
  reads: [buyerPeriodsRollup],
  query,
  row: economicsRow,
  summary: {
    discount_rate: Type.Number({ description: 'The yearly discount rate used.' }),
    period_discount_rate: Type.Number({ description: 'The discount rate d of one period.' }),
  },
  tables: { folk_figures: folkFigureRow },
  example: {
    discount_rate: 0.1,
    period_discount_rate: 0.1,
    items: [
      {
        period: '2024',
        buyers: 1500,
        buyers_before: 1200,
        new_buyers: 900,
        returning_buyers: 516,
        reactivated_buyers: 84,
        revenue: '150000.00',
        existing_revenue: '87000.00',
        existing_share: 0.58,
        acquisition_cost: '18450.00',
        acquisition_cost_each: 20.5,
        retention_cost: '3000.00',
        retention_cost_each: 5,
        cost_ratio: 4.1,
        retention: 0.43,
        profit: '97500.00',
        margin: 65,
        margin_now: 106.716418,
        profit_change_5_points: 0.080645,
        profit_change_5_points_after_acquisition: 0.09982,
        complete: true,
      },
    ],
    folk_figures: FOLK_FIGURES,
  },
  async read(context, request) {
    const range = readPeriods({ ...request, grain: request.grain ?? 'year' }, context.today);
    if ('code' in range) return range;
    const given = readCosts(request, context.decimals);
    if ('code' in given) return given;
    const discount_rate = request.discount_rate ?? DISCOUNT_RATE;
    const discount = discountOfPeriod(discount_rate, range.grain);
    const periods = await readBuyerPeriods(context, range);
    const money = await readPeriodMoney(context, range);
    const items = periods.map((period, index) => ({
      period: formatPeriod(period.start, range.grain),
      ...economics(period, money[index]!, { ...given, discount, decimals: context.decimals }),
      complete: period.complete,
    }));
    return {
      as_of: context.today,
      projected: false,
      items,
      summary: { discount_rate, period_discount_rate: discount },
      tables: { folk_figures: FOLK_FIGURES },
    };
  },
};

/** What one customer costs by the caller's own account, in major units; null where the stored costs are to be used. */
interface GivenCosts {
  readonly acquisition: number | null;
  readonly retention: number | null;
}

function readCosts(request: Query, decimals: number): GivenCosts | ReportFault {
  const acquisition = readCost('acquisition_cost', request.acquisition_cost, decimals);
  if (acquisition !== null && typeof acquisition === 'object') return acquisition;
  const retention = readCost('retention_cost', request.retention_cost, decimals);
  if (retention !== null && typeof retention === 'object') return retention;
  return { acquisition, retention };
}

function readCost(parameter: string, text: string | undefined, decimals: number): number | null | ReportFault {
  if (text === undefined) return null;
  const minor = parseMoney(text, decimals);
  if (typeof minor === 'number') return minor / 10 ** decimals;
  const detail = `must be an amount of 0 or more with at most ${decimals} decimals`;
  return { parameter, code: 'invalid_value', detail };
}

interface Terms extends GivenCosts {
  /** Discount rate of one period. */
  readonly discount: number;
  readonly decimals: number;
}

/** The row of a period without its name, in the order of the schema. */
function economics({ sums, before, complete }: PeriodWithEve, money: PeriodMoney, terms: Terms) {
  const { new_buyers, returning_buyers, reactivated_buyers, existing_revenue } = sums;
  const { revenue, costs, acquisition_costs, retention_costs } = money;
  const [buyers, buyers_before] = [buyersOf(sums), buyersOf(before)];
  const unit = 10 ** terms.decimals;
  const profit = revenue - costs;
  const winning = terms.acquisition ?? quotient(Number(acquisition_costs) / unit, new_buyers);
  const keeping = terms.retention ?? quotient(Number(retention_costs) / unit, returning_buyers + reactivated_buyers);
  const retention = complete ? quotient(returning_buyers, buyers_before) : null;
  const margin = quotient(Number(profit) / unit, buyers);
  return {
    buyers,
    buyers_before,
    new_buyers,
    returning_buyers,
    reactivated_buyers,
    revenue: formatMoney(revenue, terms.decimals),
    existing_revenue: formatMoney(existing_revenue, terms.decimals),
    existing_share: quotient(Number(existing_revenue), Number(revenue)),
    acquisition_cost: formatMoney(acquisition_costs, terms.decimals),
    acquisition_cost_each: winning,
    retention_cost: formatMoney(retention_costs, terms.decimals),
    retention_cost_each: keeping,
    cost_ratio: winning === null || keeping === null ? null : quotient(winning, keeping),
    retention,
    profit: formatMoney(profit, terms.decimals),
    margin,
    ...worth(margin, retention, terms.discount, winning),
  };
}

function worth(margin: number | null, retention: number | null, discount: number, acquisition: number | null) {
  const known = margin !== null && retention !== null;
  return {
    margin_now: known ? customerValue(margin, retention, discount) : null,
    profit_change_5_points: known ? changeByFivePoints(margin, retention, discount, 0) : null,
    profit_change_5_points_after_acquisition:
      known && acquisition !== null ? changeByFivePoints(margin, retention, discount, acquisition) : null,
  };
}
