// api.md section 1: paths, methods, keys, content types, bodies, query, limits, order of checks.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Answer, Client, exchange } from "./client.ts";
import { assertProblem, type Place } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  createTarget,
  importItems,
  kUnusedId,
  newClient,
  place,
  sourcePath,
  sourceRow,
  syncedPair,
  targetPath,
  targetRow,
  targetRows,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kOneMiB = 1_048_576;
const kSource = { name: "A source", type: "json" };

function allowed(answer: Answer): string[] {
  return (answer.header("allow") ?? "").split(/\s*,\s*/).sort();
}

test("paths: unknown is 404, also without a key", async () => {
  const client = await newClient(server);
  for (const path of [
    "/nope",
    "/source",
    "/Sources",
    "/tenants/1/nope",
    "/sync/1",
    "/sources/1/nope",
  ]) {
    assertProblem(await client.get(path), 404);
    assertProblem(await client.get(path, { key: null }), 404);
  }
});

test("paths: a trailing slash is another path", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  for (const path of ["/sources/", `/sources/${source.id}/`, "/health/", "/logs/"]) {
    assertProblem(await client.get(path), 404);
  }
  assertProblem(await client.post("/sources/", kSource), 404);
});

test("paths: known path, wrong method is 405 with Allow", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const target = await createTarget(client);
  const cases: [string, string, string[]][] = [
    ["DELETE", "/sources", ["GET", "POST"]],
    ["PATCH", "/targets", ["GET", "POST"]],
    ["PUT", `/sources/${source.id}`, ["DELETE", "GET", "PATCH"]],
    ["POST", `/targets/${target.id}`, ["DELETE", "GET", "PATCH"]],
    ["GET", `/sources/${source.id}/import`, ["POST"]],
    ["GET", `/sync/${source.id}/${target.id}`, ["POST"]],
    ["POST", "/logs", ["GET"]],
    ["GET", "/cleanup", ["POST"]],
    ["DELETE", "/tenants", ["GET", "POST"]],
    ["POST", "/health", ["GET"]],
  ];
  for (const [method, path, expected] of cases) {
    const answer = await client.request(method, path);
    assertProblem(answer, 405);
    const methods = allowed(answer).filter((name) => name !== "HEAD" && name !== "OPTIONS");
    assert.deepEqual(methods, expected, path);
    assertProblem(await client.request(method, path, { key: null }), 405);
  }
});

test("paths: ids are decimal digits without sign or leading zero, anything else 404", async () => {
  const client = await newClient(server);
  const { id } = await createSource(client);
  const bad = [`0${id}`, `+${id}`, `-${id}`, `${id}.0`, `${id}e0`, `0x${id}`, "0", "abc", "%20"];
  const huge = ["9223372036854775808", "18446744073709551617", "9".repeat(400)];
  for (const text of [...bad, ...huge, `${id}%20`, `${id};`, `${id},1`]) {
    assertProblem(await client.get(`/sources/${text}`), 404);
    assertProblem(await client.delete(`/sources/${text}`), 404);
    assertProblem(await client.post(`/sync/${text}/1`), 404);
  }
  await place(client, `/sources/${id}`);
});

test("paths: what is no valid percent-encoding is 404 with the same shape", async () => {
  const client = await newClient(server);
  for (const path of ["/%", "/sources/%", "/sources/%zz", "/sources/%E0%A4%A", "/sources/%00"]) {
    assertProblem(await client.get(path), 404);
  }
});

test("paths: HEAD as GET without a body", async () => {
  const client = await newClient(server);
  const { target } = await syncedPair(client, [{ id: "1", title: "a" }]);
  const row = targetPath(await targetRow(client, target, "1"));
  const list = `/targets/${target.id}/properties`;
  for (const path of ["/health", "/sources", row, list, "/nope", "/sources/01", "/openapi.json"]) {
    const get = await client.get(path);
    const head = await client.request("HEAD", path);
    head.expect(get.status);
    assert.equal(head.bytes.length, 0);
    for (const name of ["content-type", "etag"]) assert.equal(head.header(name), get.header(name));
  }
  assert.equal((await client.request("HEAD", "/sources", { key: null })).status, 401);
  assert.equal((await client.request("HEAD", `/sync/1/${target.id}`)).status, 405);
});

test("paths: OPTIONS is 204 with Allow", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const cases: [string, string[]][] = [
    ["/sources", ["GET", "POST"]],
    [`/sources/${source.id}`, ["DELETE", "GET", "PATCH"]],
    ["/health", ["GET"]],
    ["/cleanup", ["POST"]],
  ];
  for (const [path, expected] of cases) {
    const answer = (await client.request("OPTIONS", path)).expect(204);
    assert.equal(answer.bytes.length, 0);
    const methods = allowed(answer).filter((name) => name !== "HEAD" && name !== "OPTIONS");
    assert.deepEqual(methods, expected);
  }
  assertProblem(await client.request("OPTIONS", "/nope"), 404);
});

test("paths: no CORS headers", async () => {
  const client = await newClient(server);
  const headers = { Origin: "https://example.com", "Access-Control-Request-Method": "POST" };
  for (const method of ["GET", "OPTIONS"]) {
    const answer = await client.request(method, "/sources", { headers });
    const found = Object.keys(answer.headers).filter((name) => name.startsWith("access-control"));
    assert.deepEqual(found, []);
  }
});

test("query: unknown parameters are 422 on reads, but for pages, documents and health", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a" }]);
  const sourceRowPath = sourcePath(await sourceRow(client, source, "a"));
  const reads = ["/sources", `/targets/${target.id}`, "/keys", "/logs", sourceRowPath];
  for (const path of [...reads, `${sourceRowPath}/snapshots`]) {
    const refused = await client.get(`${path}?colour=red`);
    assertProblem(refused, 422, { parameters: ["colour"] });
    assertProblem(await client.get(`${path}?Limit=1`), 422, { parameters: ["Limit"] });
  }
  const edited = `/sources/${source.id}/properties?has_manual_changes=true`;
  assertProblem(await client.get(edited), 422, { parameters: ["has_manual_changes"] });
  for (const path of ["/", "/health", "/docs", "/openapi.json", "/docs/swagger-ui.css"]) {
    (await client.get(`${path}?colour=red&colour=blue&=&&x`)).expect(200);
  }
});

test("query: values that no row can have are 422", async () => {
  const client = await newClient(server);
  const { source } = await syncedPair(client, [{ id: "a" }]);
  const rows = `/sources/${source.id}/properties`;
  const wrong: Record<string, string[]> = {
    [rows]: ["limit=0", "external_id=", `external_id=${"x".repeat(513)}`, "removed=1"],
    "/logs": ["status=done", "sync_type=imports", "source_id=0", "target_id=x", "status="],
  };
  for (const [path, queries] of Object.entries(wrong)) {
    for (const query of queries) {
      const name = query.split("=")[0] ?? "";
      assertProblem(await client.get(`${path}?${query}`), 422, { parameters: [name] });
    }
  }
  for (const sync_type of ["import", "push", "rollback", "scheduled"]) {
    (await client.get(`/logs?sync_type=${sync_type}`)).expect(200);
  }
});

test("query: what does not fit in the query and in the body is told at once", async () => {
  const client = await newClient(server);
  const wrong = await client.post("/sources?colour=red", { name: "", type: "json" });
  assertProblem(wrong, 422, { parameters: ["colour"], pointers: ["/name"] });
});

test("query: unknown parameters are 422 on writes, and nothing is written", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const target = await createTarget(client);
  await importItems(client, source, [{ id: "1" }]);
  const sync = `/sync/${source.id}/${target.id}`;
  assertProblem(await client.post(`${sync}?dry_rum=true`), 422, { parameters: ["dry_rum"] });
  assert.deepEqual(await targetRows(client, target), []);
  const wrong = await client.post("/sources?colour=red", kSource);
  assertProblem(wrong, 422, { parameters: ["colour"] });
  const patch = await client.patch(`/sources/${source.id}?colour=red`, { name: "b" });
  assertProblem(patch, 422, { parameters: ["colour"] });
  const gone = await client.delete(`/sources/${source.id}?colour=red`);
  assertProblem(gone, 422, { parameters: ["colour"] });
  const tenant = await client.post("/tenants?colour=red", { name: "x" }, { key: null });
  assertProblem(tenant, 422, { parameters: ["colour"] });
  assert.equal((await client.get("/sources")).json<Place[]>().length, 1);
});

test("query: a known one given twice is 422", async () => {
  const client = await newClient(server);
  const twice = await client.get("/sources?limit=1&limit=1");
  assertProblem(twice, 422, { parameters: ["limit"] });
  const cleanup = await client.post("/cleanup?days=1&days=1");
  assertProblem(cleanup, 422, { parameters: ["days"] });
});

test("bodies: JSON, no content type, and form data are read as JSON", async () => {
  const client = await newClient(server);
  const raw = JSON.stringify(kSource);
  const types = [
    "application/json",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "Application/JSON",
    "application/x-www-form-urlencoded; charset=utf-8",
  ];
  for (const type of types) {
    const headers = { "Content-Type": type };
    (await client.post("/sources", undefined, { raw, headers })).expect(201);
  }
  (await client.post("/sources", undefined, { raw })).expect(201);
});

test("bodies: one that is empty, in Latin-1, or lines without their type is told as such", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const json = { "Content-Type": "application/json" };
  const detail = async (path: string, raw: string | Uint8Array): Promise<string> =>
    assertProblem(await client.post(path, undefined, { raw, headers: json }), 400).detail;
  const latin1 = Buffer.from('{"name":"Caf\u00e9 du port","type":"json"}', "latin1");
  const imports = `/sources/${source.id}/import`;
  for (const path of ["/sources", imports]) {
    assert.match(await detail(path, ""), /^The body is empty/);
    assert.match(await detail(path, latin1), /offset 13 .*no UTF-8/);
    assert.match(await detail(path, '{"name":"Caf\u00e9 du port",}'), /offset 24 .* JSON text\.$/);
    assert.match(await detail(path, '{"name":"x"'), /not complete: the body ends there/);
  }
  assert.match(await detail("/sources", " \r\n"), /^The body is empty/);
  for (const lines of ['{"id":1}\n{"id":2}\n', '{"id":1}\r\n{"id":2}']) {
    assert.match(await detail(imports, lines), /application\/x-ndjson/);
  }
  assert.deepEqual((await client.get(`/sources/${source.id}/properties`)).json(), []);
});

test("ids: a 404 says what is missing, and never whose it is", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a" }]);
  const unused = kUnusedId;
  const missing: [string, RegExp][] = [
    [`/sources/${unused}`, /no source/],
    [`/targets/${unused}/properties`, /no target/],
    [`/sources/${unused}/properties/1`, /no source/],
    [`/sources/${source.id}/properties/${unused}`, /source has no property/],
    [`/targets/${target.id}/properties/${unused}/snapshots`, /target has no property/],
    [`/targets/${unused}/properties/${unused}`, /no target/],
  ];
  for (const [path, told] of missing) {
    assert.match(assertProblem(await client.get(path), 404).detail, told);
    assert.match(assertProblem(await client.get(`${path}?colour=red`), 404).detail, told);
  }
  const sync = async (from: number, to: number): Promise<string> =>
    assertProblem(await client.post(`/sync/${from}/${to}`), 404).detail;
  assert.match(await sync(unused, target.id), /no source/);
  assert.match(await sync(source.id, unused), /no target/);
  const key = assertProblem(await client.delete(`/keys/${unused}`), 404);
  assert.match(key.detail, /no key/);
});

test("bodies: any other content type is 415", async () => {
  const client = await newClient(server);
  const raw = JSON.stringify(kSource);
  const types = [
    "text/plain",
    "text/json",
    "application/jsonx",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/problem+json",
    "application/merge-patch+json",
    "application/octet-stream",
  ];
  for (const type of types) {
    const headers = { "Content-Type": type };
    assertProblem(await client.post("/sources", undefined, { raw, headers }), 415);
  }
  assert.equal((await client.get("/sources")).text, "[]\n");
});

test("bodies: PATCH also takes application/merge-patch+json", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}`;
  const raw = '{"name":"renamed"}';
  for (const type of [
    "application/merge-patch+json",
    "application/merge-patch+json; charset=utf-8",
  ]) {
    const headers = { "Content-Type": type };
    (await client.request("PATCH", path, { raw, headers })).expect(200);
  }
  const headers = { "Content-Type": "application/json-patch+json" };
  assertProblem(await client.request("PATCH", path, { raw, headers }), 415);
  assert.equal((await place(client, path)).name, "renamed");
});

test("bodies: a Content-Encoding other than identity is 415", async () => {
  const client = await newClient(server);
  const raw = JSON.stringify(kSource);
  for (const encoding of ["gzip", "br", "deflate", "identity, gzip"]) {
    const headers = { "Content-Type": "application/json", "Content-Encoding": encoding };
    assertProblem(await client.post("/sources", undefined, { raw, headers }), 415);
  }
  const headers = { "Content-Type": "application/json", "Content-Encoding": "identity" };
  (await client.post("/sources", undefined, { raw, headers })).expect(201);
});

test("bodies: one leading byte order mark is skipped", async () => {
  const client = await newClient(server);
  const raw = `\ufeff${JSON.stringify(kSource)}`;
  (await client.post("/sources", undefined, { raw })).expect(201);
  assertProblem(await client.post("/sources", undefined, { raw: `\ufeff${raw}` }), 400);
  const source = await createSource(client);
  const list = '\ufeff{"data":[{"id":"1"}]}';
  (await client.post(`/sources/${source.id}/import`, undefined, { raw: list })).expect(200);
});

const kNoJson: [string, string | Uint8Array, number][] = [
  ["a trailing comma in an object", '{"name":"x",}', 12],
  ["a single quote", "{'a':1}", 1],
  ["a trailing comma in a list", "[1,2,]", 5],
  ["a leading zero", '{"a":01}', 6],
  ["a point without digits", '{"a":1.}', 7],
  ["a plus sign", '{"a":+1}', 5],
  ["a minus alone", '{"a":-}', 6],
  ["an exponent without digits", '{"a":1e}', 7],
  ["an unknown escape", '{"a":"\\x"}', 7],
  ["a bad hex digit", '{"a":"\\u12g4"}', 10],
  ["a raw newline in a string", '{"a":"\n"}', 6],
  ["a misspelt literal", '{"a":tru1}', 8],
  ["text after the value", '{"a":1} x', 8],
  ["NaN", "NaN", 0],
  ["a comment", "/**/{}", 0],
  ["a missing colon", '{"a" 1}', 5],
  ["a vertical tab", "\v{}", 0],
  ["a character of two bytes before", '{"é":}', 6],
  ["a byte that UTF-8 never has", Buffer.from("7b2261223a22ff227d", "hex"), 6],
  ["a UTF-8 sequence that breaks off", Buffer.from("7b2261223a22c328227d", "hex"), 7],
  ["an overlong UTF-8 form", Buffer.from("7b2261223a22c0af227d", "hex"), 6],
  ["a surrogate in UTF-8", Buffer.from("7b2261223a22eda080227d", "hex"), 7],
];

for (const [what, raw, offset] of kNoJson) {
  test(`bodies: not JSON is 400 with the byte offset: ${what}`, async () => {
    const client = await newClient(server);
    const problem = assertProblem(await client.post("/sources", undefined, { raw }), 400);
    const told = problem.detail.match(/\d+/g)?.map(Number) ?? [];
    assert.ok(told.includes(offset), `${offset} in "${problem.detail}"`);
  });
}

test("bodies: not JSON in an import is 400 with the byte offset, far into the body", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = Array.from({ length: 6_000 }, (_, at) => `{"id":"${at}","text":"ü${at}"}`);
  const head = `{"data":[${items.join(",")},{"id":`;
  const raw = `${head}]}]}`;
  const answer = await client.post(`/sources/${source.id}/import`, undefined, { raw });
  const problem = assertProblem(answer, 400);
  const offset = Buffer.byteLength(head);
  const told = problem.detail.match(/\d+/g)?.map(Number) ?? [];
  assert.ok(told.includes(offset), `${offset} in "${problem.detail}"`);
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 0);
});

test("bodies: a text that ends too early, or is empty, is 400", async () => {
  const client = await newClient(server);
  for (const raw of ["", " ", "{", '{"name":', '{"name":"x', '{"name":"x","type":"json"', "nul"]) {
    assertProblem(await client.post("/sources", undefined, { raw }), 400);
  }
});

test("bodies: wrong shape is 422 with a pointer for every field at fault", async () => {
  const client = await newClient(server);
  const cases: [unknown, string[]][] = [
    [{}, ["/name", "/type"]],
    [{ name: "x" }, ["/type"]],
    [{ name: 5, type: "nope", config: [], x: 1 }, ["/name", "/type", "/config", "/x"]],
    [{ name: null, type: null }, ["/name", "/type"]],
    [{ name: "", type: "json" }, ["/name"]],
    [{ name: "x", type: "json", config: null }, ["/config"]],
    [{ name: "x", type: "website" }, ["/type"]],
    [{ ...kSource, id: 1 }, ["/id"]],
    [{ ...kSource, tenant_id: 1 }, ["/tenant_id"]],
    [{ ...kSource, property_count: 1 }, ["/property_count"]],
    [{ ...kSource, created_at: "2026-01-15T10:30:00.000Z" }, ["/created_at"]],
    [{ ...kSource, "a/b~c": 1 }, ["/a~1b~0c"]],
    [{ ...kSource, "": 1 }, ["/"]],
    [[], [""]],
    ["text", [""]],
    [5, [""]],
    [null, [""]],
  ];
  for (const [body, pointers] of cases) {
    const raw = JSON.stringify(body);
    assertProblem(await client.post("/sources", undefined, { raw }), 422, { pointers });
  }
  assert.equal((await client.get("/sources")).text, "[]\n");
});

test("bodies: a route without a body takes nothing or {}", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const target = await createTarget(client);
  const path = `/sync/${source.id}/${target.id}`;
  (await client.post(path)).expect(200);
  (await client.post(path, {})).expect(200);
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  (await client.post(path, undefined, { raw: "", headers: form })).expect(200);
  assertProblem(await client.post(path, { a: 1 }), 422);
  assertProblem(await client.post(path, []), 422, { pointers: [""] });
  assertProblem(await client.post(path, undefined, { raw: "{" }), 400);
});

test("limits: a name has 1 to 255 characters", async () => {
  const client = await newClient(server);
  for (const name of ["a", "x".repeat(255), "ß".repeat(255), "😀".repeat(255)]) {
    const answer = (await client.post("/sources", { name, type: "json" })).expect(201);
    assert.equal(answer.json<Place>().name, name);
  }
  for (const name of ["", "x".repeat(256), "😀".repeat(256)]) {
    const answer = await client.post("/targets", { name, type: "internal" });
    assertProblem(answer, 422, { pointers: ["/name"] });
    const tenant = await client.post("/tenants", { name }, { key: null });
    assertProblem(tenant, 422, { pointers: ["/name"] });
  }
});

test("limits: NUL in a name, lone surrogates, duplicate keys and too much depth are 422", async () => {
  const client = await newClient(server);
  const deep = `${"[".repeat(140)}${"]".repeat(140)}`;
  const texts = [
    '{"name":"a\\u0000b","type":"json"}',
    '{"name":"a\\ud800","type":"json"}',
    '{"name":"a\\udc00\\ud800","type":"json"}',
    '{"name":"a","type":"json","config":{"x":"\\udfff"}}',
    '{"name":"a","type":"json","config":{"\\ud83d":1}}',
    '{"name":"a","name":"b","type":"json"}',
    '{"name":"a","type":"json","config":{"x":1,"\\u0078":2}}',
    `{"name":"a","type":"json","config":{"x":${deep}}}`,
  ];
  for (const raw of texts) {
    assertProblem(await client.post("/sources", undefined, { raw }), 422);
  }
  assert.equal((await client.get("/sources")).text, "[]\n");
  const good = `{"name":"a","type":"json","config":{"x":${"[".repeat(100)}${"]".repeat(100)}}}`;
  (await client.post("/sources", undefined, { raw: good })).expect(201);
});

test("limits: a body of 1 MiB passes, one byte more is 413", async () => {
  const client = await newClient(server);
  const text = JSON.stringify(kSource);
  (await client.post("/sources", undefined, { raw: text.padEnd(kOneMiB) })).expect(201);
  assertProblem(await client.post("/sources", undefined, { raw: text.padEnd(kOneMiB + 1) }), 413);
  const source = await createSource(client);
  const raw = '{"data":[{"id":"1"}]}'.padEnd(kOneMiB + 1);
  (await client.post(`/sources/${source.id}/import`, undefined, { raw })).expect(200);
});

test("authentication: missing, malformed, unknown and revoked keys are 401, one same body", async () => {
  const client = await newClient(server);
  const spare = (await client.post("/keys")).expect(201).json<{ id: number; api_key: string }>();
  (await client.delete(`/keys/${spare.id}`)).expect(200);
  const missing = await client.get("/sources", { key: null });
  assertProblem(missing, 401);
  const unknown = `sm_${"a".repeat(43)}`;
  const own = client.key ?? "";
  const changed = own.slice(0, -1) + (own.endsWith("a") ? "b" : "a");
  const keys = [
    "",
    "x",
    "sm_",
    unknown,
    "u".repeat(40),
    "z".repeat(5_000),
    `${own} x`,
    changed,
    own.toUpperCase(),
    `${own},${own}`,
    spare.api_key,
    "' OR 1=1 --",
    "\u00e9".repeat(20),
  ];
  for (const key of keys) {
    const answer = await client.get("/sources", { key });
    assertProblem(answer, 401);
    assert.equal(answer.text, missing.text, `key ${key.slice(0, 50)}`);
  }
  const bearer = { Authorization: `Bearer ${client.key}` };
  assert.equal((await client.get("/sources", { key: null, headers: bearer })).status, 401);
});

test("authentication: every route but the open ones needs the key", async () => {
  const client = await newClient(server);
  const guarded: [string, string][] = [
    ["GET", "/sources"],
    ["POST", "/sources"],
    ["GET", "/targets"],
    ["POST", "/targets"],
    ["GET", "/sources/1"],
    ["PATCH", "/sources/1"],
    ["DELETE", "/sources/1"],
    ["POST", "/sources/1/import"],
    ["GET", "/sources/1/properties"],
    ["POST", "/sync/1/1"],
    ["GET", "/targets/1/properties/1"],
    ["PATCH", "/targets/1/properties/1"],
    ["GET", "/targets/1/properties/1/snapshots"],
    ["GET", "/sources/1/properties/1/snapshots"],
    ["GET", "/logs"],
    ["POST", "/cleanup"],
    ["GET", "/keys"],
    ["POST", "/keys"],
    ["DELETE", "/keys/1"],
  ];
  const first = (await client.get("/sources", { key: null })).text;
  for (const [method, path] of guarded) {
    const answer = await client.request(method, path, { key: null });
    assertProblem(answer, 401);
    assert.equal(answer.text, first);
  }
  for (const path of ["/", "/health", "/docs", "/openapi.json", "/docs/swagger.json"]) {
    (await client.get(path, { key: null })).expect(200);
    (await client.get(path, { key: "nonsense" })).expect(200);
  }
});

test("authentication: two keys in one request are no key", async () => {
  const client = await newClient(server);
  const headers = { "X-API-Key": [client.key ?? "", client.key ?? ""] };
  assertProblem(await client.get("/sources", { key: null, headers }), 401);
});

test("errors: nothing in an error varies by request, and X-Request-Id does", async () => {
  const client = await newClient(server);
  for (const path of ["/nope", `/sources/${kUnusedId}`, "/sources?limit=0"]) {
    const first = await client.get(path);
    const second = await client.get(path);
    assert.equal(first.text, second.text);
    assert.notEqual(first.header("x-request-id"), second.header("x-request-id"));
  }
});

test("errors: a request target of another form does not upset the server", async () => {
  const client = await newClient(server);
  const host = new URL(server.origin).host;
  const key = `X-API-Key: ${client.key}\r\n`;
  for (const target of [
    "//sources",
    "/sources//",
    "/./sources/../nope",
    "/sources#x",
    "/?",
    "/%2e",
  ]) {
    const head = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${key}Connection: close\r\n\r\n`;
    const answer = await exchange(server.origin, head);
    assert.ok(answer !== null && answer.status < 500, `${target}: ${answer?.status}`);
  }
  (await client.get("/sources")).expect(200);
});

test("order of checks: path 404, then method 405, then key 401", async () => {
  const open = new Client(server.origin);
  const big = { raw: "x", headers: { "Content-Type": "text/plain" } };
  assertProblem(await open.post("/nope", undefined, big), 404);
  assertProblem(await open.request("PUT", "/sources", big), 405);
  assertProblem(await open.post("/sources", undefined, big), 401);
  assertProblem(await open.post("/sources", undefined, { raw: " ".repeat(kOneMiB + 1) }), 401);
});

test("order of checks: key 401, then content type 415 and size 413, then ids 404", async () => {
  const client = await newClient(server);
  const path = `/sources/${kUnusedId}`;
  const text = { raw: "{}", headers: { "Content-Type": "text/plain" } };
  assertProblem(await client.request("PATCH", path, text), 415);
  assertProblem(await client.request("PATCH", path, { raw: " ".repeat(kOneMiB + 1) }), 413);
  assertProblem(await client.request("PATCH", path, { raw: "{" }), 404);
  assertProblem(await client.request("PATCH", `${path}?colour=red`, { raw: '{"x":1}' }), 404);
  assertProblem(await client.post(`${path}/import`, undefined, { raw: "nonsense" }), 404);
});

test("order of checks: query and body 400/422, then If-Match 412", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}`;
  const headers = { "If-Match": '"stale"' };
  assertProblem(await client.request("PATCH", path, { raw: "{", headers }), 400);
  assertProblem(await client.patch(path, { type: "api" }, { headers }), 422);
  assertProblem(await client.patch(`${path}?colour=red`, { name: "b" }, { headers }), 422);
  assertProblem(await client.patch(path, { name: "b" }, { headers }), 412);
  const missing = await client.patch(`/sources/${kUnusedId}`, { name: "b" }, { headers });
  assertProblem(missing, 404);
  assert.equal((await place(client, path)).name, source.name);
});

test("created: 201 with a path-absolute Location and the row as body", async () => {
  const client = await newClient(server);
  for (const [path, type] of [
    ["/sources", "json"],
    ["/targets", "internal"],
  ]) {
    const answer = (await client.post(path ?? "", { name: "x", type })).expect(201);
    const row = answer.json<Place>();
    assert.equal(answer.header("location"), `${path}/${row.id}`);
    assert.deepEqual(await place(client, answer.header("location") ?? ""), row);
  }
});

test("format: answers are UTF-8 JSON", async () => {
  const client = await newClient(server);
  const name = "Größe – 大小 😀";
  const answer = (await client.post("/sources", { name, type: "json" })).expect(201);
  assert.match(answer.header("content-type") ?? "", /^application\/json(;\s*charset=utf-8)?$/i);
  assert.equal(answer.json<Place>().name, name);
});
