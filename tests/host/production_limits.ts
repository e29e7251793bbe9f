// D1 with the limits that production has and local workerd lacks, as a database around the real
// one. (Those of the text of a statement are in workerd, too: terms of a compound SELECT, depth of
// an expression, arguments of a function, pattern of a LIKE.)
//
// What goes beyond a limit fails as it would in production, and is reported: a test whose server
// reported anything fails (tests/contract/server.ts), since the flow may have made do with the
// failure. Documentation: https://developers.cloudflare.com/d1/platform/limits/

export const kLimits = {
  statementBytes: 100_000,
  parameters: 100,
  /** Of one text, as a parameter or as a value that comes back; and of a whole row. */
  valueBytes: 2_000_000,
  resultBytes: 50_000_000,
  /** Of one invocation. The documentation leaves open whether a batch is one query; here it is not. */
  queries: 1_000,
} as const;

/** Tests look for it in what a server printed. */
export const kViolation = "beyond a limit of production";

type Report = (message: string) => void;

/** For one invocation: its queries are counted together. */
export function limitedDatabase(database: D1Database, report: Report): D1Database {
  return new LimitedDatabase(database, report) as unknown as D1Database;
}

class LimitedDatabase {
  private readonly database: D1Database;
  private readonly report: Report;
  private queries = 0;

  constructor(database: D1Database, report: Report) {
    this.database = database;
    this.report = report;
  }

  prepare(sql: string): LimitedStatement {
    this.check("bytes of a statement", bytesOf(sql), kLimits.statementBytes, sql);
    return new LimitedStatement(this, sql, this.database.prepare(sql));
  }

  async batch(statements: readonly LimitedStatement[]): Promise<D1Result[]> {
    for (const { sql } of statements) this.count(sql);
    const results = await this.database.batch<Row>(statements.map(({ inner }) => inner));
    for (const [at, result] of results.entries()) {
      this.checkResult(result.results, statements[at]?.sql ?? "");
    }
    return results;
  }

  count(sql: string): void {
    this.check("queries of an invocation", ++this.queries, kLimits.queries, sql);
  }

  checkResult(rows: readonly Row[], sql: string): void {
    let bytes = 0;
    for (const row of rows) {
      const ofRow = Object.values(row).reduce<number>((sum, value) => sum + bytesOf(value), 0);
      this.check("bytes of a row", ofRow, kLimits.valueBytes, sql);
      bytes += ofRow;
    }
    this.check("bytes of a result", bytes, kLimits.resultBytes, sql);
  }

  check(what: string, found: number, limit: number, sql: string): void {
    if (found <= limit) return;
    const message = `${kViolation}: ${found} ${what}, ${limit} are allowed: ${sql.slice(0, 200)}`;
    this.report(message);
    throw new Error(`D1_ERROR: ${message}: SQLITE_TOOBIG`);
  }
}

class LimitedStatement {
  readonly sql: string;
  readonly inner: D1PreparedStatement;
  private readonly database: LimitedDatabase;

  constructor(database: LimitedDatabase, sql: string, inner: D1PreparedStatement) {
    this.database = database;
    this.sql = sql;
    this.inner = inner;
  }

  bind(...params: readonly unknown[]): LimitedStatement {
    this.database.check("parameters", params.length, kLimits.parameters, this.sql);
    for (const param of params) {
      this.database.check("bytes of a parameter", bytesOf(param), kLimits.valueBytes, this.sql);
    }
    return new LimitedStatement(this.database, this.sql, this.inner.bind(...params));
  }

  async all(): Promise<D1Result<Row>> {
    this.database.count(this.sql);
    const result = await this.inner.all<Row>();
    this.database.checkResult(result.results, this.sql);
    return result;
  }
}

type Row = Record<string, unknown>;

const encoder = new TextEncoder();

function bytesOf(value: unknown): number {
  if (typeof value !== "string") return 8;
  // A UTF-16 unit is at most three bytes: what cannot matter is not encoded.
  return value.length * 3 <= kLimits.statementBytes ? value.length : encoder.encode(value).length;
}
