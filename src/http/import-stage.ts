import type { Engine } from '../ingest/engine.ts';
import { retrying } from '../ingest/retrying.ts';
import { limitStatements, onConnection } from '../store/connect.ts';
import { countRows, FAULTS_KEPT, holdImport, type RowFault } from '../store/imports.ts';
import { type StagedRow, stageRows } from '../store/staged-rows.ts';

/** What is staged in one transaction at most, whichever is reached first. */
const MOST_ROWS = 5_000;
const MOST_CHARACTERS = 1_048_576;

/** Rows that are on their way into the stage of an import. One transaction writes while the next rows are read; no more than that are ever held. */
export class ImportStage {
  private readonly engine: Engine;
  private readonly importId: number;
  private readonly arrived: { readonly bytes: number };
  private rows: StagedRow[] = [];
  private faults: RowFault[] = [];
  private invalid = 0;
  private characters = 0;
  private bytesCounted = 0;
  private faultsKept = 0;
  private writing: Promise<void> = Promise.resolve();

  constructor(engine: Engine, importId: number, arrived: { readonly bytes: number }) {
    this.engine = engine;
    this.importId = importId;
    this.arrived = arrived;
  }

  /** A row that means a change. */
  add(row: StagedRow): void {
    this.rows.push(row);
    this.characters += row.change.length + row.customer_id.length;
  }

  /** A row that means nothing. */
  refuse(fault: RowFault): void {
    this.invalid += 1;
    if (this.faultsKept === FAULTS_KEPT) return;
    this.faultsKept += 1;
    this.faults.push(fault);
  }

  /** Returns as soon as more may be added. Throws what writing threw. */
  async settle(): Promise<void> {
    const full = this.rows.length + this.invalid >= MOST_ROWS || this.characters >= MOST_CHARACTERS;
    if (full) await this.next();
  }

  /** Returns when everything that was added is committed. */
  async finish(): Promise<void> {
    await this.next();
    await this.writing;
  }

  /** Waits for the running transaction, whatever becomes of it. */
  async rest(): Promise<void> {
    await this.writing.catch(() => undefined);
  }

  private async next(): Promise<void> {
    await this.writing;
    const { rows, faults, invalid } = this;
    const bytes_read = this.arrived.bytes - this.bytesCounted;
    this.bytesCounted += bytes_read;
    [this.rows, this.faults, this.invalid, this.characters] = [[], [], 0, 0];
    this.writing = this.write(rows, faults, { bytes_read, rows_read: rows.length + invalid, invalid });
    // It is thrown to whoever waits for it next.
    this.writing.catch(() => undefined);
  }

  private async write(
    rows: readonly StagedRow[],
    faults: readonly RowFault[],
    counts: { readonly bytes_read: number; readonly rows_read: number; readonly invalid: number },
  ): Promise<void> {
    const { pool, statement_timeout_ms } = this.engine;
    await retrying(() =>
      onConnection(pool, (db, client) =>
        db.transaction().execute(async (trx) => {
          await limitStatements(trx, statement_timeout_ms);
          await holdImport(trx, this.importId, 'receiving');
          await stageRows(client, this.importId, rows);
          await countRows(trx, this.importId, counts, faults);
        }),
      ),
    );
  }
}
