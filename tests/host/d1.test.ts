import assert from "node:assert/strict";
import { test } from "node:test";
import { D1Store } from "../../host/worker/d1.ts";
import { classify } from "../../host/worker/d1_errors.ts";
import { fixtureTable } from "./fixture_statements.ts";

// Message, kind for a query, kind for a batch.
const table: readonly [string, string, string][] = [
  [
    "D1_ERROR: NOT NULL constraint failed: guard.source_changed: SQLITE_CONSTRAINT",
    "guard:source_changed",
    "guard:source_changed",
  ],
  [
    "D1_ERROR: UNIQUE constraint failed: api_keys.key_hash: SQLITE_CONSTRAINT",
    "unique:api_keys.key_hash",
    "unique:api_keys.key_hash",
  ],
  [
    "D1_ERROR: UNIQUE constraint failed: t.a, t.b: SQLITE_CONSTRAINT",
    "unique:t.a,b",
    "unique:t.a,b",
  ],
  [
    "D1_ERROR: UNIQUE constraint failed: index 'one_active': SQLITE_CONSTRAINT",
    "unique:one_active",
    "unique:one_active",
  ],
  ["D1_ERROR: NOT NULL constraint failed: sources.name: SQLITE_CONSTRAINT", "refused", "refused"],
  ["D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT", "refused", "refused"],
  ["D1_ERROR: D1 DB is overloaded. Requests queued for too long.", "overloaded", "overloaded"],
  ["D1_ERROR: D1 DB is overloaded. Too many requests queued.", "overloaded", "overloaded"],
  ["D1_ERROR: Network connection lost.", "unavailable", "unknown_outcome"],
  [
    "D1_ERROR: Can't read from request stream because client disconnected.",
    "unavailable",
    "unknown_outcome",
  ],
  ["D1_ERROR: D1 DB reset because its code was updated.", "unavailable", "unknown_outcome"],
  [
    "D1_ERROR: Internal error in D1 DB storage caused object to be reset.",
    "unavailable",
    "unknown_outcome",
  ],
  [
    "D1_ERROR: Internal error while starting up D1 DB storage caused object to be reset.",
    "unavailable",
    "unavailable",
  ],
  [
    "D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.",
    "unavailable",
    "unavailable",
  ],
  [
    "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
    "unavailable",
    "unknown_outcome",
  ],
  [
    "D1_ERROR: D1 DB's isolate exceeded its memory limit and was reset.",
    "unavailable",
    "unknown_outcome",
  ],
  ["D1_ERROR: D1 DB exceeded its CPU time limit and was reset.", "unavailable", "unknown_outcome"],
  ["D1_ERROR: internal error; reference = abc", "unavailable", "unknown_outcome"],
  [
    "D1_ERROR: Failed to parse body as JSON, got: error code: 1031",
    "unavailable",
    "unknown_outcome",
  ],
  ["D1_ERROR: no such table: tenants: SQLITE_ERROR", "unavailable", "unavailable"],
  ["D1_ERROR: database is locked: SQLITE_BUSY", "unavailable", "unavailable"],
  ["D1_ERROR: database or disk is full: SQLITE_FULL", "unavailable", "unavailable"],
  ["D1_ERROR: disk I/O error: SQLITE_IOERR", "unavailable", "unknown_outcome"],
  ["D1_ERROR: out of memory: SQLITE_NOMEM", "unavailable", "unavailable"],
  ["D1_ERROR: interrupted: SQLITE_INTERRUPT", "unavailable", "unknown_outcome"],
  ["D1_ERROR: The batch timed out.", "unavailable", "unknown_outcome"],
  ["D1_ERROR: Query exceeded the timeout of 30 s.", "unavailable", "unknown_outcome"],
  ["D1_ERROR: database disk image is malformed: SQLITE_CORRUPT", "unavailable", "unavailable"],
  ["D1_ERROR: no such column: nosuch at offset 7: SQLITE_ERROR", "refused", "refused"],
  ['D1_ERROR: near "SELEC": syntax error at offset 0: SQLITE_ERROR', "refused", "refused"],
  ["D1_ERROR: string or blob too big: SQLITE_TOOBIG", "refused", "refused"],
  ["D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'", "refused", "refused"],
  ["something that nobody has seen before", "unavailable", "unknown_outcome"],
];

test("every failure of D1 becomes one tagged kind", () => {
  for (const [message, query, batch] of table) {
    assert.equal(classify(message, "query").kind, query, message);
    assert.equal(classify(message, "batch").kind, batch, message);
  }
});

/** A database whose calls fail with the given messages, then succeed. */
function database(...failures: string[]): { db: D1Database; calls: () => number } {
  let calls = 0;
  const answer = async (): Promise<unknown> => {
    calls++;
    const message = failures.shift();
    if (message !== undefined) throw new Error(message);
    return { results: [{ n: 1 }], meta: { rows_read: 1, rows_written: 0, changes: 0 } };
  };
  const statement = { all: answer, bind: () => statement };
  const db = { prepare: () => statement, batch: async () => [await answer()] };
  return { db: db as unknown as D1Database, calls: () => calls };
}

async function quietly<T>(body: () => Promise<T>): Promise<T> {
  const { error } = console;
  console.error = () => {};
  try {
    return await body();
  } finally {
    console.error = error;
  }
}

const statements = [{ number: 0, params: [] }];

test("a read is repeated once when the connection fails, a batch never", async () => {
  const lost = "D1_ERROR: Network connection lost.";
  await quietly(async () => {
    const once = database(lost);
    assert.equal((await new D1Store(once.db, fixtureTable).query(statements)).ok, true);
    assert.equal(once.calls(), 2);
    const twice = database(lost, lost);
    assert.deepEqual(await new D1Store(twice.db, fixtureTable).query(statements), {
      ok: false,
      error: "unavailable",
    });
    const batch = database(lost);
    assert.deepEqual(await new D1Store(batch.db, fixtureTable).batch(statements), {
      ok: false,
      error: "unknown_outcome",
    });
    assert.equal(batch.calls(), 1);
    const overloaded = database("D1_ERROR: D1 DB is overloaded. Too many requests queued.");
    assert.deepEqual(await new D1Store(overloaded.db, fixtureTable).query(statements), {
      ok: false,
      error: "overloaded",
    });
    assert.equal(overloaded.calls(), 1);
  });
});

test("nothing to do needs no database", async () => {
  const none = database();
  assert.deepEqual(await new D1Store(none.db, fixtureTable).query([]), { ok: true, results: [] });
  assert.equal(none.calls(), 0);
});
