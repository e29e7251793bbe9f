// api.md section 5: GET /logs.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client } from "./client.ts";
import { assertProblem, type Log } from "./rows.ts";
import { startServer } from "./server.ts";
import { alterStore, storeFile } from "./store_file.ts";
import {
  createSource,
  createTarget,
  createTenant,
  editRow,
  importItems,
  logs,
  newClient,
  range,
  syncedPair,
  syncOnce,
  targetRow,
} from "./world.ts";

// Of its own: one test changes the store from outside.
const server = await startServer();
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

test("logs: a key that is made or revoked is logged", async () => {
  const client = await newClient(server);
  const { id } = (await client.post("/keys")).expect(201).json<{ id: number }>();
  (await client.delete(`/keys/${id}`)).expect(200);
  (await client.delete(`/keys/${id}`)).expect(200);
  assert.deepEqual(
    (await logs(client)).map(figures),
    Array(2).fill(["manual", "success", 0, 0, 0]),
    "and nothing where it was revoked before",
  );
});

test("logs: a refusal by state leaves its only trace here", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(
    client,
    source,
    range(20).map((id) => ({ id })),
  );
  const refused = await client.post(`/sources/${source.id}/import?mode=full`, { data: [] });
  assertProblem(refused, 409);
  const [key] = (await client.get("/keys")).expect(200).json<{ id: number }[]>();
  assertProblem(await client.delete(`/keys/${key?.id}`), 409);
  const rows = (await logs(client)).filter((row) => row.status === "failed");
  assert.deepEqual(
    rows.map((row) => [row.sync_type, row.source_id, row.updated_properties]),
    [
      ["import", source.id, 0],
      ["manual", null, 0],
    ],
  );
  for (const row of rows) assert.ok(row.error_message, "and says why");
});

test("logs: the ETag changes when an operation in progress moves on or ends", async () => {
  const { id, api_key } = await createTenant(server);
  const client = new Client(server.origin, api_key);
  if (server.stateDir === null) return;
  const file = storeFile(server.stateDir);
  const tags = [(await client.get("/logs")).expect(200).etag];
  for (const change of [
    `INSERT INTO sync_logs (tenant_id, id, sync_id, sync_type, status, total_properties,
       updated_properties, failed_properties, started_at)
     VALUES (${id}, 1, 'sync_x', 'cleanup', 'running', 0, 0, 0, '2026-01-01T00:00:00.000Z')`,
    `UPDATE sync_logs SET updated_properties = 5, total_properties = 5 WHERE tenant_id = ${id}`,
    `UPDATE sync_logs SET status = 'success' WHERE tenant_id = ${id}`,
  ]) {
    alterStore(file, change);
    const headers = { "If-None-Match": tags.join(", ") };
    tags.push((await client.get("/logs", { headers })).expect(200).etag);
  }
  assert.equal(new Set(tags).size, 4);
  (await client.get("/logs", { headers: { "If-None-Match": tags.at(-1) ?? "" } })).expect(304);
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
