import Table from 'cli-table3';
import { formatDay } from '../domain/calendar.ts';
import { formatInstant, type Moment } from '../domain/instant.ts';
import { formatMoney } from '../domain/money.ts';
import { foundRows, readFound, type Upload } from '../http/receive-import.ts';
import type { Engine } from '../ingest/engine.ts';
import type { ImportedChange } from '../ingest/staged-change.ts';

/** Rows that are shown. */
const SHOWN = 20;

/** How the first rows of a file are understood, as a table for people, and how many of them could not be stored. Stores nothing. */
export async function previewFile(engine: Engine, upload: Upload): Promise<{ table: string; invalid: number }> {
  const table = new Table({
    head: ['line', 'kind', 'customer_id', 'id', 'when', 'amount', 'more'],
    colAligns: ['right', 'left', 'left', 'left', 'left', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  let shown = 0;
  let invalid = 0;
  const reading = { arrived: { bytes: 0 }, signal: new AbortController().signal };
  try {
    for await (const rows of foundRows(upload, reading)) {
      for (const row of rows.slice(0, SHOWN - shown)) {
        const read = 'code' in row ? row : readFound(row.item, engine, upload.kind);
        if ('change' in read) table.push([row.line, ...describe(read.change, engine)]);
        else table.push([row.line, { colSpan: 6, content: `not stored: ${placeOf(read)}${read.code}` }]);
        if (!('change' in read)) invalid += 1;
        shown += 1;
      }
      if (shown === SHOWN) break;
    }
  } finally {
    upload.stream.destroy();
  }
  return { table: table.toString(), invalid };
}

function placeOf(fault: { readonly pointer?: string; readonly code: string }): string {
  return fault.pointer ? `${fault.pointer.slice(1)}: ` : '';
}

function describe(change: ImportedChange, { decimals }: Engine): string[] {
  if (change.type === 'customer') {
    const known = change.known_since === undefined ? '' : formatDay(change.known_since);
    return ['customer', change.customer_id, '', known, '', change.groups?.join(', ') ?? ''];
  }
  const money = (minor: number): string => formatMoney(minor, decimals);
  const first = [change.kind.slice(0, -1), change.customer_id];
  switch (change.kind) {
    case 'purchases': {
      const { purchase_id, moment, amount, cost, discount, products } = change.event;
      const more = [
        ...(cost > 0 ? [`cost ${money(cost)}`] : []),
        ...(discount > 0 ? [`discount ${money(discount)}`] : []),
        ...(products.length > 0 ? [products.join(', ')] : []),
      ];
      return [...first, purchase_id, when(moment), money(amount), more.join('; ')];
    }
    case 'refunds': {
      const { refund_id, moment, amount, purchase_id } = change.event;
      return [...first, refund_id, when(moment), money(amount), `of ${purchase_id}`];
    }
    case 'interactions': {
      const { interaction_id, moment, kind, score, reason } = change.event;
      return [
        ...first,
        interaction_id,
        when(moment),
        '',
        [kind, score, reason].filter((one) => one !== null).join(' '),
      ];
    }
  }
}

function when({ at, day, plain }: Moment): string {
  return plain ? formatDay(day) : formatInstant(at);
}
