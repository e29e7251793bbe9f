// api.md sections 1 (bodies, limits) and 3: imports as application/x-ndjson, a property a line.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { exchange } from "./client.ts";
import {
  importFull,
  importHead,
  importLines,
  importPieces,
  kNdjson,
  postLines,
} from "./imports.ts";
import { assertProblem, canonical, type Data, type SourceProperty, sha256 } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  dataById,
  externalIds,
  importAnswer,
  importStats,
  importText,
  kUnusedId,
  logs,
  newClient,
  place,
  range,
  sourceRow,
  sourceRows,
  syncedPair,
  targetPath,
  targetRow,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kPropertyLimit = 512 * 1024;

function lines(items: readonly unknown[], end = "\n"): string {
  return items.map((item) => JSON.stringify(item) + end).join("");
}

test("ndjson: each line is a property, stored as JSON imports store it", async () => {
  const client = await newClient(server);
  const source = await createSource(client, { id_field: "/key" });
  const text =
    '{"key":"a","z":1.0,"y":"\\u00e4"}\n' +
    ' { "external_id" : 2.0 , "n" : 123456789012345678901 } \n' +
    '{"id":"c","text":"ß😀","list":[{},[],null,true]}\n';
  const told = await importLines(client, source, text);
  assert.deepEqual(told, { status: "success", stats: importStats({ created: 3 }), errors: [] });
  const twin = await createSource(client, { id_field: "/key" });
  await importText(client, twin, `[${text.trim().split("\n").join(",")}]`);
  const hashes = async (from: typeof source): Promise<string[][]> => {
    const list = (await client.get(`/sources/${from.id}/properties`)).expect(200);
    const rows = list.json<{ external_id: string; hash: string }[]>();
    return rows.map((row) => [row.external_id, row.hash]).sort();
  };
  assert.deepEqual(await hashes(source), await hashes(twin));
  const list = `/sources/${source.id}/properties?external_id=c`;
  const [row] = (await client.get(list)).expect(200).json<SourceProperty[]>();
  assert.equal(row?.hash, sha256(canonical({ id: "c", text: "ß😀", list: [{}, [], null, true] })));
});

test("ndjson: new, changed, unchanged and duplicate lines are counted as in JSON", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importLines(client, source, lines([{ id: 1 }, { id: 2 }, { id: 3 }]));
  const next = [{ id: 1, v: 1 }, { id: 2 }, { id: 4, v: 1 }, { id: "4", v: 2 }];
  const told = await importLines(client, source, lines(next));
  assert.deepEqual(told.stats, importStats({ created: 1, updated: 1, skipped: 1, failed: 1 }));
  assert.deepEqual(
    told.errors.map((error) => [error.index, error.external_id]),
    [[2, "4"]],
  );
  assert.match(told.errors[0]?.detail ?? "", /duplicate/i);
  assert.deepEqual((await sourceRow(client, source, "4")).data, { id: "4", v: 2 });
  const last = (await logs(client)).at(-1);
  assert.deepEqual(
    [last?.sync_type, last?.status, last?.total_properties, last?.updated_properties],
    ["import", "partial", 4, 2],
  );
});

test("ndjson: a line that is no JSON fails alone", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const bad = [
    "{",
    "}",
    "nonsense",
    '{"id":"x1"',
    '{"id":"x2"}}',
    '{"id":"x3"} {"id":"x4"}',
    '{"id":"x5"},',
    "{'id':'x6'}",
    '{"id":"x7",}',
    '{"id":"x8\tx"}',
    '{"id":01}',
    '"',
    "\u0000",
    '// {"id":"x9"}',
  ];
  const text = bad.map((line, at) => `{"id":"g${at}"}\n${line}\n`).join("");
  const told = await importLines(client, source, text);
  assert.equal(told.status, "partial");
  assert.deepEqual(told.stats, importStats({ created: bad.length, failed: bad.length }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    bad.map((_, at) => at * 2 + 1),
  );
  const ids = externalIds(await sourceRows(client, source));
  assert.deepEqual(ids, bad.map((_, at) => `g${at}`).sort());
});

test("ndjson: a line that is no object, or has no identity, fails alone", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const bad = [5, "text", null, true, [], [{ id: 1 }], {}, { id: null }, { id: true }, { id: "" }];
  const told = await importLines(client, source, lines([...bad, { id: "good" }]));
  assert.deepEqual(told.stats, importStats({ created: 1, failed: bad.length }));
  assert.deepEqual(
    told.errors.map((error) => [error.index, error.external_id]),
    bad.map((_, at) => [at, null]),
  );
  const whole = await importLines(client, source, '{"data":[{"id":"a"}]}');
  assert.deepEqual([whole.status, whole.stats.failed], ["failed", 1], "no envelope here");
});

test("ndjson: index counts lines that are not blank, from 0", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const told = await importLines(client, source, '\n\n{"id":1}\n \t \n?\n\r\n{"id":2}\n\n\n?\n\n');
  assert.deepEqual(told.stats, importStats({ created: 2, failed: 2 }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    [1, 3],
  );
});

test("ndjson: an empty body, or blank lines alone, are an empty list", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  for (const text of ["", "\n", "\r\n\r\n", " \n\t\n", "\ufeff", "\ufeff\n"]) {
    const told = await importLines(client, source, text);
    assert.deepEqual(told, { status: "success", stats: importStats({}), errors: [] });
  }
});

test("ndjson: CRLF, LF, and no line end after the last line", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const told = await importLines(client, source, '{"id":1}\r\n{"id":2}\n\r\n{"id":3}\r\n{"id":4}');
  assert.deepEqual(told.stats, importStats({ created: 4 }));
  const last = await importLines(client, source, '{"id":5}\r\n{"id":6}\r');
  assert.deepEqual(last.stats, importStats({ created: 2 }));
  assert.equal((await importLines(client, source, "{")).status, "failed");
});

test("ndjson: one leading byte order mark is skipped, no other", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  assert.equal((await importLines(client, source, '\ufeff{"id":1}\n')).stats.created, 1);
  for (const text of ['\ufeff\ufeff{"id":2}\n{"id":3}', '{"id":4}\n\ufeff{"id":2}\n']) {
    const told = await importLines(client, source, text);
    assert.deepEqual(told.stats, importStats({ created: 1, failed: 1 }));
  }
  assert.deepEqual(externalIds(await sourceRows(client, source)), ["1", "3", "4"]);
});

test("ndjson: a line that is no UTF-8 fails alone", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const bad = [
    [0xff],
    [0xc3],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    [0xc0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
  ];
  const parts = bad.flatMap((bytes, at) => [
    Buffer.from(`{"id":"bad${at}","x":"`),
    Buffer.from(bytes),
    Buffer.from(`"}\n{"id":"good${at}"}\n`),
  ]);
  const told = await importLines(client, source, Buffer.concat(parts));
  assert.deepEqual(told.stats, importStats({ created: bad.length, failed: bad.length }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    bad.map((_, at) => at * 2),
  );
});

test("ndjson: lone surrogates, duplicate keys, depth and numbers fail their line alone", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const bad = [
    '{"id":"s","x":"\\ud800"}',
    '{"id":"d","x":1,"x":2}',
    `{"id":"n","x":${"[".repeat(140)}${"]".repeat(140)}}`,
    `{"id":"m","x":${"[".repeat(9_000)}${"]".repeat(9_000)}}`,
    '{"id":"f","x":1e999}',
    '{"id":"a\\u0000b"}',
  ];
  const told = await importLines(client, source, `${bad.join("\n")}\n{"id":"good"}\n`);
  assert.deepEqual(told.stats, importStats({ created: 1, failed: bad.length }));
});

test("ndjson: a line of 512 KiB in canonical form passes; longer ones fail alone", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const sized = (id: string, bytes: number): Data => ({
    id,
    text: "x".repeat(bytes - canonical({ id, text: "" }).length),
  });
  const items = [
    sized("a", kPropertyLimit),
    sized("b", kPropertyLimit + 1),
    { id: "c" },
    sized("d", 3 * kPropertyLimit),
    { id: "e" },
    sized("f", 20 * kPropertyLimit),
    { id: "g" },
  ];
  const told = await importLines(client, source, lines(items));
  assert.deepEqual(told.stats, importStats({ created: 4, failed: 3 }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    [1, 3, 5],
  );
  const padded = `${" ".repeat(kPropertyLimit)}{"id":${" ".repeat(kPropertyLimit)}"h"}\n`;
  assert.equal((await importLines(client, source, padded)).stats.created, 1, "canonical counts");
});

test("ndjson: lines cut anywhere by the network come whole", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = range(40).map((id) => ({ id: `é${id}`, text: `ß😀"\\\n${"x".repeat(id)}` }));
  const bytes = Buffer.from(`\ufeff${lines(items, "\r\n")}{"id":"last","x":1}`);
  const cut = function* (size: number): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  const first = await importPieces(client, source, cut(1));
  assert.deepEqual(first.stats, importStats({ created: 41 }));
  const wanted = Object.fromEntries(items.map((item) => [item.id, item]));
  const last = { last: { id: "last", x: 1 } };
  assert.deepEqual(dataById(await sourceRows(client, source)), { ...wanted, ...last });
  for (const size of [2, 7, 61]) {
    const again = await importPieces(client, source, cut(size));
    assert.deepEqual(again.stats, importStats({ skipped: 41 }));
  }
});

test("json: items cut anywhere by the network come whole", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = range(30).map((id) => ({
    id: `é${id}`,
    text: `ß😀"\\ ${"[{".repeat(id)}`,
    n: -1.5,
  }));
  const bytes = Buffer.from(JSON.stringify({ data: items }));
  for (const size of [1, 3]) {
    const pieces = range(Math.ceil(bytes.length / size)).map((at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    const told = await importPieces(client, source, pieces, "application/json");
    assert.equal(told.stats.created + told.stats.skipped, 30);
  }
  const wanted = Object.fromEntries(items.map((item) => [item.id, item]));
  assert.deepEqual(dataById(await sourceRows(client, source)), wanted);
});

test("ndjson: parameters and case of the content type do not matter", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const types = [kNdjson, `${kNdjson}; charset=utf-8`, `${kNdjson};charset="UTF-8"`];
  types.push("Application/X-NDJSON", `${kNdjson} ; profile=x`);
  for (const [at, type] of types.entries()) {
    const told = importAnswer(await postLines(client, source, `{"id":${at}}\n`, "", type));
    assert.deepEqual(told.stats, importStats({ created: 1 }), type);
  }
});

test("ndjson: the content type decides how a body is read, not its looks", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}/import`;
  assertProblem(await client.post(path, undefined, { raw: '{"id":1}\n{"id":2}\n' }), 400);
  for (const type of [
    "application/ndjson",
    "application/jsonl",
    "text/plain",
    "application/x-nd",
  ]) {
    assertProblem(await postLines(client, source, '{"id":1}\n', "", type), 415);
  }
  assert.deepEqual(await sourceRows(client, source), []);
});

test("ndjson: 415 everywhere else", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: 1 }]);
  const row = await targetRow(client, target, "1");
  const headers = { "Content-Type": kNdjson };
  const raw = "{}\n";
  for (const [method, path] of [
    ["POST", "/sources"],
    ["POST", "/targets"],
    ["POST", `/sync/${source.id}/${target.id}`],
    ["POST", "/cleanup?days=0"],
    ["PATCH", `/sources/${source.id}`],
    ["PATCH", targetPath(row)],
    ["DELETE", `/targets/${target.id}`],
  ] as const) {
    assertProblem(await client.request(method, path, { raw, headers }), 415);
  }
  const coded = { ...headers, "Content-Encoding": "gzip" };
  const path = `/sources/${source.id}/import`;
  assertProblem(await client.post(path, undefined, { raw, headers: coded }), 415);
  assert.deepEqual(await targetRow(client, target, "1"), row);
});

test("ndjson: an unknown source is 404, and parameters are checked as in JSON", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const nowhere = { ...source, id: kUnusedId };
  assertProblem(await postLines(client, nowhere, '{"id":1}\n'), 404);
  const wrong = await postLines(client, source, '{"id":1}\n', "?mode=all&force=2");
  assertProblem(wrong, 422);
  assertProblem(await postLines(client, source, '{"id":1}\n', "?x=1"), 422, { parameters: ["x"] });
  assert.deepEqual(await sourceRows(client, source), []);
});

test("ndjson: mode=full removes what no line has, unless a line has no identity", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importLines(client, source, lines(range(12).map((id) => ({ id }))));
  const some = lines(range(7).map((id) => ({ id })));
  for (const bad of ["{", "5", '{"id":""}', "\ufeff{}"]) {
    const told = await importLines(client, source, `${some}${bad}\n`, "?mode=full");
    assert.deepEqual(told.stats, importStats({ skipped: 7, failed: 1 }));
    assert.match(told.errors[0]?.detail ?? "", /nothing was removed/i);
  }
  assertProblem(await postLines(client, source, '{"id":1}\n', "?mode=full"), 409);
  const told = await importLines(client, source, `${some}\n\n`, "?mode=full");
  assert.deepEqual(told.stats, importStats({ skipped: 7, removed: 5 }));
  const forced = await importLines(client, source, "", "?mode=full&force=true");
  assert.deepEqual(forced.stats, importStats({ removed: 7 }));
  assert.deepEqual((await importFull(client, source, [{ id: 1 }])).stats.updated, 1);
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 1);
});

test("ndjson: errors lists the first 1,000 by index, stats counts all", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const text = range(2_400).map((at) => (at % 2 === 0 ? `{"id":${at}}\n` : `?${at}\n`));
  const told = await importLines(client, source, text.join(""));
  assert.deepEqual(told.stats, importStats({ created: 1_200, failed: 1_200 }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    range(1_000).map((at) => at * 2 + 1),
  );
});

test("ndjson: a body of more than 100,000,000 bytes is 413, without reading the rest", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const head = importHead(client, source, kNdjson, "Content-Length: 100000001");
  // The rest never comes, so whoever waits for it cannot answer.
  const answer = await exchange(server.origin, head, '{"id":1}\n');
  assert.ok(answer !== null);
  assertProblem(answer, 413);
  assert.deepEqual(await sourceRows(client, source), []);
});
