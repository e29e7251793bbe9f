// D1 with a meter of the rows that it bills, and the small things that every route needs.
import { sha256Hex } from "./canonical.ts";

export interface Env {
  DB: D1Database;
}

/** An answer that ends the request; `message` is the problem's title. */
export class HttpError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Parameter = string | number | null;
export type Statement = readonly [sql: string, ...parameters: Parameter[]];

export class Meter {
  rowsRead = 0;
  rowsWritten = 0;
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async all(sql: string, parameters: Parameter[]): Promise<Record<string, unknown>[]> {
    const result = await this.#db
      .prepare(sql)
      .bind(...parameters)
      .all();
    this.#count(result.meta);
    return result.results;
  }

  async first(sql: string, parameters: Parameter[]): Promise<Record<string, unknown> | null> {
    return (await this.all(sql, parameters))[0] ?? null;
  }

  /** All statements in one transaction, or none. */
  async batch(statements: Statement[]): Promise<D1Result[]> {
    const results = await this.#db.batch(
      statements.map(([sql, ...parameters]) => this.#db.prepare(sql).bind(...parameters)),
    );
    for (const result of results) this.#count(result.meta);
    return results;
  }

  #count(meta: D1Meta): void {
    this.rowsRead += meta.rows_read;
    this.rowsWritten += meta.rows_written;
  }
}

export function json(value: unknown, status: number): Response {
  return Response.json(value, { status });
}

/** What `api_keys` holds of the request's key. */
export function keyHash(request: Request): string {
  const key = request.headers.get("x-api-key");
  if (key === null || key === "") throw new HttpError(401, "no key");
  return sha256Hex(key);
}
