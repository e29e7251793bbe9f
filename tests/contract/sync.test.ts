// api.md section 4: the decision table for the policies skip and source_wins.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Client } from "./client.ts";
import { assertProblem, assertTime, type Data, type Place, type TargetProperty } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  assertSync,
  createSource,
  createTarget,
  dataById,
  editRow,
  importItems,
  kUnusedId,
  newClient,
  range,
  snapshots,
  sourceRow,
  sourceRows,
  syncedPair,
  syncOnce,
  targetPath,
  targetRow,
  targetRows,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kConflict = "Source has changes but target has manual modifications";

function isConflict(row: TargetProperty): boolean {
  return (row.warning ?? "").startsWith(kConflict);
}

/** Two sources that both hold property `x`, the first of which owns the row. */
async function contested(
  client: Client,
  config: Data = {},
): Promise<{ owner: Place; rival: Place; target: Place }> {
  const owner = await createSource(client, {}, "Feed Alpha");
  const rival = await createSource(client, {}, "Feed Omega");
  const target = await createTarget(client, config);
  await importItems(client, owner, [{ id: "x", from: "alpha" }]);
  await importItems(client, rival, [{ id: "x", from: "omega" }]);
  await assertSync(client, owner, target, { created: 1 });
  await assertSync(client, rival, target, { warnings: 1 });
  return { owner, rival, target };
}

/** The warning tells both sources, by name or by id. */
function namesBoth(row: TargetProperty, first: Place, second: Place): boolean {
  const text = row.warning ?? "";
  return [first, second].every(
    ({ id, name }) => text.includes(name) || new RegExp(`\\b${id}\\b`).test(text),
  );
}

test("sync: no target row: created with all of the source, tied to it", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", n: [1, { z: null }] }]);
  const from = await sourceRow(client, source, "a");
  const row = await targetRow(client, target, "a");
  assert.deepEqual(
    [row.data, row.hash, row.version, row.source_property_id, row.target_id],
    [from.data, from.hash, 1, from.id, target.id],
  );
  assert.deepEqual([row.has_manual_changes, row.warning, row.sync_status], [false, null, "synced"]);
  assertTime(row.last_synced);
});

test("sync: an empty source succeeds with zeros", async () => {
  const client = await newClient(server);
  await assertSync(client, await createSource(client), await createTarget(client), {});
});

test("sync: each one has a sync_id of its own", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }]);
  const first = await syncOnce(client, source, target);
  const second = await syncOnce(client, source, target);
  assert.notEqual(first.sync_id, second.sync_id);
});

test("sync: no manual changes: snapshot, then the row takes the data, version + 1", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }, { id: "b" }]);
  const before = await targetRow(client, target, "a");
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await assertSync(client, source, target, { updated: 1, skipped: 1 });
  const row = await targetRow(client, target, "a");
  assert.deepEqual([row.id, row.data, row.version], [before.id, { id: "a", v: 2 }, 2]);
  assert.deepEqual([row.has_manual_changes, row.warning, row.sync_status], [false, null, "synced"]);
  const kept = await snapshots(client, targetPath(row));
  assert.deepEqual(
    kept.map(({ data, hash, version }) => [data, hash, version]),
    [[before.data, before.hash, 1]],
  );
});

test("sync: a skipped row that needs no change is not written", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a" }, { id: "b" }]);
  const before = await targetRows(client, target);
  const { etag } = await client.get(`/targets/${target.id}/properties`);
  await assertSync(client, source, target, { skipped: 2 });
  await importItems(client, source, [{ id: "a" }]);
  await assertSync(client, source, target, { skipped: 2 });
  assert.deepEqual(await targetRows(client, target), before);
  assert.equal((await client.get(`/targets/${target.id}/properties`)).etag, etag);
});

test("sync: source unchanged, edited by hand: not touched, flag stays, warning set", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }, { id: "b" }]);
  const edited = await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await assertSync(client, source, target, { skipped: 1, warnings: 1 });
  const row = await targetRow(client, target, "a");
  assert.deepEqual([row.data, row.hash, row.version], [edited.data, edited.hash, edited.version]);
  assert.deepEqual([row.has_manual_changes, row.sync_status], [true, "manual"]);
  assert.ok(row.warning !== null && row.warning !== "" && !isConflict(row), `${row.warning}`);
  await assertSync(client, source, target, { skipped: 1, warnings: 1 });
  assert.deepEqual(await targetRow(client, target, "a"), row);
});

test("sync: both changed: not touched, warning set, sync_status conflict", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1, w: 1 }]);
  const edited = await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await importItems(client, source, [{ id: "a", v: 1, w: 2 }]);
  await assertSync(client, source, target, { warnings: 1, conflicts: 1 });
  const row = await targetRow(client, target, "a");
  assert.deepEqual(row.data, { id: "a", v: 9, w: 1 }, "not even in part");
  assert.equal(row.version, edited.version);
  assert.deepEqual([row.has_manual_changes, row.sync_status], [true, "conflict"]);
  assert.ok(isConflict(row), `${row.warning}`);
  assert.equal((await snapshots(client, targetPath(row))).length, 1, "only that of the edit");
});

test("sync: a conflict is counted at every sync, and written once", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await assertSync(client, source, target, { warnings: 1, conflicts: 1 });
  const row = await targetRow(client, target, "a");
  await assertSync(client, source, target, { warnings: 1, conflicts: 1 });
  await importItems(client, source, [{ id: "a", v: 3 }]);
  await assertSync(client, source, target, { warnings: 1, conflicts: 1 });
  assert.deepEqual(await targetRow(client, target, "a"), row);
});

test("sync: an edit of a row in conflict makes it manual and clears the warning", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await assertSync(client, source, target, { warnings: 1, conflicts: 1 });
  const row = await editRow(client, await targetRow(client, target, "a"), { v: 10 });
  assert.deepEqual([row.sync_status, row.warning, row.has_manual_changes], ["manual", null, true]);
  await assertSync(client, source, target, { warnings: 1, conflicts: 1 });
  assert.equal((await targetRow(client, target, "a")).sync_status, "conflict");
});

test("sync: equal hashes: flag and warning are cleared, and base becomes the source", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  await editRow(client, await targetRow(client, target, "a"), { v: 2 });
  await assertSync(client, source, target, { warnings: 1 });
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await assertSync(client, source, target, { skipped: 1 });
  const agreed = await targetRow(client, target, "a");
  assert.deepEqual(
    [agreed.has_manual_changes, agreed.warning, agreed.sync_status, agreed.version],
    [false, null, "synced", 2],
  );
  await importItems(client, source, [{ id: "a", v: 3 }]);
  await assertSync(client, source, target, { updated: 1 });
  const edited = await editRow(client, await targetRow(client, target, "a"), { v: 4 });
  assert.equal(edited.has_manual_changes, true);
  const back = await editRow(client, edited, { v: 3 });
  assert.equal(back.has_manual_changes, false, "base is what the source had last");
});

test("sync: a hand that takes the source's side of a conflict ends it", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await assertSync(client, source, target, { warnings: 1, conflicts: 1 });
  await editRow(client, await targetRow(client, target, "a"), { v: 2 });
  await assertSync(client, source, target, { skipped: 1 });
  const row = await targetRow(client, target, "a");
  assert.deepEqual([row.has_manual_changes, row.warning, row.sync_status], [false, null, "synced"]);
});

test("sync: an edit taken back before the sync leaves nothing to warn about", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  const edited = await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await editRow(client, edited, { v: 1 });
  await assertSync(client, source, target, { skipped: 1 });
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await assertSync(client, source, target, { updated: 1 });
});

test("sync: an edit taken back while the source changed: the row takes the data", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  const edited = await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await assertSync(client, source, target, { warnings: 1, conflicts: 1 });
  await editRow(client, edited, { v: 1 });
  await assertSync(client, source, target, { updated: 1 });
  const row = await targetRow(client, target, "a");
  assert.deepEqual([row.data, row.warning, row.sync_status], [{ id: "a", v: 2 }, null, "synced"]);
});

test("sync: a source that went back to base is unchanged again", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await importItems(client, source, [{ id: "a", v: 1 }]);
  await assertSync(client, source, target, { warnings: 1 });
  assert.ok(!isConflict(await targetRow(client, target, "a")));
});

test("sync: policy source_wins: as without manual changes", async () => {
  const client = await newClient(server);
  const config = { conflict_policy: "source_wins" };
  const { source, target } = await syncedPair(
    client,
    [
      { id: "a", v: 1 },
      { id: "b", v: 1 },
    ],
    config,
  );
  const a = await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await editRow(client, await targetRow(client, target, "b"), { v: 9 });
  await importItems(client, source, [{ id: "b", v: 2 }]);
  await assertSync(client, source, target, { updated: 2 });
  const rows = await targetRows(client, target);
  assert.deepEqual(dataById(rows), { a: { id: "a", v: 1 }, b: { id: "b", v: 2 } });
  for (const row of rows) {
    assert.deepEqual(
      [row.version, row.has_manual_changes, row.warning, row.sync_status],
      [3, false, null, "synced"],
    );
    const kept = await snapshots(client, targetPath(row));
    assert.deepEqual(
      kept.map((snapshot) => snapshot.data["v"]),
      [1, 9],
    );
  }
  assert.equal((await snapshots(client, targetPath(a)))[1]?.hash, a.hash);
  await assertSync(client, source, target, { skipped: 2 });
});

test("sync: a change of policy counts from the next sync on", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [
    { id: "a", v: 1 },
    { id: "b", v: 1 },
  ]);
  await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await editRow(client, await targetRow(client, target, "b"), { v: 9 });
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await assertSync(client, source, target, { warnings: 2, conflicts: 1 });
  const path = `/targets/${target.id}`;
  (await client.patch(path, { config: { conflict_policy: "source_wins" } })).expect(200);
  await assertSync(client, source, target, { updated: 2 });
  await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  (await client.patch(path, { config: { conflict_policy: null } })).expect(200);
  await assertSync(client, source, target, { skipped: 1, warnings: 1 });
});

test("sync: a row tied to another live source is not touched, the warning names both", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contested(client);
  const row = await targetRow(client, target, "x");
  assert.deepEqual([row.data, row.version], [{ id: "x", from: "alpha" }, 1]);
  assert.equal(row.source_property_id, (await sourceRow(client, owner, "x")).id);
  assert.ok(namesBoth(row, owner, rival) && !isConflict(row), `${row.warning}`);
  assert.equal(row.has_manual_changes, false);
});

test("sync: the owner's sync goes on, and leaves the contest's warning alone", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contested(client);
  await assertSync(client, owner, target, { skipped: 1 });
  assert.ok(namesBoth(await targetRow(client, target, "x"), owner, rival));
  await importItems(client, owner, [{ id: "x", from: "alpha 2" }]);
  await assertSync(client, owner, target, { updated: 1 });
  const row = await targetRow(client, target, "x");
  assert.equal(row.data["from"], "alpha 2");
  assert.ok(namesBoth(row, owner, rival), `${row.warning}`);
  await assertSync(client, rival, target, { warnings: 1 });
  assert.deepEqual(await targetRow(client, target, "x"), row);
});

test("sync: a contested row stays the owner's under source_wins, and when the data agree", async () => {
  const client = await newClient(server);
  const { rival, target } = await contested(client, { conflict_policy: "source_wins" });
  assert.equal((await targetRow(client, target, "x")).data["from"], "alpha");
  await importItems(client, rival, [{ id: "x", from: "alpha" }]);
  await assertSync(client, rival, target, { warnings: 1 });
});

test("sync: the row's own warning comes before that of the contest", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contested(client);
  await editRow(client, await targetRow(client, target, "x"), { from: "hand" });
  await importItems(client, owner, [{ id: "x", from: "alpha 2" }]);
  await assertSync(client, owner, target, { warnings: 1, conflicts: 1 });
  await assertSync(client, rival, target, { warnings: 1 });
  const row = await targetRow(client, target, "x");
  assert.ok(isConflict(row) && namesBoth(row, owner, rival), `${row.warning}`);
  assert.equal(row.data["from"], "hand");
});

test("sync: the contest ends when a sync finds one of the two without the property", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contested(client);
  (await client.delete(`/sources/${rival.id}`)).expect(200);
  await assertSync(client, owner, target, { skipped: 1 });
  assert.equal((await targetRow(client, target, "x")).warning, null);
});

test("sync: when the owner is deleted, the other source takes the row over", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contested(client);
  (await client.delete(`/sources/${owner.id}`)).expect(200);
  await assertSync(client, rival, target, { updated: 1 });
  const row = await targetRow(client, target, "x");
  assert.deepEqual([row.data["from"], row.version, row.warning], ["omega", 2, null]);
  assert.equal(row.source_property_id, (await sourceRow(client, rival, "x")).id);
  await assertSync(client, rival, target, { skipped: 1 });
});

test("sync: a row without owner is tied to the source whatever the outcome", async () => {
  const client = await newClient(server);
  const items = [{ id: "same" }, { id: "edited", v: 1 }, { id: "both", v: 1 }];
  const { source, target } = await syncedPair(client, items);
  await editRow(client, await targetRow(client, target, "edited"), { v: 9 });
  await editRow(client, await targetRow(client, target, "both"), { v: 9 });
  (await client.delete(`/sources/${source.id}`)).expect(200);
  const heir = await createSource(client);
  await importItems(client, heir, [{ id: "same" }, { id: "edited", v: 1 }, { id: "both", v: 2 }]);
  await assertSync(client, heir, target, { skipped: 1, warnings: 2, conflicts: 1 });
  for (const row of await targetRows(client, target)) {
    const from = await sourceRow(client, heir, row.external_id);
    assert.equal(row.source_property_id, from.id, row.external_id);
  }
  assert.equal((await targetRow(client, target, "both")).data["v"], 9);
});

test("sync: several sources may feed one target", async () => {
  const client = await newClient(server);
  const target = await createTarget(client);
  const sources = [
    await createSource(client),
    await createSource(client),
    await createSource(client),
  ];
  for (const [at, source] of sources.entries()) {
    await importItems(client, source, [{ id: `${at}-a` }, { id: `${at}-b` }]);
    await assertSync(client, source, target, { created: 2 });
  }
  for (const source of sources) await assertSync(client, source, target, { skipped: 2 });
  assert.equal((await targetRows(client, target)).length, 6);
});

test("sync: one source may feed several targets, which go their own ways", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  const other = await createTarget(client);
  await assertSync(client, source, other, { created: 1 });
  await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await assertSync(client, source, target, { warnings: 1, conflicts: 1 });
  await assertSync(client, source, other, { updated: 1 });
  assert.equal((await targetRow(client, other, "a")).data["v"], 2);
});

test("sync: created, updated, skipped and warnings add up to the live properties", async () => {
  const client = await newClient(server);
  const rival = await createSource(client);
  const { source, target } = await syncedPair(
    client,
    range(40).map((id) => ({ id, v: 0 })),
  );
  await importItems(client, rival, [{ id: "r" }]);
  await assertSync(client, rival, target, { created: 1 });
  for (const row of await targetRows(client, target)) {
    if (Number(row.external_id) < 8) await editRow(client, row, { v: 9 });
  }
  const changed = range(24)
    .filter((id) => id >= 4)
    .map((id) => ({ id, v: 1 }));
  await importItems(client, source, [...changed, { id: "new" }, { id: "r", v: 1 }]);
  await assertSync(client, source, target, {
    created: 1,
    updated: 16,
    skipped: 16,
    warnings: 9,
    conflicts: 4,
  });
  assert.equal((await sourceRows(client, source)).length, 1 + 16 + 16 + 9);
});

test("sync: 10,000 properties: new, unchanged, 1 % changed, all changed", async () => {
  const client = await newClient(server);
  const make = (v: number): Data[] => range(10_000).map((id) => ({ id, v, text: "ä".repeat(40) }));
  const { source, target } = await syncedPair(client, make(0));
  await assertSync(client, source, target, { skipped: 10_000 });
  await importItems(client, source, make(1).slice(500, 600));
  await assertSync(client, source, target, { updated: 100, skipped: 9_900 });
  await importItems(client, source, make(2));
  await assertSync(client, source, target, { updated: 10_000 });
  const rows = await targetRows(client, target);
  const wanted = Object.fromEntries(make(2).map((item) => [item["id"], item]));
  assert.deepEqual(dataById(rows), wanted);
  assert.deepEqual(rows.filter((row) => row.version === 3).length, 100);
});

test("sync: parallel syncs of one pair create each row once", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const target = await createTarget(client);
  await importItems(
    client,
    source,
    range(300).map((id) => ({ id })),
  );
  const told = await Promise.all(range(4).map(() => syncOnce(client, source, target)));
  assert.equal(
    told.reduce((sum, answer) => sum + answer.stats.created, 0),
    300,
  );
  assert.equal(
    told.reduce((sum, answer) => sum + answer.stats.skipped, 0),
    900,
  );
  assert.equal((await targetRows(client, target)).length, 300);
});

test("sync: safe beside imports of the same source", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const target = await createTarget(client);
  const batches = range(6).map((v) => range(200).map((id) => ({ id, v })));
  const work: Promise<unknown>[] = [];
  for (const batch of batches) {
    work.push(importItems(client, source, batch), syncOnce(client, source, target));
  }
  await Promise.all(work);
  await syncOnce(client, source, target);
  const rows = await targetRows(client, target);
  assert.deepEqual(dataById(rows), dataById(await sourceRows(client, source)));
  for (const row of rows.slice(0, 5)) {
    const kept = await snapshots(client, targetPath(row));
    assert.equal(kept.length, row.version - 1, "one snapshot a version");
  }
});

test("sync: safe beside patches, which all survive", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(
    client,
    range(20).map((id) => ({ id, v: 0 })),
  );
  const rows = await targetRows(client, target);
  const work: Promise<unknown>[] = [];
  for (const row of rows.slice(0, 10)) work.push(editRow(client, row, { hand: true }));
  work.push(
    importItems(
      client,
      source,
      range(20).map((id) => ({ id, v: 1 })),
    ),
  );
  for (const _ of range(3)) work.push(syncOnce(client, source, target));
  await Promise.all(work);
  await syncOnce(client, source, target);
  const now = await targetRows(client, target);
  assert.deepEqual(
    now.slice(0, 10).map((row) => row.data["hand"]),
    range(10).map(() => true),
  );
  assert.deepEqual(
    now.slice(10).map((row) => row.data["v"]),
    range(10).map(() => 1),
  );
});

test("sync: two sources that race for one row: one owns it, the other warns", async () => {
  const client = await newClient(server);
  const first = await createSource(client, {}, "Feed Alpha");
  const second = await createSource(client, {}, "Feed Omega");
  const target = await createTarget(client);
  for (const source of [first, second]) {
    await importItems(client, source, [{ id: "x", from: source.name }]);
  }
  const told = await Promise.all([first, second].map((one) => syncOnce(client, one, target)));
  const created = told.map((answer) => answer.stats.created).sort();
  const warnings = told.map((answer) => answer.stats.warnings).sort();
  assert.deepEqual(
    [created, warnings],
    [
      [0, 1],
      [0, 1],
    ],
  );
  assert.ok(namesBoth(await targetRow(client, target, "x"), first, second));
});

test("sync: an unknown source or target is 404, and ids of the other kind do not serve", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }]);
  assertProblem(await client.post(`/sync/${kUnusedId}/${target.id}`), 404);
  assertProblem(await client.post(`/sync/${source.id}/${kUnusedId}`), 404);
});
