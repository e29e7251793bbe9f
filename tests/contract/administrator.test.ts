// api.md section 2: the administrator's routes, and a deployment whose secrets are not as they must be.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Answer, type Call, Client } from "./client.ts";
import { kNewKeyMembers, listKeys, type NewKey, newKey } from "./keys.ts";
import { assertMembers, assertProblem, assertRising, assertTime } from "./rows.ts";
import { devVariable, openServer, startServer } from "./server.ts";
import { createSource, createTenant, kUnusedId, logs, newClient, type Tenant } from "./world.ts";

const server = await openServer();
after(() => server.stop());

const token = devVariable(server.stateDir ?? "", "ADMIN_TOKEN");
const skip = token === null;
const asAdministrator = { headers: { Authorization: `Bearer ${token}` } };
const open = new Client(server.origin);

interface Listed {
  id: number;
  name: string;
  created_at: string;
  suspended_at: string | null;
}

function administer(method: string, path: string, call: Call = {}): Promise<Answer> {
  return open.request(method, path, { ...call, ...asAdministrator });
}

async function resident(): Promise<{ client: Client; tenant: Tenant }> {
  const tenant = await createTenant(server);
  return { client: open.withKey(tenant.api_key), tenant };
}

/** The stats of what the tenant's log tells. */
async function told(client: Client): Promise<unknown[]> {
  return (await logs(client)).map(({ stats }) => stats);
}

/** All tenants, page by page. */
async function pages(limit: number): Promise<Listed[]> {
  const rows: Listed[] = [];
  let next: string | undefined = `/tenants?limit=${limit}`;
  while (next !== undefined) {
    const page: Answer = (await administer("GET", next)).expect(200);
    rows.push(...page.json<Listed[]>());
    next = /<([^>]+)>; rel="next"/.exec(page.header("link") ?? "")?.[1];
  }
  return rows;
}

test("administrator: without the token each of the routes is 401, whatever key is sent", async () => {
  const { client, tenant } = await resident();
  const calls: [string, string][] = [
    ["GET", "/tenants"],
    ["POST", `/tenants/${tenant.id}/suspend`],
    ["POST", `/tenants/${tenant.id}/resume`],
    ["POST", `/tenants/${tenant.id}/keys`],
    ["POST", `/tenants/${kUnusedId}/keys`],
  ];
  let refusal: string | undefined;
  for (const [method, path] of calls) {
    for (const authorization of [undefined, "Bearer", "Bearer wrong", `Basic ${token}`]) {
      const headers: Record<string, string> = authorization ? { Authorization: authorization } : {};
      const answer = await client.request(method, path, { headers });
      assertProblem(answer, 401);
      assert.match(answer.header("www-authenticate") ?? "", /^Bearer/);
      refusal ??= answer.text;
      assert.equal(answer.text, refusal);
    }
  }
  (await client.get("/sources")).expect(200);
  assert.equal((await listKeys(client)).length, 1);
});

test("administrator: the token is no key", { skip }, async () => {
  assertProblem(await open.withKey(token).get("/sources"), 401);
  assertProblem(await administer("GET", "/sources"), 401);
  assertProblem(await administer("GET", "/tenants/1"), 401);
});

test("administrator: GET /tenants has all tenants, by pages, and an entity tag", {
  skip,
}, async () => {
  const made = [await createTenant(server, "First"), await createTenant(server, "Second")];
  const answer = (await administer("GET", "/tenants")).expect(200);
  const rows = answer.json<Listed[]>();
  assertRising(rows);
  for (const { id, name, created_at } of made) {
    const row = rows.find((one) => one.id === id);
    assert.deepEqual(row, { id, name, created_at, suspended_at: null });
  }
  for (const { api_key } of made) assert.ok(!answer.text.includes(api_key));
  const paged = await pages(7);
  assertRising(paged);
  const ids = paged.map(({ id }) => id);
  for (const { id } of rows) assert.ok(ids.includes(id));
  assert.match(answer.etag, /^"/);
  assert.match(answer.header("vary") ?? "", /\bauthorization\b/i);
  assertProblem(await administer("GET", "/tenants?limit=0"), 422, { parameters: ["limit"] });
});

test("administrator: the tag of the list changes with each change of a tenant", async () => {
  // No other tenants come meanwhile.
  const own = await startServer();
  try {
    const client = new Client(own.origin);
    const headers = { Authorization: `Bearer ${devVariable(own.stateDir ?? "", "ADMIN_TOKEN")}` };
    const list = async (etag = ""): Promise<Answer> =>
      client.get("/tenants", { headers: { ...headers, "If-None-Match": etag } });
    const { id } = (await client.post("/tenants", { name: "a" })).expect(201).json<Tenant>();
    const seen = new Set([(await list()).expect(200).etag]);
    const changes = [
      () => client.post("/tenants", { name: "b" }),
      () => client.post(`/tenants/${id}/suspend`, undefined, { headers }),
      () => client.post(`/tenants/${id}/resume`, undefined, { headers }),
    ];
    for (const change of changes) {
      const before = [...seen].at(-1) ?? "";
      (await list(before)).expect(304);
      assert.ok((await change()).status < 300);
      for (const etag of [...seen]) seen.add((await list(etag)).expect(200).etag);
    }
    assert.equal(seen.size, 4);
  } finally {
    await own.stop();
  }
});

test("administrator: a suspended tenant's keys are 403 until it is resumed", { skip }, async () => {
  const { client, tenant } = await resident();
  const other = await newClient(server);
  const second = client.withKey((await newKey(client)).api_key);
  const path = `/tenants/${tenant.id}`;
  const answer = (await administer("POST", `${path}/suspend`)).expect(200).json<Listed>();
  assertMembers(answer, ["id", "name", "created_at", "suspended_at"]);
  assert.equal(answer.id, tenant.id);
  assertTime(answer.suspended_at);
  for (const key of [client, second]) {
    for (const what of ["/sources", "/keys", path, "/logs", "/sources/1"]) {
      assertProblem(await key.get(what), 403);
    }
    assertProblem(await key.post("/sources", { name: "x", type: "json" }), 403);
    assertProblem(await key.post("/sources", { name: 1 }), 403);
    assertProblem(await key.post("/sources/1/import", { data: [{ id: 1 }] }), 403);
  }
  (await other.get("/sources")).expect(200);
  const again = (await administer("POST", `${path}/suspend`)).expect(200).json<Listed>();
  assert.deepEqual(again, answer, "it stays as it is");
  const resumed = (await administer("POST", `${path}/resume`)).expect(200).json<Listed>();
  assert.deepEqual(resumed, { ...answer, suspended_at: null });
  (await administer("POST", `${path}/resume`)).expect(200);
  await createSource(client);
  const stats = await told(client);
  assert.deepEqual(stats.slice(1, 3), [
    { suspended: 1, by_administrator: 1 },
    { resumed: 1, by_administrator: 1 },
  ]);
  assert.deepEqual(await told(other), [], "nobody else's log has it");
});

test("administrator: a key that the tenant chose is suspended like any other", {
  skip,
}, async () => {
  const api_key = "Chosen-4f9a1c7e2b8d60355e1f9c3a7d20b8";
  const body = { name: "x", api_key: `${api_key}${Date.now()}` };
  const { id } = (await open.post("/tenants", body)).expect(201).json<Tenant>();
  const client = open.withKey(body.api_key);
  (await client.get("/sources")).expect(200);
  (await administer("POST", `/tenants/${id}/suspend`)).expect(200);
  assertProblem(await client.get("/sources"), 403);
  (await administer("POST", `/tenants/${id}/resume`)).expect(200);
  (await client.get("/sources")).expect(200);
});

test("administrator: a tenant that lost its keys gets a new one", { skip }, async () => {
  const { client, tenant } = await resident();
  const answer = await administer("POST", `/tenants/${tenant.id}/keys`, {
    body: { name: "Recovered" },
  });
  const made = answer.expect(201).json<NewKey>();
  assertMembers(made, kNewKeyMembers);
  assert.equal(made.name, "Recovered");
  assert.equal(answer.header("location"), `/keys/${made.id}`);
  const recovered = open.withKey(made.api_key);
  (await recovered.get(`/tenants/${tenant.id}`)).expect(200);
  const plain = (await administer("POST", `/tenants/${tenant.id}/keys`)).expect(201);
  assert.equal(plain.json<NewKey>().scope, "full");
  assert.equal((await listKeys(client)).length, 3);
  assert.deepEqual((await told(recovered))[0], { created_key: made.id, by_administrator: 1 });
});

test("administrator: a tenant that never was is 404, before what is wrong with the body", {
  skip,
}, async () => {
  for (const what of ["suspend", "resume", "keys"]) {
    assertProblem(await administer("POST", `/tenants/${kUnusedId}/${what}`), 404);
  }
  const body = { scope: "none" };
  assertProblem(await administer("POST", `/tenants/${kUnusedId}/keys`, { body }), 404);
  const { tenant } = await resident();
  const path = `/tenants/${tenant.id}/keys`;
  assertProblem(await administer("POST", path, { body }), 422, { pointers: ["/scope"] });
});

test("secrets: of the wrong size, /health says which, and what needs them is refused", async () => {
  const env = {
    ADMIN_TOKEN: "short-token-of-23-bytes",
    API_KEY_PEPPER: "pepper-of-only-30-bytes-in-all",
    ENCRYPTION_KEY: Buffer.alloc(16).toString("base64"),
    TENANT_SIGNUP: "closed",
  };
  const weak = await startServer({ env });
  try {
    const client = new Client(weak.origin);
    const answer = (await client.get("/health")).expect(503);
    const health = answer.json<{ status: string; invalid: string[] }>();
    assert.equal(health.status, "degraded");
    assert.deepEqual(health.invalid, ["API_KEY_PEPPER", "ENCRYPTION_KEY", "ADMIN_TOKEN"]);
    for (const value of Object.values(env)) assert.ok(!answer.text.includes(value));
    const headers = { Authorization: `Bearer ${env.ADMIN_TOKEN}` };
    const refused = [
      await client.post("/tenants", { name: "x" }, { headers }),
      await client.get("/tenants", { headers }),
      await client.withKey(`sm_${"0".repeat(40)}`).get("/health"),
      await client.withKey("Chosen-4f9a1c7e2b8d60355e1f9c3a7d20b8").get("/sources"),
    ];
    for (const problem of refused) {
      problem.expect(503);
      for (const value of Object.values(env)) assert.ok(!problem.text.includes(value));
    }
  } finally {
    await weak.stop();
  }
});
