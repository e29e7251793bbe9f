// A store on SQLite, one on PostgreSQL, and one that is both: what the core asks for goes to either, and they must answer
// the same.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Client, DatabaseError } from "pg";
import type {
  Result,
  Statement,
  StatementTable,
  Store,
  StoreOutcome,
} from "../../host/shared/store/store.ts";

type Row = Readonly<Record<string, unknown>>;

/** What it says at the beginning of a batch is about the tenant of the first statement that has one, which -1 has not. */
export type PostgresTable = StatementTable & {
  readonly session: string;
  readonly begin: string;
  readonly statements: readonly { readonly tenant: number }[];
};

/** A store whose tables can be looked at. */
export interface Engine extends Store {
  read(sql: string): Promise<readonly Row[]>;
}

const schema = resolve(import.meta.dirname, "../../schema");

export function sqliteWithSchema(): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  for (const file of readdirSync(join(schema, "sqlite")).sort())
    db.exec(readFileSync(join(schema, "sqlite", file), "utf8"));
  return db;
}

function resultOf(rows: readonly Row[], changes: number): Result {
  const columns = Object.keys(rows[0] ?? {});
  return { columns, rows, rowsRead: 0, rowsWritten: 0, changes };
}

export class SqliteEngine implements Engine {
  readonly kind = "sqlite";
  private readonly db = sqliteWithSchema();
  private readonly table: StatementTable;

  constructor(table: StatementTable) {
    this.table = table;
  }

  async query(statements: readonly Statement[]): Promise<StoreOutcome> {
    try {
      return { ok: true, results: statements.map((statement) => this.run(statement)) };
    } catch (error) {
      return { ok: false, error: kindOf(error) };
    }
  }

  /** A savepoint is a transaction where none is open, so that a test may put one around several batches. */
  async batch(statements: readonly Statement[]): Promise<StoreOutcome> {
    this.db.exec("SAVEPOINT batch");
    const outcome = await this.query(statements);
    this.db.exec(outcome.ok ? "RELEASE batch" : "ROLLBACK TO batch; RELEASE batch");
    return outcome;
  }

  exec(sql: string): void {
    this.db.exec(sql);
  }

  async read(sql: string): Promise<readonly Row[]> {
    return this.db.prepare(sql).all().map(plain);
  }

  private run({ number, params }: Statement): Result {
    const prepared = this.db.prepare(this.table.statements[number]?.text ?? "");
    if (prepared.columns().length > 0) return resultOf(prepared.all(...params).map(plain), 0);
    return resultOf([], Number(prepared.run(...params).changes));
  }
}

export class PostgresEngine implements Engine {
  readonly kind = "postgres";
  private readonly session: Client;
  private readonly table: PostgresTable;

  constructor(session: Client, table: PostgresTable) {
    this.session = session;
    this.table = table;
  }

  async query(statements: readonly Statement[]): Promise<StoreOutcome> {
    try {
      const results: Result[] = [];
      for (const statement of statements) results.push(await this.run(statement));
      return { ok: true, results };
    } catch (error) {
      return { ok: false, error: kindOf(error) };
    }
  }

  async batch(statements: readonly Statement[]): Promise<StoreOutcome> {
    await this.session.query("BEGIN");
    const tenant = this.tenantOf(statements);
    if (tenant !== undefined) await this.session.query(this.table.begin, [tenant]);
    const outcome = await this.query(statements);
    await this.session.query(outcome.ok ? "COMMIT" : "ROLLBACK");
    return outcome;
  }

  async read(sql: string): Promise<readonly Row[]> {
    return (await this.session.query<Row>(sql)).rows.map(plain);
  }

  private tenantOf(statements: readonly Statement[]): unknown {
    for (const { number, params } of statements) {
      const place = this.table.statements[number]?.tenant ?? -1;
      if (place >= 0) return params[place];
    }
    return undefined;
  }

  private async run({ number, params }: Statement): Promise<Result> {
    const text = this.table.statements[number]?.text ?? "";
    const { rows, rowCount } = await this.session.query<Row>(text, [...params]);
    return resultOf(rows, rowCount ?? 0);
  }
}

/** As hosts tell the core of the constraints that refuse a batch; anything else is a bug of the statements. */
function kindOf(error: unknown): string {
  if (error instanceof DatabaseError) {
    if (error.code === "23502" && error.table === "guard") return `guard:${error.column}`;
    const columns = /^Key \(([^)]*)\)=/.exec(error.detail ?? "")?.[1];
    if (error.code === "23505") return `unique:${error.table}.${columns?.replaceAll(", ", ",")}`;
    throw error;
  }
  const message = String(error);
  const column = /NOT NULL constraint failed: guard\.(\w+)/.exec(message)?.[1];
  if (column !== undefined) return `guard:${column}`;
  const unique = /UNIQUE constraint failed: (\w+)\.(.*)$/.exec(message);
  if (unique !== null) return `unique:${unique[1]}.${unique[2]?.replaceAll(/, \w+\./g, ",")}`;
  throw error;
}

const plain = (row: Row): Row => ({ ...row });

/** Rows in an order of their own, for what names none. */
const sorted = (rows: readonly Row[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

export class BothEngines implements Store {
  readonly kind = "both";
  /** How many times each statement was run, by its name. */
  readonly ran = new Map<string, number>();
  /** What the next batches, one after the other, are said to have failed with. None is run, but with `unknown_outcome`. */
  failures: (string | undefined)[] = [];
  private readonly sqlite: SqliteEngine;
  private readonly postgres: PostgresEngine;
  private readonly table: StatementTable;

  constructor(session: Client, table: StatementTable, postgresTable: PostgresTable) {
    this.sqlite = new SqliteEngine(table);
    this.postgres = new PostgresEngine(session, postgresTable);
    this.table = table;
  }

  query(statements: readonly Statement[]): Promise<StoreOutcome> {
    return this.onBoth(statements, (engine) => engine.query(statements));
  }

  async batch(statements: readonly Statement[]): Promise<StoreOutcome> {
    const error = this.failures.shift();
    if (error !== undefined && error !== "unknown_outcome") return { ok: false, error };
    const outcome = await this.onBoth(statements, (engine) => engine.batch(statements));
    return error === undefined ? outcome : { ok: false, error };
  }

  /** Fails where any table holds other rows on one engine than on the other. */
  async compareTables(): Promise<void> {
    const tables = await this.sqlite.read(
      "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
    );
    for (const { name } of tables) {
      const [ours, theirs] = await Promise.all([
        this.sqlite.read(`SELECT * FROM ${name}`),
        this.postgres.read(`SELECT * FROM ${name}`),
      ]);
      assert.deepEqual(sorted(theirs), sorted(ours), `rows of ${name}`);
    }
  }

  private async onBoth(
    statements: readonly Statement[],
    run: (engine: Engine) => Promise<StoreOutcome>,
  ): Promise<StoreOutcome> {
    const [ours, theirs] = [await run(this.sqlite), await run(this.postgres)];
    if (!ours.ok || !theirs.ok) {
      assert.deepEqual(theirs, ours);
      return theirs;
    }
    for (const [index, { number, params }] of statements.entries()) {
      const { name, text } = this.table.statements[number] ?? assert.fail(`statement ${number}`);
      this.ran.set(name, (this.ran.get(name) ?? 0) + 1);
      const ordered = /\bORDER BY [^()]*$/.test(text);
      const our: readonly Row[] = ours.results[index]?.rows ?? [];
      const their: readonly Row[] = theirs.results[index]?.rows ?? [];
      const what = `${name}(${JSON.stringify(params)})`;
      assert.deepEqual(ordered ? their : sorted(their), ordered ? our : sorted(our), what);
    }
    return theirs;
  }
}
