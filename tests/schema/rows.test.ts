// What D1 bills: the rows that each operation reads and writes, of the real core on a real D1.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { getPlatformProxy } from "wrangler";
import { Instance } from "../../host/core/instance.ts";
import { Pool } from "../../host/core/pool.ts";
import { drive, type Host } from "../../host/drive.ts";
import { D1Store } from "../../host/store/d1.ts";
import type { Statement, Store, StoreOutcome } from "../../host/store/store.ts";

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
const migration = readFileSync(join(root, "schema/sqlite/0001_initial.sql"), "utf8");
const statements = migration
  .replace(/--.*$/gm, "")
  .split(";")
  .map((text) => text.trim());
await platform.env.DB.batch(
  statements.filter(Boolean).map((text) => platform.env.DB.prepare(text)),
);

/** The store of the Worker, with a meter. */
class Metered implements Store {
  readonly kind = "d1";
  read = 0;
  written = 0;
  private readonly store = new D1Store(platform.env.DB);

  query(asked: readonly Statement[]): Promise<StoreOutcome> {
    return this.count(this.store.query(asked));
  }

  batch(asked: readonly Statement[]): Promise<StoreOutcome> {
    return this.count(this.store.batch(asked));
  }

  private async count(pending: Promise<StoreOutcome>): Promise<StoreOutcome> {
    const outcome = await pending;
    for (const result of outcome.ok ? outcome.results : []) {
      this.read += result.rowsRead;
      this.written += result.rowsWritten;
    }
    return outcome;
  }
}

const store = new Metered();
const Module = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
const build = process.env["WASM_BUILD"] ?? "wasi";
const module = new Module(readFileSync(join(root, "build", build, "sync_manager.wasm")));
const first = new Instance(module);
const host: Host = {
  answers: first.storedAnswers(),
  pool: new Pool(module, first),
  store,
  sealing: false,
  sealer: async () => undefined,
  varsJson: JSON.stringify({ TENANT_SIGNUP: "open", API_KEY_PEPPER: "pepper" }),
  asset: async () => undefined,
};

interface Cost {
  readonly read: number;
  readonly written: number;
  readonly value: Record<string, unknown>;
}

async function call(method: string, path: string, body?: unknown, key = ""): Promise<Cost> {
  const [read, written] = [store.read, store.written];
  const request = new Request(`http://host${path}`, {
    method,
    headers: { "content-type": "application/json", "x-api-key": key },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const { response, finished } = drive(host, request as unknown as Parameters<typeof drive>[1]);
  const answer = await response;
  const value = (await answer.json()) as Record<string, unknown>;
  await finished;
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${JSON.stringify(value)}`);
  return { read: store.read - read, written: store.written - written, value };
}

const items = (count: number, version: number): object => ({
  data: Array.from({ length: count }, (_, i) => ({ id: `P${i}`, version, text: "é".repeat(20) })),
});

/** A tenant with a pair, and what was billed for a run of the whole story with `count` properties. */
async function story(count: number): Promise<Record<string, Cost>> {
  const { value } = await call("POST", "/tenants", { name: `of ${count}` });
  const key = String(value["api_key"]);
  const source = (await call("POST", "/sources", { name: "s", type: "json" }, key)).value["id"];
  const target = (await call("POST", "/targets", { name: "t", type: "internal" }, key)).value["id"];
  const costs: Record<string, Cost> = {};
  const run = async (name: string, path: string, body?: unknown) => {
    costs[name] = await call("POST", path, body, key);
  };
  const sync = `/sync/${source}/${target}`;
  await run("import new", `/sources/${source}/import`, items(count, 1));
  await run("import unchanged", `/sources/${source}/import`, items(count, 1));
  await run("sync new", sync);
  await run("sync unchanged", sync);
  await run("import changed", `/sources/${source}/import`, items(count, 2));
  await run("sync changed", sync);
  await run("sync again", sync);
  const rows = (await call("GET", `/targets/${target}/properties?limit=1`, undefined, key)).value;
  const [row] = rows as unknown as { id: number }[];
  costs["get"] = await call("GET", `/targets/${target}/properties/${row?.id}`, undefined, key);
  return costs;
}

const small = await story(200);
const large = await story(1000);

/** Rows written for each property, and what an operation writes beside. */
function written(name: string): { each: number; beside: number } {
  const [few, many] = [small[name]?.written ?? 0, large[name]?.written ?? 0];
  const each = (many - few) / 800;
  return { each, beside: few - each * 200 };
}

for (const [name, each] of [
  ["import new", 4],
  ["import changed", 4],
  ["sync new", 3],
  ["sync changed", 3],
] as const) {
  test(`rows written: ${name} writes ${each} for each property`, () => {
    const cost = written(name);
    assert.equal(cost.each, each);
    assert.ok(cost.beside <= 12, `${cost.beside} rows beside`);
  });
}

for (const name of ["import unchanged", "sync unchanged", "sync again"]) {
  test(`rows written: ${name} writes one, the log`, () => {
    assert.equal(small[name]?.written, 1);
    assert.equal(large[name]?.written, 1);
  });
}

test("rows read: a sync in which nothing changed reads as many at any size", () => {
  assert.equal(large["sync unchanged"]?.read, small["sync unchanged"]?.read);
  assert.ok((large["sync unchanged"]?.read ?? 99) <= 12, `${large["sync unchanged"]?.read} rows`);
});

test("rows read: a single property is found by its keys", () => {
  assert.equal(large["get"]?.read, small["get"]?.read);
  assert.ok((large["get"]?.read ?? 99) <= 6, `${large["get"]?.read} rows`);
});
