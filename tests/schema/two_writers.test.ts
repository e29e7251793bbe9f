// Two writers on PostgreSQL at the same time, at READ COMMITTED, its default: no id is given twice, no log row is lost or
// doubled, and what a batch's guard has seen stays so until the batch ends.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { Statement, StoreOutcome, Value } from "../../host/shared/store/store.ts";
import { openCore, readTable } from "./core.ts";
import { PostgresEngine, type PostgresTable } from "./engines.ts";
import { startPostgres } from "./postgres.ts";

const kTime = "2026-01-15T10:30:00.000Z";
const table = readTable<PostgresTable>("postgres");
const postgres = await startPostgres();
after(() => postgres.stop());
const first = await postgres.createDatabase("writers");
const second = await postgres.connect("writers");

const engines = [first, second].map((session) => new PostgresEngine(session, table));

function statement(name: string, ...params: readonly Value[]): Statement {
  const number = table.statements.findIndex((each) => each.name === name);
  assert.ok(number >= 0, name);
  return { number, params };
}

const logAdded = (tenant: number, syncId: string) =>
  statement(
    "log_added",
    tenant,
    syncId,
    "sync",
    "success",
    null,
    null,
    0,
    0,
    0,
    null,
    null,
    kTime,
    kTime,
  );

async function run(session: Client, { number, params }: Statement) {
  return (await session.query(table.statements[number]?.text ?? "", [...params])).rows;
}

/** Begins a batch of a tenant as a host does. */
async function begin(session: Client, tenant: number): Promise<void> {
  await session.query("BEGIN");
  await session.query(table.begin, [tenant]);
}

/** Until the session's statement waits for another one's lock. */
async function waits(session: Client, watcher: Client): Promise<void> {
  const pid = (session as unknown as { processID: number }).processID;
  const query = "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $1";
  while ((await watcher.query(query, [pid])).rows[0]?.wait_event_type !== "Lock") await sleep(5);
}

let tenants = 0;
async function newTenant(): Promise<number> {
  const tenant = ++tenants + 1_000_000;
  await run(first, statement("tenant_added", tenant, "t", kTime));
  return tenant;
}

const logIds = async (tenant: number) =>
  (
    await first.query("SELECT id FROM sync_logs WHERE tenant_id = $1 ORDER BY id", [tenant])
  ).rows.map(({ id }) => id);

const numbersTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

test("two writers: a tenant's second batch begins when the first has ended, and sees all of it", async () => {
  const tenant = await newTenant();
  await run(first, statement("connector_added (source)", tenant, tenant, "s", "json", "{}", kTime));
  await begin(first, tenant);
  await run(first, statement("guard_connector (source)", tenant, tenant, 1));
  assert.deepEqual(await run(first, logAdded(tenant, "one")), [{ id: 1 }]);
  const batch = [statement("guard_connector (source)", tenant, tenant, 1), logAdded(tenant, "two")];
  const outcome = engines[1]?.batch(batch);
  await waits(second, first);
  await run(first, statement("source_bumped", tenant, tenant, 0));
  await first.query("COMMIT");
  assert.deepEqual(await outcome, { ok: false, error: "guard:source_changed" });
  const again = [statement("guard_connector (source)", tenant, tenant, 2), logAdded(tenant, "two")];
  assert.ok((await engines[1]?.batch(again))?.ok);
  assert.deepEqual(await logIds(tenant), [1, 2]);
});

test("two writers: batches of two tenants do not wait for each other", async () => {
  const [one, other] = [await newTenant(), await newTenant()];
  await begin(first, one);
  await run(first, logAdded(one, "one"));
  assert.ok((await engines[1]?.batch([logAdded(other, "other")]))?.ok);
  await first.query("COMMIT");
  assert.deepEqual([await logIds(one), await logIds(other)], [[1], [1]]);
});

test("two writers: where a host begins a batch without the tenant, the key refuses a second log row of one number", async () => {
  const tenant = await newTenant();
  await first.query("BEGIN");
  await run(first, logAdded(tenant, "one"));
  await second.query("BEGIN");
  const refused = assert.rejects(run(second, logAdded(tenant, "two")), {
    table: "sync_logs",
    code: "23505",
  });
  await waits(second, first);
  await first.query("COMMIT");
  await refused;
  await second.query("ROLLBACK");
  assert.deepEqual(await logIds(tenant), [1]);
});

for (const shared of [true, false]) {
  const whose = shared ? "one tenant" : "two tenants";
  test(`two writers: batches of ${whose} give no id twice, and number all log rows`, async () => {
    const kBatches = 100;
    const one = await newTenant();
    const owners = [one, shared ? one : await newTenant()];
    const name = "source_properties";
    const given: number[] = [];
    const write = async (writer: number) => {
      const tenant = owners[writer] ?? 0;
      for (const batch of numbersTo(kBatches)) {
        const count = 1 + (batch % 3);
        const statements = [
          logAdded(tenant, `${writer} ${batch}`),
          statement("ids_reserved", name, count),
        ];
        const outcome: StoreOutcome | undefined = await engines[writer]?.batch(statements);
        assert.ok(outcome?.ok, JSON.stringify(outcome));
        const from = Number(outcome.results[1]?.rows[0]?.["first"]);
        given.push(...numbersTo(count).map((place) => from + place - 1));
      }
    };
    const { rows } = await first.query("SELECT next FROM counters WHERE name = $1", [name]);
    await Promise.all([write(0), write(1)]);
    assert.deepEqual(
      given.sort((a, b) => a - b),
      given.map((_, at) => Number(rows[0]?.next) + at),
    );
    for (const tenant of new Set(owners))
      assert.deepEqual(await logIds(tenant), numbersTo(shared ? 2 * kBatches : kBatches));
  });
}

// What holds between the rows of all tables, whoever wrote them: each query gives the rows that break it.
const kInvariants: Readonly<Record<string, string>> = {
  "an id of a source property is given once":
    "SELECT id FROM source_properties GROUP BY id HAVING count(*) > 1",
  "an id of a target property is given once":
    "SELECT id FROM target_properties GROUP BY id HAVING count(*) > 1",
  "an id of a snapshot is given once":
    "SELECT id FROM target_snapshots GROUP BY id HAVING count(*) > 1",
  "a source counts its live properties": `SELECT s.id FROM sources s WHERE s.property_count <> (
      SELECT count(*) FROM source_properties p WHERE p.source_id = s.id AND p.removed_at IS NULL)`,
  "a target counts its rows": `SELECT t.id FROM targets t WHERE t.property_count <> (
      SELECT count(*) FROM target_properties p WHERE p.target_id = t.id AND p.deleted_at IS NULL)`,
  "a row's data is there, with its hash": `SELECT p.id FROM source_properties p
      LEFT JOIN property_data d ON d.id = p.data_id AND d.hash = p.hash WHERE d.id IS NULL
    UNION ALL SELECT p.id FROM target_properties p
      LEFT JOIN property_data d ON d.id = p.data_id AND d.hash = p.hash WHERE d.id IS NULL`,
  "each version before the last has its snapshot": `SELECT p.id FROM target_properties p WHERE p.version <> 1 + (
      SELECT count(*) FROM target_snapshots x WHERE x.target_id = p.target_id AND x.target_property_id = p.id)`,
  "log rows are numbered without a gap": `SELECT tenant_id FROM sync_logs GROUP BY tenant_id
      HAVING max(id) <> count(*) OR min(id) <> 1`,
  "each operation has one log row":
    "SELECT sync_id FROM sync_logs GROUP BY tenant_id, sync_id HAVING count(*) > 1",
};

test("two writers: two cores that import, sync and edit the same places leave all tables in order", async () => {
  const kRounds = 25;
  const cores = engines.map((engine) => openCore(engine, table));
  const call = async (
    writer: number,
    method: string,
    path: string,
    key: string,
    body?: unknown,
  ) => {
    const answer = await cores[writer]!.call(method, path, body, key);
    assert.ok(answer.status < 400, `${method} ${path}: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text);
  };
  const { api_key: key } = await call(0, "POST", "/tenants", "", { name: "t" });
  const place = async (path: string, type: string): Promise<number> =>
    (await call(0, "POST", path, key, { name: "n", type })).id;
  const sources = [await place("/sources", "json"), await place("/sources", "json")];
  const target = await place("/targets", "internal");
  const write = async (writer: number) => {
    for (const round of numbersTo(kRounds)) {
      const ids = numbersTo(20).map((at) => `p${(at * (round + writer)) % 30}`);
      const data = [...new Set(ids)].map((id) => ({ id, round, writer }));
      const source = sources[(round + writer) % 2];
      await call(writer, "POST", `/sources/${source}/import`, key, { data });
      await call(writer, "POST", `/sync/${source}/${target}`, key);
      const rows = await call(writer, "GET", `/targets/${target}/properties`, key);
      const path = `/targets/${target}/properties/${rows[round % rows.length].id}`;
      await call(writer, "PATCH", path, key, { data: { by: writer } });
    }
  };
  await Promise.all([write(0), write(1)]);
  for (const [what, sql] of Object.entries(kInvariants))
    assert.deepEqual((await first.query(sql)).rows, [], what);
  const { rows } = await first.query(
    "SELECT count(*) AS edits FROM sync_logs WHERE sync_type = 'manual'",
  );
  assert.deepEqual(rows, [{ edits: 2 * kRounds }]);
});
