import { Type } from '@sinclair/typebox';
import { count, nullable, oneOf } from '../../reports/fields.ts';
import { IMPORT_FORMATS, IMPORT_STATES } from '../../store/imports.ts';
import { ITEM_KINDS } from './items.ts';

const instant = (description: string) => Type.String({ description });

/** An import as answers show it. */
export const ImportSchema = Type.Object(
  {
    import_id: Type.Integer({ minimum: 1, description: 'Id of the import; later ones are greater.' }),
    state: oneOf(IMPORT_STATES, {
      description:
        'receiving: the file is arriving. storing: it has arrived whole and is being stored. done: every row has its result. failed: it did not arrive whole or could not be read, and nothing of it is stored; see failure. cancelled: by DELETE.',
    }),
    format: oneOf(IMPORT_FORMATS, { description: 'How the rows are written.' }),
    kind: nullable(oneOf(ITEM_KINDS, { description: 'What every row is; null if each says so itself.' })),
    failure: nullable(Type.String({ description: 'Code of the problem that ended it; null unless it failed.' })),
    bytes_read: count('Bytes of the file that have been read, as they came.'),
    rows_read: count('Rows that have been read; the sum of the counts below.'),
    created: count('Stored.'),
    updated: count('Customers of whom something was changed.'),
    duplicate: count('Stored already, with the same content.'),
    conflict: count('Other content is stored under their ids, and stays.'),
    invalid: count('Cannot be stored; see faults.'),
    dropped: count('Not stored, because the import failed or was cancelled.'),
    waiting: count('Still to be stored.'),
    started_at: instant('When it began to arrive.'),
    received_at: nullable(instant('When all of it had arrived.')),
    finished_at: nullable(instant('When it ended.')),
  },
  { $id: 'Import', description: 'A file that is stored row by row. Instants are RFC 3339 in UTC.' },
);

/** A row that was not stored. */
export const ImportFaultSchema = Type.Object(
  {
    line: Type.Integer({ minimum: 1, description: 'Line of the file, from 1; of several lines the first.' }),
    status: oneOf(['conflict', 'invalid'], { description: 'What became of the row.' }),
    pointer: nullable(Type.String({ description: 'Where in the row (JSON Pointer); null for the row as a whole.' })),
    code: Type.String({ description: 'What is wrong, for programs.' }),
    detail: Type.String({ description: 'What is wrong and what to do, for people.' }),
  },
  { $id: 'ImportFault' },
);

/** An import while it is being stored. */
export const IMPORT_EXAMPLE = {
  import_id: 1,
  state: 'storing',
  format: 'csv',
  kind: 'purchases',
  failure: null,
  bytes_read: 61_341_220,
  rows_read: 1_000_000,
  created: 240_000,
  updated: 0,
  duplicate: 0,
  conflict: 1,
  invalid: 2,
  dropped: 0,
  waiting: 759_997,
  started_at: '2025-06-30T09:00:00Z',
  received_at: '2025-06-30T09:00:12Z',
  finished_at: null,
};

/** A row that was not stored. */
export const IMPORT_FAULT_EXAMPLE = {
  line: 17,
  status: 'invalid',
  pointer: '/amount',
  code: 'wrong_format',
  detail: 'Must match ^(0|[1-9]\\d{0,13})(\\.\\d{1,4})?$.',
};
