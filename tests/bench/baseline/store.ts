// D1 as the routes use it, and the small things that every route needs.
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

export class Store {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async all(sql: string, parameters: Parameter[]): Promise<Record<string, unknown>[]> {
    return (await this.#prepare([sql, ...parameters]).all()).results;
  }

  async first(sql: string, parameters: Parameter[]): Promise<Record<string, unknown> | null> {
    return (await this.all(sql, parameters))[0] ?? null;
  }

  /** All statements in one transaction, or none. */
  async batch(statements: Statement[]): Promise<D1Result[]> {
    return await this.#db.batch(statements.map((statement) => this.#prepare(statement)));
  }

  #prepare([sql, ...parameters]: Statement): D1PreparedStatement {
    return this.#db.prepare(sql).bind(...parameters);
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
