// What the core may do to a database: read, and write all or nothing. There is no transaction that
// spans two calls, because D1 has none.

/** A parameter, bound by position. Integers are within 2^53. */
export type Value = null | number | string;

/** A statement of the product (schema/queries) by its number in the table of its texts. */
export type Statement = { readonly number: number; readonly params: readonly Value[] };

/** The texts of all statements in one dialect; the core that goes with it has the same fingerprint. */
export type StatementTable = {
  readonly dialect: string;
  readonly fingerprint: string;
  readonly statements: readonly { readonly name: string; readonly text: string }[];
};

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
