// api.md section 3: canonical form and hash, against an independent implementation.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import type { Client } from "./client.ts";
import { canonical, type Place, type SourceProperty, sha256 } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  assertSync,
  createSource,
  createTarget,
  importItems,
  importStats,
  importText,
  newClient,
  range,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kGenerated = 400;
const kSeed = 20_260_115;

/** The rows without a look at `data`, which may hold what `JSON.parse` rounds. */
async function rawRows(client: Client, source: Place): Promise<[SourceProperty, string][]> {
  const list = await client.get(`/sources/${source.id}/properties`);
  const rows = list.expect(200).json<SourceProperty[]>();
  const texts: [SourceProperty, string][] = [];
  for (const row of rows) {
    const one = await client.get(`/sources/${source.id}/properties/${row.id}`);
    texts.push([row, one.expect(200).text]);
  }
  return texts;
}

/** Imports `{"id":…,"v":<text>}` for each case and compares hash and text with what is expected. */
async function assertCanonical(cases: readonly (readonly [string, string])[]): Promise<void> {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = cases.map(([text], at) => `{"v":${text},"id":"${at}"}`);
  const told = await importText(client, source, `[${items.join(",")}]`);
  assert.deepEqual(told.stats, importStats({ created: cases.length }));
  for (const [row, text] of await rawRows(client, source)) {
    const at = Number(row.external_id);
    const expected = `{"id":"${at}","v":${cases[at]?.[1]}}`;
    assert.equal(row.hash, sha256(expected), `${cases[at]?.[0]} as ${expected}`);
    assert.ok(text.includes(expected), `${expected} in ${text}`);
  }
}

test("canonical form: numbers as RFC 8785 writes them", async () => {
  await assertCanonical([
    ["333333333.33333329", "333333333.3333333"],
    ["1E30", "1e+30"],
    ["4.50", "4.5"],
    ["2e-3", "0.002"],
    ["0.000000000000000000000000001", "1e-27"],
    ["-0", "0"],
    ["-0.0", "0"],
    ["0e400", "0"],
    ["1.0", "1"],
    ["1e0", "1"],
    ["100e-2", "1"],
    ["1e20", "100000000000000000000"],
    ["1e21", "1e+21"],
    ["123456789012345680000.0", "123456789012345680000"],
    ["0.000001", "0.000001"],
    ["0.0000001", "1e-7"],
    ["5e-324", "5e-324"],
    ["2.4703282292062327e-324", "0"],
    ["1e-400", "0"],
    ["1.7976931348623157e308", "1.7976931348623157e+308"],
    ["9007199254740993.0", "9007199254740992"],
    ["0.1", "0.1"],
    ["0.30000000000000004", "0.30000000000000004"],
    ["1.00000000000000011102230246251565404236316680908203125", "1"],
    ["1.00000000000000011102230246251565404236316680908203126", "1.0000000000000002"],
    ["295147905179352830000.0", "295147905179352830000"],
    ["999999999999999900000.0", "999999999999999900000"],
    ["9.999999999999997e22", "9.999999999999997e+22"],
  ]);
});

test("canonical form: integers beyond 2^53 are kept digit for digit", async () => {
  const texts = [
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "12345678901234567890",
    "18446744073709551616",
    "123456789012345678901234567890",
    `1${"0".repeat(307)}`,
    `-${"9".repeat(300)}`,
  ];
  await assertCanonical(texts.map((text) => [text, text] as const));
});

test("canonical form: a number that is no finite double fails its item", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const bad = ["1e400", "-1e309", "1.8e308", "1.0e999999999999", `${"9".repeat(400)}.5`];
  const items = bad.map((text, at) => `{"id":"${at}","v":[${text}]}`);
  const told = await importText(client, source, `[${items.join(",")},{"id":"good"}]`);
  assert.deepEqual(told.stats, importStats({ created: 1, failed: bad.length }));
  assert.deepEqual(
    told.errors.map((error) => error.index),
    range(bad.length),
  );
});

test("canonical form: strings with the shortest escapes", async () => {
  await assertCanonical([
    [
      '"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"',
      '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"',
    ],
    ['"\\b\\t\\n\\f\\r"', '"\\b\\t\\n\\f\\r"'],
    ['"\\u0008\\u0009\\u000A\\u000C\\u000D"', '"\\b\\t\\n\\f\\r"'],
    ['"\\u0000\\u001F\\u000B"', '"\\u0000\\u001f\\u000b"'],
    ['"\\u007f\u007f"', '"\u007f\u007f"'],
    ['"\\u2028\\u2029\\ufeff\\uffff"', '"\u2028\u2029\ufeff\uffff"'],
    ['"\\uD83D\\uDE00😀"', '"😀😀"'],
    ['"e\\u0301 \\u00e9"', '"e\u0301 é"'],
    ['"<script>&\'"', '"<script>&\'"'],
    ['"\\\\u0041"', '"\\\\u0041"'],
  ]);
});

test("canonical form: keys sorted by UTF-16 code units", async () => {
  await assertCanonical([
    [
      '{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}',
      '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}',
    ],
    ['{"b":1,"a":2,"":3,"aa":4,"A":5}', '{"":3,"A":5,"a":2,"aa":4,"b":1}'],
    ['{"10":1,"9":2,"1":3}', '{"1":3,"10":1,"9":2}'],
    ['{"\\ue000":1,"\\ud800\\udc00":2,"\\uffff":3}', '{"\ud800\udc00":2,"\ue000":1,"\uffff":3}'],
    ['{"a\\u0000":1,"a":2}', '{"a":2,"a\\u0000":1}'],
    ['{"x":{"b":[],"a":{}},"w":[{"d":1,"c":2}]}', '{"w":[{"c":2,"d":1}],"x":{"a":{},"b":[]}}'],
    ['{"__proto__":1,"constructor":2}', '{"__proto__":1,"constructor":2}'],
    ['{"eightchrB":1,"eightchrA":2,"eightchr":3}', '{"eightchr":3,"eightchrA":2,"eightchrB":1}'],
  ]);
});

test("canonical form: white space goes, order in lists stays", async () => {
  await assertCanonical([
    [" [ 3 , 1 ,\t2 ]\r\n", "[3,1,2]"],
    ['{ "a" : [ ] , "b" : { } }', '{"a":[],"b":{}}'],
    ['[true,false,null,"",0]', '[true,false,null,"",0]'],
  ]);
});

test("canonical form: a wide object", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const wide = (mark: string): Record<string, unknown> =>
    Object.fromEntries([
      ["id", mark],
      ...range(1_500).map((at) => [`commonprefix${(at * 7_919) % 1_500}${mark}`, at]),
    ]);
  const items = ["ä", "😀", "plain"].map(wide);
  await importItems(client, source, items);
  for (const [row] of await rawRows(client, source)) {
    assert.equal(row.hash, sha256(canonical(wide(row.external_id))));
  }
});

test("hash == sha256(data) for generated items, in source and target", async () => {
  const client = await newClient(server);
  const source = await createSource(client, { id_field: "/key" });
  const target = await createTarget(client);
  const values = fc.sample(
    fc.object({
      key: fc.string({ unit: "binary", maxLength: 12 }),
      maxDepth: 4,
      values: [
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer(),
        fc.string({ unit: "binary" }),
        fc.string({ unit: "grapheme-ascii" }),
        fc.boolean(),
        fc.constant(null),
      ],
    }),
    { numRuns: kGenerated, seed: kSeed },
  );
  const items = values.map((value, at) => ({ key: `k${at}`, value }));
  const told = await importItems(client, source, items);
  assert.deepEqual(told.stats, importStats({ created: kGenerated }));
  await assertSync(client, source, target, { created: kGenerated });
  for (const path of [`/sources/${source.id}`, `/targets/${target.id}`]) {
    const answer = await client.get(`${path}/properties`);
    const rows = answer.expect(200).json<SourceProperty[]>();
    assert.equal(rows.length, kGenerated);
    for (const row of rows) {
      const item = items[Number(row.external_id.slice(1))];
      const expected = canonical(JSON.parse(JSON.stringify(item)));
      assert.equal(row.hash, sha256(expected), expected);
      assert.equal(canonical(row.data), expected);
    }
  }
});
