import type { TSchema } from '@sinclair/typebox';
import {
  Customer,
  Interaction,
  ListedCustomerSchema,
  MissingNeed,
  Purchase,
  Refund,
  SpellSchema,
  StageAnswer,
  StageInput,
} from './schemas/answers.ts';
import { ImportFaultSchema, ImportSchema } from './schemas/imports.ts';
import {
  CustomerItem,
  HistoryItem,
  InteractionBody,
  InteractionItem,
  PurchaseBody,
  PurchaseItem,
  RefundBody,
  RefundItem,
} from './schemas/items.ts';
import { Condition, LapsePolicySchema, ModelDocument, ModelSummary, PublishedModel } from './schemas/models.ts';
import { PopulationBasisSchema } from './schemas/population.ts';
import {
  BatchSummary,
  CustomerResult,
  InteractionResult,
  ProblemDetailSchema,
  ProblemSchema,
  PurchaseResult,
  RefundResult,
} from './schemas/results.ts';

/** Schemas that others refer to by name, registered once. */
export const SHARED_SCHEMAS: readonly TSchema[] = [
  ProblemDetailSchema,
  ProblemSchema,
  PurchaseBody,
  RefundBody,
  InteractionBody,
  PurchaseItem,
  RefundItem,
  InteractionItem,
  CustomerItem,
  HistoryItem,
  CustomerResult,
  PurchaseResult,
  RefundResult,
  InteractionResult,
  BatchSummary,
  ImportSchema,
  ImportFaultSchema,
  Purchase,
  Refund,
  Interaction,
  Customer,
  ListedCustomerSchema,
  StageInput,
  MissingNeed,
  Condition,
  LapsePolicySchema,
  StageAnswer,
  SpellSchema,
  ModelDocument,
  ModelSummary,
  PublishedModel,
  PopulationBasisSchema,
];
