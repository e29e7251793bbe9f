// D1 by binding. A read of one statement goes out alone, several as one `batch`, since D1 runs one
// query at a time and a round trip costs more than the transaction. `all` is used instead of `raw`,
// which drops the counts of rows.

import type { Result, Statement, Store, StoreOutcome } from "../shared/store/store.ts";
import { classify, type Doing } from "./d1_errors.ts";

export class D1Store implements Store {
  readonly kind = "d1";
  private readonly db: D1Database;

  constructor(db: D1Database) {
    this.db = db;
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
    try {
      const [only, ...others] = statements;
      if (only === undefined) return { outcome: { ok: true, results: [] }, retry: false };
      const results =
        others.length === 0 && doing === "query"
          ? [await this.prepare(only).all<Row>()]
          : await this.db.batch<Row>(statements.map((statement) => this.prepare(statement)));
      return { outcome: { ok: true, results: results.map(toResult) }, retry: false };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const { kind, retry, log } = classify(message, doing);
      if (log) console.error(`d1: ${doing} failed as ${kind}: ${message}`);
      return { outcome: { ok: false, error: kind }, retry };
    }
  }

  private prepare(statement: Statement): D1PreparedStatement {
    const prepared = this.db.prepare(statement.sql);
    return statement.params.length === 0 ? prepared : prepared.bind(...statement.params);
  }
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
