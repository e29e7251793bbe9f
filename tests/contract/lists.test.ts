// api.md section 1 (lists, caching) and the reads of section 3.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Answer, type Client, openSocket } from "./client.ts";
import {
  assertProblem,
  assertRising,
  assertSourceProperty,
  assertTargetProperty,
  kStrongTag,
  type Place,
  type SourceProperty,
  type TargetProperty,
} from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  createTarget,
  dataById,
  editRow,
  importItems,
  kUnusedId,
  newClient,
  range,
  sourcePath,
  sourceRow,
  syncedPair,
  targetPath,
  targetRow,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

interface Row {
  id: number;
}

/** The target of `rel="next"`, or null. */
function nextLink(answer: Answer): string | null {
  const link = answer.header("link");
  if (link === null) return null;
  const match = /^<([^>]*)>;\s*rel="?next"?$/.exec(link);
  assert.ok(match?.[1], `Link: ${link}`);
  assert.match(match[1], /^\/[^/]/, "path-absolute");
  return match[1];
}

/** Follows `next` from the first page on. */
async function pages<T extends Row>(client: Client, first: string): Promise<T[][]> {
  const found: T[][] = [];
  for (let path: string | null = first; path !== null; ) {
    const answer = (await client.get(path)).expect(200);
    found.push(answer.json<T[]>());
    assert.ok(found.length < 100, "the pages do not end");
    path = nextLink(answer);
  }
  return found;
}

/** A tenant in which every list has three rows or more. */
async function fullTenant(client: Client): Promise<string[]> {
  const items = range(3).map((id) => ({ id, v: 0 }));
  const { source, target } = await syncedPair(client, items);
  for (const v of [1, 2, 3]) {
    await importItems(client, source, [{ id: 0, v }]);
    await editRow(client, await targetRow(client, target, "0"), { v: -v });
    await createSource(client);
    await createTarget(client);
    (await client.post("/keys")).expect(201);
  }
  const sourceItem = sourcePath(await sourceRow(client, source, "0"));
  const targetItem = targetPath(await targetRow(client, target, "0"));
  return [
    "/sources",
    "/targets",
    "/keys",
    "/logs",
    `/sources/${source.id}/properties`,
    `/targets/${target.id}/properties`,
    `${sourceItem}/snapshots`,
    `${targetItem}/snapshots`,
  ];
}

test("lists: a bare JSON array, ordered by id, without Link", async () => {
  const client = await newClient(server);
  for (const path of await fullTenant(client)) {
    const answer = (await client.get(path)).expect(200);
    assert.match(answer.header("content-type") ?? "", /^application\/json/);
    const rows = answer.json<Row[]>();
    assert.ok(Array.isArray(rows) && rows.length >= 3, path);
    assertRising(rows);
    assert.equal(answer.header("link"), null);
  }
});

test("lists: an empty one is []", async () => {
  const client = await newClient(server);
  for (const path of ["/sources", "/targets", "/logs"]) {
    assert.equal((await client.get(path)).expect(200).text, "[]\n");
  }
  const source = await createSource(client);
  const target = await createTarget(client);
  for (const path of [`/sources/${source.id}`, `/targets/${target.id}`]) {
    assert.equal((await client.get(`${path}/properties`)).expect(200).text, "[]\n");
    const page = await client.get(`${path}/properties?limit=5`);
    assert.equal(page.expect(200).text, "[]\n");
    assert.equal(nextLink(page), null);
  }
});

test("lists: limit pages every list, and the last page has no next", async () => {
  const client = await newClient(server);
  for (const path of await fullTenant(client)) {
    const all = (await client.get(path)).json<Row[]>();
    for (const limit of [1, 2, 3, all.length, 1_000]) {
      const found = await pages<Row>(client, `${path}?limit=${limit}`);
      assert.deepEqual(found.flat(), all, `${path}?limit=${limit}`);
      assert.equal(found.length, Math.ceil(all.length / limit));
      for (const page of found.slice(0, -1)) assert.equal(page.length, limit);
    }
  }
});

test("lists: limit is 1 to 1000, else 422", async () => {
  const client = await newClient(server);
  (await client.get("/sources?limit=1")).expect(200);
  (await client.get("/sources?limit=1000")).expect(200);
  for (const limit of ["0", "1001", "-1", "", "x", "1.5", "1e2", "%31x", "99999999999999999999"]) {
    const answer = await client.get(`/sources?limit=${limit}`);
    assertProblem(answer, 422, { parameters: ["limit"] });
  }
});

test("lists: a cursor that we did not make is 422", async () => {
  const client = await newClient(server);
  for (const name of ["a", "b", "c"]) await createSource(client, {}, name);
  const next = nextLink(await client.get("/sources?limit=1"));
  const cursor = new URL(next ?? "", server.origin).searchParams.get("cursor") ?? "";
  assert.notEqual(cursor, "");
  const forged = [
    "1",
    "x",
    "",
    "0",
    "eyJpZCI6MX0",
    "A".repeat(300),
    `${cursor}A`,
    cursor.slice(1),
    cursor.slice(0, -1),
    [...cursor].reverse().join(""),
  ];
  for (const text of forged) {
    if (text === cursor) continue;
    const answer = await client.get(`/sources?limit=1&cursor=${encodeURIComponent(text)}`);
    assertProblem(answer, 422, { parameters: ["cursor"] });
  }
});

test("lists: rows deleted or added between pages neither repeat nor hide others", async () => {
  const client = await newClient(server);
  const made: Place[] = [];
  for (const at of range(7)) made.push(await createSource(client, {}, `s${at}`));
  const first = await client.get("/sources?limit=3");
  const seen = first.json<Place[]>().map((row) => row.name);
  for (const at of [0, 2, 3]) (await client.delete(`/sources/${made[at]?.id}`)).expect(200);
  await createSource(client, {}, "late");
  const rest = await pages<Place>(client, nextLink(first) ?? "");
  assert.deepEqual(
    [...seen, ...rest.flat().map((row) => row.name)],
    ["s0", "s1", "s2", "s4", "s5", "s6", "late"],
  );
});

test("lists: all rows of a long list come, streamed", async () => {
  const client = await newClient(server);
  const items = range(4_500).map((id) => ({ id, text: "ä".repeat(200) }));
  const { source, target } = await syncedPair(client, items);
  for (const path of [`/sources/${source.id}/properties`, `/targets/${target.id}/properties`]) {
    const answer = (await client.get(path)).expect(200);
    assert.equal(answer.header("transfer-encoding"), "chunked");
    const rows = answer.json<SourceProperty[]>();
    assertRising(rows);
    const wanted = Object.fromEntries(items.map((item) => [item.id, item]));
    assert.deepEqual(dataById(rows), wanted);
    const found = await pages<SourceProperty>(client, `${path}?limit=1000`);
    assert.deepEqual(
      found.map((page) => page.length),
      [1000, 1000, 1000, 1000, 500],
    );
    assert.deepEqual(found.flat(), rows);
  }
});

test("lists: a client that leaves in the middle hurts nobody", async () => {
  const client = await newClient(server);
  const items = range(3_000).map((id) => ({ id, text: "x".repeat(1_000) }));
  const source = await createSource(client);
  await importItems(client, source, items);
  const path = `/sources/${source.id}/properties`;
  const { host } = new URL(server.origin);
  for (const _ of range(5)) {
    const socket = await openSocket(server.origin);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nX-API-Key: ${client.key}\r\n\r\n`);
    await new Promise((done) => socket.once("data", done));
    socket.destroy();
  }
  assert.equal((await client.get(path)).expect(200).json<Row[]>().length, 3_000);
});

test("lists: those below a parent that does not exist are 404", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }]);
  const paths = [
    `/sources/${kUnusedId}/properties`,
    `/targets/${kUnusedId}/properties`,
    `/sources/${kUnusedId}/properties/1`,
    `/sources/${source.id}/properties/${kUnusedId}`,
    `/targets/${target.id}/properties/${kUnusedId}`,
    `/sources/${source.id}/properties/${kUnusedId}/snapshots`,
    `/targets/${target.id}/properties/${kUnusedId}/snapshots`,
  ];
  for (const path of paths) assertProblem(await client.get(path), 404);
});

test("properties: a source row has all its members", async () => {
  const client = await newClient(server);
  const { source } = await syncedPair(client, [{ id: "P1", a: 1 }]);
  const listed = (await client.get(`/sources/${source.id}/properties`)).json<SourceProperty[]>();
  const row = listed[0] as SourceProperty;
  assertSourceProperty(row);
  const one = (await client.get(sourcePath(row))).expect(200).json<SourceProperty>();
  assert.deepEqual(one, row);
});

test("properties: a target row has all its members", async () => {
  const client = await newClient(server);
  const { target } = await syncedPair(client, [{ id: "P1", a: 1 }]);
  const listed = (await client.get(`/targets/${target.id}/properties`)).json<TargetProperty[]>();
  const row = listed[0] as TargetProperty;
  assertTargetProperty(row);
  const one = (await client.get(targetPath(row))).expect(200).json<TargetProperty>();
  assert.deepEqual(one, row);
});

test("properties: a row is found below its own parent only", async () => {
  const client = await newClient(server);
  const first = await syncedPair(client, [{ id: 1 }]);
  const second = await syncedPair(client, [{ id: 1 }]);
  const source = await sourceRow(client, first.source, "1");
  const target = await targetRow(client, first.target, "1");
  assertProblem(await client.get(`/sources/${second.source.id}/properties/${source.id}`), 404);
  assertProblem(await client.get(`/targets/${second.target.id}/properties/${target.id}`), 404);
  const patch = `/targets/${second.target.id}/properties/${target.id}`;
  assertProblem(await client.patch(patch, { data: { x: 1 } }), 404);
  assertProblem(await client.get(`${patch}/snapshots`), 404);
});

test("caching: lists carry a strong ETag, and If-None-Match answers 304", async () => {
  const client = await newClient(server);
  for (const path of await fullTenant(client)) {
    const { etag } = (await client.get(path)).expect(200);
    assert.match(etag, kStrongTag, path);
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`]) {
      const answer = await client.get(path, { headers: { "If-None-Match": tag } });
      assert.equal(answer.expect(304).bytes.length, 0);
      assert.equal(answer.etag, etag);
    }
    await assertSameFields(client, path);
    await assertSameFields(client, `${path}?limit=1`);
    const head = await client.request("HEAD", path, { headers: { "If-None-Match": etag } });
    head.expect(304);
    (await client.get(path, { headers: { "If-None-Match": '"x"' } })).expect(200);
  }
});

/**
 * RFC 9110, section 15.4.5: a 304 carries the fields that the 200 would have had, or a cache forgets
 * its rules with the first refresh.
 */
async function assertSameFields(client: Client, path: string): Promise<void> {
  const whole = (await client.get(path)).expect(200);
  const known = await client.get(path, { headers: { "If-None-Match": whole.etag } });
  known.expect(304);
  for (const field of ["cache-control", "etag", "expires", "vary", "content-location"]) {
    assert.equal(known.header(field), whole.header(field), `${path}: ${field}`);
  }
  assert.equal(known.header("cache-control"), "private, no-cache", path);
  assert.match(known.header("vary") ?? "", /\bx-api-key\b/i, path);
  assert.equal(known.header("content-type"), null, path);
}

test("caching: a single row's 304 has the fields of its 200", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }]);
  for (const path of [
    `/sources/${source.id}`,
    `/targets/${target.id}`,
    sourcePath(await sourceRow(client, source, "1")),
    targetPath(await targetRow(client, target, "1")),
  ]) {
    await assertSameFields(client, path);
  }
});

test("caching: the ETag of a list changes with its rows", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const target = await createTarget(client);
  const lists = [
    `/sources/${source.id}/properties`,
    `/targets/${target.id}/properties`,
    "/sources",
    "/targets",
    "/logs",
  ];
  const tags = async (): Promise<string[]> =>
    Promise.all(lists.map(async (path) => (await client.get(path)).expect(200).etag));
  const changed = async (work: () => Promise<unknown>): Promise<boolean[]> => {
    const before = await tags();
    await work();
    const now = await tags();
    return now.map((tag, at) => tag !== before[at]);
  };
  const filled = await changed(() => importItems(client, source, [{ id: 1 }]));
  assert.deepEqual([filled[0], filled[1], filled[2], filled[4]], [true, false, true, true]);
  const synced = await changed(() => client.post(`/sync/${source.id}/${target.id}`));
  assert.deepEqual([synced[1], synced[3], synced[4]], [true, true, true]);
  const row = await targetRow(client, target, "1");
  const edited = await changed(() => editRow(client, row, { a: 1 }));
  assert.deepEqual([edited[0], edited[1], edited[4]], [false, true, true]);
  const renamed = await changed(() => client.patch(`/targets/${target.id}`, { name: "new" }));
  assert.equal(renamed[3], true);
  const made = await changed(() => createSource(client));
  assert.equal(made[2], true);
});

test("caching: deleting the newest row and making another changes the ETag of the list", async () => {
  const client = await newClient(server);
  await createSource(client);
  const last = await createSource(client);
  const { etag } = await client.get("/sources");
  (await client.delete(`/sources/${last.id}`)).expect(200);
  await createSource(client);
  assert.notEqual((await client.get("/sources")).etag, etag);
});

test("caching: pages of one list have ETags of their own", async () => {
  const client = await newClient(server);
  for (const name of ["a", "b"]) await createSource(client, {}, name);
  const first = await client.get("/sources?limit=1");
  const second = await client.get(nextLink(first) ?? "");
  const headers = { "If-None-Match": first.etag };
  const answer = (await client.get(nextLink(first) ?? "", { headers })).expect(200);
  assert.equal(answer.text, second.text);
  (await client.get("/sources?limit=1", { headers })).expect(304);
});

test("caching: a single property carries a strong ETag that changes with it", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }, { id: 2 }]);
  const sourceOne = sourcePath(await sourceRow(client, source, "1"));
  const row = await targetRow(client, target, "1");
  const one = targetPath(row);
  const other = targetPath(await targetRow(client, target, "2"));
  const before = [await client.get(sourceOne), await client.get(one), await client.get(other)];
  for (const [at, path] of [sourceOne, one, other].entries()) {
    const etag = before[at]?.etag ?? "";
    assert.match(etag, kStrongTag);
    (await client.get(path, { headers: { "If-None-Match": etag } })).expect(304);
  }
  const patched = await client.patch(one, { data: { x: 1 } });
  assert.equal((await client.get(one)).etag, patched.expect(200).etag);
  assert.notEqual(patched.etag, before[1]?.etag);
  assert.equal((await client.get(sourceOne)).etag, before[0]?.etag);
  assert.equal((await client.get(other)).etag, before[2]?.etag);
});
