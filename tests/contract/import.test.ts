// api.md section 3: import with mode upsert.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { assertProblem, canonical, type Data, sha256 } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  dataById,
  externalIds,
  importAnswer,
  importItems,
  importStats,
  importText,
  kUnusedId,
  newClient,
  place,
  range,
  snapshots,
  sourcePath,
  sourceRow,
  sourceRows,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kPropertyLimit = 512 * 1024;

test("import: new items are created with version 1 and the whole item as data", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = [
    { id: "B", z: 1, a: [null, { y: 2, x: 1 }] },
    { external_id: "A", id: "other" },
  ];
  const told = await importItems(client, source, items);
  assert.deepEqual(told, { status: "success", stats: importStats({ created: 2 }), errors: [] });
  const rows = await sourceRows(client, source);
  assert.deepEqual(dataById(rows), { B: items[0], A: items[1] });
  for (const row of rows) {
    assert.equal(row.hash, sha256(canonical(row.data)));
    assert.equal(row.version, 1);
    assert.equal(row.source_id, source.id);
    assert.equal(row.removed_at, null);
  }
});

test("import: any source may be imported into", async () => {
  const client = await newClient(server);
  for (const type of ["json", "scraped", "manual", "api"]) {
    const made = (await client.post("/sources", { name: "x", type })).expect(201);
    const path = `${made.header("location")}/import`;
    const told = importAnswer(await client.post(path, { data: [{ id: 1 }] }));
    assert.equal(told.stats.created, 1);
  }
});

test("import: an empty list is a success", async () => {
  const client = await newClient(server);
  const told = await importItems(client, await createSource(client), []);
  assert.deepEqual(told, { status: "success", stats: importStats({}), errors: [] });
});

test("import: mode=upsert is the default and may be named", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: 1 }, { id: 2 }]);
  const path = `/sources/${source.id}/import`;
  const told = importAnswer(await client.post(`${path}?mode=upsert`, { data: [{ id: 1 }] }));
  assert.deepEqual(told.stats, importStats({ skipped: 1 }));
  assert.equal((await sourceRows(client, source)).length, 2);
  const wrong = await client.post(`${path}?mode=replace`, { data: [] });
  assertProblem(wrong, 422, { parameters: ["mode"] });
});

test("import: a changed hash takes a snapshot, then the row is updated, version + 1", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: 1, price: 5 }, { id: 2 }]);
  const before = await sourceRow(client, source, "1");
  const told = await importItems(client, source, [{ id: 1, price: 6 }]);
  assert.deepEqual(told.stats, importStats({ updated: 1 }));
  const row = await sourceRow(client, source, "1");
  assert.deepEqual([row.id, row.version, row.data], [before.id, 2, { id: 1, price: 6 }]);
  assert.equal(row.created_at, before.created_at);
  const [snapshot, ...more] = await snapshots(client, sourcePath(row));
  assert.deepEqual(more, []);
  assert.deepEqual(
    [snapshot?.data, snapshot?.hash, snapshot?.version],
    [before.data, before.hash, 1],
  );
  assert.deepEqual(await snapshots(client, sourcePath(await sourceRow(client, source, "2"))), []);
});

test("import: the same hash is skipped, nothing written", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importText(client, source, '[{"id":"1","a":1,"b":{"c":1.0,"d":"\\u0041"}}]');
  const before = await sourceRow(client, source, "1");
  const etag = (await client.get(sourcePath(before))).etag;
  const told = await importText(client, source, '[ {"b" : {"d":"A","c":1e0}, "a":1,"id":"1"} ]');
  assert.deepEqual(told.stats, importStats({ skipped: 1 }));
  assert.deepEqual(await sourceRow(client, source, "1"), before);
  assert.equal((await client.get(sourcePath(before))).etag, etag);
  assert.deepEqual(await snapshots(client, sourcePath(before)), []);
});

test("import: created, updated, skipped and failed add up to the items", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: 1 }, { id: 2 }]);
  const told = await importItems(client, source, [{ id: 2, x: 1 }, 5, { id: 1 }, {}, { id: 3 }]);
  assert.deepEqual(told.stats, importStats({ created: 1, updated: 1, skipped: 1, failed: 2 }));
  assert.equal(told.status, "partial");
  assert.deepEqual(
    told.errors.map((error) => error.index),
    [1, 3],
  );
});

test("import: the identity is external_id, else id; a missing or null one is passed over", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = [{ id: "x", external_id: "E1" }, { id: "I2", external_id: null }, { id: "I3" }];
  await importItems(client, source, items);
  const rows = await sourceRows(client, source);
  assert.deepEqual(externalIds(rows), ["E1", "I2", "I3"]);
});

test("import: the identity is at config.id_field where that is set, else external_id, else id", async () => {
  const client = await newClient(server);
  const source = await createSource(client, { id_field: "/meta/a~1b~0c/1" });
  const items = [
    { meta: { "a/b~c": ["no", "M1"] }, external_id: "E", id: "I" },
    { meta: { "a/b~c": ["no"] }, external_id: "E2", id: "I" },
    { meta: { "a/b~c": [0, null] }, id: "I3" },
    { meta: "text", id: "I4" },
    { id: 5 },
  ];
  const told = await importItems(client, source, items);
  assert.deepEqual(told.stats, importStats({ created: 5 }));
  const ids = externalIds(await sourceRows(client, source));
  assert.deepEqual(ids, ["5", "E2", "I3", "I4", "M1"]);
});

test("import: a number counts as its canonical text", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const cases: [string, string][] = [
    ["7", "7"],
    ["8.0", "8"],
    ["9e2", "900"],
    ["-0", "0"],
    ["1.50", "1.5"],
    ["-3", "-3"],
    ["1e21", "1e+21"],
    ["12345678901234567890", "12345678901234567890"],
    ["0.0000001", "1e-7"],
  ];
  await importText(client, source, `[${cases.map(([text]) => `{"id":${text}}`).join(",")}]`);
  const answer = await client.get(`/sources/${source.id}/properties`);
  const ids = externalIds(answer.expect(200).json<{ external_id: string }[]>());
  assert.deepEqual(ids, cases.map(([, id]) => id).sort());
});

test('import: 1, "1" and 1.0 are the same', async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importText(client, source, '[{"id":1,"v":"a"}]');
  assert.equal((await importText(client, source, '[{"id":"1","v":"b"}]')).stats.updated, 1);
  assert.equal((await importText(client, source, '[{"id":1.0,"v":"c"}]')).stats.updated, 1);
  const rows = await sourceRows(client, source);
  assert.deepEqual(
    rows.map((row) => [row.external_id, row.version]),
    [["1", 3]],
  );
});

test("import: an identity has 1 to 512 bytes", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const good = ["a", "x".repeat(512), "ß".repeat(256), "😀".repeat(128), " ", "../..", "a\tb", "%"];
  const bad = ["", "x".repeat(513), `${"ß".repeat(256)}x`, "a\0b", "\0"];
  const told = await importItems(
    client,
    source,
    [...good, ...bad].map((id) => ({ id })),
  );
  assert.deepEqual(told.stats, importStats({ created: good.length, failed: bad.length }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    bad.map((_, at) => good.length + at),
  );
  assert.deepEqual(externalIds(await sourceRows(client, source)), [...good].sort());
});

test("import: anything else as identity, or an item that is no object, fails with its index", async () => {
  const client = await newClient(server);
  const source = await createSource(client, { id_field: "/key" });
  const bad = [
    { id: true },
    { id: false },
    { id: [] },
    { id: ["1"] },
    { id: {} },
    { external_id: true, id: 1 },
    { external_id: "", id: 1 },
    { key: {}, external_id: "a", id: 1 },
    {},
    { id: null },
    { x: 1 },
    "text",
    5,
    null,
    true,
    [],
    [{ id: 1 }],
  ];
  const items = bad.flatMap((item, at): unknown[] => [item, { id: `good-${at}` }]);
  const told = await importItems(client, source, items);
  assert.deepEqual(told.stats, importStats({ created: bad.length, failed: bad.length }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    bad.map((_, at) => at * 2),
  );
  const ids = externalIds(await sourceRows(client, source));
  assert.deepEqual(ids, bad.map((_, at) => `good-${at}`).sort());
});

test("import: status is failed when all items did", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const told = await importItems(client, source, [{}, 5]);
  assert.equal(told.status, "failed");
  assert.deepEqual(told.stats, importStats({ failed: 2 }));
  assert.deepEqual(await sourceRows(client, source), []);
});

test("import: errors lists the first 1,000 by index, stats counts all", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = range(2_400).map((at) => (at % 2 === 0 ? { id: at } : { no: at }));
  const told = await importItems(client, source, items);
  assert.deepEqual(told.stats, importStats({ created: 1_200, failed: 1_200 }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    range(1_000).map((at) => at * 2 + 1),
  );
});

test("import: the last of two equal identities counts, once; the earlier are duplicates", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = [{ id: "a", n: 1 }, { id: "b" }, { external_id: "a", n: 2 }, { id: "a", n: 3 }];
  const told = await importItems(client, source, items);
  assert.equal(told.status, "partial");
  assert.deepEqual(told.stats, importStats({ created: 2, failed: 2 }));
  assert.deepEqual(
    told.errors.map((error) => [error.index, error.external_id]),
    [
      [0, "a"],
      [2, "a"],
    ],
  );
  for (const error of told.errors) assert.match(error.detail, /duplicate/i);
  assert.deepEqual((await sourceRow(client, source, "a")).data, { id: "a", n: 3 });
  assert.equal((await sourceRow(client, source, "a")).version, 1);
});

test("import: duplicates are found by canonical identity, and an equal last one is skipped", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importText(client, source, '[{"id":"1"}]');
  const told = await importText(client, source, '[{"id":1.0,"x":1},{"id":1,"x":2},{"id":"1"}]');
  assert.deepEqual(told.stats, importStats({ skipped: 1, failed: 2 }));
  assert.equal((await sourceRow(client, source, "1")).version, 1);
});

test("import: a body without a list under data is 422 and changes nothing", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}/import`;
  const cases: [string, string[]][] = [
    ["{}", ["/data"]],
    ['{"data":{"id":"1"}}', ["/data"]],
    ['{"data":null}', ["/data"]],
    ['{"data":"[]"}', ["/data"]],
    ['[{"id":"1"}]', [""]],
    ['"text"', [""]],
    ['{"data":[{"id":"1"}],"x":1}', ["/x"]],
    ['{"x":1,"data":[{"id":"1"}]}', ["/x"]],
    ['{"Data":[{"id":"1"}]}', ["/Data", "/data"]],
  ];
  for (const [raw, pointers] of cases) {
    assertProblem(await client.post(path, undefined, { raw }), 422, { pointers });
  }
  const twice = '{"data":[{"id":"1"}],"data":[{"id":"2"}]}';
  assertProblem(await client.post(path, undefined, { raw: twice }), 422);
  assert.deepEqual(await sourceRows(client, source), []);
});

test("import: a body that is no JSON after good items changes nothing", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}/import`;
  const many = range(3_000)
    .map((at) => `{"id":"${at}"}`)
    .join(",");
  for (const tail of ["] x}", ",", ",}", "", "]}}", "]} {}", ',{"id":"x\n"}]}']) {
    const raw = `{"data":[${many}${tail}`;
    assertProblem(await client.post(path, undefined, { raw }), 400);
  }
  const raw = Buffer.concat([
    Buffer.from(`{"data":[${many},{"id":"`),
    Buffer.from([0xff]),
    Buffer.from('"}]}'),
  ]);
  assertProblem(await client.post(path, undefined, { raw }), 400);
  assert.equal((await client.get(`/sources/${source.id}/properties`)).text, "[]\n");
});

test("import: lone surrogates, duplicate keys and too much depth fail the item alone", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const nest = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  const bad = [
    '{"id":"s1","x":"\\ud800"}',
    '{"id":"s2","x":["\\udc00\\ud800"]}',
    '{"id":"s3","\\udfff":1}',
    '{"id":"\\ud83d"}',
    '{"id":"d1","x":1,"x":1}',
    '{"id":"d2","x":{"a":1,"\\u0061":2}}',
    '{"id":"d3","id":"d4"}',
    `{"id":"n1","x":${nest(140)}}`,
    `{"id":"n2","x":${nest(5_000)}}`,
  ];
  const good = [`{"id":"g1","x":${nest(120)}}`, '{"id":"g2","x":"\\ud83d\\ude00"}'];
  const told = await importText(client, source, `[${[...bad, ...good].join(",")}]`);
  assert.deepEqual(told.stats, importStats({ created: 2, failed: bad.length }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    range(bad.length),
  );
  assert.deepEqual((await sourceRow(client, source, "g2")).data, { id: "g2", x: "😀" });
});

test("import: depth is 128, counted from the property", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const item = (id: string, levels: number): string =>
    `{"id":"${id}","x":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
  const told = await importText(client, source, `[${item("a", 128)},${item("b", 130)}]`);
  assert.deepEqual(
    told.errors.map((error) => error.index),
    [1],
  );
});

test("import: a property of 512 KiB in canonical form passes, a byte more fails alone", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const sized = (id: string, bytes: number): Data => {
    const empty = canonical({ id, text: "" }).length;
    return { id, text: "x".repeat(bytes - empty) };
  };
  const list = [sized("a", kPropertyLimit), sized("b", kPropertyLimit + 1), { id: "c" }];
  const told = await importItems(client, source, list);
  assert.deepEqual(told.stats, importStats({ created: 2, failed: 1 }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    [1],
  );
  const padded = `[${JSON.stringify({ id: "d" }).replace("{", `{${" ".repeat(kPropertyLimit)}`)}]`;
  assert.equal(
    (await importText(client, source, padded)).stats.created,
    1,
    "canonical form counts",
  );
});

test("import: unknown query parameters are 422 and change nothing", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const path = `/sources/${source.id}/import?dry=1`;
  assertProblem(await client.post(path, { data: [{ id: 1 }] }), 422, { parameters: ["dry"] });
  assert.deepEqual(await sourceRows(client, source), []);
});

test("import: into a source that does not exist is 404", async () => {
  const client = await newClient(server);
  assertProblem(await client.post(`/sources/${kUnusedId}/import`, { data: [{ id: 1 }] }), 404);
});

test("import: identities of two sources do not mix", async () => {
  const client = await newClient(server);
  const first = await createSource(client);
  const second = await createSource(client);
  await importItems(client, first, [{ id: 1, from: "first" }]);
  const told = await importItems(client, second, [{ id: 1, from: "second" }]);
  assert.equal(told.stats.created, 1);
  assert.equal((await sourceRow(client, first, "1")).data["from"], "first");
});

test("import: parallel imports of the same items create each once", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = range(200).map((id) => ({ id }));
  const told = await Promise.all(range(5).map(() => importItems(client, source, items)));
  const created = told.reduce((sum, answer) => sum + answer.stats.created, 0);
  const skipped = told.reduce((sum, answer) => sum + answer.stats.skipped, 0);
  assert.deepEqual([created, skipped], [200, 800]);
  assert.equal((await sourceRows(client, source)).length, 200);
});

test("import: parallel imports of different versions leave one snapshot a change", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: 1, n: 0 }]);
  const told = await Promise.all(
    range(6).map((n) => importItems(client, source, [{ id: 1, n: n + 1 }])),
  );
  assert.equal(
    told.reduce((sum, answer) => sum + answer.stats.updated, 0),
    6,
  );
  const row = await sourceRow(client, source, "1");
  assert.equal(row.version, 7);
  const kept = await snapshots(client, sourcePath(row));
  assert.deepEqual(
    kept.map((snapshot) => snapshot.version),
    [1, 2, 3, 4, 5, 6],
  );
});

test("import: 10,000 properties of 1 KB: new, unchanged, then 1 % changed", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const make = (at: number, price: number): Data => ({
    id: `PROP${at}`,
    price,
    title: `Größe ${at} "x" \u007f`,
    text: "lorem \\ ipsum ".repeat(70),
  });
  const items = range(10_000).map((at) => make(at, at));
  const first = await importItems(client, source, items);
  assert.deepEqual(first.stats, importStats({ created: 10_000 }));
  const again = await importItems(client, source, items);
  assert.deepEqual(again.stats, importStats({ skipped: 10_000 }));
  const changed = items.map((item, at) => (at % 100 === 7 ? make(at, -at) : item));
  const third = await importItems(client, source, changed);
  assert.deepEqual(third.stats, importStats({ updated: 100, skipped: 9_900 }));
  const rows = await sourceRows(client, source);
  const wanted = Object.fromEntries(changed.map((item) => [item["id"], item]));
  assert.deepEqual(dataById(rows), wanted);
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 10_000);
});

test("import: 30,000 small items, with duplicates far apart", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = range(30_000).map((at) => ({ id: at, v: 1 }));
  const repeated = [0, 1, 29_000].map((id) => ({ id, v: 2 }));
  const told = await importItems(client, source, [...items, ...repeated]);
  assert.deepEqual(told.stats, importStats({ created: 30_000, failed: 3 }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    [0, 1, 29_000],
  );
  const again = await importItems(client, source, [...items.slice(1), { id: "new" }]);
  assert.deepEqual(again.stats, importStats({ created: 1, updated: 2, skipped: 29_997 }));
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, 30_001);
});

test("import: a hundred thousand small properties, and the same again changed", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const text = (version: number): string =>
    `[${range(100_000)
      .map((at) => `{"id":${at},"v":${version}}`)
      .join(",")}]`;
  const first = await importText(client, source, text(1));
  assert.deepEqual(first.stats, importStats({ created: 100_000 }));
  const second = await importText(client, source, text(2));
  assert.deepEqual(second.stats, importStats({ updated: 100_000 }));
  assert.deepEqual((await place(client, `/sources/${source.id}`)).property_count, 100_000);
});

test("import: an identity that comes again after its data was sent ahead counts once", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const filler = "x".repeat(1000);
  const items = range(12_000).map((at) => `{"id":${at},"text":"${filler}"}`);
  const told = await importText(client, source, `[${items.join(",")},{"id":0,"text":"last"}]`);
  assert.deepEqual(told.stats, importStats({ created: 12_000, failed: 1 }));
  assert.equal(told.errors[0]?.index, 0);
  const row = await sourceRow(client, source, "0");
  assert.deepEqual(row.data, { id: 0, text: "last" });
  assert.equal(row.hash, sha256(canonical(row.data)));
});
