type LogLine = (fields: object, message: string) => void;

/** The part of a pino logger that the store needs: fields first, message last. */
export interface StoreLog {
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
}
