// api.md section 4: several sources that hold one property, and sources that lose it or go.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Client } from "./client.ts";
import {
  assertCounted,
  assertHidden,
  kConflictWarning,
  kRemovedWarning,
  removeProperties,
  state,
} from "./removed_rows.ts";
import type { Data, Place, TargetProperty } from "./rows.ts";
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
  targetPath,
  targetRow,
  targetRows,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kDelete = { on_removed: "delete" };

interface Contest {
  readonly owner: Place;
  readonly rival: Place;
  readonly target: Place;
}

async function feed(client: Client, name: string, items: readonly Data[]): Promise<Place> {
  const source = await createSource(client, {}, name);
  await importItems(client, source, items);
  return source;
}

/** Two sources that both hold `x`, which the first owns, and a property of their own each. */
async function contest(client: Client, config: Data = {}): Promise<Contest> {
  const owner = await feed(client, "Feed Alpha", [{ id: "x", from: "alpha" }, { id: "a" }]);
  const rival = await feed(client, "Feed Omega", [{ id: "x", from: "omega" }, { id: "o" }]);
  const target = await createTarget(client, config);
  await assertSync(client, owner, target, { created: 2 });
  await assertSync(client, rival, target, { created: 1, warnings: 1 });
  assertContested(await targetRow(client, target, "x"), owner, rival);
  return { owner, rival, target };
}

function assertContested(row: TargetProperty, ...sources: readonly Place[]): void {
  for (const { name } of sources) {
    assert.ok(row.warning?.includes(name), `"${row.warning}" does not name ${name}`);
  }
}

async function assertOwner(client: Client, target: Place, source: Place): Promise<TargetProperty> {
  const row = await targetRow(client, target, "x");
  assert.equal(row.source_property_id, (await sourceRow(client, source, "x")).id);
  return row;
}

test("contest: the rival's sync warns each time, and writes the row once", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  const row = await assertOwner(client, target, owner);
  assert.deepEqual(state(row), [{ id: "x", from: "alpha" }, 1, "synced", false, true]);
  const path = `/targets/${target.id}/properties`;
  const { etag } = await client.get(path);
  for (const _ of range(2)) {
    await assertSync(client, rival, target, { skipped: 1, warnings: 1 });
    await assertSync(client, owner, target, { skipped: 2 });
  }
  assert.deepEqual(await targetRow(client, target, "x"), row);
  assert.equal((await client.get(path)).etag, etag);
});

test("contest: a change of the rival's property changes nothing", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client, { conflict_policy: "source_wins" });
  const before = await targetRow(client, target, "x");
  for (const from of ["omega 2", "alpha"]) {
    await importItems(client, rival, [{ id: "x", from }]);
    await assertSync(client, rival, target, { skipped: 1, warnings: 1 });
    assert.deepEqual(await assertOwner(client, target, owner), before);
  }
});

test("contest: it ends with the rival's property, by the rival's sync, counted nowhere", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  await removeProperties(client, rival, "x");
  assertContested(await targetRow(client, target, "x"), owner, rival);
  await assertSync(client, rival, target, { skipped: 1 });
  const row = await assertOwner(client, target, owner);
  assert.deepEqual(state(row), [{ id: "x", from: "alpha" }, 1, "synced", false, false]);
  await assertSync(client, rival, target, { skipped: 1 });
  await assertSync(client, owner, target, { skipped: 2 });
});

test("contest: it ends with the owner's property, of a row that says already that it is removed", async () => {
  const client = await newClient(server);
  const owner = await feed(client, "Feed Alpha", [{ id: "x", from: "alpha" }]);
  const rival = await feed(client, "Feed Omega", [{ id: "x", from: "alpha" }]);
  const target = await createTarget(client);
  await assertSync(client, owner, target, { created: 1 });
  await removeProperties(client, owner, "x");
  await assertSync(client, owner, target, { removed: 1 });
  await importItems(client, owner, [{ id: "x", from: "alpha" }]);
  await assertSync(client, rival, target, { warnings: 1 });
  assertContested(await targetRow(client, target, "x"), owner, rival);
  await removeProperties(client, owner, "x");
  await assertSync(client, owner, target, {});
  const row = await assertOwner(client, target, owner);
  assert.deepEqual(state(row), [{ id: "x", from: "alpha" }, 1, "removed", false, false]);
  await assertSync(client, rival, target, { skipped: 1 });
  await assertOwner(client, target, rival);
});

test("contest: it ends with the rival's property, by the owner's sync as well", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  await removeProperties(client, rival, "x");
  await assertSync(client, owner, target, { skipped: 2 });
  assert.equal((await targetRow(client, target, "x")).warning, null);
  await importItems(client, rival, [{ id: "x", from: "omega" }]);
  await assertSync(client, owner, target, { skipped: 2 });
  assert.equal((await targetRow(client, target, "x")).warning, null, "until a sync of the rival");
  await assertSync(client, rival, target, { skipped: 1, warnings: 1 });
  assertContested(await targetRow(client, target, "x"), owner, rival);
});

test("contest: the owner's sync takes changes and leaves the warning alone", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  await importItems(client, owner, [{ id: "x", from: "alpha 2" }]);
  await assertSync(client, owner, target, { updated: 1, skipped: 1 });
  const row = await targetRow(client, target, "x");
  assert.deepEqual(state(row), [{ id: "x", from: "alpha 2" }, 2, "synced", false, true]);
  assertContested(row, owner, rival);
});

test("contest: the row's own text comes first, and stays when the contest ends", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  await editRow(client, await targetRow(client, target, "x"), { from: "hand" });
  await importItems(client, owner, [{ id: "x", from: "alpha 2" }]);
  await assertSync(client, owner, target, { skipped: 1, warnings: 1, conflicts: 1 });
  await assertSync(client, rival, target, { skipped: 1, warnings: 1 });
  const row = await targetRow(client, target, "x");
  assert.match(row.warning ?? "", kConflictWarning);
  assertContested(row, owner, rival);
  await removeProperties(client, rival, "x");
  await assertSync(client, rival, target, { skipped: 1 });
  const own = (await targetRow(client, target, "x")).warning ?? "";
  assert.match(own, kConflictWarning);
  assert.ok((row.warning ?? "").startsWith(own) && !own.includes(rival.name), own);
});

test("contest: an edit of a row in conflict clears its own text only", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  await editRow(client, await targetRow(client, target, "x"), { from: "hand" });
  await importItems(client, owner, [{ id: "x", from: "alpha 2" }]);
  await assertSync(client, owner, target, { skipped: 1, warnings: 1, conflicts: 1 });
  const row = await editRow(client, await targetRow(client, target, "x"), { from: "hand 2" });
  assert.equal(row.sync_status, "manual");
  assertContested(row, owner, rival);
  assert.doesNotMatch(row.warning ?? "", kConflictWarning);
});

test("removed owner: the rival's sync takes the row over", async () => {
  const client = await newClient(server);
  for (const config of [{}, kDelete]) {
    const { owner, rival, target } = await contest(client, config);
    const before = await targetRow(client, target, "x");
    await removeProperties(client, owner, "x");
    await assertSync(client, rival, target, { updated: 1, skipped: 1 });
    const row = await assertOwner(client, target, rival);
    assert.deepEqual(state(row), [{ id: "x", from: "omega" }, 2, "synced", false, false]);
    assert.equal(row.id, before.id);
    assert.equal((await snapshots(client, targetPath(row))).length, 1);
    await assertSync(client, owner, target, { skipped: 1 });
    assert.deepEqual(await targetRow(client, target, "x"), row);
  }
});

test("removed owner: with equal data the row is tied to the rival, version kept", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  await importItems(client, rival, [{ id: "x", from: "alpha" }]);
  await removeProperties(client, owner, "x");
  await assertSync(client, rival, target, { skipped: 2 });
  const row = await assertOwner(client, target, rival);
  assert.deepEqual(state(row), [{ id: "x", from: "alpha" }, 1, "synced", false, false]);
});

test("removed owner, keep: its own sync first, then the rival takes the row", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  await removeProperties(client, owner, "x");
  await assertSync(client, owner, target, { skipped: 1, removed: 1 });
  const kept = await targetRow(client, target, "x");
  assert.deepEqual(state(kept), [{ id: "x", from: "alpha" }, 1, "removed", false, false]);
  await assertSync(client, rival, target, { updated: 1, skipped: 1 });
  const row = await assertOwner(client, target, rival);
  assert.deepEqual(state(row), [{ id: "x", from: "omega" }, 2, "synced", false, false]);
  await assertSync(client, owner, target, { skipped: 1 });
});

test("removed owner, delete: its own sync first, then the rival revives the row", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client, kDelete);
  const before = await targetRow(client, target, "x");
  await removeProperties(client, owner, "x");
  await assertSync(client, owner, target, { skipped: 1, removed: 1 });
  await assertHidden(client, target, before);
  await assertSync(client, rival, target, { created: 1, skipped: 1 });
  const row = await assertOwner(client, target, rival);
  assert.deepEqual(state(row), [{ id: "x", from: "omega" }, 2, "synced", false, false]);
  assert.deepEqual([row.id, row.created_at], [before.id, before.created_at]);
});

test("removed owner: it returns too late, and is the rival now", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  await removeProperties(client, owner, "x");
  await assertSync(client, rival, target, { updated: 1, skipped: 1 });
  await importItems(client, owner, [{ id: "x", from: "alpha" }]);
  await assertSync(client, owner, target, { skipped: 1, warnings: 1 });
  const row = await assertOwner(client, target, rival);
  assertContested(row, owner, rival);
  assert.equal(row.data["from"], "omega");
});

test("removed owner: it returns in time, and owns the row still", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  await removeProperties(client, owner, "x");
  await assertSync(client, owner, target, { skipped: 1, removed: 1 });
  await importItems(client, owner, [{ id: "x", from: "alpha" }]);
  await assertSync(client, rival, target, { skipped: 1, warnings: 1 });
  assertContested(await assertOwner(client, target, owner), owner, rival);
});

test("removed owner: an edited row stays edited under the rival", async () => {
  const client = await newClient(server);
  const cases: [from: string, stats: Data, text: RegExp][] = [
    ["omega", { warnings: 1, conflicts: 1 }, kConflictWarning],
    ["alpha", { warnings: 1 }, /manual/i],
  ];
  for (const [from, stats, text] of cases) {
    const { owner, rival, target } = await contest(client, kDelete);
    await editRow(client, await targetRow(client, target, "x"), { from: "hand" });
    await importItems(client, rival, [{ id: "x", from }]);
    await removeProperties(client, owner, "x");
    await assertSync(client, owner, target, { skipped: 1, conflicts: 1 });
    assert.match((await targetRow(client, target, "x")).warning ?? "", kRemovedWarning);
    await assertSync(client, rival, target, { skipped: 1, ...stats });
    const row = await assertOwner(client, target, rival);
    assert.equal(row.data["from"], "hand");
    assert.ok(row.has_manual_changes);
    assert.match(row.warning ?? "", text);
    assert.doesNotMatch(row.warning ?? "", kRemovedWarning);
    await assertSync(client, owner, target, { skipped: 1 });
  }
});

test("both gone: the row is removed once, by the owner's sync", async () => {
  const client = await newClient(server);
  for (const config of [{}, kDelete]) {
    const { owner, rival, target } = await contest(client, config);
    const before = await targetRow(client, target, "x");
    await removeProperties(client, owner, "x");
    await removeProperties(client, rival, "x");
    await assertSync(client, rival, target, { skipped: 1 });
    await assertSync(client, owner, target, { skipped: 1, removed: 1 });
    for (const source of [rival, owner]) await assertSync(client, source, target, { skipped: 1 });
    if (config === kDelete) await assertHidden(client, target, before);
    else assert.equal((await targetRow(client, target, "x")).warning, null);
    await assertCounted(client, target);
  }
});

test("three sources: each rival warns, and the row goes from one to the next", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  const third = await feed(client, "Feed Third", [{ id: "x", from: "third" }]);
  await assertSync(client, third, target, { warnings: 1 });
  await removeProperties(client, rival, "x");
  await assertSync(client, rival, target, { skipped: 1 });
  await assertSync(client, third, target, { warnings: 1 });
  assertContested(await assertOwner(client, target, owner), owner, third);
  await removeProperties(client, owner, "x");
  await assertSync(client, third, target, { updated: 1 });
  await assertSync(client, owner, target, { skipped: 1 });
  const row = await assertOwner(client, target, third);
  assert.deepEqual(state(row), [{ id: "x", from: "third" }, 2, "synced", false, false]);
  await importItems(client, rival, [{ id: "x", from: "omega" }]);
  await assertSync(client, rival, target, { skipped: 1, warnings: 1 });
  assertContested(await targetRow(client, target, "x"), third, rival);
});

test("deleted source: a rival that goes ends the contest", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  (await client.delete(`/sources/${rival.id}`)).expect(200);
  await assertSync(client, owner, target, { skipped: 2 });
  const row = await assertOwner(client, target, owner);
  assert.deepEqual(state(row), [{ id: "x", from: "alpha" }, 1, "synced", false, false]);
  const left = await targetRow(client, target, "o");
  assert.deepEqual([left.source_property_id, left.sync_status], [null, "synced"]);
});

test("deleted source: an owner that goes leaves its rows to whoever has them next", async () => {
  const client = await newClient(server);
  for (const config of [{}, kDelete]) {
    const { owner, rival, target } = await contest(client, config);
    (await client.delete(`/sources/${owner.id}`)).expect(200);
    assert.deepEqual(externalIds(await assertCounted(client, target)), ["a", "o", "x"]);
    await assertSync(client, rival, target, { updated: 1, skipped: 1 });
    const row = await assertOwner(client, target, rival);
    assert.deepEqual(state(row), [{ id: "x", from: "omega" }, 2, "synced", false, false]);
    assert.equal((await targetRow(client, target, "a")).source_property_id, null);
  }
});

test("deleted source: rows in every state stay as they are, tied to nobody", async () => {
  const client = await newClient(server);
  const ids = ["kept", "edited", "conflict", "plain"];
  const source = await feed(
    client,
    "Feed",
    ids.map((id) => ({ id, v: 0 })),
  );
  const target = await createTarget(client);
  await assertSync(client, source, target, { created: 4 });
  for (const id of ["edited", "conflict"]) {
    await editRow(client, await targetRow(client, target, id), { v: 9 });
  }
  await removeProperties(client, source, "kept", "conflict");
  await assertSync(client, source, target, { skipped: 1, warnings: 1, conflicts: 1, removed: 1 });
  const before = await targetRows(client, target);
  (await client.delete(`/sources/${source.id}`)).expect(200);
  for (const [at, row] of (await assertCounted(client, target)).entries()) {
    assert.equal(row.source_property_id, null);
    assert.deepEqual(state(row).slice(0, 4), state(before[at] as TargetProperty).slice(0, 4));
  }
  const heir = await feed(client, "Heir", [
    { id: "kept", v: 0 },
    { id: "edited", v: 0 },
    { id: "conflict", v: 1 },
    { id: "plain", v: 1 },
  ]);
  await assertSync(client, heir, target, { updated: 1, skipped: 1, warnings: 2, conflicts: 1 });
  assert.equal((await targetRow(client, target, "kept")).sync_status, "synced");
});

test("deleted source: what it hid comes back from another with the same id", async () => {
  const client = await newClient(server);
  const source = await feed(client, "Feed", [{ id: "x", v: 0 }, { id: "y" }]);
  const target = await createTarget(client, kDelete);
  await assertSync(client, source, target, { created: 2 });
  const { id } = await targetRow(client, target, "x");
  await removeProperties(client, source, "x");
  await assertSync(client, source, target, { skipped: 1, removed: 1 });
  (await client.delete(`/sources/${source.id}`)).expect(200);
  const heir = await feed(client, "Heir", [{ id: "x", v: 0 }]);
  await assertSync(client, heir, target, { created: 1 });
  const row = await assertOwner(client, target, heir);
  assert.deepEqual([row.id, row.version], [id, 2]);
});

test("contest: a rename shows in the warning", async () => {
  const client = await newClient(server);
  const { owner, rival, target } = await contest(client);
  const one = targetPath(await targetRow(client, target, "x"));
  const paths = [
    one,
    `/targets/${target.id}/properties`,
    `/targets/${target.id}/properties?limit=9`,
  ];
  const before = await Promise.all(paths.map((path) => client.get(path)));
  (await client.patch(`/sources/${rival.id}`, { name: "Renamed rival" })).expect(200);
  for (const [at, path] of paths.entries()) {
    const { etag, text } = before[at]?.expect(200) ?? assert.fail();
    const cached = await client.get(path, { headers: { "If-None-Match": etag } });
    if (cached.status !== 304) continue;
    assert.equal((await client.get(path)).text, text, "304 says that nothing changed");
  }
  (await client.patch(`/sources/${owner.id}`, { name: "Renamed owner" })).expect(200);
  await assertSync(client, rival, target, { skipped: 1, warnings: 1 });
  await assertSync(client, owner, target, { skipped: 2 });
  const row = await targetRow(client, target, "x");
  assertContested(row, { ...owner, name: "Renamed owner" }, { ...rival, name: "Renamed rival" });
  assert.ok(!/Feed (Alpha|Omega)/.test(row.warning ?? ""), `${row.warning}`);
});
