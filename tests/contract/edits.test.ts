// api.md section 5: PATCH on target properties, and the snapshots lists of both sides.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Client } from "./client.ts";
import {
  assertProblem,
  assertTargetProperty,
  canonical,
  type Data,
  sha256,
  type TargetProperty,
} from "./rows.ts";
import { openServer } from "./server.ts";
import {
  assertSync,
  editRow,
  importItems,
  kUnusedId,
  logs,
  newClient,
  place,
  range,
  snapshots,
  sourcePath,
  sourceRow,
  syncedPair,
  targetPath,
  targetRow,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

/** A target row that was created from this item. */
async function syncedRow(client: Client, item: Data): Promise<TargetProperty> {
  const { target } = await syncedPair(client, [item]);
  return targetRow(client, target, String(item["id"]));
}

async function read(client: Client, row: TargetProperty): Promise<TargetProperty> {
  return (await client.get(targetPath(row))).expect(200).json<TargetProperty>();
}

test("PATCH: answers 200 with the property, edited and flagged", async () => {
  const client = await newClient(server);
  const before = await syncedRow(client, { id: "a", price: 1, title: "t" });
  const row = await editRow(client, before, { price: 2 });
  assert.deepEqual(row.data, { id: "a", price: 2, title: "t" });
  assert.equal(row.hash, sha256(canonical(row.data)));
  assert.equal(row.version, before.version + 1);
  assert.deepEqual([row.has_manual_changes, row.sync_status], [true, "manual"]);
  assert.deepEqual(
    [row.id, row.external_id, row.target_id, row.source_property_id, row.created_at],
    [before.id, before.external_id, before.target_id, before.source_property_id, before.created_at],
  );
  assert.ok(row.updated_at >= before.updated_at);
  assert.deepEqual(await read(client, row), row);
});

const kMerges: [string, Data, Data, Data][] = [
  ["adds a member", { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
  ["removes a member with null", { a: 1, b: 2 }, { a: null }, { b: 2 }],
  ["replaces an array whole", { a: [1, 2, 3] }, { a: [4] }, { a: [4] }],
  ["goes into objects", { a: { b: 1, c: 2 } }, { a: { b: null, d: 3 } }, { a: { c: 2, d: 3 } }],
  ["puts an object in place of a value", { a: "x" }, { a: { b: 1 } }, { a: { b: 1 } }],
  ["puts a value in place of an object", { a: { b: 1 } }, { a: "x" }, { a: "x" }],
  ["drops nulls of a new object", {}, { a: { b: null, c: { d: null } } }, { a: { c: {} } }],
  ["keeps nulls in arrays", {}, { a: [null, { b: null }] }, { a: [null, { b: null }] }],
  ["keeps a stored null", { a: null }, { b: 1 }, { a: null, b: 1 }],
  ["takes names of any kind", { "": 1, "a/b": 1 }, { "": 2, "a/b": null, ü: 3 }, { "": 2, ü: 3 }],
  ["sorts what it writes", { m: 1 }, { z: 1, a: 1, "😀": 1 }, { m: 1, z: 1, a: 1, "😀": 1 }],
];

for (const [what, base, patch, expected] of kMerges) {
  test(`PATCH: an RFC 7396 merge patch on the data: ${what}`, async () => {
    const client = await newClient(server);
    const row = await editRow(client, await syncedRow(client, { id: "k", ...base }), patch);
    assert.deepEqual(row.data, { id: "k", ...expected });
    assert.equal(row.hash, sha256(canonical({ id: "k", ...expected })));
  });
}

test("PATCH: the data is stored in canonical form, large integers digit for digit", async () => {
  const client = await newClient(server);
  const row = await syncedRow(client, { id: "a" });
  const raw = '{"data":{"n":12345678901234567890,"f":1.50,"s":"\\u0041"}}';
  (await client.request("PATCH", targetPath(row), { raw })).expect(200);
  const expected = '{"f":1.5,"id":"a","n":12345678901234567890,"s":"A"}';
  const answer = await client.get(targetPath(row));
  assert.equal(answer.json<TargetProperty>().hash, sha256(expected));
  assert.ok(answer.text.includes(expected));
});

test("PATCH: a change of identity in the data leaves external_id alone", async () => {
  const client = await newClient(server);
  const row = await editRow(client, await syncedRow(client, { id: "a" }), { id: "b" });
  assert.equal(row.external_id, "a");
  assert.deepEqual(row.data, { id: "b" });
});

test("PATCH: a snapshot of the state before comes first", async () => {
  const client = await newClient(server);
  const first = await syncedRow(client, { id: "a", v: 1 });
  assert.deepEqual(await snapshots(client, targetPath(first)), []);
  const second = await editRow(client, first, { v: 2 });
  await editRow(client, second, { v: 3 });
  const kept = await snapshots(client, targetPath(first));
  assert.deepEqual(
    kept.map(({ data, hash, version }) => [data, hash, version]),
    [first, second].map(({ data, hash, version }) => [data, hash, version]),
  );
});

test("PATCH: one that restores base unflags", async () => {
  const client = await newClient(server);
  const before = await syncedRow(client, { id: "a", v: 1, w: { x: 1 } });
  const edited = await editRow(client, before, { v: 2, w: { x: null, y: 1 } });
  const half = await editRow(client, edited, { v: 1 });
  assert.equal(half.has_manual_changes, true);
  const row = await editRow(client, half, { w: { y: null, x: 1 } });
  assert.deepEqual(
    [row.has_manual_changes, row.sync_status, row.warning, row.hash, row.version],
    [false, "synced", null, before.hash, 4],
  );
});

test("PATCH: one that restores base clears the warning of a sync", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  await editRow(client, await targetRow(client, target, "a"), { v: 2 });
  await assertSync(client, source, target, { warnings: 1 });
  const row = await editRow(client, await targetRow(client, target, "a"), { v: 1 });
  assert.equal(row.has_manual_changes, false);
  await assertSync(client, source, target, { skipped: 1 });
  assert.equal((await targetRow(client, target, "a")).warning, null);
});

test("PATCH: one that leaves the data as it is answers 200 and writes nothing", async () => {
  const client = await newClient(server);
  const row = await syncedRow(client, { id: "a", v: 1, n: null });
  const { etag } = await client.get(targetPath(row));
  const logged = await logs(client);
  const parent = await place(client, `/targets/${row.target_id}`);
  for (const raw of [
    '{"data":{}}',
    '{"data":{"v":1}}',
    '{"data":{"v":1.0,"no":null}}',
    '{"data":{"id":"\\u0061"}}',
  ]) {
    const answer = (await client.request("PATCH", targetPath(row), { raw })).expect(200);
    assert.deepEqual(answer.json(), row);
    assert.equal(answer.etag, etag);
  }
  assert.deepEqual(await snapshots(client, targetPath(row)), []);
  assert.deepEqual(await logs(client), logged);
  assert.deepEqual(await place(client, `/targets/${row.target_id}`), parent);
});

test("PATCH: a no-op on an edited row in conflict changes nothing either", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  await editRow(client, await targetRow(client, target, "a"), { v: 9 });
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await assertSync(client, source, target, { warnings: 1, conflicts: 1 });
  const row = await targetRow(client, target, "a");
  assert.deepEqual(await editRow(client, row, { v: 9 }), row);
  assert.deepEqual(await targetRow(client, target, "a"), row);
});

test("PATCH: wrong shape is 422 with pointers, and nothing changes", async () => {
  const client = await newClient(server);
  const row = await syncedRow(client, { id: "a" });
  const cases: [unknown, string[]][] = [
    [{}, ["/data"]],
    [{ data: null }, ["/data"]],
    [{ data: 5 }, ["/data"]],
    [{ data: [1] }, ["/data"]],
    [{ data: "x" }, ["/data"]],
    [{ data: { a: 1 }, version: 2 }, ["/version"]],
    [{ data: { a: 1 }, has_manual_changes: false }, ["/has_manual_changes"]],
    [{ price: 2 }, ["/data", "/price"]],
    [[], [""]],
    [5, [""]],
  ];
  for (const [body, pointers] of cases) {
    const raw = JSON.stringify(body);
    assertProblem(await client.request("PATCH", targetPath(row), { raw }), 422, { pointers });
  }
  assert.deepEqual(await read(client, row), row);
});

test("PATCH: lone surrogates, duplicate keys, depth and unreal numbers are 422", async () => {
  const client = await newClient(server);
  const row = await syncedRow(client, { id: "a" });
  const texts = [
    '{"data":{"x":"\\ud800"}}',
    '{"data":{"x":1,"x":2}}',
    '{"data":{"x":{"y":1,"y":1}}}',
    '{"data":{"x":1e400}}',
    `{"data":{"x":${"[".repeat(140)}${"]".repeat(140)}}}`,
  ];
  for (const raw of texts) {
    assertProblem(await client.request("PATCH", targetPath(row), { raw }), 422);
  }
  assert.deepEqual(await read(client, row), row);
});

test("PATCH: a property that would exceed 512 KiB is 422", async () => {
  const client = await newClient(server);
  const row = await syncedRow(client, { id: "a" });
  const half = await editRow(client, row, { one: "x".repeat(300_000) });
  const answer = await client.patch(targetPath(row), { data: { two: "x".repeat(300_000) } });
  assertProblem(answer, 422);
  assert.deepEqual(await read(client, row), half);
});

test("PATCH: honours If-Match, compared without W/", async () => {
  const client = await newClient(server);
  const row = await syncedRow(client, { id: "a", v: 1 });
  const patch = (tag: string, v: number) =>
    client.patch(targetPath(row), { data: { v } }, { headers: { "If-Match": tag } });
  const { etag } = await client.get(targetPath(row));
  const next = (await patch(etag, 2)).expect(200);
  assertProblem(await patch(etag, 3), 412);
  assertProblem(await patch('"other"', 3), 412);
  assert.equal((await read(client, row)).data["v"], 2);
  (await patch(`W/${next.etag}`, 4)).expect(200);
  (await patch("*", 5)).expect(200);
});

test("PATCH: of parallel ones with one If-Match one wins", async () => {
  const client = await newClient(server);
  const row = await syncedRow(client, { id: "a" });
  const headers = { "If-Match": (await client.get(targetPath(row))).etag };
  const tries = range(5).map((v) => client.patch(targetPath(row), { data: { v } }, { headers }));
  const statuses = (await Promise.all(tries)).map((answer) => answer.status).sort();
  assert.deepEqual(statuses, [200, 412, 412, 412, 412]);
});

test("PATCH: edits that race are all kept", async () => {
  const client = await newClient(server);
  const row = await syncedRow(client, { id: "a", map: {} });
  const edits = range(20).map((at) => editRow(client, row, { map: { [`f${at}`]: at } }));
  await Promise.all(edits);
  const now = await read(client, row);
  assertTargetProperty(now);
  assert.deepEqual(now.data["map"], Object.fromEntries(range(20).map((at) => [`f${at}`, at])));
  assert.equal(now.version, 21);
  const kept = await snapshots(client, targetPath(row));
  assert.deepEqual(
    kept.map((snapshot) => Object.keys(snapshot.data["map"] as Data).length),
    range(20),
    "each snapshot has one edit more",
  );
});

test("PATCH: edits of different rows of one target race freely", async () => {
  const client = await newClient(server);
  const { target } = await syncedPair(
    client,
    range(15).map((id) => ({ id })),
  );
  const rows = (await client.get(`/targets/${target.id}/properties`)).json<TargetProperty[]>();
  await Promise.all(rows.map((row) => editRow(client, row, { hand: row.id })));
  const now = (await client.get(`/targets/${target.id}/properties`)).json<TargetProperty[]>();
  assert.deepEqual(
    now.map((row) => row.data["hand"]),
    rows.map((row) => row.id),
  );
});

test("PATCH: unknown rows are 404, and source properties take none", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }]);
  const body = { data: { a: 1 } };
  const path = `/targets/${target.id}/properties`;
  assertProblem(await client.patch(`${path}/${kUnusedId}`, body), 404);
  assertProblem(await client.patch(`/targets/${kUnusedId}/properties/1`, body), 404);
  assertProblem(await client.patch(sourcePath(await sourceRow(client, source, "1")), body), 405);
});

test("snapshots: both sides list them by rising id, oldest state first", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 0 }]);
  for (const v of [1, 2, 3]) {
    await importItems(client, source, [{ id: "a", v }]);
    await assertSync(client, source, target, { updated: 1 });
  }
  const paths = [
    sourcePath(await sourceRow(client, source, "a")),
    targetPath(await targetRow(client, target, "a")),
  ];
  for (const path of paths) {
    const kept = await snapshots(client, path);
    assert.deepEqual(
      kept.map((snapshot) => snapshot.data["v"]),
      [0, 1, 2],
    );
    assert.deepEqual(
      kept.map((snapshot) => snapshot.version),
      [1, 2, 3],
    );
  }
});

test("snapshots: those of one property only", async () => {
  const client = await newClient(server);
  const { source } = await syncedPair(client, [
    { id: "a", v: 0 },
    { id: "b", v: 0 },
  ]);
  await importItems(client, source, [{ id: "a", v: 1 }]);
  const other = await snapshots(client, sourcePath(await sourceRow(client, source, "b")));
  assert.deepEqual(other, []);
});

test("edits: depth is counted from the property, as in an import", async () => {
  const client = await newClient(server);
  const { target } = await syncedPair(client, [{ id: "a" }]);
  const { id } = await targetRow(client, target, "a");
  const path = `/targets/${target.id}/properties/${id}`;
  const lists = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
  const patch = (levels: number) =>
    client.patch(path, undefined, { raw: `{"data":{"x":${lists(levels)}}}` });
  (await patch(127)).expect(200);
  assertProblem(await patch(128), 422);
});
