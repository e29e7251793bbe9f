// api.md section 5: GET /logs.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { assertProblem, type Log } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  createTarget,
  editRow,
  importItems,
  logs,
  newClient,
  syncedPair,
  syncOnce,
  targetRow,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

type Figures = Pick<
  Log,
  "sync_type" | "status" | "total_properties" | "updated_properties" | "failed_properties"
>;

function figures(log: Log | undefined): unknown[] {
  assert.ok(log);
  const { sync_type, status, total_properties, updated_properties, failed_properties }: Figures =
    log;
  return [sync_type, status, total_properties, updated_properties, failed_properties];
}

test("logs: an import is logged, with what was looked at, changed and failed", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: 1 }, { id: 2 }, { id: 3 }]);
  await importItems(client, source, [{ id: 1, x: 1 }, { id: 2 }, { id: 4 }, {}, 5]);
  await importItems(client, source, [{}, {}]);
  await importItems(client, source, [{ id: 1, x: 1 }]);
  const rows = await logs(client);
  assert.deepEqual(rows.map(figures), [
    ["import", "success", 3, 3, 0],
    ["import", "partial", 5, 2, 2],
    ["import", "failed", 2, 0, 2],
    ["import", "success", 1, 0, 0],
  ]);
  for (const row of rows) {
    assert.deepEqual([row.source_id, row.target_id, row.run_id], [source.id, null, null]);
    assert.ok(row.completed_at !== null && row.completed_at >= row.started_at);
  }
  assert.deepEqual(rows[1]?.stats, { created: 1, updated: 1, skipped: 1, failed: 2, removed: 0 });
});

test("logs: a sync is logged under its sync_id; what it warned about counts as failed", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const target = await createTarget(client);
  await importItems(client, source, [
    { id: 1, v: 1 },
    { id: 2, v: 1 },
    { id: 3, v: 1 },
  ]);
  const first = await syncOnce(client, source, target);
  await editRow(client, await targetRow(client, target, "1"), { v: 9 });
  await importItems(client, source, [{ id: 2, v: 2 }]);
  const second = await syncOnce(client, source, target);
  const rows = (await logs(client)).filter((row) => row.sync_type === "sync");
  assert.deepEqual(
    rows.map((row) => row.sync_id),
    [first.sync_id, second.sync_id],
  );
  assert.deepEqual(
    rows.map((row) => figures(row).slice(2)),
    [
      [3, 3, 0],
      [3, 1, 1],
    ],
  );
  assert.deepEqual(
    rows.map((row) => row.stats),
    [first.stats, second.stats],
  );
  for (const row of rows) {
    assert.deepEqual([row.source_id, row.target_id], [source.id, target.id]);
  }
});

test("logs: a PATCH logs as manual", async () => {
  const client = await newClient(server);
  const { target } = await syncedPair(client, [{ id: 1 }]);
  await editRow(client, await targetRow(client, target, "1"), { v: 9 });
  const last = (await logs(client)).at(-1);
  assert.deepEqual(figures(last), ["manual", "success", 1, 1, 0]);
  assert.equal(last?.target_id, target.id);
});

test("logs: a cleanup is logged", async () => {
  const client = await newClient(server);
  (await client.post("/cleanup?days=0")).expect(200);
  const rows = await logs(client);
  assert.deepEqual(
    rows.map((row) => [row.sync_type, row.status]),
    [["cleanup", "success"]],
  );
});

test("logs: refusals are not logged", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }]);
  const before = await logs(client);
  const path = `/sources/${source.id}/import`;
  assertProblem(await client.post(path, {}), 422);
  assertProblem(await client.post(path, undefined, { raw: "{" }), 400);
  assertProblem(await client.post(`/sync/${source.id}/999999999`), 404);
  assertProblem(await client.post(`/sync/${source.id}/${target.id}?x=1`), 422);
  assertProblem(await client.post("/cleanup?days=x"), 422);
  assertProblem(await client.post(path, { data: [] }, { key: null }), 401);
  assert.deepEqual(await logs(client), before);
});

test("logs: they outlive their source and target", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }]);
  const before = await logs(client);
  (await client.delete(`/sources/${source.id}`)).expect(200);
  (await client.delete(`/targets/${target.id}`)).expect(200);
  assert.deepEqual((await logs(client)).slice(0, before.length), before);
});

test("logs: every parallel import has its row", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const ids = [1, 2, 3, 4, 5, 6];
  await Promise.all(ids.map((id) => importItems(client, source, [{ id }])));
  const rows = await logs(client);
  assert.equal(rows.length, ids.length);
  assert.equal(new Set(rows.map((row) => row.id)).size, ids.length);
  assert.equal(
    rows.reduce((sum, row) => sum + row.updated_properties, 0),
    ids.length,
  );
});
