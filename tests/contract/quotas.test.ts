// api.md sections 1 and 2: what a tenant may have, and what it is told of that.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Answer, Client } from "./client.ts";
import { listKeys } from "./keys.ts";
import { assertProblem, type Place } from "./rows.ts";
import { devVariable, openServer, startServer } from "./server.ts";
import {
  createSource,
  createTarget,
  createTenant,
  editRow,
  importItems,
  logs,
  newClient,
  place,
  range,
  sourceRows,
  syncOnce,
  targetPath,
  targetRow,
  targetRows,
} from "./world.ts";

const unlimited = await openServer();
const limits = {
  MAX_PROPERTIES: 30,
  MAX_DATA_BYTES: 6_000_000,
  MAX_SOURCES: 3,
  MAX_TARGETS: 2,
  MAX_KEYS: 3,
};
const server = await startServer({
  env: Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, String(limit)])),
});
after(() => Promise.all([server.stop(), unlimited.stop()]));

type Quota = { limit: number | null; used: number };
type Quotas = Record<"properties" | "data_bytes" | "sources" | "targets" | "keys", Quota>;
type Owner = { client: Client; id: number };

async function newOwner(): Promise<Owner> {
  const { api_key, id } = await createTenant(server);
  return { client: new Client(server.origin, api_key), id };
}

async function quotasOf({ client, id }: Owner): Promise<Quotas> {
  return (await client.get(`/tenants/${id}`)).expect(200).json<{ quotas: Quotas }>().quotas;
}

async function used(owner: Owner): Promise<Record<string, number>> {
  const quotas = Object.entries(await quotasOf(owner));
  return Object.fromEntries(quotas.map(([name, quota]) => [name, quota.used]));
}

/** That a write was refused for want of a quota, with its limit and what there is of it. */
function assertOver(answer: Answer, name: keyof Quotas, limit: number, has?: number): void {
  const problem = assertProblem(answer, 403);
  assert.match(problem.type, /:quota-exceeded$/);
  const { quota } = answer.json<{ quota: Quota & { name: string } }>();
  assert.equal(quota.name, name);
  assert.equal(quota.limit, limit);
  if (has !== undefined) assert.equal(quota.used, has);
  assert.match(problem.detail, new RegExp(`\\b${limit}\\b.*\\b${quota.used}\\b`));
}

const items = (count: number, from = 0): { id: string }[] =>
  range(count).map((at) => ({ id: `P${from + at}` }));

function importList(client: Client, source: Place, list: readonly object[]): Promise<Answer> {
  return client.post(`/sources/${source.id}/import`, { data: list });
}

test("a tenant sees its quotas with their use, and its rates; a local run has none", async () => {
  const tenant = await createTenant(unlimited);
  const client = new Client(unlimited.origin, tenant.api_key);
  const path = `/tenants/${tenant.id}`;
  const empty = (await client.get(path)).expect(200);
  const none = (use: number): Quota => ({ limit: null, used: use });
  const { name, id, created_at } = tenant;
  assert.deepEqual(empty.json(), {
    id,
    name,
    created_at,
    quotas: {
      properties: none(0),
      data_bytes: none(0),
      sources: none(0),
      targets: none(0),
      keys: none(1),
    },
    rates: { requests_per_second: null, writes_at_once: null },
  });
  (await client.get(path, { headers: { "If-None-Match": empty.etag } })).expect(304);
  await importItems(client, await createSource(client), [{ id: "é" }, { id: "b" }]);
  const told = (await client.get(path, { headers: { "If-None-Match": empty.etag } })).expect(200);
  const { quotas } = told.json<{ quotas: Quotas }>();
  assert.deepEqual(quotas.sources, none(1));
  assert.deepEqual(quotas.properties, none(2));
  assert.deepEqual(quotas.data_bytes, none('{"id":"é"}{"id":"b"}'.length + 1));
});

test("a tenant sees the limits that its deployment sets", async () => {
  const owner = await newOwner();
  const quotas = await quotasOf(owner);
  assert.deepEqual(
    Object.values(quotas).map(({ limit }) => limit),
    Object.values(limits),
  );
});

test("one source or target too many is refused, and nothing is made; what is deleted makes room", async () => {
  const owner = await newOwner();
  const { client } = owner;
  const sources = [];
  for (const _ of range(limits.MAX_SOURCES)) sources.push(await createSource(client));
  for (const _ of range(limits.MAX_TARGETS)) await createTarget(client);
  const body = { name: "One more", config: { token: "secret" } };
  assertOver(await client.post("/sources", { ...body, type: "json" }), "sources", 3, 3);
  assertOver(await client.post("/targets", { ...body, type: "internal" }), "targets", 2, 2);
  assert.deepEqual(
    [(await used(owner))["sources"], (await used(owner))["targets"]],
    [limits.MAX_SOURCES, limits.MAX_TARGETS],
  );
  const failed = (await logs(client)).filter(({ status }) => status === "failed");
  assert.deepEqual(
    failed.map(({ error_message }) => /This tenant may have \d/.test(error_message ?? "")),
    [true, true],
  );
  (await client.delete(`/sources/${sources[0]?.id}`)).expect(200);
  await createSource(client);
});

test("one key too many is refused; revoked ones do not count, and the administrator may make one", async () => {
  const owner = await newOwner();
  const { client } = owner;
  (await client.post("/keys", {})).expect(201);
  const { id } = (await client.post("/keys", {})).expect(201).json<{ id: number }>();
  assertOver(await client.post("/keys", {}), "keys", 3, 3);
  assert.equal((await listKeys(client)).length, 3);
  (await client.delete(`/keys/${id}`)).expect(200);
  (await client.post("/keys", {})).expect(201);
  const token = devVariable(server.stateDir ?? "", "ADMIN_TOKEN");
  const headers = { Authorization: `Bearer ${token}` };
  (await client.post(`/tenants/${owner.id}/keys`, {}, { headers, key: null })).expect(201);
});

test("an import or a sync beyond the quota of properties does nothing; removed ones do not count", async () => {
  const owner = await newOwner();
  const { client } = owner;
  const source = await createSource(client);
  const target = await createTarget(client);
  assertOver(await importList(client, source, items(31)), "properties", 30, 0);
  assert.equal((await sourceRows(client, source)).length, 0);
  assert.equal((await used(owner))["data_bytes"], 0);
  await importItems(client, source, items(20));
  assertOver(await client.post(`/sync/${source.id}/${target.id}`), "properties", 30, 20);
  assert.equal((await targetRows(client, target)).length, 0);
  const path = `/sources/${source.id}/import?mode=full&force=true`;
  (await client.post(path, { data: items(15) })).expect(200);
  await syncOnce(client, source, target);
  assert.equal((await used(owner))["properties"], 30);
  // What is there may be changed, and taken away.
  await importItems(client, source, [{ id: "P0", price: 1 }]);
  await syncOnce(client, source, target);
  await editRow(client, await targetRow(client, target, "P1"), { price: 2 });
  assertOver(await importList(client, source, [{ id: "P15" }]), "properties", 30, 30);
});

test("ten imports at once do not pass a quota together", async () => {
  const owner = await newOwner();
  const source = await createSource(owner.client);
  const answers = await Promise.all(
    range(10).map((at) => importList(owner.client, source, items(7, 7 * at))),
  );
  const taken = answers.filter(({ status }) => status === 200).length;
  assert.equal(taken, 4);
  for (const answer of answers) {
    if (answer.status !== 200) assertOver(answer, "properties", 30);
  }
  assert.equal((await place(owner.client, `/sources/${source.id}`)).property_count, 28);
});

test("data beyond the quota is refused, history counts, and a clean-up makes room", async () => {
  const owner = await newOwner();
  const { client } = owner;
  const source = await createSource(client);
  const target = await createTarget(client);
  const text = (letter: string, bytes: number): string => letter.repeat(bytes);
  await importItems(client, source, [{ id: "P", text: text("a", 500_000) }]);
  await syncOnce(client, source, target);
  const row = await targetRow(client, target, "P");
  let edits = 0;
  let answer: Answer;
  do {
    const letter = String.fromCharCode(98 + edits);
    answer = await client.patch(targetPath(row), { data: { text: text(letter, 500_000) } });
  } while (answer.status === 200 && ++edits < 20);
  assert.equal(edits, 10, "of 6 MB eleven times 500 KB are used");
  assertOver(answer, "data_bytes", limits.MAX_DATA_BYTES);
  assert.equal((await targetRow(client, target, "P")).version, 1 + edits);
  const before = (await used(owner))["data_bytes"] ?? 0;
  assert.ok(before > 5_500_000 && before < limits.MAX_DATA_BYTES);
  (await client.post("/cleanup?days=0")).expect(200);
  const left = (await used(owner))["data_bytes"] ?? 0;
  assert.ok(left > 1_000_000 && left < 1_001_000, "the source's and the edited data");
  await editRow(client, row, { text: "short" });
});

test("a large import beyond the quota of data leaves nothing behind", async () => {
  const owner = await newOwner();
  const source = await createSource(owner.client);
  const text = "x".repeat(500_000);
  const list = range(25).map((at) => ({ id: `P${at}`, at, text }));
  // Without a length it goes part by part, of which the first one fits.
  const lines = list.map((item) => `${JSON.stringify(item)}\n`).join("");
  const headers = {
    "X-API-Key": owner.client.key ?? "",
    "Content-Type": "application/x-ndjson",
  };
  const response = await fetch(`${server.origin}/sources/${source.id}/import`, {
    method: "POST",
    headers,
    body: new Blob([lines]).stream(),
    duplex: "half",
  } as RequestInit);
  const problem = (await response.json()) as { type: string; quota: Quota };
  assert.equal(response.status, 403);
  assert.match(problem.type, /:quota-exceeded$/);
  const { data_bytes, properties } = await used(owner);
  assert.deepEqual([data_bytes, properties], [0, 0]);
});

test("what one tenant has does not count for another", async () => {
  const { client } = await newOwner();
  const other = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, items(30));
  await importItems(other, await createSource(other), items(30));
});
