// What an operation costs on a real D1, of the real core: its calls of the store, each of which is a
// round trip, and what D1 bills, the rows that it reads and writes.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { getPlatformProxy } from "wrangler";
import type { Statement, Store, StoreOutcome } from "../../host/shared/store/store.ts";
import { D1Store } from "../../host/worker/d1.ts";
import { openCore, readTable } from "./core.ts";
import { statementsOf } from "./migrations.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "sync-manager-rows-"));
const configPath = join(folder, "wrangler.toml");
writeFileSync(
  configPath,
  `name = "rows"\ncompatibility_date = "2026-11-01"\n[[d1_databases]]\nbinding = "DB"\ndatabase_name = "rows"\n` +
    `database_id = "00000000-0000-0000-0000-000000000000"\n`,
);
const platform = await getPlatformProxy<{ DB: D1Database }>({
  configPath,
  persist: { path: folder },
});
after(async () => {
  await platform.dispose();
  rmSync(folder, { recursive: true, force: true });
});
const migrations = readdirSync(join(root, "schema/sqlite"))
  .sort()
  .map((name) => readFileSync(join(root, "schema/sqlite", name), "utf8"));
await platform.env.DB.batch(
  statementsOf(migrations.join("\n")).map((text) => platform.env.DB.prepare(text)),
);

const table = readTable("sqlite");

/** The store of the Worker, with a meter. */
class Metered implements Store {
  readonly kind = "d1";
  calls = 0;
  read = 0;
  written = 0;
  private readonly store = new D1Store(platform.env.DB, table);

  query(asked: readonly Statement[]): Promise<StoreOutcome> {
    return this.count(this.store.query(asked));
  }

  batch(asked: readonly Statement[]): Promise<StoreOutcome> {
    return this.count(this.store.batch(asked));
  }

  private async count(pending: Promise<StoreOutcome>): Promise<StoreOutcome> {
    this.calls++;
    const outcome = await pending;
    for (const result of outcome.ok ? outcome.results : []) {
      this.read += result.rowsRead;
      this.written += result.rowsWritten;
    }
    return outcome;
  }
}

const store = new Metered();
const core = openCore(store, table);

interface Cost {
  readonly calls: number;
  readonly read: number;
  readonly written: number;
  readonly value: Record<string, unknown>;
  readonly etag: string;
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  key = "",
  headers: Record<string, string> = {},
): Promise<Cost> {
  const { calls, read, written } = store;
  const answer = await core.call(method, path, body, key, headers);
  assert.ok(answer.status < 400, `${method} ${path}: ${answer.status} ${answer.text}`);
  return {
    calls: store.calls - calls,
    read: store.read - read,
    written: store.written - written,
    value: answer.text === "" ? {} : (JSON.parse(answer.text) as Record<string, unknown>),
    etag: answer.etag,
  };
}

const kSizes = [100, 1000, 2000];
const kFew = 10;

const items = (count: number, version: number): object => ({
  data: Array.from({ length: count }, (_, i) => ({ id: `P${i}`, version, text: "é".repeat(20) })),
});

/** A tenant with a pair, and what was billed for a run of the whole story with `count` properties. */
async function story(count: number): Promise<Map<string, Cost>> {
  const { value } = await call("POST", "/tenants", { name: `of ${count}` });
  const key = String(value["api_key"]);
  const source = (await call("POST", "/sources", { name: "s", type: "json" }, key)).value["id"];
  const target = (await call("POST", "/targets", { name: "t", type: "internal" }, key)).value["id"];
  const costs = new Map<string, Cost>();
  const run = async (name: string, path: string, body: unknown, stats: object) => {
    const cost = await call("POST", path, body, key);
    const told = cost.value["stats"] as Record<string, number>;
    const counts = Object.entries(told).filter(([, amount]) => amount !== 0);
    assert.deepEqual(Object.fromEntries(counts), stats, `${name} of ${count}`);
    costs.set(name, cost);
  };
  const imports = `/sources/${source}/import`;
  const sync = `/sync/${source}/${target}`;
  await run("import new", imports, items(count, 1), { created: count });
  await run("import unchanged", imports, items(count, 1), { skipped: count });
  await run("sync new", sync, undefined, { created: count });
  await run("sync unchanged", sync, undefined, { skipped: count });
  await run("import changed", imports, items(count, 2), { updated: count });
  await run("sync changed", sync, undefined, { updated: count });
  await run("sync again", sync, undefined, { skipped: count });
  await run("import few", imports, items(kFew, 3), { updated: kFew });
  await run("sync few", sync, undefined, { updated: kFew, skipped: count - kFew });
  for (const connector of [`/sources/${source}`, `/targets/${target}`]) {
    const page = await call("GET", `${connector}/properties?limit=1`, undefined, key);
    const [row] = page.value as unknown as { id: number }[];
    const name = `get of ${connector.split("/")[1]}`;
    costs.set(name, await call("GET", `${connector}/properties/${row?.id}`, undefined, key));
    const list = await call("GET", `${connector}/properties`, undefined, key);
    costs.set(name.replace("get", "list"), list);
  }
  return costs;
}

const stories = new Map<number, Map<string, Cost>>();
for (const size of kSizes) stories.set(size, await story(size));

const kAgedSizes = [500, 4000];
const agedOnes: Awaited<ReturnType<typeof aged>>[] = [];
for (const size of kAgedSizes) agedOnes.push(await aged(size));

/** What an operation cost at each size. */
function costs(name: string, of: "read" | "written"): number[] {
  return kSizes.map((size) => stories.get(size)?.get(name)?.[of] ?? Number.NaN);
}

/** The same at every size, and no more than `most`. */
function assertConstant(name: string, of: "read" | "written", most: number): void {
  const [first, ...others] = costs(name, of);
  for (const other of others) assert.equal(other, first, `${name} ${of}: ${costs(name, of)}`);
  assert.ok(first !== undefined && first <= most, `${name}: ${first} rows ${of}`);
}

for (const [name, each] of [
  ["import new", 4],
  ["import changed", 4],
  ["sync new", 3],
  ["sync changed", 3],
] as const) {
  test(`rows written: ${name} writes ${each} for each property`, () => {
    const beside = costs(name, "written").map((rows, at) => rows - each * (kSizes[at] ?? 0));
    for (const rows of beside) {
      assert.equal(rows, beside[0], `rows beside, at ${kSizes}: ${beside}`);
      assert.ok(rows >= 1 && rows <= 12, `${rows} rows beside`);
    }
  });
}

for (const name of ["import unchanged", "sync unchanged", "sync again"]) {
  test(`rows written: ${name} writes one, the log`, () => {
    for (const rows of costs(name, "written")) assert.equal(rows, 1);
  });
}

test("rows written: a few changes among many cost what a few cost", () => {
  assertConstant("import few", "written", 4 * kFew + 12);
  assertConstant("sync few", "written", 3 * kFew + 12);
});

test("rows read: a sync in which nothing changed reads as many at any size", () => {
  assertConstant("sync unchanged", "read", 22);
  assertConstant("sync again", "read", 22);
});

test("rows read: a sync of a few changes among many reads in proportion to the changes", () => {
  assertConstant("sync few", "read", 50 * kFew);
});

test("rows read: a single property is found by its keys", () => {
  assertConstant("get of sources", "read", 6);
  assertConstant("get of targets", "read", 6);
});

test("rows read: a list reads two for each of its rows, and its parent", () => {
  for (const name of ["list of sources", "list of targets"]) {
    const beside = costs(name, "read").map((rows, at) => rows - 2 * (kSizes[at] ?? 0));
    // The key, and the parent, once for each part.
    for (const rows of beside) assert.ok(rows >= 0 && rows <= 40, `${name}: ${beside} beside`);
  }
});

/** A tenant with a target of `count` rows: all old, but for the first and the last, which changed today. */
async function aged(count: number) {
  const { value } = await call("POST", "/tenants", { name: `aged, of ${count}` });
  const key = String(value["api_key"]);
  const made = async (path: string, type: string) =>
    Number((await call("POST", path, { name: "n", type }, key)).value["id"]);
  const [source, other] = [await made("/sources", "json"), await made("/sources", "json")];
  const target = await made("/targets", "internal");
  const few = { data: [{ id: "own" }, { id: "too" }] };
  await call("POST", `/sources/${other}/import`, few, key);
  await call("POST", `/sync/${other}/${target}`, undefined, key);
  await call("POST", `/sources/${source}/import`, items(count - 2, 1), key);
  await call("POST", `/sync/${source}/${target}`, undefined, key);
  for (const table of ["source_properties", "target_properties"]) {
    const sql = `UPDATE ${table} SET updated_at = '2020-01-01T00:00:00.000Z' WHERE tenant_id = ?`;
    await platform.env.DB.prepare(sql).bind(Number(value["id"])).run();
  }
  const changed = [0, count - 3].map((at) => ({ id: `P${at}`, version: 2 }));
  await call("POST", `/sources/${source}/import`, { data: changed }, key);
  await call("POST", `/sync/${source}/${target}`, undefined, key);
  return { source: `/sources/${source}`, target: `/targets/${target}`, other, key };
}

const kSince = "updated_since=2025-01-01T00:00:00Z";
for (const [name, path] of [
  ["those of a source that changed", (of) => `${of.source}/properties?${kSince}`],
  ["those of a target that changed", (of) => `${of.target}/properties?${kSince}`],
  ["those that a source owns", (of) => `${of.target}/properties?source_id=${of.other}`],
] as readonly [string, (of: Awaited<ReturnType<typeof aged>>) => string][]) {
  test(`rows read: of a list, ${name} are found without the others`, async () => {
    for (const [at, of] of agedOnes.entries()) {
      for (const page of ["", "&limit=1", "&limit=100"]) {
        const cost = await call("GET", path(of) + page, undefined, of.key);
        const rows = cost.value as unknown as object[];
        assert.equal(rows.length, page === "&limit=1" ? 1 : 2, `${name}${page}`);
        assert.ok(cost.read <= 200, `${name}${page}, of ${kAgedSizes[at]}: ${cost.read} rows read`);
        assert.equal(cost.calls, 1);
      }
    }
  });
}

test("calls: the use of a key is written once an hour, one row, and read with what is read anyway", async () => {
  const { value } = await call("POST", "/tenants", { name: "of a key" });
  const key = String(value["api_key"]);
  const [first, second] = [
    await call("GET", "/sources", undefined, key),
    await call("GET", "/sources", undefined, key),
  ];
  assert.deepEqual([first.calls, first.written], [2, 1]);
  assert.deepEqual([second.calls, second.written], [1, 0]);
});

test("calls: what users wait for takes as few as can be", async () => {
  const { value } = await call("POST", "/tenants", { name: "of calls" });
  const key = String(value["api_key"]);
  const found = new Map<string, number>();
  const run = async (
    name: string,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => {
    const cost = await call(method, path, body, key, headers);
    found.set(name, cost.calls);
    return cost;
  };
  // The first call of an hour tells behind its answer that the key was used.
  await call("GET", "/keys", undefined, key);
  const source = await run("create source", "POST", "/sources", { name: "s", type: "json" });
  const target = await run("create target", "POST", "/targets", { name: "t", type: "internal" });
  await run("create key", "POST", "/keys");
  const from = `/sources/${source.value["id"]}`;
  const to = `/targets/${target.value["id"]}`;
  const sync = `/sync/${source.value["id"]}/${target.value["id"]}`;
  await run("import new", "POST", `${from}/import`, items(3, 1));
  await run("import unchanged", "POST", `${from}/import`, items(3, 1));
  await run("sync new", "POST", sync);
  await run("sync unchanged", "POST", sync);
  const page = await run("page", "GET", `${to}/properties?limit=2`);
  const [row] = page.value as unknown as { id: number }[];
  const path = `${to}/properties/${row?.id}`;
  await run("list", "GET", `${to}/properties`);
  await run("304 of a page", "GET", `${to}/properties?limit=2`, undefined, {
    "if-none-match": page.etag,
  });
  const shown = await run("row", "GET", path);
  await run("PATCH", "PATCH", path, { data: { hand: 1 } });
  const again = await run("row", "GET", path);
  assert.notEqual(again.etag, shown.etag);
  const patch = { data: { hand: 2 } };
  await run("PATCH if-match", "PATCH", path, patch, { "if-match": again.etag });
  await run("import few", "POST", `${from}/import`, items(1, 2));
  await run("sync few", "POST", sync);
  for (const list of ["/sources", "/targets", "/keys", "/logs", `${path}/snapshots`, from, to]) {
    await run(list.replace(/\d+/g, "1"), "GET", list);
  }
  for (const [name, calls] of found) console.log(`${name}: ${calls} calls of the store`);
  const most: Record<string, number> = {
    "create source": 2,
    "create target": 2,
    "create key": 2,
    "import new": 3,
    "import unchanged": 2,
    "import few": 3,
    "sync new": 3,
    "sync unchanged": 2,
    "sync few": 3,
    PATCH: 2,
    "PATCH if-match": 2,
  };
  for (const [name, calls] of found) {
    assert.ok(calls <= (most[name] ?? 1), `${name}: ${calls} calls, not ${most[name] ?? 1}`);
  }
});
