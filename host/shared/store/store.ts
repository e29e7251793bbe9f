// What the core may do to a database: read, and write all or nothing. There is no transaction that
// spans two calls, because D1 has none.

/** A parameter, bound by position. Integers are within 2^53. */
export type Value = null | number | string;

export type Statement = { readonly sql: string; readonly params: readonly Value[] };

export type Result = {
  /** Empty when the engine does not name the columns of an empty result. */
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly changes: number;
};

/** A tagged kind of wasm/README.md: the core sees nothing else of an engine's errors. */
export type StoreOutcome =
  | { readonly ok: true; readonly results: readonly Result[] }
  | { readonly ok: false; readonly error: string };

export interface Store {
  /** The name that the start frame carries: `d1`. */
  readonly kind: string;
  /** Reads. May be repeated by the store when the connection fails. Never throws for a failure of the engine. */
  query(statements: readonly Statement[]): Promise<StoreOutcome>;
  /** One transaction, never repeated by the store. Never throws for a failure of the engine. */
  batch(statements: readonly Statement[]): Promise<StoreOutcome>;
}
