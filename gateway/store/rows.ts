import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

/** Prepared statements, made once for each text. */
export interface Rows {
  all<T>(sql: string, ...values: SQLInputValue[]): T[];
  one<T>(sql: string, ...values: SQLInputValue[]): T | undefined;
  /** @returns rows that changed */
  run(sql: string, ...values: SQLInputValue[]): number;
}

/** Typed access to a database; SQLite checks the columns (STRICT), the caller names the row's type. */
export function rowsOf(db: DatabaseSync): Rows {
  const known = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    let statement = known.get(sql);
    if (statement === undefined) {
      statement = db.prepare(sql);
      known.set(sql, statement);
    }
    return statement;
  };
  return {
    all: <T>(sql: string, ...values: SQLInputValue[]) => prepared(sql).all(...values) as T[],
    one: <T>(sql: string, ...values: SQLInputValue[]) =>
      prepared(sql).get(...values) as T | undefined,
    run: (sql, ...values) => Number(prepared(sql).run(...values).changes),
  };
}

/** A blob read as the int8 values that it holds. */
export function int8(bytes: Uint8Array | null): Int8Array | null {
  return bytes && new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Int8 values as the bytes of a blob, without a copy. */
export function blob(values: Int8Array | Uint8Array | null): Uint8Array | null {
  return values && new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
