// api.md section 1: a row of another tenant does not exist, on every route.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Answer, Client } from "./client.ts";
import { assertProblem, type Place, type SourceProperty, type TargetProperty } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  assertSync,
  createSource,
  createTarget,
  createTenant,
  editRow,
  importItems,
  kUnusedId,
  logs,
  newClient,
  sourceRow,
  syncedPair,
  targetRow,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kMethods = ["get", "post", "put", "patch", "delete"];

interface Estate {
  tenant: number;
  client: Client;
  source: Place;
  target: Place;
  sourceProperty: SourceProperty;
  targetProperty: TargetProperty;
}

async function estate(): Promise<Estate> {
  const tenant = await createTenant(server);
  const client = new Client(server.origin, tenant.api_key);
  const { source, target } = await syncedPair(client, [{ id: "same", v: 1 }]);
  await importItems(client, source, [{ id: "same", v: 2 }]);
  await assertSync(client, source, target, { updated: 1 });
  return {
    tenant: tenant.id,
    client,
    source,
    target,
    sourceProperty: await sourceRow(client, source, "same"),
    targetProperty: await targetRow(client, target, "same"),
  };
}

let owner: Estate;
let stranger: Estate;
before(async () => {
  owner = await estate();
  stranger = await estate();
});

/** All that the owner can read, to see that nothing moved. */
async function readAll(one: Estate): Promise<string[]> {
  const paths = [
    "/sources",
    "/targets",
    "/keys",
    "/logs",
    `/sources/${one.source.id}/properties`,
    `/targets/${one.target.id}/properties`,
    `/sources/${one.source.id}/properties/${one.sourceProperty.id}/snapshots`,
    `/targets/${one.target.id}/properties/${one.targetProperty.id}/snapshots`,
  ];
  const texts: string[] = [];
  for (const path of paths) texts.push((await one.client.get(path)).expect(200).text);
  return texts;
}

/** Fills the ids of a path template, each by its place in the path. */
function fill(template: string, ids: (segments: string[], at: number) => number): string {
  const segments = template.split("/");
  return segments
    .map((segment, at) => (segment.startsWith("{") ? String(ids(segments, at)) : segment))
    .join("/");
}

function idsOf(one: Estate): (segments: string[], at: number) => number {
  return (segments, at) => {
    const side = segments[1];
    if (side === "tenants") return one.tenant;
    if (side === "sync") return at === 2 ? one.source.id : one.target.id;
    if (side === "sources") return at === 2 ? one.source.id : one.sourceProperty.id;
    if (side === "targets") return at === 2 ? one.target.id : one.targetProperty.id;
    return kUnusedId;
  };
}

/** What a stranger could compare: everything but the request's own id and the clock. */
function visible(answer: Answer): unknown {
  const { "x-request-id": _id, date: _date, ...headers } = answer.headers;
  return { status: answer.status, headers, text: answer.text };
}

type Operation = { security?: object[] };

/** Whether a key is asked for; what is the administrator's is one same refusal to any key. */
function takesKey(operation: unknown): boolean {
  return (operation as Operation).security?.some((one) => "key" in one) === true;
}

test("isolation: every route with an id answers as for an id that was never used", async () => {
  const document = (await owner.client.get("/openapi.json")).expect(200);
  const { paths } = document.json<{ paths: Record<string, Record<string, unknown>> }>();
  const unchanged = await readAll(owner);
  let tried = 0;
  for (const [template, item] of Object.entries(paths)) {
    if (!template.includes("{")) continue;
    const foreign = fill(template, idsOf(owner));
    const unused = fill(template, () => kUnusedId);
    for (const method of Object.keys(item).filter((name) => kMethods.includes(name))) {
      for (const headers of [{}, { "If-Match": "*" }, { "If-None-Match": "*" }]) {
        const seen = await stranger.client.request(method.toUpperCase(), foreign, { headers });
        const never = await stranger.client.request(method.toUpperCase(), unused, { headers });
        assertProblem(seen, takesKey(item[method]) ? 404 : 401);
        assert.deepEqual(visible(seen), visible(never), `${method} ${foreign}`);
      }
      tried += 1;
    }
  }
  assert.ok(tried >= 17, `${tried} operations with ids in /openapi.json`);
  assert.deepEqual(await readAll(owner), unchanged);
});

/** A browser keeps what one key was answered, and asks with its tag when it has another key. */
test("isolation: no entity tag is another tenant's, and caches are told of the key", async () => {
  const document = (await owner.client.get("/openapi.json")).expect(200);
  const { paths } = document.json<{
    paths: Record<string, { get?: Operation }>;
  }>();
  const [first, second] = [await estate(), await estate()];
  let tried = 0;
  for (const [template, { get }] of Object.entries(paths)) {
    if (!takesKey(get ?? {})) continue;
    const path = fill(template, idsOf(first));
    const answer = (await first.client.get(path)).expect(200);
    assert.match(answer.etag, /^"/, path);
    assert.match(answer.header("vary") ?? "", /\bx-api-key\b/i, path);
    const headers = { "If-None-Match": answer.etag };
    const known = (await first.client.get(path, { headers })).expect(304);
    assert.match(known.header("vary") ?? "", /\bx-api-key\b/i, path);
    (await second.client.get(fill(template, idsOf(second)), { headers })).expect(200);
    tried += 1;
  }
  assert.ok(tried >= 12, `${tried} reads with a key in /openapi.json`);
});

test("isolation: with a body that would pass, too", async () => {
  const unchanged = await readAll(owner);
  const { source, target, targetProperty } = owner;
  const calls: [string, string, unknown][] = [
    ["PATCH", `/sources/${source.id}`, { name: "taken" }],
    ["PATCH", `/targets/${target.id}`, { config: { conflict_policy: "source_wins" } }],
    ["POST", `/sources/${source.id}/import`, { data: [{ id: "same", v: "taken" }] }],
    ["PATCH", `/targets/${target.id}/properties/${targetProperty.id}`, { data: { v: "taken" } }],
    ["DELETE", `/sources/${source.id}`, {}],
    ["DELETE", `/targets/${target.id}`, {}],
  ];
  for (const [method, path, body] of calls) {
    const unused = path.replace(/\d+/g, String(kUnusedId));
    const seen = await stranger.client.request(method, path, { body });
    assertProblem(seen, 404);
    const never = await stranger.client.request(method, unused, { body });
    assert.deepEqual(visible(seen), visible(never), `${method} ${path}`);
  }
  assert.deepEqual(await readAll(owner), unchanged);
});

test("isolation: an own parent does not open a foreign row", async () => {
  const { client, source, target } = stranger;
  const pairs: [string, string][] = [
    [`/sources/${source.id}/properties`, `${owner.sourceProperty.id}`],
    [`/targets/${target.id}/properties`, `${owner.targetProperty.id}`],
  ];
  for (const [list, id] of pairs) {
    for (const tail of ["", "/snapshots"]) {
      const seen = await client.get(`${list}/${id}${tail}`);
      assertProblem(seen, 404);
      assert.equal(seen.text, (await client.get(`${list}/${kUnusedId}${tail}`)).text);
    }
  }
});

test("isolation: a sync takes no foreign source or target", async () => {
  const unchanged = await readAll(owner);
  const { client, source, target } = stranger;
  const cases: [string, string][] = [
    [`/sync/${source.id}/${owner.target.id}`, `/sync/${source.id}/${kUnusedId}`],
    [`/sync/${owner.source.id}/${target.id}`, `/sync/${kUnusedId}/${target.id}`],
  ];
  for (const [foreign, unused] of cases) {
    const seen = await client.post(foreign);
    assertProblem(seen, 404);
    assert.deepEqual(visible(seen), visible(await client.post(unused)));
  }
  assert.deepEqual(await readAll(owner), unchanged);
});

test("isolation: lists show own rows only", async () => {
  const own = [owner, stranger].map(async ({ client, source, target }) => {
    const sources = (await client.get("/sources")).json<Place[]>();
    const targets = (await client.get("/targets")).json<Place[]>();
    assert.deepEqual(
      sources.map((row) => row.id),
      [source.id],
    );
    assert.deepEqual(
      targets.map((row) => row.id),
      [target.id],
    );
    const ids = (await logs(client)).flatMap((row) => row.source_id ?? []);
    assert.deepEqual([...new Set(ids)], [source.id]);
    assert.equal((await client.get("/keys")).json<unknown[]>().length, 1);
  });
  await Promise.all(own);
});

test("isolation: a cursor of another tenant shows nothing of theirs", async () => {
  const first = await newClient(server);
  for (const name of ["a", "b", "c"]) await createSource(first, {}, name);
  const page = await first.get("/sources?limit=1");
  const next = /<([^>]+)>/.exec(page.header("link") ?? "")?.[1] ?? "";
  const seen = await stranger.client.get(next);
  if (seen.status === 200) {
    const ids = seen.json<Place[]>().map((row) => row.id);
    assert.ok(ids.every((id) => id === stranger.source.id));
  } else {
    assertProblem(seen, 422, { parameters: ["cursor"] });
  }
});

test("isolation: equal external ids, names and data of two tenants do not mix", async () => {
  const { client, source, target } = owner;
  await importItems(client, source, [{ id: "same", v: 3 }]);
  await assertSync(client, source, target, { updated: 1 });
  await editRow(client, await targetRow(client, target, "same"), { v: "hand" });
  const theirs = await targetRow(stranger.client, stranger.target, "same");
  assert.deepEqual(theirs, stranger.targetProperty);
  await assertSync(stranger.client, stranger.source, stranger.target, { skipped: 1 });
});

test("isolation: a tenant that has nothing sees nothing", async () => {
  const client = await newClient(server);
  for (const path of ["/sources", "/targets", "/logs"]) {
    assert.equal((await client.get(path)).expect(200).text, "[]\n");
  }
  await createTarget(client);
  assert.equal((await client.get("/targets")).json<Place[]>().length, 1);
});
