// A clean-up's statements on both engines, in many small states and in slices of a few rows: what something points to
// stays, what nothing points to goes, and no other tenant is touched. What has to be left is worked out here, from the rows
// alone.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readQueries } from "../../schema/queries.mjs";
import {
  type Cell,
  expectedAfter,
  kBefore,
  kPointers,
  pointedTo,
  type Row,
  randomFrom,
  randomTables,
  type Tables,
} from "./cleanup_model.ts";
import { sqliteWithSchema } from "./engines.ts";
import { startPostgres } from "./postgres.ts";

const postgres = await startPostgres();
after(() => postgres.stop());
const session = await postgres.createDatabase("cleanup");
await session.query("SET session_replication_role = replica");

const statements = new Map(
  readQueries().map(({ name, word, texts }) => [
    word === undefined ? name : `${name} ${word}`,
    { sqlite: String(texts["sqlite"]), postgres: String(texts["postgres"]) },
  ]),
);

/** A store with the rows of a state in it. */
interface Store {
  run(name: string, ...params: Cell[]): Promise<readonly Row[]>;
  read(table: string): Promise<readonly Row[]>;
  change(sql: string): Promise<void>;
}

function onSqlite(tables: Tables): Store {
  const db = sqliteWithSchema();
  db.exec("PRAGMA foreign_keys = OFF");
  for (const [table, rows] of tables) {
    db.exec(`DELETE FROM ${table}`);
    for (const row of rows) {
      const names = Object.keys(row);
      const places = names.map(() => "?").join();
      const sql = `INSERT INTO ${table} (${names.join()}) VALUES (${places})`;
      db.prepare(sql).run(...Object.values(row));
    }
  }
  const run = (sql: string, params: readonly Cell[] = []) =>
    db
      .prepare(sql)
      .all(...params)
      .map((row) => ({ ...row }) as Row);
  return {
    run: async (name, ...params) => run(textOf(name, "sqlite"), params),
    read: async (table) => run(`SELECT * FROM ${table}`),
    change: async (sql) => db.exec(sql),
  };
}

async function onPostgres(tables: Tables): Promise<Store> {
  for (const [table, rows] of tables) {
    await session.query(`DELETE FROM ${table}`);
    const names = Object.keys(rows[0] ?? {}).join();
    if (names === "") continue;
    const sql = `INSERT INTO ${table} (${names}) SELECT ${names} FROM json_populate_recordset(NULL::${table}, $1)`;
    await session.query(sql, [JSON.stringify(rows)]);
  }
  const run = async (sql: string, params: readonly Cell[] = []) =>
    (await session.query<Row>(sql, [...params])).rows.map((row) => ({ ...row }));
  return {
    // A clean-up's batch is one transaction, in which a statement is told what the one before it deleted.
    run: async (name, ...params) => {
      if (name === "cleanup_slice") await session.query("COMMIT; BEGIN");
      return run(textOf(name, "postgres"), params);
    },
    read: (table) => run(`SELECT * FROM ${table}`),
    change: async (sql) => void (await session.query(sql)),
  };
}

function textOf(name: string, engine: "sqlite" | "postgres"): string {
  return statements.get(name)?.[engine] ?? assert.fail(name);
}

type Search = "loose_data_deleted" | "unreferenced_data_deleted";
const kSearches: readonly Search[] = ["loose_data_deleted", "unreferenced_data_deleted"];

/** Few enough that some states have more. */
const kScanRows = 25;

/** What a scan of the tenant reads, by the rows alone: counted to one more than the limit. */
async function extentOf(store: Store): Promise<Row> {
  const ours = async (table: string) =>
    (await store.read(table)).filter((row) => row["tenant_id"] === 1).length;
  const connectors = (await ours("sources")) + (await ours("targets"));
  let size = 0;
  for (const table of Object.keys(kPointers)) size += await ours(table);
  return { connectors, size: Math.min(size, kScanRows + 1) };
}

/** As core/flow/cleanup.cc sends it. Answers whether there is more. */
async function cleanUpOnce(store: Store, limit: number, search: Search): Promise<boolean> {
  const [extent] = await store.run("cleanup_extent", 1, kScanRows);
  assert.deepEqual(extent, await extentOf(store));
  const [found] = await store.run("cleanup_slice", 1, kBefore, limit);
  const numbers = (...names: string[]) => names.map((name) => Number(found?.[name] ?? 0));
  const cut = (kind: string) =>
    numbers(...["connector", "property", "version"].map((name) => `${kind}_${name}`));
  const [source, target, [orphan = 0]] = [cut("source"), cut("target"), numbers("orphan_last")];
  const counts = numbers("source_count", "target_count", "orphan_count");
  assert.ok(counts.every((count) => count <= limit + 1));
  if (counts.some((count) => count > 0)) {
    const slice = [1, kBefore, ...source, ...target, orphan];
    await store.run("staged_kept", ...slice);
    await store.run(search, ...slice);
    if (orphan > 0) await store.run("orphans_checked", 1, orphan);
    await store.run("source_snapshots_expired", 1, kBefore, ...source);
    await store.run("log_counted", 1, 1, "$.source_snapshots");
    await store.run("target_snapshots_expired", 1, kBefore, ...target);
    await store.run("log_counted", 1, 1, "$.target_snapshots");
  }
  return counts.some((count) => count > limit);
}

/** As core/flow/retention.cc sends it. Answers whether there was something. */
async function hiddenGo(store: Store, limit: number): Promise<boolean> {
  const [found] = await store.run("hidden_slice", 1, kBefore, limit);
  if (found?.["last"] === null) return false;
  const slice = [Number(found?.["target_id"]), Number(found?.["last"]), kBefore];
  await store.run("hidden_targets_bumped", 1, ...slice);
  await store.run("hidden_orphaned", 1, ...slice);
  await store.run("hidden_deleted", 1, ...slice);
  return true;
}

async function read(store: Store, tables: Tables): Promise<Tables> {
  const found = new Map<string, readonly Row[]>();
  for (const table of tables.keys()) found.set(table, await store.read(table));
  // Each slice of hidden rows raises the revision of its targets.
  const raised = (revision: Cell | undefined) => Math.min(Number(revision), 2);
  const targets = found.get("targets")?.map((row) => ({
    ...row,
    revision: raised(row["revision"]),
    feed_floor: raised(row["feed_floor"]),
  }));
  return found.set("targets", targets ?? []);
}

/** All rows of each table that a state names, in an order of their own. */
function sorted(tables: Tables, like: Tables): Record<string, string[]> {
  return Object.fromEntries(
    [...like].map(([table, rows]) => {
      const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
      const text = (row: Row) => JSON.stringify(names.map((name) => row[name] ?? null));
      return [table, (tables.get(table) ?? []).map(text).sort()];
    }),
  );
}

/** A whole retention, slice by slice, with nothing gone that something still points to. */
async function retain(store: Store, tables: Tables, seed: number, pick: () => Search) {
  const limit = 1 + (seed % 6);
  const slices = async () => {
    for (let more = true, rounds = 0; more; rounds++) {
      assert.ok(rounds < 200, "it ends");
      more = await cleanUpOnce(store, limit, pick());
      const left = await read(store, tables);
      const data = new Set(left.get("property_data")?.map(({ id }) => id));
      for (const id of pointedTo(left)) assert.ok(data.has(id), `something points to ${id}`);
    }
  };
  await slices();
  while (await hiddenGo(store, limit));
  await slices();
  while (await cleanUpOnce(store, limit, pick()));
}

async function check(store: Store, tables: Tables, seed: number, pick: () => Search) {
  await retain(store, tables, seed, pick);
  const expected = expectedAfter(tables, 1);
  assert.deepEqual(sorted(await read(store, tables), tables), sorted(expected, tables));
  // What an import in progress alone held goes when that was given up.
  await store.change("DELETE FROM staging WHERE tenant_id = 1");
  while (await cleanUpOnce(store, 50, pick()));
  const left = await read(store, tables);
  const ids = (of: Iterable<unknown>) => [...of].map(Number).sort((a, b) => a - b);
  const ours = left.get("property_data")?.filter((row) => row["tenant_id"] === 1) ?? [];
  assert.deepEqual(ids(ours.map(({ id }) => id)), ids(pointedTo(left, 1)));
}

const kWays: readonly [name: string, pick: (random: (limit: number) => number) => Search][] = [
  ["by a scan", () => "loose_data_deleted"],
  ["by look-ups", () => "unreferenced_data_deleted"],
  ["by either", (random) => kSearches[random(2)] ?? "loose_data_deleted"],
];

for (const [way, pick] of kWays) {
  test(`cleanup, SQLite, ${way}: in any state, exactly what nothing points to goes`, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const tables = randomTables(seed);
      const random = randomFrom(seed);
      await at(seed, () => check(onSqlite(tables), tables, seed, () => pick(random)));
    }
  });

  test(`cleanup, PostgreSQL, ${way}: the same`, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const tables = randomTables(seed);
      const random = randomFrom(seed);
      await session.query("BEGIN");
      const store = await onPostgres(tables);
      await at(seed, () => check(store, tables, seed, () => pick(random)));
      await session.query("COMMIT");
    }
  });
}

async function at(seed: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  }
}
