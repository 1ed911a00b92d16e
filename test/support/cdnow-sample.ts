import { existsSync, readFileSync } from 'node:fs';
import type { TestService } from './service.ts';

const DATA = new URL('../../../shared/data/', import.meta.url);

/** Why a test of the CDNOW sample is skipped; false where the sample is. It is not ours to ship. */
export const SAMPLE_MISSING = existsSync(new URL('cdnow_sample.csv', DATA)) ? false : 'the CDNOW sample is not here';

/** A purchase of the sample, as the API takes it. */
export interface SamplePurchase {
  readonly customer_id: string;
  readonly purchase_id: string;
  readonly purchased_at: string;
  readonly amount: string;
}

/** The purchases of the sample, in the order of the file. */
export function samplePurchases(): SamplePurchase[] {
  const [header, ...lines] = readFileSync(new URL('cdnow_sample.csv', DATA), 'utf8').trim().split('\n');
  if (header?.trim() !== 'customer_id,purchase_id,purchased_at,amount')
    throw new Error(`unexpected columns: ${header}`);
  return lines.map((line) => {
    const [customer_id = '', purchase_id = '', purchased_at = '', amount = ''] = line.trim().split(',');
    return { customer_id, purchase_id, purchased_at, amount };
  });
}

/** A file of known figures beside the sample. */
export function sampleFigures<Figures>(name: string): Figures {
  return JSON.parse(readFileSync(new URL(name, DATA), 'utf8')) as Figures;
}

/** Sends the whole sample. */
export async function sendSample(service: TestService): Promise<void> {
  const purchases = samplePurchases();
  for (let begin = 0; begin < purchases.length; begin += 1_000) {
    const { status, text } = await service.call('POST', '/v1/purchases', {
      items: purchases.slice(begin, begin + 1_000),
    });
    if (status !== 200) throw new Error(`POST /v1/purchases: ${status} ${text}`);
  }
}
