// D1 by binding. A read of one statement goes out alone, several as one `batch`, since D1 runs one
// query at a time and a round trip costs more than the transaction. `all` is used instead of `raw`,
// which drops the counts of rows.

import type {
  Result,
  Statement,
  StatementTable,
  Store,
  StoreOutcome,
  Value,
} from "../shared/store/store.ts";
import { classify, type Doing } from "./d1_errors.ts";

export class D1Store implements Store {
  readonly kind = "d1";
  private readonly db: D1Database;
  private readonly table: StatementTable;
  /** By number, without parameters: binding makes a statement of its own. */
  private readonly prepared: D1PreparedStatement[] = [];

  constructor(db: D1Database, table: StatementTable) {
    this.db = db;
    this.table = table;
  }

  async query(statements: readonly Statement[]): Promise<StoreOutcome> {
    const first = await this.attempt(statements, "query");
    return first.retry ? (await this.attempt(statements, "query")).outcome : first.outcome;
  }

  async batch(statements: readonly Statement[]): Promise<StoreOutcome> {
    return (await this.attempt(statements, "batch")).outcome;
  }

  private async attempt(
    statements: readonly Statement[],
    doing: Doing,
  ): Promise<{ readonly outcome: StoreOutcome; readonly retry: boolean }> {
    const prepared = statements.map(({ number }) => this.prepare(number));
    try {
      const bound = statements.map(({ params }, index) => bind(prepared[index]!, params));
      const [only, ...others] = bound;
      if (only === undefined) return { outcome: { ok: true, results: [] }, retry: false };
      const results =
        others.length === 0 && doing === "query"
          ? [await only.all<Row>()]
          : await this.db.batch<Row>(bound);
      return { outcome: { ok: true, results: results.map(toResult) }, retry: false };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const { kind, retry, log } = classify(message, doing);
      if (log) console.error(`d1: ${doing} failed as ${kind}: ${message}`);
      return { outcome: { ok: false, error: kind }, retry };
    }
  }

  private prepare(number: number): D1PreparedStatement {
    const statement = this.table.statements[number];
    if (statement === undefined)
      throw new Error(`the core names statement ${number}: there is none`);
    this.prepared[number] ??= this.db.prepare(statement.text);
    return this.prepared[number];
  }
}

function bind(prepared: D1PreparedStatement, params: readonly Value[]): D1PreparedStatement {
  return params.length === 0 ? prepared : prepared.bind(...params);
}

type Row = Record<string, unknown>;

function toResult(result: D1Result<Row>): Result {
  const [first] = result.results;
  return {
    columns: first === undefined ? [] : Object.keys(first),
    rows: result.results,
    rowsRead: result.meta.rows_read,
    rowsWritten: result.meta.rows_written,
    changes: result.meta.changes,
  };
}
