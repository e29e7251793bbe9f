// api.md section 4 over many syncs of one pair: what an earlier sync has settled stays settled,
// and whatever changed since, on either side or in the settings, is found.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Client } from "./client.ts";
import { importFull } from "./imports.ts";
import { kConflictWarning, removeProperties, state } from "./removed_rows.ts";
import type { Data, Place, SyncStats } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  assertSync,
  createSource,
  createTarget,
  dataById,
  editRow,
  importItems,
  logs,
  newClient,
  range,
  sourceRows,
  syncedPair,
  targetRow,
  targetRows,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

function items(count: number, v = 0): Data[] {
  return range(count).map((id) => ({ id: `p${id}`, v }));
}

async function edit(client: Client, target: Place, id: string, data: Data): Promise<void> {
  await editRow(client, await targetRow(client, target, id), data);
}

async function configure(client: Client, target: Place, config: Data): Promise<void> {
  (await client.patch(`/targets/${target.id}`, { config })).expect(200);
}

/** Asserts that a sync, and another after it, write nothing but their log rows. */
async function assertQuiet(
  client: Client,
  source: Place,
  target: Place,
  stats: Partial<SyncStats>,
): Promise<void> {
  const read = async (): Promise<unknown> => [
    await targetRows(client, target),
    (await client.get(`/targets/${target.id}`)).etag,
    (await client.get(`/targets/${target.id}/properties`)).etag,
    (await client.get(`/sources/${source.id}/properties`)).etag,
  ];
  const [before, logged] = [await read(), (await logs(client)).length];
  for (const _ of range(2)) await assertSync(client, source, target, stats);
  assert.deepEqual(await read(), before);
  assert.equal((await logs(client)).length, logged + 2);
}

test("incremental: where nothing changed all classes are counted as before, nothing written", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(20));
  await assertQuiet(client, source, target, { skipped: 20 });
  for (const id of ["p1", "p2", "p3"]) await edit(client, target, id, { v: 9 });
  await importItems(client, source, [{ id: "p3", v: 1 }]);
  await removeProperties(client, source, "p4", "p2");
  const counts = { skipped: 16, warnings: 2, conflicts: 2 };
  await assertSync(client, source, target, { ...counts, removed: 1 });
  await assertQuiet(client, source, target, counts);
});

test("incremental: few changed of many", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(2_000));
  await importItems(client, source, [{ id: "p7", v: 1 }, { id: "n1" }]);
  await assertSync(client, source, target, { created: 1, updated: 1, skipped: 1_999 });
  await edit(client, target, "p8", { v: 9 });
  await removeProperties(client, source, "p9");
  await assertSync(client, source, target, { skipped: 1_999, warnings: 1, removed: 1 });
  await importItems(client, source, items(30, 2));
  await assertSync(client, source, target, {
    updated: 29,
    skipped: 1_971,
    warnings: 1,
    conflicts: 1,
  });
  await assertQuiet(client, source, target, { skipped: 2_000, warnings: 1, conflicts: 1 });
});

test("incremental: created, changed, removed and returned in one step", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(12), { on_removed: "delete" });
  await removeProperties(client, source, "p0", "p1");
  await assertSync(client, source, target, { skipped: 10, removed: 2 });
  const list = [
    ...items(12).slice(0, 1),
    ...items(6, 1).slice(2),
    ...items(9).slice(6),
    { id: "n" },
  ];
  assert.equal((await importFull(client, source, list)).stats.removed, 3);
  await assertSync(client, source, target, { created: 2, updated: 4, skipped: 3, removed: 3 });
  const live = (await sourceRows(client, source)).filter((row) => row.removed_at === null);
  assert.deepEqual(dataById(await targetRows(client, target)), dataById(live));
  await assertQuiet(client, source, target, { skipped: 9 });
});

test("incremental: several changes of a property between two syncs count as one", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(3));
  for (const v of [1, 2, 3]) await importItems(client, source, [{ id: "p0", v }]);
  await assertSync(client, source, target, { updated: 1, skipped: 2 });
  const row = await targetRow(client, target, "p0");
  assert.deepEqual([row.version, row.data["v"]], [2, 3]);
  for (const v of [4, 3]) await importItems(client, source, [{ id: "p0", v }]);
  await assertSync(client, source, target, { skipped: 3 });
  assert.deepEqual(await targetRow(client, target, "p0"), row, "changed and changed back");
});

test("incremental: an edit is warned about from the next sync to the one that settles it", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(3));
  await edit(client, target, "p1", { v: 9 });
  await assertSync(client, source, target, { skipped: 2, warnings: 1 });
  await assertQuiet(client, source, target, { skipped: 2, warnings: 1 });
  await importItems(client, source, [{ id: "p1", v: 1 }]);
  await assertSync(client, source, target, { skipped: 2, warnings: 1, conflicts: 1 });
  assert.match((await targetRow(client, target, "p1")).warning ?? "", kConflictWarning);
  await importItems(client, source, [{ id: "p1", v: 0 }]);
  await assertSync(client, source, target, { skipped: 2, warnings: 1 });
  assert.doesNotMatch((await targetRow(client, target, "p1")).warning ?? "", kConflictWarning);
  await importItems(client, source, [{ id: "p1", v: 9 }]);
  await assertSync(client, source, target, { skipped: 3 });
  await assertQuiet(client, source, target, { skipped: 3 });
});

test("incremental: both sides changed alike between two syncs agree", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(2));
  await edit(client, target, "p0", { v: 5 });
  await importItems(client, source, [{ id: "p0", v: 5 }]);
  await assertSync(client, source, target, { skipped: 2 });
  const row = await targetRow(client, target, "p0");
  assert.deepEqual(state(row), [{ id: "p0", v: 5 }, 2, "synced", false, false]);
  await edit(client, target, "p0", { v: 6 });
  await edit(client, target, "p0", { v: 5 });
  assert.equal((await targetRow(client, target, "p0")).has_manual_changes, false, "base moved on");
});

test("incremental: a change of conflict_policy reaches rows that nobody touched since", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(6));
  await edit(client, target, "p0", { v: 9 });
  await edit(client, target, "p1", { v: 9 });
  await importItems(client, source, [{ id: "p1", v: 1 }]);
  await assertSync(client, source, target, { skipped: 4, warnings: 2, conflicts: 1 });
  await assertQuiet(client, source, target, { skipped: 4, warnings: 2, conflicts: 1 });
  await configure(client, target, { conflict_policy: "source_wins" });
  await assertSync(client, source, target, { updated: 2, skipped: 4 });
  await assertQuiet(client, source, target, { skipped: 6 });
  const rows = await targetRows(client, target);
  assert.deepEqual(dataById(rows), dataById(await sourceRows(client, source)));
  assert.ok(rows.every((row) => row.warning === null && row.sync_status === "synced"));
});

test("incremental: settings that decide nothing change nothing", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(4));
  await edit(client, target, "p0", { v: 9 });
  await assertSync(client, source, target, { skipped: 3, warnings: 1 });
  const before = await targetRows(client, target);
  await configure(client, target, { note: "x", on_removed: "keep" });
  (await client.patch(`/targets/${target.id}`, { name: "renamed" })).expect(200);
  (await client.patch(`/sources/${source.id}`, { name: "renamed" })).expect(200);
  await assertSync(client, source, target, { skipped: 3, warnings: 1 });
  assert.deepEqual(await targetRows(client, target), before);
});

test("incremental: each target of a source has its own position", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(5));
  const late = await createTarget(client);
  await importItems(client, source, [{ id: "p0", v: 1 }]);
  await removeProperties(client, source, "p1");
  await assertSync(client, source, late, { created: 4 });
  await assertSync(client, source, target, { updated: 1, skipped: 3, removed: 1 });
  await importItems(client, source, [{ id: "p2", v: 1 }]);
  await assertSync(client, source, target, { updated: 1, skipped: 3 });
  await importItems(client, source, [{ id: "p3", v: 1 }]);
  await assertSync(client, source, late, { updated: 2, skipped: 2 });
  await assertSync(client, source, target, { updated: 1, skipped: 3 });
});

test("incremental: each source of a target has its own position", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(4));
  const other = await createSource(client, {}, "Other");
  await importItems(client, other, [{ id: "o1" }, { id: "o2", v: 0 }]);
  await assertSync(client, other, target, { created: 2 });
  await edit(client, target, "o2", { v: 9 });
  await edit(client, target, "p0", { v: 9 });
  await assertSync(client, source, target, { skipped: 3, warnings: 1 });
  await assertSync(client, other, target, { skipped: 1, warnings: 1 });
  await assertQuiet(client, source, target, { skipped: 3, warnings: 1 });
  await removeProperties(client, other, "o1");
  await assertSync(client, source, target, { skipped: 3, warnings: 1 });
  await assertSync(client, other, target, { warnings: 1, removed: 1 });
  await assertQuiet(client, other, target, { warnings: 1 });
});

test("incremental: a row that changed its owner is found by both", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(3));
  const other = await createSource(client, {}, "Other");
  await importItems(client, other, [{ id: "p0", v: 7 }]);
  await assertSync(client, other, target, { warnings: 1 });
  await assertQuiet(client, other, target, { warnings: 1 });
  await removeProperties(client, source, "p0");
  await assertSync(client, source, target, { skipped: 2, removed: 1 });
  await assertSync(client, other, target, { updated: 1 });
  await assertQuiet(client, other, target, { skipped: 1 });
  await assertQuiet(client, source, target, { skipped: 2 });
  await importItems(client, source, [{ id: "p0", v: 8 }]);
  await assertSync(client, source, target, { skipped: 2, warnings: 1 });
  await assertQuiet(client, source, target, { skipped: 2, warnings: 1 });
  (await client.delete(`/sources/${other.id}`)).expect(200);
  await assertSync(client, source, target, { updated: 1, skipped: 2 });
  assert.equal((await targetRow(client, target, "p0")).warning, null);
});

test("incremental: a clean-up between two syncs changes no decision", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(6), { on_removed: "delete" });
  await edit(client, target, "p0", { v: 9 });
  await removeProperties(client, source, "p1");
  await importItems(client, source, [{ id: "p2", v: 1 }]);
  (await client.post("/cleanup?days=0")).expect(200);
  await assertSync(client, source, target, { updated: 1, skipped: 3, warnings: 1, removed: 1 });
  (await client.post("/cleanup?days=0")).expect(200);
  await importItems(client, source, [
    { id: "p1", v: 0 },
    { id: "p0", v: 1 },
  ]);
  await assertSync(client, source, target, {
    created: 1,
    skipped: 4,
    warnings: 1,
    conflicts: 1,
  });
  assert.equal((await targetRow(client, target, "p1")).version, 2);
});

test("incremental: beside edits, imports and removals at the same time nothing is lost", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, items(30));
  const rows = await targetRows(client, target);
  const work: Promise<unknown>[] = [];
  const chosen = rows.filter((row) =>
    ["p0", "p1", "p2", "p3", "p4", "p5"].includes(row.external_id),
  );
  for (const row of chosen) work.push(editRow(client, row, { hand: true }));
  for (const v of [1, 2, 3]) {
    work.push(importItems(client, source, items(20, v)));
    work.push(client.post(`/sync/${source.id}/${target.id}`));
  }
  work.push(importFull(client, source, items(25, 3)));
  work.push(client.post(`/sync/${source.id}/${target.id}`));
  await Promise.all(work);
  await importFull(client, source, items(25, 4));
  const edited = await targetRows(client, target);
  const hands = edited.filter((row) => row.has_manual_changes);
  assert.equal(hands.length, 6);
  const told = await client.post(`/sync/${source.id}/${target.id}`);
  const { stats } = told.expect(200).json<{ stats: SyncStats }>();
  assert.deepEqual([stats.updated, stats.warnings, stats.conflicts], [19, 6, 6]);
  assert.equal(stats.created + stats.updated + stats.skipped + stats.warnings, 25);
  for (const row of await targetRows(client, target)) {
    if (row.has_manual_changes) assert.equal(row.data["hand"], true);
    else assert.equal(row.sync_status, row.data["v"] === 4 ? "synced" : "removed");
  }
  await assertQuiet(client, source, target, { skipped: 19, warnings: 6, conflicts: 6 });
});
