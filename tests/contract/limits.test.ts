// Everything that a client's input can multiply has a named limit (core/base/limits.h), and whoever
// goes beyond it is told. Each row goes one step beyond one limit. What has no row is held elsewhere:
//
//   bytes of a parameter           kMaxParamBytes, the packs: tests/core/store/pack_test.cc
//   statements of an invocation    kMaxQueries: tests/core/base/invocation_test.cc; whatever a test
//                                  asks of a server here, and the simulation, is counted, too
//   bytes of a frame               16 MiB: tests/host/abi.test.ts
//   bytes of an answer in memory   kPageBytes, kStreamPageBytes, kStreamPartBytes: lists.test.ts
//   bodies of 100,000,000 bytes    kMaxImportBytes: large_import.test.ts
//   tags of an If-None-Match       kMaxEntityTags: tests/core/http/conditional_test.cc
//   items of one part              kIdentityPackItems, kStagedPartBytes: import_set_test.cc
//   members at fault of an import  json::kMaxShapeProblems: item_reader_test.cc
//   attempts after a lost race     kMaxLostRaces: tests/core/machine_test.cc
//   clients that wait              PoolOptions: tests/host/pool.test.ts
//   headers                        the platform's 128 KB; each is looked up a fixed number of times

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Answer, Client } from "./client.ts";
import { openServer } from "./server.ts";
import { createSource, newClient, range, syncedPair, targetPath, targetRow } from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kMaxQueryBytes = 16 * 1024;
const kMaxBodyBytes = 1024 * 1024;
const kMaxPropertyBytes = 512 * 1024;
const kMaxFieldErrors = 100;
const kMaxImportErrors = 1000;
const kMaxDepth = 128;
const kMaxValues = 50_000;

interface Beyond {
  readonly what: string;
  readonly send: (client: Client, source: string) => Promise<Answer>;
  readonly status: number;
  readonly told: RegExp;
}

function deep(levels: number): unknown {
  return range(levels).reduce<unknown>((inner) => [inner], 0);
}

function zeros(count: number): number[] {
  return range(count).map(() => 0);
}

function newSource(more: object): object {
  return { name: "n", type: "json", ...more };
}

function unknownMembers(count: number): object {
  return newSource(Object.fromEntries(range(count).map((at) => [`m${at}`, 0])));
}

/** One item that is fine, and others. */
function importOf(client: Client, source: string, ...others: unknown[]): Promise<Answer> {
  return client.post(`${source}/import`, { data: [{ id: "fine" }, ...others] });
}

const kBeyond: readonly Beyond[] = [
  {
    what: "bytes of a query",
    send: (client) => client.get(`/logs?status=${"x".repeat(kMaxQueryBytes)}`),
    status: 422,
    told: /at most 16384 bytes/,
  },
  {
    what: "rows of a page",
    send: (client) => client.get("/logs?limit=1001"),
    status: 422,
    told: /from 1 to 1000/,
  },
  {
    what: "bytes of a body",
    send: (client) =>
      client.post("/sources", newSource({ config: { a: "x".repeat(kMaxBodyBytes) } })),
    status: 413,
    told: /at most 1048576 bytes/,
  },
  {
    what: "fields at fault",
    send: (client) => client.post("/sources", unknownMembers(kMaxFieldErrors + 1)),
    status: 422,
    told: /the first 100 of 101/,
  },
  {
    what: "characters of a name",
    send: (client) => client.post("/sources", newSource({ name: "n".repeat(256) })),
    status: 422,
    told: /1 to 255 characters/,
  },
  {
    what: "characters of a key",
    send: (client) => client.post("/tenants", { name: "n", api_key: "k".repeat(129) }),
    status: 422,
    told: /32 to 128 characters/,
  },
  {
    what: "levels of a body",
    send: (client) => client.post("/sources", newSource({ config: { a: deep(kMaxDepth) } })),
    status: 422,
    told: /128 levels/,
  },
  {
    what: "values of a body",
    send: (client) => client.post("/sources", newSource({ config: { a: zeros(kMaxValues) } })),
    status: 422,
    told: /at most 50,000 values/,
  },
  {
    what: "values of a config that grows",
    send: async (client) => {
      const body = newSource({ config: { a: zeros(kMaxValues / 2) } });
      const { id } = (await client.post("/sources", body)).expect(201).json<{ id: number }>();
      return client.patch(`/sources/${id}`, { config: { b: zeros(kMaxValues / 2) } });
    },
    status: 422,
    told: /at most 50,000 values/,
  },
  {
    what: "values of a property",
    send: (client, source) => importOf(client, source, { id: "v", a: zeros(kMaxValues) }),
    status: 200,
    told: /"failed":1,.*"external_id":"v".*more than 50,000 values/,
  },
  {
    what: "values of an edited property",
    send: async (client) => {
      const items = [{ id: "v", a: zeros(kMaxValues / 2) }];
      const { target } = await syncedPair(client, items);
      const row = await targetRow(client, target, "v");
      return client.patch(targetPath(row), { data: { b: zeros(kMaxValues / 2) } });
    },
    status: 422,
    told: /more than 50,000 values/,
  },
  {
    what: "bytes of an identity",
    send: (client, source) => importOf(client, source, { id: "i".repeat(513) }),
    status: 200,
    told: /"failed":1,.*"index":1/,
  },
  {
    what: "bytes of a property",
    send: (client, source) =>
      importOf(client, source, { id: "l", a: "x".repeat(kMaxPropertyBytes) }),
    status: 200,
    told: /larger than 512 KiB/,
  },
  {
    what: "levels of a property",
    send: (client, source) => importOf(client, source, { id: "d", a: deep(kMaxDepth) }),
    status: 200,
    told: /128 levels/,
  },
  {
    what: "errors of an import",
    send: (client, source) => importOf(client, source, ...range(kMaxImportErrors + 1)),
    status: 200,
    told: /"failed":1001/,
  },
];

test("limits: whoever goes one step beyond one is told", async () => {
  const client = await newClient(server);
  for (const { what, send, status, told } of kBeyond) {
    const source = `/sources/${(await createSource(client)).id}`;
    const answer = (await send(client, source)).expect(status);
    assert.match(answer.text, told, what);
  }
});

test("limits: an answer names no more errors than its limit", async () => {
  const client = await newClient(server);
  const source = `/sources/${(await createSource(client)).id}`;
  const errorsOf = (answer: Answer): number => answer.json<{ errors: unknown[] }>().errors.length;
  const wide = await client.post("/sources", unknownMembers(49_000));
  assert.equal(errorsOf(wide), kMaxFieldErrors);
  assert.match(wide.text, /the first 100 of 49000/);
  const longNames = range(1000).map((at) => [`${at}${"~".repeat(1000)}`, 0]);
  const long = await client.post("/sources", newSource(Object.fromEntries(longNames)));
  assert.equal(errorsOf(long), kMaxFieldErrors);
  assert.ok(long.bytes.length < 300_000, `${long.bytes.length} bytes of errors`);
  const many = range(kMaxImportErrors + 500);
  assert.equal(errorsOf(await importOf(client, source, ...many)), kMaxImportErrors);
});
