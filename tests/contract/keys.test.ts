// api.md section 2: the keys of a tenant.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { Client } from "./client.ts";
import { type Key, kKeyMembers, listKeys, newKey } from "./keys.ts";
import { assertMembers, assertProblem, assertTime } from "./rows.ts";
import { openServer } from "./server.ts";
import { createSource, kUnusedId, logs, newClient } from "./world.ts";

const server = await openServer();
after(() => server.stop());

const open = new Client(server.origin);
const kHourMs = 3_600_000;

test("keys: POST makes a further key that is shown once", async () => {
  const client = await newClient(server);
  const made = await newKey(client);
  assertTime(made.created_at);
  assert.match(made.api_key, /^sm_/);
  (await open.withKey(made.api_key).get("/sources")).expect(200);
  const list = await client.get("/keys");
  assert.ok(!list.text.includes(made.api_key) && !list.text.includes(client.key ?? ""));
  const rows = await listKeys(client);
  assert.equal(rows.length, 2);
  const { api_key: _shown, ...row } = made;
  assert.deepEqual(rows[1], { ...row, last_used_at: rows[1]?.last_used_at, revoked_at: null });
});

test("keys: one that names another tenant than its own is like none", async () => {
  const client = await newClient(server);
  const other = await newClient(server);
  (await client.post("/sources", { name: "x", type: "json" })).expect(201);
  const refusal = (await open.get("/sources")).expect(401);
  const parts = /^sm_(\d+)_(.{40})(.{8})$/.exec(other.key ?? "");
  assert.ok(parts !== null, "a key of ours names its tenant");
  const tenant = /^sm_(\d+)_/.exec(client.key ?? "")?.[1];
  const forged = (body: string) => `sm_${body}${crc32(body).toString(16).padStart(8, "0")}`;
  assert.equal(forged(`${parts[1]}_${parts[2]}`), other.key);
  for (const body of [
    `${tenant}_${parts[2]}`,
    `999999_${parts[2]}`,
    `${parts[1]}_${"0".repeat(40)}`,
  ]) {
    const thief = open.withKey(forged(body));
    for (const path of ["/sources", "/sources/1", "/logs", "/keys"]) {
      assert.equal((await thief.get(path)).expect(401).text, refusal.text);
    }
    assert.equal(
      (await thief.post("/sources", { name: "y", type: "json" })).expect(401).text,
      refusal.text,
    );
    assert.equal((await thief.post("/sources", { name: 1 })).expect(401).text, refusal.text);
    assert.equal(
      (await thief.post("/sources/1/import", { data: [] })).expect(401).text,
      refusal.text,
    );
  }
  assert.equal((await client.get("/sources")).json<unknown[]>().length, 1, "nothing was made");
});

test("keys: both keys of a tenant see the same rows", async () => {
  const client = await newClient(server);
  const other = client.withKey((await newKey(client)).api_key);
  (await client.post("/sources", { name: "x", type: "json" })).expect(201);
  assert.equal((await other.get("/sources")).text, (await client.get("/sources")).text);
});

test("keys: DELETE revokes one, 200 with it, and it opens nothing any more", async () => {
  const client = await newClient(server);
  const made = await newKey(client);
  const answer = (await client.delete(`/keys/${made.id}`)).expect(200).json<Key>();
  assertMembers(answer, kKeyMembers);
  assert.equal(answer.id, made.id);
  assertTime(answer.revoked_at);
  assertProblem(await open.withKey(made.api_key).get("/sources"), 401);
  assert.deepEqual((await listKeys(client))[1], answer);
  (await client.get("/sources")).expect(200);
});

test("keys: a key may revoke itself while another is left", async () => {
  const client = await newClient(server);
  const other = client.withKey((await newKey(client)).api_key);
  const own = (await listKeys(client))[0];
  (await client.delete(`/keys/${own?.id}`)).expect(200);
  assertProblem(await client.get("/keys"), 401);
  assert.equal((await listKeys(other)).length, 2);
});

test("keys: the last one cannot be revoked", async () => {
  const client = await newClient(server);
  const made = await newKey(client);
  (await client.delete(`/keys/${made.id}`)).expect(200);
  const own = (await listKeys(client))[0];
  assertProblem(await client.delete(`/keys/${own?.id}`), 409);
  (await client.get("/keys")).expect(200);
});

test("keys: two keys that revoke each other at once leave one", async () => {
  const client = await newClient(server);
  const other = client.withKey((await newKey(client)).api_key);
  const rows = await listKeys(client);
  await Promise.all([client.delete(`/keys/${rows[1]?.id}`), other.delete(`/keys/${rows[0]?.id}`)]);
  const alive = [client, other].map((one) => one.get("/keys"));
  const statuses = (await Promise.all(alive)).map((answer) => answer.status).sort();
  assert.deepEqual(statuses, [200, 401]);
});

test("keys: an unknown or foreign one is 404, one same body", async () => {
  const client = await newClient(server);
  const stranger = await newClient(server);
  const foreign = (await listKeys(stranger))[0];
  const unknown = await client.delete(`/keys/${kUnusedId}`);
  assertProblem(unknown, 404);
  const answer = await client.delete(`/keys/${foreign?.id}`);
  assertProblem(answer, 404);
  assert.equal(answer.text, unknown.text);
  assert.equal((await listKeys(stranger)).length, 1);
});

test("keys: a further one has the name, scope and end that it is given, else none, full and none", async () => {
  const client = await newClient(server);
  const plain = { name: null, scope: "full", expires_at: null };
  for (const order of [undefined, {}]) {
    const { name, scope, expires_at } = await newKey(client, order);
    assert.deepEqual({ name, scope, expires_at }, plain);
  }
  const order = { name: "Report", scope: "read", expires_at: "2099-01-02T03:04:05+01:00" };
  const made = await newKey(client, order);
  const expected = { name: "Report", scope: "read", expires_at: "2099-01-02T02:04:05.000Z" };
  const { name, scope, expires_at } = made;
  assert.deepEqual({ name, scope, expires_at }, expected);
  const row = (await listKeys(client)).at(-1);
  assert.deepEqual(row, {
    id: made.id,
    ...expected,
    created_at: made.created_at,
    last_used_at: null,
    revoked_at: null,
  });
});

test("keys: what is no name, scope or end is 422, and so is an end that has passed", async () => {
  const client = await newClient(server);
  const bad: [object, string][] = [
    [{ name: "" }, "/name"],
    [{ name: "n".repeat(256) }, "/name"],
    [{ scope: "write" }, "/scope"],
    [{ scope: null }, "/scope"],
    [{ expires_at: "tomorrow" }, "/expires_at"],
    [{ expires_at: 4_000_000_000 }, "/expires_at"],
    [{ expires_at: "2020-01-01T00:00:00Z" }, "/expires_at"],
    [{ expires_at: new Date().toISOString() }, "/expires_at"],
    [{ id: 1 }, "/id"],
    [{ api_key: "x".repeat(40) }, "/api_key"],
  ];
  for (const [order, pointer] of bad) {
    assertProblem(await client.post("/keys", order), 422, { pointers: [pointer] });
  }
  assertProblem(await client.post("/keys", undefined, { raw: "{" }), 400);
  assert.equal((await listKeys(client)).length, 1);
});

test("keys: one of the scope read reads everything, and every write is 403", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const reader = client.withKey((await newKey(client, { scope: "read" })).api_key);
  const document = (await client.get("/openapi.json")).expect(200);
  const { paths } = document.json<{
    paths: Record<string, Record<string, { security: { key?: [] }[] }>>;
  }>();
  const before = await logs(client);
  let writes = 0;
  for (const [template, item] of Object.entries(paths)) {
    const path = template.replace(/\{\w+\}/g, String(source.id));
    for (const [method, { security }] of Object.entries(item)) {
      if (security[0]?.key === undefined) continue;
      const answer = await reader.request(method.toUpperCase(), path);
      if (method === "get") {
        assert.ok([200, 404].includes(answer.status), `${path}: ${answer.status}`);
        continue;
      }
      assertProblem(answer, 403);
      const filled = await reader.request(method.toUpperCase(), path, { body: { name: "n" } });
      assert.equal(assertProblem(filled, 403).type, "urn:sync-manager:problem:forbidden");
      writes += 1;
    }
  }
  assert.ok(writes >= 12, `${writes} writes in /openapi.json`);
  assert.equal((await reader.get("/sources")).text, (await client.get("/sources")).text);
  assert.deepEqual(await logs(client), before, "what is refused leaves nothing");
});

test("keys: an expired one is like none", async () => {
  const client = await newClient(server);
  const refusal = (await open.get("/sources")).expect(401).text;
  const expires_at = new Date(Date.now() + 2_000).toISOString();
  const made = await newKey(client, { expires_at });
  const brief = client.withKey(made.api_key);
  let answer = await brief.get("/sources");
  for (const started = Date.now(); answer.status === 200; answer = await brief.get("/sources")) {
    assert.ok(Date.now() - started < 60_000, "it ends");
    await sleep(50);
  }
  assert.ok(Date.now() >= Date.parse(expires_at));
  assert.equal(answer.expect(401).text, refusal);
  const [own, ended] = await listKeys(client);
  assert.equal(ended?.expires_at, expires_at);
  // It does not count as another key, and can still be revoked.
  assertProblem(await client.delete(`/keys/${own?.id}`), 409);
  (await client.delete(`/keys/${made.id}`)).expect(200);
});

test("keys: last_used_at is the hour of the last use, once it was used", async () => {
  const client = await newClient(server);
  const made = await newKey(client);
  const unused = (await client.get("/keys")).expect(200);
  assert.equal(unused.json<Key[]>()[1]?.last_used_at, null);
  const began = Date.now();
  (await client.withKey(made.api_key).get("/sources")).expect(200);
  // It is written behind the answer.
  let row = (await listKeys(client))[1];
  for (; row?.last_used_at === null; row = (await listKeys(client))[1]) {
    assert.ok(Date.now() - began < 60_000, "it is told");
    await sleep(20);
  }
  const used = Date.parse(row?.last_used_at ?? "");
  assert.equal(used % kHourMs, 0);
  assert.ok(used > began - kHourMs && used <= Date.now());
  const headers = { "If-None-Match": unused.etag };
  (await client.get("/keys", { headers })).expect(200);
});

test("keys: the last full one cannot be revoked, however many may read", async () => {
  const client = await newClient(server);
  const reads = await newKey(client, { scope: "read" });
  const [own] = await listKeys(client);
  assertProblem(await client.delete(`/keys/${own?.id}`), 409);
  (await client.delete(`/keys/${reads.id}`)).expect(200);
  (await client.get("/keys")).expect(200);
});

test("keys: one that is made or revoked leaves a log row that names it", async () => {
  const client = await newClient(server);
  const made = await newKey(client);
  (await client.delete(`/keys/${made.id}`)).expect(200);
  (await client.delete(`/keys/${made.id}`)).expect(200);
  const rows = await logs(client);
  assert.deepEqual(
    rows.map(({ sync_type, status, stats }) => ({ sync_type, status, stats })),
    [
      { sync_type: "manual", status: "success", stats: { created_key: made.id } },
      { sync_type: "manual", status: "success", stats: { revoked_key: made.id } },
    ],
  );
});

test("keys: a list of them by pages", async () => {
  const client = await newClient(server);
  for (const name of ["a", "b"]) await newKey(client, { name });
  const first = (await client.get("/keys?limit=2")).expect(200);
  const next = /<([^>]+)>; rel="next"/.exec(first.header("link") ?? "")?.[1] ?? "";
  const second = (await client.get(next)).expect(200);
  assert.equal(second.header("link"), null);
  const names = [first, second].flatMap((page) => page.json<Key[]>().map(({ name }) => name));
  assert.deepEqual(names, [null, "a", "b"]);
});
