// api.md section 3: import with mode full, and the ratio that it may remove.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import { assertRefused, importFull, importWith, postLines } from "./imports.ts";
import { assertProblem, assertTime, type Place } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  externalIds,
  importAnswer,
  importItems,
  importStats,
  logs,
  newClient,
  place,
  range,
  snapshots,
  sourcePath,
  sourceRow,
  sourceRows,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kPropertyLimit = 512 * 1024;

function items(count: number, v = 0): { id: number; v: number }[] {
  return range(count).map((id) => ({ id, v }));
}

async function filledSource(client: Client, count: number, config = {}): Promise<Place> {
  const source = await createSource(client, config);
  await importItems(client, source, items(count));
  return source;
}

async function liveIds(client: Client, source: Place): Promise<string[]> {
  const rows = await sourceRows(client, source);
  const live = rows.filter((row) => row.removed_at === null);
  const { property_count } = await place(client, `/sources/${source.id}`);
  assert.equal(property_count, live.length, "property_count counts live properties");
  return externalIds(live);
}

test("full: properties that the list lacks are marked removed and counted", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a" }, { id: "b", v: 0 }, { id: "c", v: 7 }]);
  const before = await sourceRow(client, source, "c");
  await sleep(5);
  const told = await importFull(client, source, [{ id: "a" }, { id: "b", v: 1 }, { id: "d" }]);
  assert.deepEqual(told, {
    status: "success",
    stats: importStats({ created: 1, updated: 1, skipped: 1, removed: 1 }),
    errors: [],
  });
  const row = await sourceRow(client, source, "c");
  assertTime(row.removed_at);
  assert.ok(row.updated_at > before.updated_at);
  assert.deepEqual(row, { ...before, removed_at: row.removed_at, updated_at: row.updated_at });
  assert.deepEqual((await client.get(sourcePath(row))).expect(200).json(), row);
  assert.deepEqual(await snapshots(client, sourcePath(row)), []);
  assert.deepEqual(await liveIds(client, source), ["a", "b", "d"]);
});

test("full: what is removed already is neither counted nor written again", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 3);
  assert.equal((await importFull(client, source, items(2))).stats.removed, 1);
  const path = `/sources/${source.id}/properties`;
  const before = await sourceRows(client, source);
  const { etag } = await client.get(path);
  const again = await importFull(client, source, items(2));
  assert.deepEqual(again.stats, importStats({ skipped: 2 }));
  assert.deepEqual(await sourceRows(client, source), before);
  assert.equal((await client.get(path)).etag, etag);
});

test("full: mode upsert removes nothing, with force or without", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 12);
  for (const query of ["mode=upsert", "force=true", "mode=upsert&force=true", "force=false"]) {
    const told = await importWith(client, source, query, items(1));
    assert.deepEqual(told.stats, importStats({ skipped: 1 }));
  }
  assert.equal((await liveIds(client, source)).length, 12);
});

test("full: an empty list is 409 for a source of any number, unless it is forced", async () => {
  const client = await newClient(server);
  for (const live of [1, 9]) {
    const source = await filledSource(client, live);
    await assertRefused(client, source, []);
    const lines = await postLines(client, source, "", "?mode=full");
    assert.match(assertProblem(lines, 409).detail, /empty/);
    const told = await importWith(client, source, "mode=full&force=true", []);
    assert.deepEqual(told, {
      status: "success",
      stats: importStats({ removed: live }),
      errors: [],
    });
    assert.deepEqual(await liveIds(client, source), []);
    assert.deepEqual((await importFull(client, source, [])).stats, importStats({}));
  }
});

test("full: an import into an empty source only creates", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  assert.deepEqual((await importFull(client, source, [])).stats, importStats({}));
  const told = await importFull(client, source, items(20));
  assert.deepEqual(told.stats, importStats({ created: 20 }));
});

test("full: half of ten live properties may go, more are 409 and change nothing", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 10);
  const rest = [
    { id: 0, v: 1 },
    ...items(4).slice(1),
    ...range(50).map((id) => ({ id: `n${id}` })),
  ];
  await assertRefused(client, source, rest);
  await assertRefused(client, source, rest, "mode=full&force=false");
  await assertRefused(client, source, []);
  assert.equal((await liveIds(client, source)).length, 10);
  const told = await importFull(client, source, items(5));
  assert.deepEqual(told.stats, importStats({ skipped: 5, removed: 5 }));
});

test("full: force=true removes any number", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 30);
  await assertRefused(client, source, items(1));
  const told = await importWith(client, source, "mode=full&force=true", items(1));
  assert.deepEqual(told.stats, importStats({ skipped: 1, removed: 29 }));
  assert.deepEqual(await liveIds(client, source), ["0"]);
});

test("full: force=true holds against a ratio of 0, and for an empty list", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 11, { max_removed_ratio: 0 });
  await assertRefused(client, source, items(10));
  const told = await importWith(client, source, "force=true&mode=full", []);
  assert.deepEqual(told.stats, importStats({ removed: 11 }));
});

test("full: without a ratio, fewer than ten live properties may all be replaced", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 12);
  assert.equal((await importFull(client, source, items(9))).stats.removed, 3);
  const told = await importFull(client, source, [{ id: "new" }]);
  assert.deepEqual(told.stats, importStats({ created: 1, removed: 9 }));
});

test("full: a ratio that was set counts for any number of properties", async () => {
  const client = await newClient(server);
  const none = await filledSource(client, 4, { max_removed_ratio: 0 });
  await assertRefused(client, none, items(3));
  await assertRefused(client, none, []);
  const quarter = await filledSource(client, 4, { max_removed_ratio: 0.25 });
  await assertRefused(client, quarter, items(2));
  assert.equal((await importFull(client, quarter, items(3))).stats.removed, 1);
  const all = await filledSource(client, 2, { max_removed_ratio: 1 });
  assert.equal((await importFull(client, all, [])).stats.removed, 2);
});

test("full: force=true removes although an item has no identity", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 12);
  const list = [{ id: 0 }, { v: 1 }];
  assert.equal((await importFull(client, source, list)).stats.removed, 0);
  const told = await importWith(client, source, "mode=full&force=true", list);
  assert.deepEqual(told.stats, importStats({ skipped: 1, failed: 1, removed: 11 }));
  assert.doesNotMatch(told.errors[0]?.detail ?? "", /removed/);
});

test("full: where every item fails nothing is done, whatever force says", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 12);
  const before = await sourceRows(client, source);
  const path = `/sources/${source.id}/import?mode=full&force=true`;
  for (const data of [[{ id: 0, text: "x".repeat(kPropertyLimit) }], [{ v: 1 }, 5]]) {
    const answer = await client.post(path, { data });
    assert.equal(answer.status, 422);
    const stats = importStats({ failed: data.length });
    assert.deepEqual(importAnswer(answer).stats, stats);
    const row = (await logs(client)).at(-1);
    assert.deepEqual([row?.status, row?.updated_properties, row?.stats], ["failed", 0, stats]);
    assert.match(row?.error_message ?? "", /items failed, so nothing was done/);
  }
  assert.deepEqual(await sourceRows(client, source), before);
});

test("logs: error_message of a partial import says why, and that nothing was removed", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 12);
  const message = async (): Promise<string | null | undefined> =>
    (await logs(client)).at(-1)?.error_message;
  assert.equal(await message(), null, "a success has none");
  await importItems(client, source, [{ id: 0 }, { id: 1, ref: 5 }, { v: 1 }, { v: 2 }]);
  assert.match(
    (await message()) ?? "",
    /^2 of 4 items failed\. Item 2: it has no identity[^;]*\.$/,
  );
  await importFull(client, source, [...items(8), { v: 1 }]);
  assert.match((await message()) ?? "", /^1 of 9 .* nothing was removed, since item 8 has no id/);
});

test("full: the ratio is of what was live before the import", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 20);
  assert.equal((await importFull(client, source, items(10))).stats.removed, 10);
  const returned = [...items(4), ...items(20).slice(10)];
  await assertRefused(client, source, returned);
  const told = await importFull(client, source, items(20).slice(5));
  assert.deepEqual(told.stats, importStats({ updated: 10, skipped: 5, removed: 5 }));
});

test("full: config.max_removed_ratio is exact", async () => {
  const client = await newClient(server);
  const cases: [ratio: number, live: number, allowed: number][] = [
    [0, 10, 0],
    [0.1, 10, 1],
    [0.29, 100, 29],
    [0.3, 10, 3],
    [0.57, 100, 57],
    [0.7, 10, 7],
    [0.999, 20, 19],
    [1, 12, 12],
  ];
  for (const [max_removed_ratio, live, allowed] of cases) {
    const source = await filledSource(client, live, { max_removed_ratio });
    if (allowed < live) await assertRefused(client, source, items(live - allowed - 1));
    const told = await importFull(client, source, items(live - allowed));
    assert.equal(told.stats.removed, allowed, `${max_removed_ratio} of ${live}`);
  }
});

test("full: a change of max_removed_ratio counts from the next import on", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 10);
  const set = async (max_removed_ratio: unknown): Promise<void> => {
    const patch = await client.patch(`/sources/${source.id}`, { config: { max_removed_ratio } });
    patch.expect(200);
  };
  await assertRefused(client, source, items(4));
  await set(0.6);
  await assertRefused(client, source, items(3));
  await set(null);
  await assertRefused(client, source, items(4));
  await set(1);
  assert.equal((await importFull(client, source, [])).stats.removed, 10);
});

test("config: max_removed_ratio is 0 to 1, else 422 at its pointer", async () => {
  const client = await newClient(server);
  const pointers = ["/config/max_removed_ratio"];
  for (const max_removed_ratio of [-0.1, 1.01, 2, "0.5", true, [], {}]) {
    const body = { name: "x", type: "json", config: { max_removed_ratio } };
    assertProblem(await client.post("/sources", body), 422, { pointers });
  }
  for (const max_removed_ratio of [0, 1, 0.5, 1e-9]) {
    const source = await createSource(client, { max_removed_ratio });
    assert.deepEqual(source.config, { max_removed_ratio }, "as given");
  }
  const source = await createSource(client);
  assert.deepEqual(source.config, {}, "no defaults filled in");
  const patch = { config: { max_removed_ratio: 5 } };
  assertProblem(await client.patch(`/sources/${source.id}`, patch), 422, { pointers });
});

test("full: an item that failed but has an identity counts as present", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 5);
  const list = [
    { id: 0, text: "x".repeat(kPropertyLimit) },
    { id: 1, v: 8 },
    { id: 1, v: 9 },
    { id: 2, v: 0 },
  ];
  const told = await importFull(client, source, list);
  assert.deepEqual(told.stats, importStats({ updated: 1, skipped: 1, failed: 2, removed: 2 }));
  assert.deepEqual(
    told.errors.map((error) => [error.index, error.external_id]),
    [
      [0, "0"],
      [1, "1"],
    ],
  );
  assert.deepEqual(await liveIds(client, source), ["0", "1", "2"]);
});

test("full: a failed item keeps a removed property removed", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 3);
  await importFull(client, source, items(2));
  const before = await sourceRow(client, source, "2");
  const told = await importFull(client, source, [
    ...items(2),
    { id: 2, text: "x".repeat(kPropertyLimit) },
  ]);
  assert.deepEqual(told.stats, importStats({ skipped: 2, failed: 1 }));
  assert.deepEqual(await sourceRow(client, source, "2"), before);
});

test("full: an item without identity: nothing is removed, errors says so, the rest goes on", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 12);
  for (const stray of [{ v: 1 }, { id: null }, 5, { id: ["1"] }, { id: "" }]) {
    const told = await importFull(client, source, [{ id: 0, v: Math.random() }, stray]);
    assert.equal(told.status, "partial");
    assert.deepEqual(told.stats, importStats({ updated: 1, failed: 1 }));
    assert.equal(told.errors[0]?.index, 1);
    assert.match(told.errors[0]?.detail ?? "", /nothing was removed/i);
  }
  assert.equal((await liveIds(client, source)).length, 12);
  const upsert = await importItems(client, source, [{ v: 1 }]);
  assert.doesNotMatch(upsert.errors[0]?.detail ?? "", /removed/i);
});

test("full: what is no identity, or two, is none", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 3);
  const strays = [
    '{"id":1e999}',
    '{"id":"\\ud800"}',
    '{"id":0,"id":1}',
    '{"external_id":1e999,"id":0}',
  ];
  for (const stray of strays) {
    const raw = `{"data":[{"id":2,"v":0},${stray}]}`;
    const path = `/sources/${source.id}/import?mode=full`;
    const told = importAnswer(await client.post(path, undefined, { raw }));
    assert.deepEqual(told.stats, importStats({ skipped: 1, failed: 1 }), stray);
    assert.match(told.errors[0]?.detail ?? "", /nothing was removed/i);
    assert.equal(told.errors[0]?.external_id, null);
  }
  assert.equal((await liveIds(client, source)).length, 3);
});

test("full: errors says that nothing was removed, however far behind the item stands", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 9);
  const twice = range(1_200).flatMap(() => [{ id: 0, v: 0 }]);
  const told = await importFull(client, source, [...twice, { v: 1 }]);
  assert.deepEqual(told.stats, importStats({ skipped: 1, failed: 1_200 }));
  assert.ok(told.errors.some((error) => /nothing was removed/i.test(error.detail)));
  assert.equal((await liveIds(client, source)).length, 9);
});

test("full: parameters that it does not take are 422, and nothing is written", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 3);
  const before = await logs(client);
  const path = `/sources/${source.id}/import`;
  const cases: [query: string, parameter: string][] = [
    ["mode=x", "mode"],
    ["mode=", "mode"],
    ["mode=FULL", "mode"],
    ["mode=full&force=maybe", "force"],
    ["mode=full&force=", "force"],
    ["mode=full&force=1", "force"],
    ["force=True", "force"],
    ["mode=full&mode=full", "mode"],
    ["mode=full&mode=upsert", "mode"],
    ["mode=full&force=true&force=true", "force"],
    ["mode=full&ratio=1", "ratio"],
  ];
  for (const [query, parameter] of cases) {
    const answer = await client.post(`${path}?${query}`, { data: [] });
    assertProblem(answer, 422, { parameters: [parameter] });
  }
  assert.equal((await liveIds(client, source)).length, 3);
  assert.deepEqual(await logs(client), before);
});

test("logs: updated_properties of a full import counts what it removed, too", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 5);
  const told = await importFull(client, source, [{ id: 0, v: 1 }, ...items(2), { id: "new" }]);
  const stats = importStats({ created: 1, skipped: 2, failed: 1, removed: 3 });
  assert.deepEqual(told.stats, stats);
  const last = (await logs(client)).at(-1);
  assert.deepEqual(
    [last?.sync_type, last?.status, last?.total_properties, last?.updated_properties],
    ["import", "partial", 4, 4],
  );
  assert.equal(last?.failed_properties, 1);
  assert.deepEqual(last?.stats, stats);
});

test("full: parallel full imports leave one list or the other", async () => {
  const client = await newClient(server);
  const source = await filledSource(client, 8);
  const lists = [items(4), items(8).slice(4), items(8)];
  await Promise.all(lists.map((list) => importFull(client, source, list)));
  const left = await liveIds(client, source);
  const wanted = lists.map((list) => list.map(({ id }) => String(id)));
  assert.ok(
    wanted.some((ids) => ids.join() === left.join()),
    left.join(),
  );
});
