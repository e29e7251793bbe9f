// api.md section 5: POST /cleanup.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Client } from "./client.ts";
import { assertProblem, type Place } from "./rows.ts";
import { openServer, startServer } from "./server.ts";
import { alterStore, storeFile } from "./store_file.ts";
import {
  assertSync,
  editRow,
  importItems,
  newClient,
  sourcePath,
  sourceRow,
  syncedPair,
  targetPath,
  targetRow,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kDayMs = 86_400_000;

async function cleanup(client: Client, query = ""): Promise<[number, number]> {
  const answer = (await client.post(`/cleanup${query}`)).expect(200);
  const told = answer.json<{ deleted: { source_snapshots: number; target_snapshots: number } }>();
  const { source_snapshots, target_snapshots } = told.deleted;
  assert.deepEqual(told, { status: "success", deleted: { source_snapshots, target_snapshots } });
  return [source_snapshots, target_snapshots];
}

/** A pair whose property `a` has two source snapshots and one target snapshot. */
async function withHistory(client: Client): Promise<{ source: Place; target: Place }> {
  const pair = await syncedPair(client, [{ id: "a", v: 0 }, { id: "b" }]);
  await importItems(client, pair.source, [{ id: "a", v: 1 }]);
  await importItems(client, pair.source, [{ id: "a", v: 2 }]);
  await assertSync(client, pair.source, pair.target, { updated: 1, skipped: 1 });
  return pair;
}

/** How many snapshots property `a` has on either side. */
async function history(client: Client, pair: { source: Place; target: Place }): Promise<number[]> {
  const paths = [
    sourcePath(await sourceRow(client, pair.source, "a")),
    targetPath(await targetRow(client, pair.target, "a")),
  ];
  const counts = paths.map(async (path) => {
    const rows = (await client.get(`${path}/snapshots`)).expect(200).json<unknown[]>();
    return rows.length;
  });
  return Promise.all(counts);
}

test("cleanup: days=0 deletes all snapshots of the tenant and counts them", async () => {
  const client = await newClient(server);
  const pair = await withHistory(client);
  const rows = [
    await sourceRow(client, pair.source, "a"),
    await targetRow(client, pair.target, "a"),
  ];
  assert.deepEqual(await cleanup(client, "?days=0"), [2, 1]);
  assert.deepEqual(await history(client, pair), [0, 0]);
  assert.deepEqual(await sourceRow(client, pair.source, "a"), rows[0]);
  assert.deepEqual(await targetRow(client, pair.target, "a"), rows[1]);
  assert.deepEqual(await cleanup(client, "?days=0"), [0, 0]);
});

test("cleanup: snapshots that are not older than N days stay", async () => {
  const client = await newClient(server);
  const pair = await withHistory(client);
  for (const query of ["", "?days=30", "?days=1", "?days=36500"]) {
    assert.deepEqual(await cleanup(client, query), [0, 0]);
  }
  assert.deepEqual(await history(client, pair), [2, 1]);
});

test("cleanup: the default is 30 days", async (context) => {
  // A server of its own, since writing to the store from outside holds up everybody else's writes.
  const own = await startServer();
  context.after(() => own.stop());
  const client = await newClient(own);
  const pair = await withHistory(client);
  const source = await sourceRow(client, pair.source, "a");
  const target = await targetRow(client, pair.target, "a");
  const ago = (days: number): string => new Date(Date.now() - days * kDayMs).toISOString();
  const file = storeFile(own.stateDir ?? "");
  const age = (table: string, owner: number, when: string, rest = ""): void =>
    alterStore(
      file,
      `UPDATE ${table}_snapshots SET created_at = '${when}'
       WHERE ${table}_property_id = ${owner} ${rest}`,
    );
  age("source", source.id, ago(40), "AND version = 1");
  age("source", source.id, ago(29), "AND version = 2");
  age("target", target.id, ago(31));
  assert.deepEqual(await cleanup(client, "?days=41"), [0, 0]);
  assert.deepEqual(await cleanup(client), [1, 1]);
  assert.deepEqual(await history(client, pair), [1, 0]);
  assert.deepEqual(await cleanup(client, "?days=28"), [1, 0]);
});

test("cleanup: days is a whole number from 0 on, else 422", async () => {
  const client = await newClient(server);
  for (const days of ["-1", "1.5", "x", "", "1e1", "%2B1", "NaN"]) {
    const answer = await client.post(`/cleanup?days=${days}`);
    assertProblem(answer, 422, { parameters: ["days"] });
  }
  const huge = await client.post(`/cleanup?days=${"9".repeat(30)}`);
  assert.ok(huge.status === 200 || huge.status === 422, `${huge.status}`);
});

test("cleanup: only the calling tenant is cleaned", async () => {
  const client = await newClient(server);
  const stranger = await newClient(server);
  const pair = await withHistory(client);
  const theirs = await withHistory(stranger);
  assert.deepEqual(await cleanup(client, "?days=0"), [2, 1]);
  assert.deepEqual(await history(stranger, theirs), [2, 1]);
  assert.deepEqual(await history(client, pair), [0, 0]);
});

test("cleanup: a body of {} is fine", async () => {
  const client = await newClient(server);
  (await client.post("/cleanup?days=0", {})).expect(200);
  assertProblem(await client.post("/cleanup?days=0", { days: 0 }), 422);
});

test("cleanup: base survives, so that an edit can still be taken back", async () => {
  const client = await newClient(server);
  const pair = await syncedPair(client, [{ id: "a", v: 1 }]);
  const edited = await editRow(client, await targetRow(client, pair.target, "a"), { v: 2 });
  await importItems(client, pair.source, [{ id: "a", v: 3 }]);
  assert.deepEqual(await cleanup(client, "?days=0"), [1, 1]);
  await assertSync(client, pair.source, pair.target, { warnings: 1, conflicts: 1 });
  const back = await editRow(client, edited, { v: 1 });
  assert.equal(back.has_manual_changes, false);
  await cleanup(client, "?days=0");
  await assertSync(client, pair.source, pair.target, { updated: 1 });
  assert.deepEqual((await targetRow(client, pair.target, "a")).data, { id: "a", v: 3 });
});

test("cleanup: data that something still shows survives", async () => {
  const client = await newClient(server);
  const pair = await syncedPair(client, [{ id: "a", v: 0 }]);
  const other = await syncedPair(client, [{ id: "a", v: 0 }]);
  for (const v of [1, 0, 1, 0]) {
    await importItems(client, pair.source, [{ id: "a", v }]);
    await assertSync(client, pair.source, pair.target, { updated: 1 });
    await cleanup(client, "?days=0");
    assert.equal((await sourceRow(client, pair.source, "a")).data["v"], v);
    assert.equal((await targetRow(client, pair.target, "a")).data["v"], v);
  }
  assert.equal((await targetRow(client, other.target, "a")).data["v"], 0);
  (await client.delete(`/sources/${pair.source.id}`)).expect(200);
  await cleanup(client, "?days=0");
  const row = await targetRow(client, pair.target, "a");
  assert.deepEqual(row.data, { id: "a", v: 0 });
  const edited = await editRow(client, row, { v: 5 });
  await cleanup(client, "?days=0");
  assert.equal((await editRow(client, edited, { v: 0 })).has_manual_changes, false);
});
