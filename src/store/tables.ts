import type { Generated, GeneratedAlways, JSONColumnType } from 'kysely';
import type { Model } from '../domain/model.ts';

/** What a published version is for: it is being built, it answers, or it is being removed and then only remembered. */
export type ModelState = 'building' | 'active' | 'retiring' | 'retired';

interface VersionsTable {
  only_row: Generated<boolean>;
  reporting_time_zone: string;
  currency: string;
  currency_decimals: number;
  code_versions: string;
  models_revision: Generated<number>;
  erasure_salt: Buffer;
}

interface ModelsTable {
  model_version: GeneratedAlways<number>;
  model_id: string;
  version: number;
  document: JSONColumnType<Model>;
  state: ModelState;
  published_at: bigint;
}

interface FoldLayoutsTable {
  layout: GeneratedAlways<number>;
  projections: string[];
  model_versions: number[];
}

interface ProjectionsTable {
  name: string;
  version: number;
  ready: boolean;
}

interface BuildsTable {
  only_row: Generated<boolean>;
  models_revision: number;
  after_id: string;
  customers_done: number;
  customers_total: number;
  started_at: bigint;
}

interface GroupsTable {
  group_id: GeneratedAlways<number>;
  name: string;
}

interface CustomersTable {
  customer_id: string;
  known_since: number | null;
  received_on: number;
  group_ids: Generated<number[]>;
  merged_into: Generated<string | null>;
  merged_ids: Generated<string[]>;
}

interface CustomerStatesTable {
  customer_id: string;
  layout: number;
  events: number;
  turnover: bigint;
  pending_refunds: number;
  fold: Buffer;
  purchases: number;
  purchase_days: number;
  revenue: bigint;
  profit: bigint;
  product_lines: bigint;
  discounted_purchases: number;
  first_purchase_day: number | null;
  last_purchase_day: number | null;
  last_interaction_day: number | null;
  open_complaint_day: number | null;
  next_change: number | null;
  standing: Generated<string>;
}

interface CustomerYearsTable {
  customer_id: string;
  year: number;
  purchases: number;
  revenue: bigint;
  costs: bigint;
  product_lines: bigint;
  discounted_purchases: number;
}

interface EventTable {
  customer_id: string;
  at: bigint;
  day: number;
  plain: boolean;
  voided: Generated<boolean>;
}

interface PurchasesTable extends EventTable {
  purchase_id: string;
  amount: bigint;
  cost: bigint;
  discount: bigint;
  products: string[];
}

interface RefundsTable extends EventTable {
  refund_id: string;
  purchase_id: string;
  amount: bigint;
}

interface InteractionsTable extends EventTable {
  interaction_id: string;
  kind: string;
  score: number | null;
  reason: string | null;
  cost: bigint;
}

interface CustomerStagesTable {
  customer_id: string;
  model_version: number;
  positions: number[];
  first_days: number[];
  position: number;
  until: number;
  stage_since: number;
  activity_since: number;
  revenue: bigint;
  profit: bigint;
  last_purchase_day: number | null;
}

interface ErasedCustomersTable {
  id_hash: Buffer;
  erased_on: number;
}

/** The tables as Kysely sees them. Roll-up tables are written and read by their projections' columns. */
export interface Tables {
  versions: VersionsTable;
  models: ModelsTable;
  fold_layouts: FoldLayoutsTable;
  projections: ProjectionsTable;
  builds: BuildsTable;
  groups: GroupsTable;
  customers: CustomersTable;
  customer_states: CustomerStatesTable;
  purchases: PurchasesTable;
  refunds: RefundsTable;
  interactions: InteractionsTable;
  customer_stages: CustomerStagesTable;
  customer_years: CustomerYearsTable;
  erased_customers: ErasedCustomersTable;
}
