// The real core on SQLite and PostgreSQL at once: it sends the same statements to both, which must answer each the same,
// and hold the same rows in all tables after each step. `HISTORY_SEED` in the environment adds a seed.
import assert from "node:assert/strict";
import { after, mock, test } from "node:test";
import type { StatementTable } from "../../host/shared/store/store.ts";
import { kAdminToken, openCore, readTable } from "./core.ts";
import { BothEngines, type PostgresTable } from "./engines.ts";
import { startPostgres } from "./postgres.ts";

const kDayMs = 86_400_000;
/** A sync decides inside its batch after as many lost races. */
const kRaces = 5;
const kSteps = 150;
const kSeeds = [7, ...(process.env["HISTORY_SEED"] ?? "").split(",").filter(Boolean).map(Number)];
/** What sorts and compares otherwise under a collation, and what JSON and SQL have to escape. */
const kIds = ["a", "B", "b", "é", "Z", "_", "10", "9", 'q"uote', "back\\slash", "o'clock", "😀"];

const table = readTable<StatementTable>("sqlite");
const postgres = await startPostgres();
after(() => postgres.stop());
const session = await postgres.createDatabase("history");
const store = new BothEngines(session, table, readTable<PostgresTable>("postgres"));
const core = openCore(store, table);
// Nights and leases pass at once.
mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-01-15T10:30:00.000Z") });

const kLater = "2050-01-01T00:00:00Z";

interface Named {
  readonly id: number;
}

type Headers = Record<string, string>;

class Tenant {
  private readonly key: string;

  private constructor(key: string) {
    this.key = key;
  }

  static async begin(): Promise<Tenant> {
    const { text } = await core.call("POST", "/tenants", { name: "a tenant" });
    const { id, api_key } = JSON.parse(text) as Named & { api_key: string };
    const tenant = new Tenant(api_key);
    await tenant.call("GET", `/tenants/${id}`);
    return tenant;
  }

  async call(method: string, path: string, body?: unknown, headers: Headers = {}) {
    const answer = await core.call(method, path, body, this.key, headers);
    assert.ok(answer.status < 500, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer;
  }

  /** A call whose batches, one after the other, are said to fail like that. */
  async failing(failures: readonly (string | undefined)[], path: string, body?: unknown) {
    store.failures = [...failures];
    const answer = await core.call("POST", path, body, this.key, kChunked);
    store.failures = [];
    return answer;
  }

  async rows<Row>(path: string): Promise<Row[]> {
    return JSON.parse((await this.call("GET", path)).text) as Row[];
  }

  async place(places: "sources" | "targets"): Promise<number> {
    const type = places === "sources" ? "json" : "internal";
    const config = { token: "secret", headers: { authorization: "secret" } };
    const body = { name: 'é "n"', type, config };
    return (JSON.parse((await this.call("POST", `/${places}`, body)).text) as Named).id;
  }
}

/** What a config shows in place of a secret: given back, it means the one that is stored. */
const kMask = "********";

/** Without a length, so that what is large is staged in parts. */
const kChunked: Headers = { "transfer-encoding": "chunked" };

/** A generator of numbers below a bound that repeats itself for a seed (mulberry32). */
function randomFrom(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

class History {
  private readonly tenant: Tenant;
  private readonly below: (bound: number) => number;
  private readonly sources: number[] = [];
  private readonly targets: number[] = [];

  private constructor(tenant: Tenant, below: (bound: number) => number) {
    this.tenant = tenant;
    this.below = below;
  }

  static async begin(seed: number): Promise<History> {
    const history = new History(await Tenant.begin(), randomFrom(seed));
    for (const at of [0, 1, 2]) await history.renew("sources", history.sources, at);
    for (const at of [0, 1]) await history.renew("targets", history.targets, at);
    return history;
  }

  async step(): Promise<void> {
    const dice = this.below(100);
    if (dice < 25) await this.importSome();
    else if (dice < 50) await this.sync();
    else if (dice < 65) await this.edit();
    else if (dice < 70) await this.removeOne();
    else if (dice < 76) await this.configure();
    else if (dice < 86) await this.list();
    else if (dice < 89) await this.tenant.call("POST", "/cleanup?days=0");
    else if (dice < 91) await this.passNights(this.pick([40, 400]));
    else if (dice < 94) await this.fail();
    else if (dice < 96) await this.renew("sources", this.sources, this.below(3));
    else if (dice < 98) await this.renew("targets", this.targets, this.below(2));
    else await this.changeKeys();
    mock.timers.tick(1000);
    await store.compareTables();
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] ?? assert.fail("nothing to pick from");
  }

  private pair(): string {
    return `/sync/${this.pick(this.sources)}/${this.pick(this.targets)}`;
  }

  /** Whole or in part, with items that are no good or come twice. */
  private async importSome(): Promise<void> {
    const data: unknown[] = Array.from({ length: this.below(kIds.length) }, () => ({
      id: this.pick(kIds),
      v: this.below(3),
      text: 'é "q" \u0000 \u2028 😀 \\',
    }));
    if (this.below(4) === 0) data.push("no item");
    const mode = this.pick(["full&force=true", "upsert"]);
    const path = `/sources/${this.pick(this.sources)}/import?mode=${mode}`;
    await this.tenant.call("POST", path, { data });
  }

  /** Decided before the batch, or inside it. */
  private async sync(): Promise<void> {
    const races = this.below(4) === 0 ? kRaces : 0;
    const lost = Array.from({ length: races }, () => "guard:source_changed");
    const { status, text } = await this.tenant.failing(lost, this.pair());
    assert.equal(status, 200, text);
  }

  /** A batch fails, or its answer is lost, and the operation says so or finds out. */
  private async fail(): Promise<void> {
    await this.tenant.failing([this.pick(["unavailable", "unknown_outcome"])], this.pair());
  }

  private async edit(): Promise<void> {
    const list = `/targets/${this.pick(this.targets)}/properties`;
    const rows = await this.tenant.rows<Named>(list);
    if (rows.length === 0) return;
    const path = `${list}/${this.pick(rows).id}`;
    const { etag, text } = await this.tenant.call("GET", path);
    await this.tenant.call("PATCH", path, { data: { v: this.below(3) } }, { "if-match": etag });
    const { data } = JSON.parse(text) as { data: object };
    if (this.below(3) === 0) await this.tenant.call("PATCH", path, { data });
    await this.tenant.call("GET", `${path}/snapshots`);
  }

  private async removeOne(): Promise<void> {
    const list = `/sources/${this.pick(this.sources)}/properties`;
    const rows = await this.tenant.rows<Named>(list);
    if (rows.length === 0) return;
    const path = `${list}/${this.pick(rows).id}`;
    await this.tenant.call("GET", path);
    await this.tenant.call("GET", `${path}/snapshots`);
    await this.tenant.call("DELETE", path);
  }

  private async configure(): Promise<void> {
    const conflict_policy = this.pick(["skip", "source_wins"]);
    const config = { conflict_policy, on_removed: this.pick(["keep", "delete"]) };
    await this.tenant.call("PATCH", `/targets/${this.pick(this.targets)}`, { config });
    const name = this.pick(kIds);
    await this.tenant.call("PATCH", `/sources/${this.pick(this.sources)}`, { name });
  }

  private async list(): Promise<void> {
    const since = encodeURIComponent(new Date(Date.now() - this.below(100_000)).toISOString());
    const name = encodeURIComponent(this.pick(kIds));
    const owner = `source_id=${this.pick(this.sources)}`;
    const status = this.pick(["synced", "manual", "conflict", "removed"]);
    const ofBoth = ["", `external_id=${name}`, `updated_since=${since}`, "removed=true", "limit=2"];
    const ofTarget = ["has_manual_changes=true", `sync_status=${status}`, "removed=false", owner];
    const lists: [string, readonly string[]][] = [
      [`/sources/${this.pick(this.sources)}/properties`, ofBoth],
      [`/targets/${this.pick(this.targets)}/properties`, [...ofBoth, ...ofTarget]],
      ["/logs", ["", "sync_type=sync", "status=success", owner]],
    ];
    for (const [path, filters] of lists)
      for (const filter of filters) await this.tenant.call("GET", `${path}?${filter}`);
    for (const path of ["/sources", "/targets", "/keys", "/health"])
      await this.tenant.call("GET", path);
  }

  /** Enough of them that snapshots and hidden rows, or log rows, are past their time. */
  private async passNights(days: number): Promise<void> {
    mock.timers.tick(days * kDayMs);
    await core.wake(Date.now());
  }

  private async renew(places: "sources" | "targets", ids: number[], at: number): Promise<void> {
    if (ids[at] !== undefined) await this.tenant.call("DELETE", `/${places}/${ids[at]}`);
    ids[at] = await this.tenant.place(places);
  }

  private async changeKeys(): Promise<void> {
    const order = { name: this.pick(kIds), scope: this.pick(["full", "read"]), expires_at: kLater };
    const body = this.pick([{}, order]);
    const { id } = JSON.parse((await this.tenant.call("POST", "/keys", body)).text) as Named;
    await this.tenant.call("DELETE", `/keys/${id}`);
  }
}

for (const seed of kSeeds) {
  test(`both engines: a random history leaves the same rows in all tables, seed ${seed}`, async () => {
    const history = await History.begin(seed);
    for (let step = 0; step < kSteps; step++) await history.step();
  });
}

test("both engines: whole targets are created and updated, of ids that lie close together or apart", async () => {
  const tenant = await Tenant.begin();
  const [source, other] = [await tenant.place("sources"), await tenant.place("sources")];
  const [target, beside] = [await tenant.place("targets"), await tenant.place("targets")];
  const importAll = async (into: number, ids: readonly string[], v: number) =>
    tenant.call("POST", `/sources/${into}/import`, { data: ids.map((id) => ({ id, v })) });
  for (const v of [1, 2]) {
    await importAll(source, kIds.slice(0, 3), v);
    await tenant.call("POST", `/sync/${source}/${target}`);
  }
  await importAll(other, kIds, 1);
  await tenant.call("POST", `/sync/${other}/${beside}`);
  await importAll(source, kIds.slice(3, 5), 1);
  await tenant.call("POST", `/sync/${source}/${target}`);
  await importAll(source, kIds.slice(0, 5), 3);
  await tenant.call("POST", `/sync/${source}/${target}`);
  await tenant.call("POST", `/sync/${source}/${await tenant.place("targets")}`);
  await store.compareTables();
});

test("both engines: large imports are staged in parts", async () => {
  const tenant = await Tenant.begin();
  const source = await tenant.place("sources");
  const path = `/sources/${source}/import`;
  const text = "é".repeat(200_000);
  const item = (id: string, v: number) => ({ id, v, text });
  const all = kIds.map((id) => item(id, 1));
  const stage = (data: readonly unknown[], mode: string) =>
    tenant.call("POST", `${path}?mode=${mode}`, { data }, kChunked);
  await stage([...all, item("a", 2), "no item"], "full");
  await stage(
    [...all, item("new", 1), { id: "bad", text: "x".repeat(600_000) }],
    "full&force=true",
  );
  for (const { id } of (await tenant.rows<Named>(`/sources/${source}/properties`)).slice(0, 8))
    await tenant.call("DELETE", `/sources/${source}/properties/${id}`);
  await stage(
    kIds.map((id, at) => item(id, at % 2)),
    "upsert",
  );
  await stage(
    kIds.slice(1).map((id) => item(id, 3)),
    "full&force=true",
  );
  // It would remove too much, so what it staged goes again.
  const others = kIds.map((id) => item(`other ${id}`, 1));
  assert.equal((await stage(others, "full")).status, 409);
  await store.compareTables();

  // Nobody ends one that dies behind its first part, but the night after its lease.
  const { status } = await tenant.failing(
    [undefined, undefined, "unavailable", "unavailable"],
    path,
    {
      data: kIds.map((id) => item(id, 9)),
    },
  );
  assert.equal(status, 503);
  mock.timers.tick(kDayMs);
  await core.wake(Date.now());
  await store.compareTables();
});

test("both engines: secrets are kept and dropped, and a key that names no tenant is looked up", async () => {
  const tenant = await Tenant.begin();
  for (const places of ["sources", "targets"] as const) {
    const path = `/${places}/${await tenant.place(places)}`;
    const config = { token: kMask, headers: null };
    assert.equal((await tenant.call("PATCH", path, { config })).status, 200);
  }
  const { status } = await core.call("GET", "/keys", undefined, "k".repeat(40));
  assert.equal(status, 401);
  await store.compareTables();
});

test("both engines: rows that were hidden go with their snapshots and data", async () => {
  const tenant = await Tenant.begin();
  const [source, target] = [await tenant.place("sources"), await tenant.place("targets")];
  await tenant.call("PATCH", `/targets/${target}`, { config: { on_removed: "delete" } });
  for (const ids of [kIds.slice(0, 4), kIds.slice(2, 4)]) {
    const data = ids.map((id) => ({ id, v: ids.length }));
    await tenant.call("POST", `/sources/${source}/import?mode=full&force=true`, { data });
    await tenant.call("POST", `/sync/${source}/${target}`);
  }
  await store.compareTables();
  mock.timers.tick(40 * kDayMs);
  await core.wake(Date.now());
  await store.compareTables();
});

test("both engines: a run whose holder died is taken up where it stood", async () => {
  await Tenant.begin();
  mock.timers.tick(kDayMs);
  store.failures = [undefined, "unavailable"];
  await core.wake(Date.now());
  store.failures = [];
  mock.timers.tick(kDayMs / 24);
  await core.wake(Date.now());
  await store.compareTables();
});

test("both engines: keys of a tenant that read, have ended, or are suspended", async () => {
  const tenant = await Tenant.begin();
  const [made] = await tenant.rows<Named>("/keys");
  const ask = async (method: string, path: string, headers: Headers, body?: unknown) => {
    const answer = await core.call(method, path, body, "", headers);
    await store.compareTables();
    return answer;
  };
  const soon = new Date(Date.now() + kDayMs).toISOString();
  const further = async (order: object): Promise<string> =>
    JSON.parse((await tenant.call("POST", "/keys", order)).text).api_key;
  const reader = await further({ scope: "read" });
  const brief = await further({ expires_at: soon });
  const source = { name: "n", type: "json" };
  assert.equal((await ask("GET", "/sources", { "x-api-key": reader })).status, 200);
  assert.equal((await ask("POST", "/sources", { "x-api-key": reader }, source)).status, 403);
  assert.equal((await ask("POST", "/sources", { "x-api-key": brief }, source)).status, 201);
  mock.timers.tick(kDayMs);
  assert.equal((await ask("GET", "/sources", { "x-api-key": brief })).status, 401);
  assert.equal((await tenant.call("DELETE", `/keys/${made?.id}`)).status, 409);
  const admin = { authorization: `Bearer ${kAdminToken}` };
  const tenants = JSON.parse((await ask("GET", "/tenants", admin)).text) as Named[];
  const path = `/tenants/${tenants.at(-1)?.id}`;
  assert.equal((await ask("POST", `${path}/suspend`, admin)).status, 200);
  assert.equal((await tenant.call("GET", "/sources")).status, 403);
  assert.equal((await ask("GET", "/tenants?limit=1", admin)).status, 200);
  assert.equal((await ask("POST", `${path}/keys`, admin)).status, 201);
  assert.equal((await ask("POST", `${path}/resume`, admin)).status, 200);
  assert.equal((await tenant.call("GET", "/sources")).status, 200);
});

const kNotAsked: Readonly<Record<string, string>> = {
  run_released: "a wake ends before the work of a run only where it has hundreds of steps",
};

test("both engines: they were asked every statement", () => {
  const missed = table.statements.map(({ name }) => name).filter((name) => !store.ran.has(name));
  assert.deepEqual(missed, Object.keys(kNotAsked));
});
