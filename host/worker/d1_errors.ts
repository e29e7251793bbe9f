// D1 reports every failure as an `Error` whose message begins with `D1_ERROR: `. This table is the
// only place that knows those texts. They are in Cloudflare's "Debug D1" page and in SQLite's own
// messages.

export type Doing = "query" | "batch";

type Rule = {
  readonly pattern: RegExp;
  /** The kind, or a different one for a batch, whose commit may have happened before the failure. */
  readonly kind: string | { readonly query: string; readonly batch: string };
  /** Whether a read is worth a second attempt at once. */
  readonly retry?: true;
};

const lost = { query: "unavailable", batch: "unknown_outcome" } as const;

// The first rule that matches counts.
const rules: readonly Rule[] = [
  // The queue of the database is full, or a request waited in it too long. Nothing of it has run.
  // D1's advice is to send less, so a read is not repeated.
  { pattern: /D1 DB is overloaded/i, kind: "overloaded" },
  { pattern: /Too many requests queued|Requests queued for too long/i, kind: "overloaded" },
  { pattern: /generating too much load/i, kind: "overloaded" },
  // The object that runs the database could not be reached or started: nothing has run.
  { pattern: /Cannot resolve D1 DB/i, kind: "unavailable", retry: true },
  { pattern: /Internal error while starting up D1 DB/i, kind: "unavailable", retry: true },
  // The connection broke, or the object went away, with a statement under way: the commit may have happened.
  { pattern: /Network connection lost/i, kind: lost, retry: true },
  { pattern: /client disconnected/i, kind: lost, retry: true },
  { pattern: /reset because its code was updated/i, kind: lost, retry: true },
  { pattern: /Internal error in (D1 DB|Durable Object) storage/i, kind: lost, retry: true },
  { pattern: /storage operation exceeded timeout/i, kind: lost },
  { pattern: /exceeded its (memory|CPU time) limit/i, kind: lost },
  { pattern: /object to be reset|was reset/i, kind: lost, retry: true },
  // Anything else that workerd hides behind this text, and an answer that is no JSON (a proxy's error page).
  { pattern: /internal error/i, kind: lost, retry: true },
  { pattern: /Failed to parse body as JSON/i, kind: lost, retry: true },
  // Time ran out: while the commit was under way, for all that one can tell.
  { pattern: /SQLITE_INTERRUPT|timed out|timeout/i, kind: lost },
  // SQLite under way: the transaction was rolled back, and the fault is not the statement's.
  { pattern: /SQLITE_BUSY|database is locked|SQLITE_LOCKED/, kind: "unavailable", retry: true },
  {
    pattern: /SQLITE_FULL|database or disk is full|Exceeded maximum DB size/i,
    kind: "unavailable",
  },
  // A commit whose last write or sync failed may be found whole when the file is opened again.
  { pattern: /SQLITE_IOERR|disk I\/O error/, kind: lost },
  { pattern: /SQLITE_CORRUPT|SQLITE_NOTADB|SQLITE_CANTOPEN|SQLITE_READONLY/, kind: "unavailable" },
  { pattern: /SQLITE_NOMEM|out of memory/i, kind: "unavailable" },
  // The migrations have not run yet.
  { pattern: /no such table/, kind: "unavailable" },
];

// `NOT NULL constraint failed: guard.source_changed: SQLITE_CONSTRAINT`: the table `guard` exists
// only to abort a batch.
const guard = /NOT NULL constraint failed: guard\.(\w+)/;
// `UNIQUE constraint failed: t.a, t.b: SQLITE_CONSTRAINT`: several columns become `unique:t.a,b`.
const unique = /UNIQUE constraint failed: (\w+)\.(\w+)((?:, \w+\.\w+)*)/;
// A unique index on an expression is named instead of its columns, and becomes `unique:<index>`.
const uniqueIndex = /UNIQUE constraint failed: index '([^']+)'/;

export type Classified = {
  readonly kind: string;
  readonly retry: boolean;
  /** Whether the failure has to be looked into: nobody but the log learns its text. */
  readonly log: boolean;
};

export function classify(message: string, doing: Doing): Classified {
  const constraint = classifyConstraint(message);
  if (constraint !== undefined) return { kind: constraint, retry: false, log: false };
  for (const rule of rules) {
    if (!rule.pattern.test(message)) continue;
    const kind = typeof rule.kind === "string" ? rule.kind : rule.kind[doing];
    return { kind, retry: doing === "query" && rule.retry === true, log: true };
  }
  // SQLite or D1 refused the statement itself (syntax, type, other constraints, size of a
  // parameter): our bug. A failure that carries neither mark is of unknown making, so a batch may
  // have been committed.
  if (/SQLITE_|D1_TYPE_ERROR|D1_COLUMN_NOTFOUND|syntax error/.test(message)) {
    return { kind: "refused", retry: false, log: true };
  }
  return { kind: lost[doing], retry: false, log: true };
}

function classifyConstraint(message: string): string | undefined {
  const column = guard.exec(message)?.[1];
  if (column !== undefined) return `guard:${column}`;
  const index = uniqueIndex.exec(message)?.[1];
  if (index !== undefined) return `unique:${index}`;
  const [whole, table, first, others] = unique.exec(message) ?? [];
  if (whole === undefined) return undefined;
  return `unique:${table}.${first}${(others ?? "").replaceAll(/, \w+\./g, ",")}`;
}
