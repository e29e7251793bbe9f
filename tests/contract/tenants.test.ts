// api.md section 2: tenants and keys.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { crc32 } from "node:zlib";
import { Client } from "./client.ts";
import { assertMembers, assertProblem, assertRising, assertTime } from "./rows.ts";
import { devVariable, openServer, startServer } from "./server.ts";
import { assertStored } from "./store_file.ts";
import { createTenant, kUnusedId, newClient, type Tenant } from "./world.ts";

const server = await openServer();
after(() => server.stop());

const open = new Client(server.origin);

interface Key {
  id: number;
  created_at: string;
  revoked_at: string | null;
}

interface NewKey {
  id: number;
  api_key: string;
  created_at: string;
}

async function keys(client: Client): Promise<Key[]> {
  const rows = (await client.get("/keys")).expect(200).json<Key[]>();
  for (const row of rows) assertMembers(row, ["id", "created_at", "revoked_at"]);
  assertRising(rows);
  return rows;
}

async function newKey(client: Client): Promise<NewKey> {
  const row = (await client.post("/keys")).expect(201).json<NewKey>();
  assertMembers(row, ["id", "api_key", "created_at"]);
  return row;
}

function freshKey(length: number): string {
  return randomBytes(96).toString("base64url").slice(0, length).replace(/^sm_/, "xx_");
}

test("tenants: POST is 201 with id, name, api_key and created_at", async () => {
  const tenant = await createTenant(server, "My Company");
  assertMembers(tenant, ["id", "name", "api_key", "created_at"]);
  assert.equal(tenant.name, "My Company");
  assertTime(tenant.created_at);
  assert.match(tenant.api_key, /^sm_[A-Za-z0-9._~-]+$/);
  (await open.withKey(tenant.api_key).get("/sources")).expect(200);
});

test("tenants: a tenant has an entity tag, as every row", async () => {
  const { id, api_key } = await createTenant(server, "Tagged");
  const own = open.withKey(api_key);
  const { etag } = (await own.get(`/tenants/${id}`)).expect(200);
  assert.match(etag ?? "", /^"/);
  const headers = { "If-None-Match": etag ?? "" };
  (await own.request("GET", `/tenants/${id}`, { headers })).expect(304);
});

test("tenants: made keys differ and names need not be unique", async () => {
  const first = await createTenant(server, "Same");
  const second = await createTenant(server, "Same");
  assert.ok(second.id > first.id);
  assert.notEqual(first.api_key, second.api_key);
});

test("tenants: a given api_key of 32 to 128 characters is taken", async () => {
  for (const api_key of [freshKey(32), freshKey(128), `A.b_c~d-${freshKey(40)}`]) {
    const answer = await open.post("/tenants", { name: "x", api_key });
    assert.equal(answer.expect(201).json<Tenant>().api_key, api_key);
    (await open.withKey(api_key).get("/sources")).expect(200);
  }
});

test("tenants: a given api_key of another form is 422 at /api_key", async () => {
  const good = freshKey(40);
  const bad = [
    freshKey(31),
    `${freshKey(128)}x`,
    `sm_${good}`,
    `${good} `,
    `${good}/`,
    `${good}é`,
    "",
    5,
    null,
    {},
  ];
  for (const api_key of bad) {
    const answer = await open.post("/tenants", { name: "x", api_key });
    assertProblem(answer, 422, { pointers: ["/api_key"] });
  }
});

test("tenants: a used api_key is 409, which makes a retried creation safe", async () => {
  const api_key = freshKey(48);
  (await open.post("/tenants", { name: "first", api_key })).expect(201);
  assertProblem(await open.post("/tenants", { name: "first", api_key }), 409);
  assertProblem(await open.post("/tenants", { name: "second", api_key }), 409);
  assert.equal((await keys(open.withKey(api_key))).length, 1);
});

test("tenants: one api_key given in parallel makes one tenant", async () => {
  const api_key = freshKey(48);
  const tries = Array.from({ length: 6 }, () => open.post("/tenants", { name: "x", api_key }));
  const statuses = (await Promise.all(tries)).map((answer) => answer.status).sort();
  assert.deepEqual(statuses, [201, 409, 409, 409, 409, 409]);
});

test("tenants: wrong shape is 422", async () => {
  assertProblem(await open.post("/tenants", {}), 422, { pointers: ["/name"] });
  assertProblem(await open.post("/tenants", { name: "x", id: 1 }), 422, { pointers: ["/id"] });
  assertProblem(await open.post("/tenants", { name: 7 }), 422, { pointers: ["/name"] });
});

test("keys: POST makes a further key that is shown once", async () => {
  const client = await newClient(server);
  const made = await newKey(client);
  assertTime(made.created_at);
  assert.match(made.api_key, /^sm_/);
  (await open.withKey(made.api_key).get("/sources")).expect(200);
  const list = await client.get("/keys");
  assert.ok(!list.text.includes(made.api_key) && !list.text.includes(client.key ?? ""));
  const rows = await keys(client);
  assert.equal(rows.length, 2);
  assert.deepEqual(rows[1], { id: made.id, created_at: made.created_at, revoked_at: null });
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
  assertMembers(answer, ["id", "created_at", "revoked_at"]);
  assert.equal(answer.id, made.id);
  assertTime(answer.revoked_at);
  assertProblem(await open.withKey(made.api_key).get("/sources"), 401);
  assert.deepEqual((await keys(client))[1], answer);
  (await client.get("/sources")).expect(200);
});

test("keys: a key may revoke itself while another is left", async () => {
  const client = await newClient(server);
  const other = client.withKey((await newKey(client)).api_key);
  const own = (await keys(client))[0];
  (await client.delete(`/keys/${own?.id}`)).expect(200);
  assertProblem(await client.get("/keys"), 401);
  assert.equal((await keys(other)).length, 2);
});

test("keys: the last one cannot be revoked", async () => {
  const client = await newClient(server);
  const made = await newKey(client);
  (await client.delete(`/keys/${made.id}`)).expect(200);
  const own = (await keys(client))[0];
  assertProblem(await client.delete(`/keys/${own?.id}`), 409);
  (await client.get("/keys")).expect(200);
});

test("keys: two keys that revoke each other at once leave one", async () => {
  const client = await newClient(server);
  const other = client.withKey((await newKey(client)).api_key);
  const rows = await keys(client);
  await Promise.all([client.delete(`/keys/${rows[1]?.id}`), other.delete(`/keys/${rows[0]?.id}`)]);
  const alive = [client, other].map((one) => one.get("/keys"));
  const statuses = (await Promise.all(alive)).map((answer) => answer.status).sort();
  assert.deepEqual(statuses, [200, 401]);
});

test("keys: an unknown or foreign one is 404, one same body", async () => {
  const client = await newClient(server);
  const stranger = await newClient(server);
  const foreign = (await keys(stranger))[0];
  const unknown = await client.delete(`/keys/${kUnusedId}`);
  assertProblem(unknown, 404);
  const answer = await client.delete(`/keys/${foreign?.id}`);
  assertProblem(answer, 404);
  assert.equal(answer.text, unknown.text);
  assert.equal((await keys(stranger)).length, 1);
});

test("keys: only a keyed hash is stored", { skip: server.stateDir === null }, async () => {
  const tenant = await createTenant(server, `stored-${randomBytes(6).toString("hex")}`);
  const api_key = freshKey(64);
  (await open.post("/tenants", { name: "x", api_key })).expect(201);
  assertStored(server.stateDir ?? "", tenant.name, [api_key, tenant.api_key]);
});

test("tenants: where TENANT_SIGNUP is not open, POST needs the admin token", async () => {
  const closed = await startServer({ env: { TENANT_SIGNUP: "closed" } });
  try {
    const client = new Client(closed.origin);
    const body = { name: "x" };
    assertProblem(await client.post("/tenants", body), 401);
    for (const token of ["Bearer", "Bearer ", "Bearer wrong", "Basic eDp5"]) {
      const answer = await client.post("/tenants", body, { headers: { Authorization: token } });
      assertProblem(answer, 401);
    }
    const token = devVariable(closed.stateDir ?? "", "ADMIN_TOKEN");
    assert.ok(token, "ADMIN_TOKEN in dev.env");
    const headers = { Authorization: `Bearer ${token}` };
    const tenant = (await client.post("/tenants", body, { headers })).expect(201).json<Tenant>();
    (await client.withKey(tenant.api_key).get("/sources")).expect(200);
    const guarded = await client.get("/sources", { headers });
    assertProblem(guarded, 401);
  } finally {
    await closed.stop();
  }
});
