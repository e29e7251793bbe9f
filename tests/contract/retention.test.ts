// api.md section 5 (POST /cleanup, the nightly retention) and section 6 (cron triggers only wake).
//
// This file has servers of its own, since a night falls upon all tenants of a server.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, openSocket } from "./client.ts";
import { importFull, importHead, importLines, kNdjson } from "./imports.ts";
import { assertHidden, removeProperties } from "./removed_rows.ts";
import { assertProblem, type Data, type Log, type Place } from "./rows.ts";
import { cleanups, kDayMs, nightAfter, passNight, wake } from "./scheduled.ts";
import { type Server, startServer } from "./server.ts";
import { alterStore, storeFile } from "./store_file.ts";
import { assertTidy, storedData } from "./stored_data.ts";
import {
  assertSync,
  createSource,
  createTarget,
  createTenant,
  dataById,
  editRow,
  importItems,
  logs,
  place,
  range,
  snapshots,
  sourcePath,
  sourceRow,
  sourceRows,
  syncedPair,
  targetPath,
  targetRow,
  targetRows,
} from "./world.ts";

const [server, brief] = await Promise.all([
  startServer(),
  startServer({ env: { RETENTION_DAYS: "3" } }),
]);
after(() => Promise.all([server.stop(), brief.stop()]));

interface Resident {
  readonly client: Client;
  readonly tenant: number;
  readonly file: string;
}

async function resident(on: Server = server): Promise<Resident> {
  const { id, api_key } = await createTenant(on);
  const file = storeFile(on.stateDir ?? "");
  return { client: new Client(on.origin, api_key), tenant: id, file };
}

interface Pair {
  readonly source: Place;
  readonly target: Place;
}

/** A pair whose property `a` has a snapshot on either side. */
async function withHistory(client: Client, config: Data = {}): Promise<Pair> {
  const pair = await syncedPair(client, [{ id: "a", v: 0 }, { id: "b" }], config);
  await importItems(client, pair.source, [{ id: "a", v: 1 }]);
  await assertSync(client, pair.source, pair.target, { updated: 1, skipped: 1 });
  return pair;
}

async function history(client: Client, { source, target }: Pair): Promise<number[]> {
  const lists = [
    await snapshots(client, sourcePath(await sourceRow(client, source, "a"))),
    await snapshots(client, targetPath(await targetRow(client, target, "a"))),
  ];
  return lists.map((list) => list.length);
}

async function cleanUp(client: Client, query = ""): Promise<number[]> {
  const answer = (await client.post(`/cleanup${query}`)).expect(200);
  const { deleted } = answer.json<{ deleted: Record<string, number> }>();
  return [deleted["source_snapshots"] ?? -1, deleted["target_snapshots"] ?? -1];
}

test("nightly: nothing is due before 02:00 UTC", async () => {
  const { client } = await resident();
  for (const time of [Date.now(), nightAfter(1) - 60_000]) await wake(server.origin, time);
  assert.deepEqual(await cleanups(client), []);
  await passNight(client, 1);
  assert.equal((await cleanups(client)).length, 1);
});

test("nightly: however often and together it fires, a night is one run of each tenant", async () => {
  const residents = await Promise.all(range(3).map(() => resident()));
  for (const night of [1, 2, 3]) {
    await Promise.all(range(4).map(() => wake(server.origin, nightAfter(night))));
    for (const minute of [1, 2]) await wake(server.origin, nightAfter(night) + minute * 60_000);
    for (const { client } of residents) {
      const rows = await cleanups(client);
      assert.equal(rows.length, night);
      for (const row of rows) {
        assert.deepEqual([row.status, row.source_id, row.target_id], ["success", null, null]);
        assert.notEqual(row.completed_at, null);
      }
    }
  }
});

test("nightly: a trigger that comes days late does the work, and the next night is due again", async () => {
  const { client } = await resident();
  await wake(server.origin, nightAfter(9) + 5 * 3_600_000);
  assert.equal((await cleanups(client)).length, 1);
  await wake(server.origin, nightAfter(9) + 6 * 3_600_000);
  assert.equal((await cleanups(client)).length, 1);
  await passNight(client, 10);
  assert.equal((await cleanups(client)).length, 2);
});

/** Runs `work` while the store refuses what the trigger names, for one tenant. */
async function whileRefused(
  { tenant, file }: Resident,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  const name = `refuse_${tenant}`;
  const refusal = "BEGIN SELECT RAISE(ABORT, 'the store refuses this'); END";
  alterStore(
    file,
    `CREATE TRIGGER ${name} BEFORE ${what} WHEN NEW.tenant_id = ${tenant} ${refusal}`,
  );
  try {
    await work();
  } finally {
    alterStore(file, `DROP TRIGGER ${name}`);
  }
}

test("nightly: a slot that cannot be claimed keeps no other tenant from its night", async () => {
  const residents = await Promise.all(range(4).map(() => resident()));
  const [first] = residents;
  assert.ok(first);
  const others = residents.slice(1);
  await whileRefused(first, "INSERT ON runs", async () => {
    for (const minute of range(5)) await wake(server.origin, nightAfter(1) + minute * 60_000);
    for (const { client } of others) {
      const nights = await cleanups(client);
      assert.deepEqual(
        nights.map((row) => row.status),
        ["success"],
      );
    }
    assert.deepEqual(await cleanups(first.client), []);
  });
  await passNight(first.client, 1);
});

test("nightly: a run that always fails is given up, and the next night comes", async () => {
  const one = await resident();
  const { client, tenant, file } = one;
  const other = await resident();
  await withHistory(client);
  // What the run has to drop; with nothing to do it moves no checkpoint.
  alterStore(file, `UPDATE source_snapshots SET created_at = '2020' WHERE tenant_id = ${tenant}`);
  const attempts = async (): Promise<Log[]> => {
    alterStore(file, `UPDATE runs SET lease_until = '2026-01-01' WHERE tenant_id = ${tenant}`);
    await wake(server.origin, nightAfter(1));
    return cleanups(client);
  };
  await whileRefused(one, "UPDATE OF checkpoint ON runs", async () => {
    await wake(server.origin, nightAfter(1));
    assert.deepEqual(
      (await cleanups(client)).map((row) => row.status),
      ["running"],
    );
    for (const again of range(4)) {
      const rows = await attempts();
      assert.deepEqual(
        rows.map((row) => row.status),
        ["running"],
        `attempt ${again + 2}`,
      );
    }
    const [row] = await attempts();
    assert.equal(row?.status, "failed");
    assert.match(row?.error_message ?? "", /^Given up after 5 attempts without progress: /);
    assert.notEqual(row?.completed_at, null);
  });
  assert.equal((await attempts()).length, 1, "it is over");
  await passNight(client, 2);
  assert.deepEqual(
    (await cleanups(client)).map((row) => row.status),
    ["failed", "success"],
  );
  assert.equal((await cleanups(other.client)).at(-1)?.status, "success");
});

/** As many snapshots of a side as one batch of a clean-up takes (kCleanupSliceRows). */
const kSlice = 10_000;

test("cleanup: one that breaks off has told what is gone", async () => {
  const { client, tenant, file } = await resident();
  const { source } = await withHistory(client);
  await importItems(client, source, [{ id: "b", v: 1 }]);
  const [a, b] = [await sourceRow(client, source, "a"), await sourceRow(client, source, "b")];
  // Those of `a` fill the first batch, so that the one of `b` has to wait for the second.
  alterStore(
    file,
    `UPDATE counters SET next = next + ${kSlice} WHERE name = 'source_snapshots';
     INSERT INTO source_snapshots (tenant_id, source_id, source_property_id, version, id, data_id,
       reason, log_id, created_at)
     WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${kSlice})
     SELECT x.tenant_id, x.source_id, x.source_property_id, x.version, c.next - n, x.data_id,
       x.reason, x.log_id, x.created_at
     FROM source_snapshots x CROSS JOIN counters c CROSS JOIN numbers
     WHERE c.name = 'source_snapshots' AND x.source_property_id = ${a.id};
     CREATE TRIGGER broken BEFORE DELETE ON source_snapshots WHEN OLD.source_property_id = ${b.id}
     BEGIN SELECT RAISE(ABORT, 'the store refuses this'); END`,
  );
  try {
    assertProblem(await client.post("/cleanup?days=0"), 500);
  } finally {
    alterStore(file, "DROP TRIGGER broken");
  }
  const [row, ...others] = await cleanups(client);
  assert.deepEqual(others, []);
  assert.equal(row?.status, "partial");
  assert.ok(row?.error_message);
  assert.deepEqual(row?.stats, { source_snapshots: kSlice + 1, target_snapshots: 1 });
  assert.equal(row?.updated_properties, kSlice + 2);
  assert.deepEqual(await cleanUp(client, "?days=0"), [1, 0]);
  assertTidy(file, tenant);
});

test("nightly: snapshots go once they are older than 30 days, and nothing else with them", async () => {
  const { client, tenant, file } = await resident();
  const pair = await withHistory(client);
  const rows = [await sourceRows(client, pair.source), await targetRows(client, pair.target)];
  await passNight(client, 29);
  assert.deepEqual(await history(client, pair), [1, 1]);
  await passNight(client, 32);
  assert.deepEqual(await history(client, pair), [0, 0]);
  assert.deepEqual(await sourceRows(client, pair.source), rows[0]);
  assert.deepEqual(await targetRows(client, pair.target), rows[1]);
  assertTidy(file, tenant);
  assert.equal(storedData(file, tenant).data, 2);
  await assertSync(client, pair.source, pair.target, { skipped: 2 });
});

test("nightly: RETENTION_DAYS says for how long", async () => {
  const { client, tenant, file } = await resident(brief);
  const pair = await withHistory(client);
  await passNight(client, 2);
  assert.deepEqual(await history(client, pair), [1, 1]);
  await passNight(client, 5);
  assert.deepEqual(await history(client, pair), [0, 0]);
  assertTidy(file, tenant);
});

test("cleanup: RETENTION_DAYS is the default of days", async () => {
  const { client, tenant, file } = await resident(brief);
  const pair = await withHistory(client);
  assert.deepEqual(await cleanUp(client), [0, 0]);
  const ago = new Date(Date.now() - 3.1 * kDayMs).toISOString();
  for (const table of ["source_snapshots", "target_snapshots"]) {
    alterStore(file, `UPDATE ${table} SET created_at = '${ago}' WHERE tenant_id = ${tenant}`);
  }
  assert.deepEqual(await cleanUp(client, "?days=4"), [0, 0]);
  assert.deepEqual(await cleanUp(client), [1, 1]);
  assert.deepEqual(await history(client, pair), [0, 0]);
});

test("nightly: base outlives the snapshots, so that an edit can still be taken back", async () => {
  const { client, tenant, file } = await resident();
  const { source, target } = await syncedPair(client, [{ id: "a", v: 0 }, { id: "b" }]);
  const edited = await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await importItems(client, source, [{ id: "a", v: 5 }]);
  await assertSync(client, source, target, { skipped: 1, warnings: 1, conflicts: 1 });
  await passNight(client, 40);
  assertTidy(file, tenant);
  await assertSync(client, source, target, { skipped: 1, warnings: 1, conflicts: 1 });
  assert.equal((await editRow(client, edited, { v: 0 })).has_manual_changes, false);
  await assertSync(client, source, target, { updated: 1, skipped: 1 });
});

test("nightly: hidden rows go after that time, and come back as new ones", async () => {
  const { client, tenant, file } = await resident();
  const { source, target } = await withHistory(client, { on_removed: "delete" });
  const before = await targetRow(client, target, "a");
  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  await passNight(client, 29);
  await importItems(client, source, [{ id: "a", v: 1 }]);
  await assertSync(client, source, target, { created: 1, skipped: 1 });
  const revived = await targetRow(client, target, "a");
  assert.deepEqual([revived.id, revived.version], [before.id, before.version + 1]);
  assert.equal((await snapshots(client, targetPath(revived))).length, 2);

  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  await passNight(client, 60);
  await assertHidden(client, target, revived);
  assertTidy(file, tenant);
  await assertSync(client, source, target, { skipped: 1 });
  await importItems(client, source, [{ id: "a", v: 1 }]);
  await assertSync(client, source, target, { created: 1, skipped: 1 });
  const anew = await targetRow(client, target, "a");
  assert.ok(anew.id > revived.id, "ids are never given twice");
  assert.equal(anew.version, 1);
  assert.deepEqual(await snapshots(client, targetPath(anew)), []);
});

test("nightly: kept rows and removed source properties stay, however old", async () => {
  const { client } = await resident();
  const { source, target } = await withHistory(client);
  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  const rows = [await sourceRows(client, source), await targetRows(client, target)];
  await passNight(client, 300);
  assert.deepEqual([await sourceRows(client, source), await targetRows(client, target)], rows);
  assert.equal((await place(client, `/targets/${target.id}`)).property_count, 2);
});

test("nightly: log rows go after 365 days, but never the newest; ids are not given again", async () => {
  const { client } = await resident();
  const pair = await withHistory(client);
  const before = await logs(client);
  await passNight(client, 364);
  const first = await logs(client);
  assert.deepEqual(first.slice(0, before.length), before);
  let newest = first.at(-1)?.id ?? 0;
  for (const night of [367, 368, 800]) {
    await passNight(client, night);
    const rows = await logs(client);
    assert.ok(rows.length > 0 && rows.length <= 2, `${rows.length} rows`);
    assert.ok(rows.every((row) => row.id >= newest));
    assert.ok((rows.at(-1)?.id ?? 0) > newest);
    newest = rows.at(-1)?.id ?? 0;
  }
  await importItems(client, pair.source, [{ id: "a", v: 7 }]);
  assert.ok(((await logs(client)).at(-1)?.id ?? 0) > newest);
  await assertSync(client, pair.source, pair.target, { updated: 1, skipped: 1 });
});

test("nightly: data that lost its last pointer goes at once", async () => {
  const { client, tenant, file } = await resident();
  const { source, target } = await withHistory(client);
  const other = await createTarget(client);
  await assertSync(client, source, other, { created: 2 });
  await editRow(client, await targetRow(client, target, "a"), { v: 2 });
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await assertSync(client, source, target, { skipped: 2 });
  (await client.delete(`/targets/${other.id}`)).expect(200);
  const doomed = await createSource(client);
  await importItems(client, doomed, [{ id: "x" }, { id: "y" }]);
  (await client.delete(`/sources/${doomed.id}`)).expect(200);
  assert.equal(storedData(file, tenant).dangling, 0);
  await passNight(client, 1);
  assertTidy(file, tenant);
  assert.deepEqual(await history(client, { source, target }), [2, 2]);
});

test("cleanup: drops snapshots and loose data only: hidden rows and log rows stay", async () => {
  const { client, tenant, file } = await resident();
  const { source, target } = await withHistory(client, { on_removed: "delete" });
  const { id } = await targetRow(client, target, "a");
  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  const logged = await logs(client);
  assert.deepEqual(await cleanUp(client, "?days=0"), [1, 2]);
  assertTidy(file, tenant);
  assert.deepEqual((await logs(client)).slice(0, logged.length), logged);
  await importItems(client, source, [{ id: "a", v: 1 }]);
  await assertSync(client, source, target, { created: 1, skipped: 1 });
  const row = await targetRow(client, target, "a");
  assert.deepEqual([row.id, row.version, row.data], [id, 3, { id: "a", v: 1 }]);
  assert.deepEqual(await snapshots(client, targetPath(row)), []);
});

test("nightly: thousands of snapshots and hidden rows go in one night", async () => {
  const { client, tenant, file } = await resident();
  const items = (v: number): Data[] => range(6_000).map((id) => ({ id, v }));
  const { source, target } = await syncedPair(client, items(0), { on_removed: "delete" });
  await importItems(client, source, items(1));
  await assertSync(client, source, target, { updated: 6_000 });
  assert.equal((await importFull(client, source, items(1).slice(3_000))).stats.removed, 3_000);
  await assertSync(client, source, target, { removed: 3_000, skipped: 3_000 });
  await passNight(client, 32);
  assert.equal((await cleanups(client)).at(-1)?.status, "success");
  assertTidy(file, tenant);
  assert.equal(storedData(file, tenant).data, 6_000);
  assert.deepEqual(await cleanUp(client, "?days=0"), [0, 0]);
  const rows = await targetRows(client, target);
  const wanted = Object.fromEntries(
    items(1)
      .slice(3_000)
      .map((item) => [item["id"], item]),
  );
  assert.deepEqual(dataById(rows), wanted);
  await assertSync(client, source, target, { skipped: 3_000 });
});

test("nightly: beside imports, edits and syncs nothing is lost", async () => {
  const { client, tenant, file } = await resident();
  const items = (v: number): Data[] => range(200).map((id) => ({ id, v }));
  const { source, target } = await syncedPair(client, items(0));
  const row = await targetRow(client, target, "0");
  const work: Promise<unknown>[] = [];
  for (const v of [1, 2, 3]) {
    work.push(importItems(client, source, items(v)));
    work.push(wake(server.origin, nightAfter(30 + v)));
    work.push(client.post(`/sync/${source.id}/${target.id}`).then((one) => one.expect(200)));
    work.push(editRow(client, row, { [`hand${v}`]: v }));
    work.push(cleanUp(client, "?days=0"));
  }
  await Promise.all(work);
  assert.equal(storedData(file, tenant).dangling, 0);
  const { data } = await targetRow(client, target, "0");
  assert.deepEqual([data["hand1"], data["hand2"], data["hand3"]], [1, 2, 3]);
  await importItems(client, source, items(4));
  await assertSync(client, source, target, { updated: 199, warnings: 1, conflicts: 1 });
  await cleanUp(client, "?days=0");
  assertTidy(file, tenant);
});

test("nightly: what a broken off import left behind goes, and was never seen", async () => {
  const { client, tenant, file } = await resident();
  const source = await createSource(client);
  await importItems(client, source, [{ id: "kept" }]);
  const line = (at: number): string => `{"id":${at},"text":"${"lorem ipsum ".repeat(30)}"}\n`;
  const body = Buffer.from(range(40_000).map(line).join(""));
  const socket = await openSocket(server.origin);
  socket.write(importHead(client, source, kNdjson, `Content-Length: ${body.length}`));
  await new Promise<void>((done) => socket.write(body.subarray(0, -100_000), () => done()));
  await sleep(300);
  socket.destroy();
  await sleep(300);
  assert.equal((await sourceRows(client, source)).length, 1);
  await passNight(client, 1);
  assertTidy(file, tenant);
  assert.equal(storedData(file, tenant).data, 1);
  const told = await importLines(client, source, body);
  assert.equal(told.stats.created, 40_000);
  assertTidy(file, tenant);
});

test("nightly: each of many tenants has its night, by one trigger or the next ones", async () => {
  const residents = await Promise.all(range(40).map(() => resident()));
  const done = async (): Promise<number> => {
    const rows = await Promise.all(residents.map(({ client }) => cleanups(client)));
    assert.ok(rows.every((one) => one.length <= 1));
    return rows.flat().length;
  };
  for (const minute of range(10)) {
    await wake(server.origin, nightAfter(1) + minute * 60_000);
    if ((await done()) === residents.length) break;
  }
  assert.equal(await done(), residents.length);
});
