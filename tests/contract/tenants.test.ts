// api.md section 2: tenants, and who may make them.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { Client } from "./client.ts";
import { listKeys } from "./keys.ts";
import { assertMembers, assertProblem, assertTime } from "./rows.ts";
import { devVariable, openServer, startServer } from "./server.ts";
import { assertStored } from "./store_file.ts";
import { createTenant, type Tenant } from "./world.ts";

const server = await openServer();
after(() => server.stop());

const open = new Client(server.origin);

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

test("tenants: a given api_key that somebody could guess is 422 at /api_key", async () => {
  for (const api_key of [
    "k".repeat(64),
    "ab".repeat(32),
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "changeme-changeme-changeme-changeme",
  ]) {
    const answer = await open.post("/tenants", { name: "x", api_key });
    assertProblem(answer, 422, { pointers: ["/api_key"] });
  }
  for (const bytes of Array.from({ length: 50 }, () => randomBytes(16))) {
    const api_key = bytes.toString("hex");
    (await open.post("/tenants", { name: "x", api_key })).expect(201);
  }
});

test("tenants: a used api_key is 409, which makes a retried creation safe", async () => {
  const api_key = freshKey(48);
  (await open.post("/tenants", { name: "first", api_key })).expect(201);
  assertProblem(await open.post("/tenants", { name: "first", api_key }), 409);
  assertProblem(await open.post("/tenants", { name: "second", api_key }), 409);
  assert.equal((await listKeys(open.withKey(api_key))).length, 1);
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
