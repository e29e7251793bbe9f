// api.md section 3: removal of one source property, and the return of removed ones.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import { importFull, importLines, importWith } from "./imports.ts";
import { assertProblem, assertSourceProperty, assertTime, type SourceProperty } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  importItems,
  importStats,
  kUnusedId,
  logs,
  newClient,
  place,
  snapshots,
  sourcePath,
  sourceRow,
  sourceRows,
  syncedPair,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

async function remove(client: Client, row: SourceProperty): Promise<SourceProperty> {
  const answer = (await client.delete(sourcePath(row))).expect(200);
  const removed = answer.json<SourceProperty>();
  assertSourceProperty(removed);
  return removed;
}

test("DELETE of a property: marks it removed, as a full import would; 200 with the row", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a", v: 1 }, { id: "b" }]);
  const before = await sourceRow(client, source, "a");
  const { etag } = await client.get(sourcePath(before));
  await sleep(5);
  const removed = await remove(client, before);
  assert.notEqual((await client.get(sourcePath(before))).etag, etag);
  assertTime(removed.removed_at);
  assert.ok(removed.updated_at > before.updated_at);
  assert.deepEqual(removed, {
    ...before,
    removed_at: removed.removed_at,
    updated_at: removed.updated_at,
  });
  assert.deepEqual(await sourceRow(client, source, "a"), removed);
  assert.deepEqual((await client.get(sourcePath(before))).expect(200).json(), removed);
  assert.deepEqual(await snapshots(client, sourcePath(before)), []);
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 1);
});

test("DELETE of a property: a second time is 200 with the same row, and nothing is written", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a" }, { id: "b" }]);
  const row = await sourceRow(client, source, "a");
  const removed = await remove(client, row);
  const paths = [sourcePath(row), `/sources/${source.id}`, `/sources/${source.id}/properties`];
  const tags = (): Promise<string[]> =>
    Promise.all(paths.map(async (path) => (await client.get(path)).expect(200).etag));
  const [kept, log] = [await tags(), await logs(client)];
  await sleep(5);
  assert.deepEqual(await remove(client, row), removed);
  assert.deepEqual(await tags(), kept);
  assert.deepEqual(await logs(client), log);
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 1);
});

test("DELETE of a property: logs as manual", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a" }]);
  await remove(client, await sourceRow(client, source, "a"));
  const last = (await logs(client)).at(-1);
  assert.deepEqual(
    [last?.sync_type, last?.status, last?.source_id, last?.target_id],
    ["manual", "success", source.id, null],
  );
  assert.deepEqual([last?.updated_properties, last?.failed_properties], [1, 0]);
});

test("DELETE of a property: the removal ratio is not its affair", async () => {
  const client = await newClient(server);
  const source = await createSource(client, { max_removed_ratio: 0 });
  await importItems(
    client,
    source,
    Array.from({ length: 10 }, (_, id) => ({ id })),
  );
  for (const row of await sourceRows(client, source)) await remove(client, row);
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 0);
});

test("DELETE of a property: what is not there, or not below this source, is 404", async () => {
  const client = await newClient(server);
  const stranger = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a" }]);
  const other = await createSource(client);
  const row = await sourceRow(client, source, "a");
  const unused = await stranger.delete(`/sources/${kUnusedId}/properties/${row.id}`);
  const paths = [
    `/sources/${other.id}/properties/${row.id}`,
    `/sources/${kUnusedId}/properties/${row.id}`,
    `/sources/${source.id}/properties/0${row.id}`,
    `/sources/${source.id}/properties/x`,
    `/sources/${source.id}/properties/${row.id}/`,
  ];
  for (const path of paths) assertProblem(await client.delete(path), 404);
  const foreign = await stranger.delete(sourcePath(row));
  assertProblem(foreign, 404);
  assert.equal(foreign.text, unused.text);
  assertProblem(await client.delete(`/targets/${target.id}/properties/${row.id}`), 405);
  assertProblem(await client.delete(sourcePath(row), { key: null }), 401);
  assert.deepEqual(await sourceRow(client, source, "a"), row);
});

test("DELETE of a property: unknown parameters and bodies are 422, {} is fine", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a" }]);
  const row = await sourceRow(client, source, "a");
  const path = sourcePath(row);
  assertProblem(await client.delete(`${path}?force=true`), 422, { parameters: ["force"] });
  assertProblem(await client.delete(path, { body: { force: true } }), 422);
  assertProblem(await client.delete(path, { raw: "{" }), 400);
  assert.deepEqual(await sourceRow(client, source, "a"), row);
  (await client.delete(path, { body: {} })).expect(200);
});

test("DELETE of a property: of many at once each is counted", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a" }, { id: "b" }, { id: "c" }, { id: "d" }]);
  const rows = await sourceRows(client, source);
  await Promise.all([...rows.slice(1), ...rows.slice(1)].map((row) => remove(client, row)));
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 1);
  const manual = (await logs(client)).filter((row) => row.sync_type === "manual");
  assert.equal(manual.length, 3);
});

test("return: the same hash counts as updated, keeps its version and takes no snapshot", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a", v: 1 }, { id: "b" }]);
  const before = await sourceRow(client, source, "a");
  for (const mode of ["upsert", "full", "ndjson"]) {
    const removed = await remove(client, before);
    await sleep(5);
    const items = [{ v: 1, id: "a" }, { id: "b" }];
    const told =
      mode === "upsert"
        ? await importItems(client, source, items)
        : mode === "full"
          ? await importFull(client, source, items)
          : await importLines(client, source, '{"v":1.0,"id":"a"}\n{"id":"b"}');
    assert.deepEqual(told.stats, importStats({ updated: 1, skipped: 1 }), mode);
    const row = await sourceRow(client, source, "a");
    assert.ok(row.updated_at > removed.updated_at);
    assert.deepEqual(row, { ...before, updated_at: row.updated_at });
    assert.deepEqual(await snapshots(client, sourcePath(row)), []);
    assert.equal((await place(client, `/sources/${source.id}`)).property_count, 2);
    assert.equal((await logs(client)).at(-1)?.updated_properties, 1);
  }
});

test("return: with another hash: snapshot, then updated, version + 1", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a", v: 1 }, { id: "b" }]);
  const before = await sourceRow(client, source, "a");
  await importFull(client, source, [{ id: "b" }]);
  const told = await importFull(client, source, [{ id: "a", v: 2 }, { id: "b" }]);
  assert.deepEqual(told.stats, importStats({ updated: 1, skipped: 1 }));
  const row = await sourceRow(client, source, "a");
  assert.deepEqual(
    [row.id, row.version, row.data, row.removed_at, row.created_at],
    [before.id, 2, { id: "a", v: 2 }, null, before.created_at],
  );
  const kept = await snapshots(client, sourcePath(row));
  assert.deepEqual(
    kept.map(({ data, hash, version }) => [data, hash, version]),
    [[before.data, before.hash, 1]],
  );
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 2);
});

test("return: removed, returned and changed many times, each version has its snapshot", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a", v: 0 }]);
  const first = await sourceRow(client, source, "a");
  for (const v of [1, 1, 2, 2, 0]) {
    const emptied = await importWith(client, source, "mode=full&force=true", []);
    assert.equal(emptied.stats.removed, 1);
    assert.equal((await importFull(client, source, [{ id: "a", v }])).stats.updated, 1);
  }
  const row = await sourceRow(client, source, "a");
  assert.deepEqual([row.id, row.version, row.data["v"]], [first.id, 4, 0]);
  const kept = await snapshots(client, sourcePath(row));
  assert.deepEqual(
    kept.map(({ version, data }) => [version, data["v"]]),
    [
      [1, 0],
      [2, 1],
      [3, 2],
    ],
  );
});

test("return: a removed property keeps its snapshots, and a deleted source counts both", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a", v: 0 }, { id: "b" }]);
  await importItems(client, source, [{ id: "a", v: 1 }]);
  const removed = await remove(client, await sourceRow(client, source, "a"));
  assert.equal((await snapshots(client, sourcePath(removed))).length, 1);
  const gone = (await client.delete(`/sources/${source.id}`)).expect(200);
  assert.deepEqual(gone.json(), { status: "deleted", deleted: { properties: 2, snapshots: 1 } });
});
