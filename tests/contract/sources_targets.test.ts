// api.md section 2: sources and targets, their config and its secrets.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { assertPlace, assertProblem, assertRising, type Data, type Place } from "./rows.ts";
import { openServer } from "./server.ts";
import { assertStored } from "./store_file.ts";
import {
  assertSync,
  createSource,
  createTarget,
  editRow,
  importItems,
  kUnusedId,
  newClient,
  place,
  range,
  syncedPair,
  targetRow,
  targetRows,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kMask = "********";
const kSourceTypes = ["json", "scraped", "manual", "api"];
const kTargetTypes = ["internal", "website", "api", "database", "ftp", "file", "cms"];

test("sources: every type is made, with an empty config where none is given", async () => {
  const client = await newClient(server);
  for (const type of kSourceTypes) {
    const row = (await client.post("/sources", { name: type, type })).expect(201).json<Place>();
    assertPlace(row);
    assert.equal(row.type, type);
    assert.deepEqual(row.config, {});
    assert.equal(row.property_count, 0);
    assert.equal(row.created_at, row.updated_at);
  }
  const rows = (await client.get("/sources")).json<Place[]>();
  assert.deepEqual(
    rows.map((row) => row.name),
    kSourceTypes,
  );
  assertRising(rows);
});

test("targets: every type is made, with an empty config where none is given", async () => {
  const client = await newClient(server);
  for (const type of kTargetTypes) {
    const row = (await client.post("/targets", { name: type, type })).expect(201).json<Place>();
    assertPlace(row);
    assert.deepEqual(row.config, {});
    assert.equal(row.type, type);
  }
  const rows = (await client.get("/targets")).json<Place[]>();
  assert.deepEqual(
    rows.map((row) => row.type),
    kTargetTypes,
  );
});

test("types: those of the other kind and unknown ones are 422 at /type", async () => {
  const client = await newClient(server);
  for (const type of ["internal", "JSON", "", 1, null]) {
    const answer = await client.post("/sources", { name: "x", type });
    assertProblem(answer, 422, { pointers: ["/type"] });
  }
  for (const type of ["json", "scraped", "Website"]) {
    const answer = await client.post("/targets", { name: "x", type });
    assertProblem(answer, 422, { pointers: ["/type"] });
  }
});

test("config: members are free and come back as given, no defaults filled in", async () => {
  const client = await newClient(server);
  const config = {
    note: 'ünïcode 😀 \u2028 \u007f "quoted" \\ / \t',
    nested: { list: [1, -2.5, 1e21, true, null, { deep: [] }], empty: {} },
    "": "an empty name",
    "a/b": 1,
    zero: 0,
  };
  assert.deepEqual((await createSource(client, config)).config, config);
  const target = await createTarget(client, config);
  assert.deepEqual(target.config, config);
  assert.deepEqual((await place(client, `/targets/${target.id}`)).config, config);
});

test("config: id_field is a JSON Pointer, else 422 at /config/id_field", async () => {
  const client = await newClient(server);
  for (const id_field of ["id", "/a~2b", "/a~", 5, ["/id"]]) {
    const answer = await client.post("/sources", { name: "x", type: "json", config: { id_field } });
    assertProblem(answer, 422, { pointers: ["/config/id_field"] });
  }
  for (const id_field of ["/id", "/a/b", "/a~1b~0c", "/list/0"]) {
    assert.deepEqual((await createSource(client, { id_field })).config, { id_field });
  }
});

test("config: url is an absolute http(s) URL, without userinfo, else 422 at /config/url", async () => {
  const client = await newClient(server);
  const bad = [
    "",
    "nonsense",
    "/path",
    "//example.com/x",
    "ftp://example.com/",
    "http://",
    5,
    {},
    "https://user:pw@example.com/",
    "https://user@example.com/",
    "javascript:alert(1)",
    "http://exa mple.com/",
  ];
  for (const url of bad) {
    const source = await client.post("/sources", { name: "x", type: "api", config: { url } });
    assertProblem(source, 422, { pointers: ["/config/url"] });
    const target = await client.post("/targets", { name: "x", type: "website", config: { url } });
    assertProblem(target, 422, { pointers: ["/config/url"] });
  }
  const good = ["https://example.com", "http://example.com:8080/a?b=c", "https://8.8.8.8/x"];
  for (const url of good) {
    const body = { name: "x", type: "website", config: { url } };
    const row = (await client.post("/targets", body)).expect(201).json<Place>();
    assert.deepEqual(row.config, { url }, "as given");
  }
});

test("config: url leads to a public address, else 422 at /config/url", async () => {
  const client = await newClient(server);
  const hosts = [
    "localhost",
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[fe80::1]",
    "[fc00::1]",
    "224.0.0.1",
    "255.255.255.255",
    "localhost.",
    "a.localhost",
    "LOCALHOST",
    "127.0.0.1:8787",
  ];
  for (const host of hosts) {
    const config = { url: `http://${host}/x` };
    const answer = await client.post("/sources", { name: "x", type: "api", config });
    assert.equal(answer.status, 422, `${host}: ${answer.text}`);
    assertProblem(answer, 422, { pointers: ["/config/url"] });
  }
});

test("config: conflict_policy of a target is checked", async () => {
  const client = await newClient(server);
  for (const conflict_policy of ["skip", "source_wins"]) {
    await createTarget(client, { conflict_policy });
  }
  for (const conflict_policy of ["newest", "", "Skip", 5]) {
    const body = { name: "x", type: "internal", config: { conflict_policy } };
    const answer = await client.post("/targets", body);
    assertProblem(answer, 422, { pointers: ["/config/conflict_policy"] });
  }
  const target = await createTarget(client);
  const patch = await client.patch(`/targets/${target.id}`, { config: { conflict_policy: "no" } });
  assertProblem(patch, 422, { pointers: ["/config/conflict_policy"] });
});

const kSecrets = {
  api_key: "plain-secret-1",
  connection: "postgres://u:plain-secret-2@example.com/db",
  headers: { Authorization: "Bearer plain-secret-3", "X-Other": "plain-secret-4" },
  nested: { list: [{ password: "plain-secret-5" }, { token: "plain-secret-6", open: "seen" }] },
  secret: "plain-secret-7",
  username: "seen",
};

const kMasked = {
  api_key: kMask,
  connection: kMask,
  headers: { Authorization: kMask, "X-Other": kMask },
  nested: { list: [{ password: kMask }, { token: kMask, open: "seen" }] },
  secret: kMask,
  username: "seen",
};

test("secrets: they come back masked, at any depth, everywhere and always", async () => {
  const client = await newClient(server);
  for (const [path, type] of [
    ["/sources", "api"],
    ["/targets", "website"],
  ]) {
    const made = await client.post(path ?? "", { name: "x", type, config: kSecrets });
    const row = made.expect(201).json<Place>();
    assert.deepEqual(row.config, kMasked);
    const one = `${path}/${row.id}`;
    const renamed = await client.patch(one, { name: "y" });
    const answers = [made, await client.get(one), await client.get(path ?? ""), renamed];
    for (const answer of answers) assert.ok(!answer.text.includes("plain-secret"));
    assert.deepEqual((await place(client, one)).config, kMasked);
    const gone = await client.delete(one);
    assert.ok(!gone.text.includes("plain-secret"));
  }
});

test("secrets: they are encrypted at rest", { skip: server.stateDir === null }, async () => {
  const client = await newClient(server);
  const mark = randomBytes(9).toString("hex");
  const config = {
    note: `seen-${mark}`,
    headers: { A: `hidden-${mark}` },
    password: `hidden-${mark}`,
  };
  const target = await createTarget(client, config);
  const patched = { config: { token: `hidden-${mark}` } };
  (await client.patch(`/targets/${target.id}`, patched)).expect(200);
  const directory = server.stateDir ?? "";
  assertStored(directory, `seen-${mark}`, [`hidden-${mark}`]);
});

test("secrets: a PATCH that sends the mask keeps the stored one", async () => {
  const client = await newClient(server);
  const target = await createTarget(client, { api_key: "k", headers: { A: "a" } });
  const path = `/targets/${target.id}`;
  const config = { api_key: kMask, headers: { A: kMask, B: "new" }, note: "n" };
  const row = (await client.patch(path, { config })).expect(200).json<Place>();
  assert.deepEqual(row.config, { api_key: kMask, headers: { A: kMask, B: kMask }, note: "n" });
  (await client.patch(path, { config: row.config })).expect(200);
});

test("secrets: a mask where none is stored is 422 at its pointer", async () => {
  const client = await newClient(server);
  const target = await createTarget(client, { headers: { A: "a" }, token: "t" });
  const path = `/targets/${target.id}`;
  const config = { api_key: kMask, headers: { A: kMask, B: kMask } };
  const answer = await client.patch(path, { config });
  assertProblem(answer, 422, { pointers: ["/config/api_key", "/config/headers/B"] });
  (await client.patch(path, { config: { token: null } })).expect(200);
  const removed = await client.patch(path, { config: { token: kMask } });
  assertProblem(removed, 422, { pointers: ["/config/token"] });
  assert.deepEqual((await place(client, path)).config, { headers: { A: kMask } });
});

test("secrets: a mask inside a secret is 422, for it means nothing there", async () => {
  const client = await newClient(server);
  const config = { headers: { B: ["p", "q"] }, secret: { a: "1" }, list: [{ token: "t" }] };
  const source = await createSource(client, config);
  const path = `/sources/${source.id}`;
  for (const [patch, pointer] of [
    [{ headers: { B: [kMask, "q"] } }, "/config/headers/B"],
    [{ headers: [kMask] }, "/config/headers"],
    [{ secret: { a: kMask } }, "/config/secret"],
    [{ list: { 0: { token: kMask } } }, "/config/list/0/token"],
  ] as const) {
    assertProblem(await client.patch(path, { config: patch }), 422, { pointers: [pointer] });
  }
  const made = await client.post("/sources", {
    name: "n",
    type: "json",
    config: { token: [kMask] },
  });
  assertProblem(made, 422, { pointers: ["/config/token"] });
});

test("secrets: a member is one by the end of its name", async () => {
  const client = await newClient(server);
  const names = [
    "apiKey",
    "client_secret",
    "access_token",
    "refresh-token",
    "Password",
    "db_passwd",
  ];
  names.push("private_key", "credentials", "proxy_authorization", "x-api-key");
  const config = Object.fromEntries(names.map((name) => [name, `plain-secret-${name}`]));
  const made = await client.post("/sources", {
    name: "x",
    type: "api",
    config: { ...config, client_id: "seen", token_url_template: "seen" },
  });
  const row = made.expect(201).json<Place>();
  const masked = Object.fromEntries(names.map((name) => [name, kMask]));
  const shown = { ...masked, client_id: "seen", token_url_template: "seen" };
  assert.deepEqual((await place(client, `/sources/${row.id}`)).config, shown);
});

test("secrets: at most 64, of 16 KiB, under pointers of 1 KiB; what is more is 422 at once", async () => {
  const client = await newClient(server);
  const headers = (count: number, value = "v"): Data =>
    Object.fromEntries(range(count).map((at) => [`h${at}`, value]));
  const create = (config: Data) => client.post("/targets", { name: "x", type: "api", config });
  (await create({ headers: headers(64) })).expect(201);
  assertProblem(await create({ headers: headers(65) }), 422, { pointers: ["/config"] });
  assertProblem(await create({ headers: headers(40_000, "") }), 422, { pointers: ["/config"] });
  const large = { token: "x".repeat(16 * 1024) };
  assertProblem(await create(large), 422, { pointers: ["/config/token"] });
  const deep = { ["k".repeat(1_024)]: { token: "t" } };
  assertProblem(await create(deep), 422, { pointers: ["/config"] });
});

test("secrets: a mask in a list that changed is 422, for it stands for its place", async () => {
  const client = await newClient(server);
  const list = [
    { name: "a", token: "1" },
    { name: "b", token: "2" },
  ];
  const target = await createTarget(client, { list });
  const path = `/targets/${target.id}`;
  const [first, second] = [
    { name: "a", token: kMask },
    { name: "b", token: kMask },
  ];
  for (const changed of [
    [second],
    [second, first],
    [first, second, 3],
    [{ ...first, name: "c" }, second],
  ]) {
    const answer = await client.patch(path, { config: { list: changed } });
    assert.match(assertProblem(answer, 422).errors?.[0]?.detail ?? "", /list that changed/);
  }
  assert.deepEqual((await place(client, path)).config, { list: [first, second] });
  const one = await client.patch(path, { config: { list: [first, { name: "b", token: "new" }] } });
  one.expect(200);
  (await client.patch(path, { config: { list: [{ name: "b", token: "2" }] } })).expect(200);
});

test("secrets: an address cannot change while a secret is kept", async () => {
  const client = await newClient(server);
  for (const name of ["url", "host", "connection"]) {
    const config = { [name]: "https://a.example/", api_key: "k" };
    const target = await createTarget(client, config);
    const path = `/targets/${target.id}`;
    const pointers = [`/config/${name}`];
    for (const api_key of [kMask, undefined]) {
      const moved = { [name]: "https://b.example/", api_key };
      assertProblem(await client.patch(path, { config: moved }), 422, { pointers });
    }
    (await client.patch(path, { config: { note: "n", api_key: kMask } })).expect(200);
    const moved = { [name]: "https://b.example/", api_key: "again" };
    (await client.patch(path, { config: moved })).expect(200);
  }
});

test("secrets: a PATCH of the name keeps them", async () => {
  const client = await newClient(server);
  const source = await createSource(client, { password: "p" });
  const path = `/sources/${source.id}`;
  (await client.patch(path, { name: "renamed" })).expect(200);
  (await client.patch(path, { config: { password: kMask } })).expect(200);
});

test("PATCH: a merge patch over name and config", async () => {
  const client = await newClient(server);
  const config = { a: { b: 1, c: 2 }, list: [1, 2, 3], gone: true };
  const source = await createSource(client, config);
  const path = `/sources/${source.id}`;
  const patch = { name: "renamed", config: { a: { b: null, d: 4 }, list: [9], gone: null, n: {} } };
  const row = (await client.patch(path, patch)).expect(200).json<Place>();
  assertPlace(row);
  assert.equal(row.name, "renamed");
  assert.deepEqual(row.config, { a: { c: 2, d: 4 }, list: [9], n: {} });
  assert.ok(row.updated_at >= source.updated_at);
  assert.deepEqual(
    { ...row, name: 0, config: 0, updated_at: 0 },
    { ...source, name: 0, config: 0, updated_at: 0 },
  );
  assert.deepEqual(await place(client, path), row);
});

test("PATCH: nulls inside a new object of config are removed, as RFC 7396 says", async () => {
  const client = await newClient(server);
  const target = await createTarget(client);
  const patch = { config: { a: { b: null, c: { d: null } }, e: [null] } };
  const row = (await client.patch(`/targets/${target.id}`, patch)).expect(200).json<Place>();
  assert.deepEqual(row.config, { a: { c: {} }, e: [null] });
});

test("PATCH: type, read-only and unknown members are 422, and nothing changes", async () => {
  const client = await newClient(server);
  const source = await createSource(client, { a: 1 });
  const path = `/sources/${source.id}`;
  const cases: [object, string[]][] = [
    [{ type: "api" }, ["/type"]],
    [
      { name: "x", id: 5, tenant_id: 1, property_count: 0 },
      ["/id", "/tenant_id", "/property_count"],
    ],
    [{ colour: "red" }, ["/colour"]],
    [{ name: null }, ["/name"]],
    [{ name: 5 }, ["/name"]],
    [{ name: "x", config: "text" }, ["/config"]],
    [{ config: [] }, ["/config"]],
    [{ config: { id_field: "x" } }, ["/config/id_field"]],
    [{ config: { url: "ftp://example.com" } }, ["/config/url"]],
  ];
  for (const [patch, pointers] of cases) {
    assertProblem(await client.patch(path, patch), 422, { pointers });
  }
  assertProblem(await client.patch(path, []), 422, { pointers: [""] });
  assert.deepEqual(await place(client, path), source);
});

test("PATCH: concurrent patches of one row are all kept", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}`;
  const names = Array.from({ length: 10 }, (_, at) => `m${at}`);
  const patches = names.map((name) => client.patch(path, { config: { [name]: name } }));
  for (const answer of await Promise.all(patches)) answer.expect(200);
  const { config } = await place(client, path);
  assert.deepEqual(Object.keys(config).sort(), names);
});

test("caching: a POST or PATCH answers the ETag that GET has, and it changes with the row", async () => {
  const client = await newClient(server);
  const made = (await client.post("/targets", { name: "x", type: "file" })).expect(201);
  assert.match(made.etag, /^"[^"]+"$/);
  const path = made.header("location") ?? "";
  assert.equal((await client.get(path)).etag, made.etag);
  const patched = (await client.patch(path, { name: "y" })).expect(200);
  assert.notEqual(patched.etag, made.etag);
  assert.equal((await client.get(path)).etag, patched.etag);
});

test("caching: If-None-Match answers 304 without a body", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}`;
  const { etag } = await client.get(path);
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const answer = (await client.get(path, { headers: { "If-None-Match": tag } })).expect(304);
    assert.equal(answer.bytes.length, 0);
    assert.equal(answer.etag, etag);
  }
  (await client.get(path, { headers: { "If-None-Match": '"other"' } })).expect(200);
  (await client.patch(path, { name: "new" })).expect(200);
  (await client.get(path, { headers: { "If-None-Match": etag } })).expect(200);
});

test("caching: PATCH honours If-Match, compared without W/", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}`;
  const first = (await client.get(path)).etag;
  const patch = (tag: string, name: string) =>
    client.patch(path, { name }, { headers: { "If-Match": tag } });
  const second = (await patch(first, "one")).expect(200).etag;
  assertProblem(await patch(first, "two"), 412);
  assertProblem(await patch('"other"', "two"), 412);
  assert.equal((await place(client, path)).name, "one");
  (await patch(`W/${second}`, "three")).expect(200);
  (await patch("*", "four")).expect(200);
  const now = (await client.get(path)).etag;
  (await patch(`"other", ${now}`, "five")).expect(200);
});

test("caching: a value that does not fit is told before an If-Match that does not", async () => {
  const client = await newClient(server);
  const path = `/targets/${(await createTarget(client)).id}`;
  const headers = { "If-Match": '"another"' };
  for (const config of [{ url: "" }, { conflict_policy: "never" }]) {
    (await client.patch(path, { config }, { headers })).expect(422);
  }
  (await client.patch(path, { config: { url: null } }, { headers })).expect(412);
  (await client.patch(path, { config: null }, { headers })).expect(412);
});

test("caching: of parallel PATCHes with one If-Match one wins", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}`;
  const headers = { "If-Match": (await client.get(path)).etag };
  const tries = [1, 2, 3, 4].map((n) => client.patch(path, { name: `n${n}` }, { headers }));
  const statuses = (await Promise.all(tries)).map((answer) => answer.status).sort();
  assert.deepEqual(statuses, [200, 412, 412, 412]);
});

test("property_count: counts live properties on both sides", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }, { id: 2 }, { id: 3 }]);
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 3);
  assert.equal((await place(client, `/targets/${target.id}`)).property_count, 3);
  await importItems(client, source, [{ id: 3, x: 1 }, { id: 4 }]);
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 4);
  assert.equal((await place(client, `/targets/${target.id}`)).property_count, 3);
});

test("DELETE: a source goes with properties and snapshots, which are counted", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }, { id: 2 }]);
  await importItems(client, source, [
    { id: 1, x: 1 },
    { id: 2, x: 1 },
  ]);
  await importItems(client, source, [{ id: 1, x: 2 }]);
  const path = `/sources/${source.id}`;
  const answer = (await client.delete(path)).expect(200);
  assert.deepEqual(answer.json(), { status: "deleted", deleted: { properties: 2, snapshots: 3 } });
  const again = await client.delete(path);
  assertProblem(again, 404);
  assert.equal(again.text, (await client.delete(`/sources/${kUnusedId}`)).text);
  assertProblem(await client.get(`${path}/properties`), 404);
  assertProblem(await client.post(`/sync/${source.id}/${target.id}`), 404);
  assert.equal((await client.get("/sources")).text, "[]\n");
});

test("DELETE: a deleted source leaves target rows, their source_property_id null", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1, a: 1 }, { id: 2 }]);
  const before = await targetRows(client, target);
  (await client.delete(`/sources/${source.id}`)).expect(200);
  const rows = await targetRows(client, target);
  assert.deepEqual(
    rows.map(({ external_id, data, source_property_id }) => [
      external_id,
      data,
      source_property_id,
    ]),
    before.map(({ external_id, data }) => [external_id, data, null]),
  );
});

test("DELETE: a target goes with properties and snapshots, and the source stays", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }, { id: 2 }]);
  await editRow(client, await targetRow(client, target, "1"), { x: 1 });
  const answer = (await client.delete(`/targets/${target.id}`)).expect(200);
  assert.deepEqual(answer.json(), { status: "deleted", deleted: { properties: 2, snapshots: 1 } });
  assertProblem(await client.get(`/targets/${target.id}`), 404);
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 2);
  await assertSync(client, source, await createTarget(client), { created: 2 });
});

test("ids: they are never given twice", async () => {
  const client = await newClient(server);
  const first = await createSource(client);
  await importItems(client, first, [{ id: 1 }]);
  const row = (await client.get(`/sources/${first.id}/properties`)).json<{ id: number }[]>()[0];
  (await client.delete(`/sources/${first.id}`)).expect(200);
  const second = await createSource(client);
  assert.ok(second.id > first.id);
  await importItems(client, second, [{ id: 1 }]);
  const next = (await client.get(`/sources/${second.id}/properties`)).json<{ id: number }[]>()[0];
  assert.ok((next?.id ?? 0) > (row?.id ?? 0));
});
