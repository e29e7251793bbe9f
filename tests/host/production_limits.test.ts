import assert from "node:assert/strict";
import { test } from "node:test";
import { kLimits, kViolation, limitedDatabase } from "./production_limits.ts";

/** A database whose every statement gives one row, and what was reported of it. */
function limited(row: Record<string, unknown> = { a: 1 }): {
  readonly db: D1Database;
  readonly reported: string[];
} {
  const result = { results: [row] };
  const statement = { bind: () => statement, all: async () => result };
  const inner = { prepare: () => statement, batch: async (list: []) => list.map(() => result) };
  const reported: string[] = [];
  const db = limitedDatabase(inner as unknown as D1Database, (message) => reported.push(message));
  return { db, reported };
}

test("production: what stands at a limit passes", async () => {
  const { db, reported } = limited();
  const sql = "x".repeat(kLimits.statementBytes);
  const params = Array.from({ length: kLimits.parameters }, () => 1);
  await db
    .prepare(sql)
    .bind(...params)
    .all();
  await db.batch(Array.from({ length: kLimits.queries - 1 }, () => db.prepare("")));
  assert.deepEqual(reported, []);
  const large = limited({ a: "x".repeat(kLimits.valueBytes) });
  await large.db.prepare("").bind("x".repeat(kLimits.valueBytes)).all();
  assert.deepEqual(large.reported, []);
});

test("production: what goes beyond one fails, and is reported", async () => {
  const long = "ж".repeat(kLimits.valueBytes / 2 + 1);
  const beyond: readonly (readonly [string, (db: D1Database) => Promise<unknown>])[] = [
    ["bytes of a statement", async (db) => db.prepare("x".repeat(kLimits.statementBytes + 1))],
    ["parameters", async (db) => db.prepare("").bind(...Array(kLimits.parameters + 1).fill(1))],
    ["bytes of a parameter", async (db) => db.prepare("").bind(long)],
    [
      "queries of an invocation",
      async (db) => db.batch(Array.from({ length: kLimits.queries + 1 }, () => db.prepare(""))),
    ],
  ];
  for (const [what, act] of beyond) {
    const { db, reported } = limited();
    await assert.rejects(act(db), /D1_ERROR/);
    assert.equal(reported.length, 1);
    assert.match(reported[0] ?? "", new RegExp(`${kViolation}: \\d+ ${what}`));
  }
  for (const act of [
    (db: D1Database) => db.prepare("").all(),
    (db: D1Database) => db.batch([db.prepare("")]),
  ]) {
    const { db, reported } = limited({ a: long, b: 1 });
    await assert.rejects(act(db), /D1_ERROR/);
    assert.match(reported[0] ?? "", /bytes of a row/);
  }
});
