// api.md section 4: source properties that were removed, under on_removed keep and delete.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import { importFull } from "./imports.ts";
import {
  assertCounted,
  assertHidden,
  kConflictWarning,
  kRemovedWarning,
  removeProperties,
  state,
} from "./removed_rows.ts";
import { assertProblem, type Data, type Place } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  assertSync,
  createSource,
  createTarget,
  editRow,
  externalIds,
  importItems,
  newClient,
  range,
  snapshots,
  sourceRow,
  syncedPair,
  targetPath,
  targetRow,
  targetRows,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kDelete = { on_removed: "delete" };
const kItems = [{ id: "a", v: 0 }, { id: "b" }];

interface Pair {
  readonly source: Place;
  readonly target: Place;
}

/** A pair whose target row `a` was edited by hand and whose source lacks `a`. */
async function editedAndRemoved(client: Client, config: Data): Promise<Pair> {
  const pair = await syncedPair(client, kItems, config);
  await editRow(client, await targetRow(client, pair.target, "a"), { v: 9 });
  await removeProperties(client, pair.source, "a");
  return pair;
}

async function setConfig(client: Client, target: Place, config: Data): Promise<void> {
  (await client.patch(`/targets/${target.id}`, { config })).expect(200);
}

test("config: on_removed is keep or delete, else 422 at its pointer", async () => {
  const client = await newClient(server);
  const pointers = ["/config/on_removed"];
  for (const on_removed of ["Keep", "remove", "", 5, true]) {
    const body = { name: "x", type: "internal", config: { on_removed } };
    assertProblem(await client.post("/targets", body), 422, { pointers });
  }
  for (const on_removed of ["keep", "delete"]) await createTarget(client, { on_removed });
  const target = await createTarget(client);
  const patch = { config: { on_removed: "drop" } };
  assertProblem(await client.patch(`/targets/${target.id}`, patch), 422, { pointers });
});

test("keep: is the default: the row stays as it is, sync_status removed, counted once", async () => {
  const client = await newClient(server);
  for (const config of [{}, { on_removed: "keep" }]) {
    const { source, target } = await syncedPair(client, kItems, config);
    const before = await targetRow(client, target, "a");
    await removeProperties(client, source, "a");
    await assertSync(client, source, target, { skipped: 1, removed: 1 });
    const row = await targetRow(client, target, "a");
    assert.deepEqual(state(row), [before.data, 1, "removed", false, false]);
    assert.deepEqual(
      [row.id, row.hash, row.source_property_id, row.created_at],
      [before.id, before.hash, before.source_property_id, before.created_at],
    );
    assert.deepEqual(await snapshots(client, targetPath(row)), []);
    const { etag } = await client.get(`/targets/${target.id}/properties`);
    await assertSync(client, source, target, { skipped: 1 });
    assert.deepEqual(await targetRow(client, target, "a"), row);
    assert.equal((await client.get(`/targets/${target.id}/properties`)).etag, etag);
    assert.equal((await assertCounted(client, target)).length, 2);
  }
});

test("keep: of a full import, with rows of every other class beside", async () => {
  const client = await newClient(server);
  const items = range(8).map((id) => ({ id: `p${id}`, v: 0 }));
  const { source, target } = await syncedPair(client, items);
  for (const id of ["p1", "p2", "p7"]) {
    await editRow(client, await targetRow(client, target, id), { v: 9 });
  }
  const told = await importFull(client, source, [
    { id: "p0", v: 0 },
    { id: "p1", v: 0 },
    { id: "p2", v: 1 },
    { id: "p3", v: 1 },
    { id: "new" },
  ]);
  assert.equal(told.stats.removed, 4);
  const stats = { created: 1, updated: 1, skipped: 1, warnings: 2, conflicts: 2, removed: 3 };
  await assertSync(client, source, target, stats);
  const again = { skipped: 3, warnings: 2, conflicts: 2 };
  await assertSync(client, source, target, again);
  const removed = (await assertCounted(client, target)).filter(
    (row) => row.sync_status === "removed",
  );
  assert.deepEqual(externalIds(removed), ["p4", "p5", "p6"]);
});

test("removed: what no target row is tied to leaves nothing behind", async () => {
  const client = await newClient(server);
  for (const config of [{}, kDelete]) {
    const source = await createSource(client);
    const target = await createTarget(client, config);
    await importItems(client, source, kItems);
    await removeProperties(client, source, "a");
    await assertSync(client, source, target, { created: 1 });
    await importItems(client, source, [{ id: "c" }]);
    await removeProperties(client, source, "c");
    await assertSync(client, source, target, { skipped: 1 });
    assert.deepEqual(externalIds(await targetRows(client, target)), ["b"]);
  }
});

test("removed: a property that was removed and came back between two syncs is as before", async () => {
  const client = await newClient(server);
  for (const config of [{}, kDelete]) {
    const { source, target } = await syncedPair(client, kItems, config);
    const before = await targetRows(client, target);
    await removeProperties(client, source, "a");
    await importItems(client, source, [{ id: "a", v: 0 }]);
    await assertSync(client, source, target, { skipped: 2 });
    assert.deepEqual(await targetRows(client, target), before);
  }
});

test("keep: a kept row that agrees again is synced; one that differs is updated", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [...kItems, { id: "c", v: 0 }]);
  await removeProperties(client, source, "a", "c");
  await assertSync(client, source, target, { skipped: 1, removed: 2 });
  await importItems(client, source, [
    { id: "a", v: 0 },
    { id: "c", v: 1 },
  ]);
  await assertSync(client, source, target, { skipped: 2, updated: 1 });
  const [a, c] = [await targetRow(client, target, "a"), await targetRow(client, target, "c")];
  assert.deepEqual(state(a), [{ id: "a", v: 0 }, 1, "synced", false, false]);
  assert.deepEqual(state(c), [{ id: "c", v: 1 }, 2, "synced", false, false]);
  assert.deepEqual(await snapshots(client, targetPath(a)), []);
  assert.equal((await snapshots(client, targetPath(c))).length, 1);
  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 2, removed: 1 });
});

test("keep: an edit of a kept row is manual, and the next sync finds a conflict", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, kItems);
  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  const edited = await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  assert.deepEqual(state(edited), [{ id: "a", v: 9 }, 2, "manual", true, false]);
  await assertSync(client, source, target, { skipped: 1, conflicts: 1 });
  const row = await targetRow(client, target, "a");
  assert.deepEqual(state(row), [{ id: "a", v: 9 }, 2, "conflict", true, true]);
  assert.match(row.warning ?? "", kRemovedWarning);
});

test("keep: an edit that restores base is no manual change; the next sync marks it again", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, kItems);
  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  const edited = await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  const back = await editRow(client, edited, { v: 0 });
  assert.deepEqual(state(back), [{ id: "a", v: 0 }, 3, "synced", false, false]);
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  assert.equal((await targetRow(client, target, "a")).sync_status, "removed");
  await assertSync(client, source, target, { skipped: 1 });
});

test("removed: an edited row is kept with a warning, a conflict at every sync", async () => {
  const client = await newClient(server);
  const policies = [{}, kDelete, { conflict_policy: "source_wins" }];
  policies.push({ ...kDelete, conflict_policy: "source_wins" });
  for (const config of policies) {
    const { source, target } = await editedAndRemoved(client, config);
    await assertSync(client, source, target, { skipped: 1, conflicts: 1 });
    const row = await targetRow(client, target, "a");
    assert.deepEqual(state(row), [{ id: "a", v: 9 }, 2, "conflict", true, true]);
    assert.match(row.warning ?? "", kRemovedWarning);
    assert.equal((await snapshots(client, targetPath(row))).length, 1, "only that of the edit");
    for (const _ of range(2))
      await assertSync(client, source, target, { skipped: 1, conflicts: 1 });
    assert.deepEqual(await targetRow(client, target, "a"), row, "written once");
    await assertCounted(client, target);
  }
});

test("removed: an edited row that someone sets back to base goes as any other", async () => {
  const client = await newClient(server);
  for (const config of [{}, kDelete]) {
    const { source, target } = await editedAndRemoved(client, config);
    await assertSync(client, source, target, { skipped: 1, conflicts: 1 });
    const back = await editRow(client, await targetRow(client, target, "a"), { v: 0 });
    assert.deepEqual([back.has_manual_changes, back.warning], [false, null]);
    await assertSync(client, source, target, { skipped: 1, removed: 1 });
    if (config === kDelete) await assertHidden(client, target, back);
    else assert.equal((await targetRow(client, target, "a")).sync_status, "removed");
  }
});

test("removed: another edit of such a row makes it manual until the next sync", async () => {
  const client = await newClient(server);
  const { source, target } = await editedAndRemoved(client, kDelete);
  await assertSync(client, source, target, { skipped: 1, conflicts: 1 });
  const row = await editRow(client, await targetRow(client, target, "a"), { v: 10 });
  assert.deepEqual(state(row), [{ id: "a", v: 10 }, 3, "manual", true, false]);
  await assertSync(client, source, target, { skipped: 1, conflicts: 1 });
  assert.equal((await targetRow(client, target, "a")).sync_status, "conflict");
});

test("removed: an edited row whose property returns is judged as any edited row", async () => {
  const client = await newClient(server);
  const cases: [v: number, stats: Data, text: RegExp | null][] = [
    [0, { warnings: 1 }, /manual/i],
    [5, { warnings: 1, conflicts: 1 }, kConflictWarning],
    [9, { skipped: 2 }, null],
  ];
  for (const [v, stats, text] of cases) {
    const { source, target } = await editedAndRemoved(client, kDelete);
    await assertSync(client, source, target, { skipped: 1, conflicts: 1 });
    await importItems(client, source, [{ id: "a", v }]);
    await assertSync(client, source, target, { skipped: 1, ...stats });
    const row = await targetRow(client, target, "a");
    assert.doesNotMatch(row.warning ?? "", kRemovedWarning);
    if (text === null) assert.equal(row.warning, null);
    else assert.match(row.warning ?? "", text);
    const status = v === 0 ? "manual" : v === 5 ? "conflict" : "synced";
    assert.deepEqual([row.sync_status, row.has_manual_changes], [status, v !== 9]);
  }
});

test("delete: the row is hidden: 404, in no list, not counted; removed counts it once", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, kItems, kDelete);
  const row = await targetRow(client, target, "a");
  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  await assertHidden(client, target, row);
  const { etag } = await client.get(`/targets/${target.id}/properties`);
  for (const _ of range(2)) await assertSync(client, source, target, { skipped: 1 });
  assert.equal((await client.get(`/targets/${target.id}/properties`)).etag, etag);
  assert.deepEqual(externalIds(await assertCounted(client, target)), ["b"]);
});

test("delete: a property that returns is created again: same id, version + 1", async () => {
  const client = await newClient(server);
  for (const v of [0, 7]) {
    const { source, target } = await syncedPair(client, kItems, kDelete);
    const before = await targetRow(client, target, "a");
    await removeProperties(client, source, "a");
    await assertSync(client, source, target, { skipped: 1, removed: 1 });
    await sleep(5);
    await importItems(client, source, [{ id: "a", v }]);
    await assertSync(client, source, target, { created: 1, skipped: 1 });
    const row = await targetRow(client, target, "a");
    assert.deepEqual(state(row), [{ id: "a", v }, 2, "synced", false, false]);
    assert.deepEqual(
      [row.id, row.created_at, row.source_property_id],
      [before.id, before.created_at, before.source_property_id],
    );
    assert.ok(row.updated_at > before.updated_at);
    const kept = await snapshots(client, targetPath(row));
    assert.deepEqual(
      kept.map(({ version, data, reason }) => [version, data, reason]),
      [[1, before.data, "sync"]],
    );
    await assertCounted(client, target);
    await assertSync(client, source, target, { skipped: 2 });
  }
});

test("delete: hidden and back many times, always the same row with all its snapshots", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, kItems, kDelete);
  const { id } = await targetRow(client, target, "a");
  for (const v of [1, 1, 2]) {
    await removeProperties(client, source, "a");
    await assertSync(client, source, target, { skipped: 1, removed: 1 });
    await importItems(client, source, [{ id: "a", v }]);
    await assertSync(client, source, target, { created: 1, skipped: 1 });
  }
  const row = await targetRow(client, target, "a");
  assert.deepEqual([row.id, row.version, row.data["v"]], [id, 4, 2]);
  const kept = await snapshots(client, targetPath(row));
  assert.deepEqual(
    kept.map(({ version, data }) => [version, data["v"]]),
    [
      [1, 0],
      [2, 1],
      [3, 1],
    ],
  );
});

test("delete: a property that returns from another source revives the row, tied to that", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, kItems, kDelete);
  const before = await targetRow(client, target, "a");
  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  const heir = await createSource(client, {}, "Heir");
  await importItems(client, heir, [{ id: "a", from: "heir" }]);
  await assertSync(client, heir, target, { created: 1 });
  const row = await targetRow(client, target, "a");
  assert.deepEqual(state(row), [{ id: "a", from: "heir" }, 2, "synced", false, false]);
  assert.deepEqual([row.id, row.created_at], [before.id, before.created_at]);
  assert.equal(row.source_property_id, (await sourceRow(client, heir, "a")).id);
  await assertSync(client, source, target, { skipped: 1 });
  assert.deepEqual(await targetRow(client, target, "a"), row);
  await assertCounted(client, target);
});

test("delete: a revived row is edited and judged as a new one", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, kItems, kDelete);
  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  await importItems(client, source, [{ id: "a", v: 5 }]);
  await assertSync(client, source, target, { created: 1, skipped: 1 });
  const edited = await editRow(client, await targetRow(client, target, "a"), { v: 6 });
  assert.equal(edited.has_manual_changes, true);
  await assertSync(client, source, target, { skipped: 1, warnings: 1 });
  assert.equal((await editRow(client, edited, { v: 5 })).has_manual_changes, false);
});

test("delete: all rows of a target, of hundreds, and all back", async () => {
  const client = await newClient(server);
  const items = range(300).map((id) => ({ id, v: 0 }));
  const { source, target } = await syncedPair(client, items, kDelete);
  const ids = (await targetRows(client, target)).map((row) => row.id);
  const force = await client.post(`/sources/${source.id}/import?mode=full&force=true`, {
    data: [],
  });
  force.expect(200);
  await assertSync(client, source, target, { removed: 300 });
  assert.deepEqual(await assertCounted(client, target), []);
  await importFull(client, source, items);
  await assertSync(client, source, target, { created: 300 });
  const rows = await assertCounted(client, target);
  assert.deepEqual(
    rows.map((row) => [row.id, row.version]),
    ids.map((id) => [id, 2]),
  );
});

test("on_removed: a change counts for removals from then on", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a" }, { id: "b" }, { id: "c" }]);
  const rows = await targetRows(client, target);
  const at = (id: string) => rows.find((row) => row.external_id === id) ?? assert.fail(id);
  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 2, removed: 1 });
  await setConfig(client, target, kDelete);
  await assertSync(client, source, target, { skipped: 2 });
  assert.equal((await targetRow(client, target, "a")).sync_status, "removed");
  await removeProperties(client, source, "b");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  await assertHidden(client, target, at("b"));
  await setConfig(client, target, { on_removed: "keep" });
  await assertSync(client, source, target, { skipped: 1 });
  await assertHidden(client, target, at("b"));
  await removeProperties(client, source, "c");
  await assertSync(client, source, target, { removed: 1 });
  assert.equal((await targetRow(client, target, "c")).sync_status, "removed");
  assert.equal((await assertCounted(client, target)).length, 2);
});

test("on_removed: it is read at the time of the sync, not of the removal", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, kItems);
  const row = await targetRow(client, target, "a");
  await removeProperties(client, source, "a");
  await setConfig(client, target, kDelete);
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  await assertHidden(client, target, row);
});

test("on_removed: each target of a source has its own", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, kItems);
  const other = await createTarget(client, kDelete);
  await assertSync(client, source, other, { created: 2 });
  const row = await targetRow(client, other, "a");
  await removeProperties(client, source, "a");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  await assertSync(client, source, other, { skipped: 1, removed: 1 });
  await assertHidden(client, other, row);
  assert.equal((await targetRow(client, target, "a")).sync_status, "removed");
});
