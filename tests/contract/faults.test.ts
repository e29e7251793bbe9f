// api.md section 1 (failures, limits) and section 3 (all or nothing) under real faults: bodies that
// break off, a store that cannot be used, a core that traps, a server that is killed.
//
// This file has a server of its own, which runs the build with the fault hooks: a request with the
// header `x-sm-fault: trap` traps at its start, one with `trap-after-batch` after its batch.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, Client, exchange, openSocket, readAnswer } from "./client.ts";
import { copyMigratedStore } from "./migrated_store.ts";
import { assertProblem, type Data, type Place } from "./rows.ts";
import { kRoot, startServer, wasmBuild } from "./server.ts";
import { storeFile, untilStaged, whileLocked, whileSpoiled } from "./store_file.ts";
import {
  assertSync,
  createSource,
  createTarget,
  editRow,
  importItems,
  logs,
  newClient,
  place,
  range,
  snapshots,
  sourceRows,
  syncedPair,
  targetPath,
  targetRow,
  targetRows,
} from "./world.ts";

/** A bound for what hangs. No slow machine comes near it. */
const kSettledTimeoutMs = 120_000;
const kBodyLimit = 100_000_000;
const kOneMiB = 1_048_576;
const kFaultBuild = join(kRoot, "build", wasmBuild(), "sync_manager_faults.wasm");
const kHasFaults = existsSync(kFaultBuild);

const server = await startServer({ env: kHasFaults ? { WASM_FILE: kFaultBuild } : {} });
after(() => server.stop());
const store = storeFile(server.stateDir ?? "");

function requestHead(client: Client, path: string, headers: readonly string[]): string {
  const { host } = new URL(server.origin);
  const lines = [`POST ${path} HTTP/1.1`, `Host: ${host}`, `X-API-Key: ${client.key}`, ...headers];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function assertUnavailable(answer: Answer): void {
  assertProblem(answer, 503);
  const after = answer.header("retry-after") ?? "";
  assert.ok(/^\d+$/.test(after) || !Number.isNaN(Date.parse(after)), `Retry-After: ${after}`);
}

/** Properties, their number, versions and log rows of a source agree with one another. */
async function assertConsistent(client: Client, source: Place): Promise<number> {
  const rows = await sourceRows(client, source);
  const row = await place(client, `/sources/${source.id}`);
  assert.equal(row.property_count, rows.length);
  const imports = (await logs(client)).filter(
    (log) => log.sync_type === "import" && log.source_id === source.id && log.status === "success",
  );
  const logged = imports.reduce((sum, log) => sum + log.updated_properties, 0);
  const changes = rows.reduce((sum, property) => sum + property.version, 0);
  assert.equal(logged, changes, "every change has its log row, and every log row its change");
  return rows.length;
}

/** While requests of clients that have left may still be carried out, one reads them half. */
async function eventuallyConsistent(client: Client, source: Place): Promise<number> {
  for (const deadline = Date.now() + kSettledTimeoutMs; ; await sleep(500)) {
    try {
      return await assertConsistent(client, source);
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

function bulk(count: number): Data[] {
  return range(count).map((id) => ({ id, text: "lorem ipsum ".repeat(100) }));
}

test("limits: 100,000,001 bytes are 413, without reading the rest", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}/import`;
  const head = requestHead(client, path, [`Content-Length: ${kBodyLimit + 1}`]);
  // The rest never comes, so whoever waits for it cannot answer.
  const answer = await exchange(server.origin, head, '{"data":[');
  assert.ok(answer !== null);
  assertProblem(answer, 413);
  assert.deepEqual(await sourceRows(client, source), []);
});

test("limits: 1 MiB and a byte are 413 elsewhere, without reading the rest", async () => {
  const client = await newClient(server);
  const declared = requestHead(client, "/sources", [`Content-Length: ${kOneMiB + 1}`]);
  const answer = await exchange(server.origin, declared, "{");
  assert.ok(answer !== null);
  assertProblem(answer, 413);
  const chunked = requestHead(client, "/sources", ["Transfer-Encoding: chunked"]);
  const size = kOneMiB + 1_000;
  const chunk = `${size.toString(16)}\r\n${" ".repeat(size)}\r\n`;
  // Far enough beyond the limit that no buffer on the way holds the excess back.
  const unfinished = await exchange(server.origin, chunked, chunk, chunk, chunk);
  assert.ok(unfinished !== null);
  assertProblem(unfinished, 413);
  (await client.get("/sources")).expect(200);
});

test("limits: a refused body does not upset the next request of the connection", async () => {
  const client = await newClient(server);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  // The server may close the connection over a body that it did not read; what it must not do is
  // take the rest of that body for a request.
  const next = async (): Promise<void> => {
    const answer = await client.get("/sources", { agent }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
      return client.get("/sources", { agent });
    });
    answer.expect(200);
  };
  try {
    const raw = " ".repeat(200_000);
    assertProblem(await client.post("/sources", undefined, { raw, key: null, agent }), 401);
    await next();
    const large = " ".repeat(kOneMiB + 1);
    assertProblem(await client.post("/sources", undefined, { raw: large, agent }), 413);
    await next();
    assertProblem(await client.post("/nope", undefined, { raw, agent }), 404);
    await next();
  } finally {
    agent.destroy();
  }
});

test("import: a body that is cut off leaves no trace, and the next request works", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}/import`;
  const body = JSON.stringify({ data: bulk(400) });
  const half = body.slice(0, Math.floor(body.length / 2));
  const whole = [`Content-Length: ${body.length}`];
  const chunk = `${half.length.toString(16)}\r\n${half}\r\n`;
  const ways: [string[], string, boolean][] = [
    [whole, half, false],
    [whole, half, true],
    [whole, body.slice(0, -1), true],
    [whole, "", true],
    [["Transfer-Encoding: chunked"], chunk, false],
    [["Transfer-Encoding: chunked"], chunk, true],
  ];
  for (const [headers, part, politely] of ways) {
    const socket = await openSocket(server.origin);
    socket.write(requestHead(client, path, headers));
    await new Promise<void>((done) => socket.write(part, () => done()));
    await sleep(50);
    if (politely) {
      socket.end();
      const answer = await Promise.race([readAnswer(socket).catch(() => null), sleep(2_000, null)]);
      if (answer !== null) assert.ok(answer.status >= 400, `${answer.status}`);
    }
    socket.destroy();
    (await client.get("/sources")).expect(200);
  }
  await sleep(200);
  assert.deepEqual(await sourceRows(client, source), []);
  assert.equal((await importItems(client, source, bulk(400))).stats.created, 400);
});

test("import: a client that leaves before the answer leaves all or nothing", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const body = JSON.stringify({ data: bulk(2_000) });
  const head = requestHead(client, `/sources/${source.id}/import`, [
    `Content-Length: ${body.length}`,
  ]);
  for (const wait of [0, 10, 60]) {
    const socket = await openSocket(server.origin);
    await new Promise<void>((done) => socket.write(head + body, () => done()));
    await sleep(wait);
    socket.destroy();
  }
  const count = await eventuallyConsistent(client, source);
  assert.ok(count === 0 || count === 2_000, `${count} rows`);
});

test("bodies: what is no JSON, no list, or too deep is refused, and the next request works", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}/import`;
  const refused: [string, number][] = [
    ["no JSON", 400],
    ['{"data":', 400],
    ['{"data":{}}', 422],
    [`{"data":${"[".repeat(100_000)}`, 400],
    ["[".repeat(500_000), 400],
    [`{"x":${"[".repeat(200)}${"]".repeat(200)},"data":[]}`, 422],
  ];
  for (const [raw, status] of refused) {
    assertProblem(await client.post(path, undefined, { raw }), status);
    (await client.get(`/sources/${source.id}`)).expect(200);
  }
  assert.equal((await importItems(client, source, [{ id: 1 }])).stats.created, 1);
});

test("failures: a store that takes no writes is 503 with Retry-After, nothing half-done", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  await importItems(client, source, [{ id: "a", v: 2 }]);
  const row = await targetRow(client, target, "a");
  const lists = ["/sources", "/targets", "/logs", "/keys"];
  const read = (): Promise<string[]> =>
    Promise.all(lists.map(async (path) => (await client.get(path)).expect(200).text));
  const unchanged = await read();
  await whileLocked(store, async () => {
    assertUnavailable(await client.post("/sources", { name: "x", type: "json" }));
    assertUnavailable(await client.post(`/sources/${source.id}/import`, { data: [{ id: "b" }] }));
    assertUnavailable(await client.post(`/sync/${source.id}/${target.id}`));
    assertUnavailable(await client.patch(targetPath(row), { data: { v: 9 } }));
    assertUnavailable(await client.patch(`/sources/${source.id}`, { name: "y" }));
    assertUnavailable(await client.delete(`/targets/${target.id}`));
    assertUnavailable(await client.post("/cleanup?days=0"));
    assertUnavailable(await client.post("/keys"));
    assertUnavailable(await client.post("/tenants", { name: "x" }, { key: null }));
  });
  assert.deepEqual(await read(), unchanged);
  assert.deepEqual(await targetRow(client, target, "a"), row);
  await assertSync(client, source, target, { updated: 1 });
});

test("failures: a store that answers nothing is 503, /health says degraded, and both recover", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  const before = await targetRows(client, target);
  await whileSpoiled(store, async () => {
    assertUnavailable(await client.get("/sources"));
    assertUnavailable(await client.get(`/sources/${source.id}`));
    assertUnavailable(await client.get(`/targets/${target.id}/properties`));
    assertUnavailable(await client.post("/sources", { name: "x", type: "json" }));
    assertUnavailable(await client.post(`/sources/${source.id}/import`, { data: [{ id: "b" }] }));
    assertUnavailable(await client.post(`/sync/${source.id}/${target.id}`));
    assertUnavailable(await client.post("/tenants", { name: "x" }, { key: null }));
    const health = (await client.get("/health", { key: null })).expect(503);
    const told = health.json<{ status: string; version: unknown; store: unknown }>();
    assert.deepEqual(told, {
      status: "degraded",
      version: told.version,
      store: { kind: "d1", ok: false },
    });
    assertProblem(await client.get("/nope"), 404);
    assertProblem(await client.request("PUT", "/sources"), 405);
    assertProblem(await client.get("/sources", { key: null }), 401);
    assertProblem(await client.get("/sources", { key: "sm_malformed" }), 401);
    (await client.get("/openapi.json", { key: null })).expect(200);
  });
  const health = (await client.get("/health", { key: null })).expect(200);
  assert.equal(health.json<{ status: string }>().status, "ok");
  assert.deepEqual(await targetRows(client, target), before);
  await assertSync(client, source, target, { skipped: 1 });
});

/** More identities than one part takes: the import stages parts before it commits. */
const kStagedItems = 25_500;
/** Of attempts to catch an import before it ends. */
const kAttempts = 10;

function small(count: number): Data[] {
  return range(count).map((id) => ({ id }));
}

test("import: a store that is held from before its beginning to its end leaves no trace", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = bulk(9_000);
  const refused = await whileLocked(store, () =>
    client.post(`/sources/${source.id}/import`, { data: items }),
  );
  assertUnavailable(refused);
  assert.equal(await assertConsistent(client, source), 0);
  assert.equal((await importItems(client, source, items)).stats.created, items.length);
});

test("import: a store that goes away when a part is staged leaves no trace", async () => {
  const client = await newClient(server);
  const body = { data: small(kStagedItems) };
  for (const attempt of range(kAttempts)) {
    const source = await createSource(client);
    const staged = untilStaged(store);
    const running = client.post(`/sources/${source.id}/import`, body);
    await staged;
    const answer = await whileLocked(store, () => running);
    const count = await assertConsistent(client, source);
    assert.equal(count, answer.status === 200 ? kStagedItems : 0);
    if (answer.status !== 200) {
      assertUnavailable(answer);
      return;
    }
    assert.ok(attempt + 1 < kAttempts, "the lock came too late each time");
  }
});

test("import: a server that is killed when a part is staged leaves no trace", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "sync-manager-killed-"));
  await copyMigratedStore(stateDir);
  let running = await startServer({ stateDir });
  try {
    const { key } = await newClient(running);
    for (const attempt of range(kAttempts)) {
      const client = new Client(running.origin, key);
      const source = await createSource(client);
      await importItems(client, source, [{ id: "kept" }]);
      const staged = untilStaged(storeFile(stateDir));
      const sent = client.post(`/sources/${source.id}/import`, { data: small(kStagedItems) });
      const gone = sent.then(
        (answer) => answer.status === 200,
        () => false,
      );
      await staged;
      await running.kill();
      const answered = await gone;
      running = await startServer({ stateDir });
      const again = new Client(running.origin, key);
      const count = await assertConsistent(again, source);
      assert.ok(count === kStagedItems + 1 || (count === 1 && !answered), `${count} rows`);
      assert.equal((await importItems(again, source, small(kStagedItems))).stats.failed, 0);
      assert.equal(await assertConsistent(again, source), kStagedItems + 1);
      if (count === 1) return;
      assert.ok(attempt + 1 < kAttempts, "the kill came too late each time");
    }
  } finally {
    await running.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
});

test("failures: the build with the fault hooks is there", () => {
  assert.ok(kHasFaults, `${kFaultBuild} is missing: the tests of traps need it`);
});

function trapped(client: Client, method: string, path: string, body?: unknown): Promise<Answer> {
  const headers = { "x-sm-fault": "trap" };
  return client.request(method, path, body === undefined ? { headers } : { headers, body });
}

test("failures: a trap in the core is 500 in the same shape, and the next request works", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}/import`;
  const first = await trapped(client, "GET", "/sources");
  assertProblem(first, 500);
  assert.match(first.text, /It was not carried out/);
  (await client.get("/sources")).expect(200);
  assert.equal((await trapped(client, "GET", `/sources/${source.id}`)).text, first.text);
  assertProblem(await trapped(client, "POST", path, { data: [{ id: 1 }] }), 500);
  assert.deepEqual(await sourceRows(client, source), []);
  assert.equal((await importItems(client, source, [{ id: 1 }])).stats.created, 1);
});

test("failures: many traps, one after the other and at once, hurt nobody else", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  for (const _ of range(20)) assertProblem(await trapped(client, "GET", "/sources"), 500);
  const traps = range(12).map(() => trapped(client, "GET", "/sources"));
  const reads = range(12).map(() => client.get("/sources"));
  const imports = range(6).map((id) => importItems(client, source, [{ id }]));
  for (const answer of await Promise.all(traps)) assertProblem(answer, 500);
  for (const answer of await Promise.all(reads)) answer.expect(200);
  for (const told of await Promise.all(imports)) assert.equal(told.stats.created, 1);
  assert.equal(await assertConsistent(client, source), 6);
});

test("failures: a trap after the batch leaves all of it or no trace", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const target = await createTarget(client);
  const headers = { "x-sm-fault": "trap-after-batch" };
  const path = `/sources/${source.id}/import`;
  const calls = range(4).map((at) =>
    client.post(path, { data: range(50).map((id) => ({ id: `${at}-${id}` })) }, { headers }),
  );
  const beside = range(4).map((id) => importItems(client, source, [{ id: `beside-${id}` }]));
  for (const answer of await Promise.all(calls)) {
    assertProblem(answer, 500);
    assert.match(answer.text, /Whether it was carried out is not known/);
  }
  for (const told of await Promise.all(beside)) assert.equal(told.stats.created, 1);
  const count = await assertConsistent(client, source);
  assert.equal((count - 4) % 50, 0, `${count} rows`);
  assertProblem(await client.post(`/sync/${source.id}/${target.id}`, {}, { headers }), 500);
  const synced = (await targetRows(client, target)).length;
  assert.ok(synced === 0 || synced === count, `${synced} of ${count} rows`);
  await assertSync(client, source, target, { created: count - synced, skipped: synced });
});

test("failures: a trap after the batch of an edit keeps edit and snapshot together", async () => {
  const client = await newClient(server);
  const { target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  const row = await targetRow(client, target, "a");
  const headers = { "x-sm-fault": "trap-after-batch" };
  assertProblem(await client.patch(targetPath(row), { data: { v: 2 } }, { headers }), 500);
  const now = await targetRow(client, target, "a");
  const kept = await snapshots(client, targetPath(row));
  assert.deepEqual(
    [now.data["v"], now.version, kept.length],
    now.version === 1 ? [1, 1, 0] : [2, 2, 1],
  );
  const manual = (await logs(client)).filter((log) => log.sync_type === "manual");
  assert.equal(manual.length, kept.length);
  const next = await editRow(client, now, { v: 3 });
  assert.equal(next.version, now.version + 1);
});
