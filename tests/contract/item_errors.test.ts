// api.md section 3: what an item that fails is told, and that it keeps its identity where that is
// certain; section 1: which member of a body is at fault.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Client, openSocket, readAnswer } from "./client.ts";
import { importFull, importHead, importLines, importWith } from "./imports.ts";
import { assertProblem, type ImportAnswer, type Place } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  importAnswer,
  importItems,
  importStats,
  importText,
  newClient,
  range,
  sourceRow,
  sourceRows,
  syncedPair,
  targetPath,
  targetRow,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

/** What is wrong with an item, the member at fault, and what the error says of it. */
const kFaults: readonly [member: string, name: string, told: RegExp][] = [
  ['"GarageYN":true,"GarageYN":false', "GarageYN", /twice/],
  ['"PublicRemarks":"cut \\ud83c"', "PublicRemarks", /surrogate/],
  ['"LotSizeArea":1e999', "LotSizeArea", /finite/],
  [`"Rooms":${"[".repeat(130)}${"]".repeat(130)}`, "Rooms", /128 levels/],
];

function detail(told: ImportAnswer): string {
  return told.errors[0]?.detail ?? "";
}

test("items: an error names the member at fault among hundreds", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const many = range(300).map((at) => `"field${at}":"v${at}"`);
  for (const [member, name, what] of kFaults) {
    const told = await importText(client, source, `[{"id":1,${many},${member},"z":1}]`);
    assert.match(detail(told), what);
    assert.match(detail(told), new RegExp(`, at /${name}(/0)*$`));
    assert.equal(told.errors[0]?.external_id, "1");
    const nested = await importText(client, source, `[{"id":1,"a":[{},{${member}}]}]`);
    assert.match(detail(nested), new RegExp(`, at /a/1/${name}(/0)*$`));
  }
});

test("edits: an error has the pointer of the member at fault", async () => {
  const client = await newClient(server);
  const { target } = await syncedPair(client, [{ id: 2 }]);
  const path = targetPath(await targetRow(client, target, "2"));
  const many = range(300).map((at) => `"field${at}":"v${at}"`);
  for (const [member, name, what] of kFaults.slice(0, 3)) {
    const raw = `{"data":{${many},${member}}}`;
    const headers = { "Content-Type": "application/json" };
    const answer = await client.request("PATCH", path, { raw, headers });
    const problem = assertProblem(answer, 422, { pointers: [`/data/${name}`] });
    assert.match(problem.errors?.[0]?.detail ?? "", what);
  }
});

test("items: an error says where an identity was looked for", async () => {
  const client = await newClient(server);
  const plain = await createSource(client);
  const none = await importItems(client, plain, [{ ListingKey: "o1" }]);
  assert.match(detail(none), /neither external_id nor id \(.*"id_field": "\/ListingKey"/);
  const source = await createSource(client, { id_field: "/ListingKey" });
  const told = await importItems(client, source, [{ ListingKey: "o1" }, { listingKey: "o2" }]);
  assert.match(
    detail(told),
    /nothing at \/ListingKey \(id_field\), and neither external_id nor id/,
  );
  const bad = await importItems(client, source, [{ ListingKey: { n: 1 }, id: 5 }]);
  assert.match(detail(bad), /at \/ListingKey \(id_field\), must be a string or a number/);
});

test("items: a refused item whose identity is certain counts as present", async () => {
  const client = await newClient(server);
  const members = kFaults.map(([member]) => member);
  for (const bytes of [600_000, 3_000_000, 5_000_000]) members.push(`"x":"${"x".repeat(bytes)}"`);
  const source = await createSource(client);
  const feed = range(12).map((id) => `{"id":"L${id}"}`);
  for (const [at, member] of members.entries()) {
    await importText(client, source, `[${feed}]`);
    const list = [`{${member},"id":"L0"}`, ...feed.slice(1, 11)];
    const lines = at % 2 === 0;
    const path = `/sources/${source.id}/import?mode=full`;
    const told = lines
      ? await importLines(client, source, `${list.join("\n")}\n`, "?mode=full")
      : importAnswer(await client.post(path, undefined, { raw: `{"data":[${list}]}` }));
    const what = member.slice(0, 40);
    assert.deepEqual(told.stats, importStats({ skipped: 10, failed: 1, removed: 1 }), what);
    assert.equal(told.errors[0]?.external_id, "L0", what);
    assert.equal((await sourceRow(client, source, "L0")).removed_at, null, what);
  }
});

test("items: an identity that is not certain is none, and nothing is removed", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a" }, { id: "b" }]);
  const large = `"x":"${"x".repeat(600_000)}"`;
  for (const bad of [
    '"id":"a\\ud800"',
    '"id":"b","id":"a"',
    '"id":1e999',
    `"id":"b",${large},"id":"a"`,
  ]) {
    const path = `/sources/${source.id}/import?mode=full`;
    const raw = `{"data":[{"id":"a"},{${bad}}]}`;
    const told = importAnswer(await client.post(path, undefined, { raw }));
    assert.deepEqual(told.stats, importStats({ skipped: 1, failed: 1 }), bad.slice(0, 40));
    assert.match(detail(told), /nothing was removed/);
  }
});

test("bodies: what people send in place of a list under data is told where it belongs", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const bodies: [raw: string, hint: RegExp][] = [
    ['[{"id":1}]', /data/],
    ['{"id":1,"price":5}', /data/],
    ['{"@odata.context":"x","value":[{"ListingKey":"o1"}]}', /data/],
    ['{"Data":[{"id":1}]}', /data/],
    ['{"data":{"P1":{"id":"P1"}}}', /list/],
    [JSON.stringify({ data: JSON.stringify([{ id: 1 }]) }), /list/],
  ];
  for (const [raw, hint] of bodies) {
    const answer = await client.post(`/sources/${source.id}/import`, undefined, { raw });
    const { errors } = assertProblem(answer, 422);
    assert.ok(
      errors?.some((error) => hint.test(`${error.pointer} ${error.detail}`)),
      answer.text,
    );
  }
  assert.deepEqual(await sourceRows(client, source), []);
});

/** An import whose body is held back until `meanwhile` is done. */
async function importAround(
  client: Client,
  source: Place,
  items: string,
  meanwhile: () => Promise<unknown>,
) {
  const body = `{"data":[${items}]}`;
  const socket = await openSocket(client.origin);
  try {
    const length = `Content-Length: ${body.length}`;
    socket.write(importHead(client, source, "application/json", length));
    socket.write(body.slice(0, 5));
    await meanwhile();
    const answered = readAnswer(socket);
    socket.write(body.slice(5));
    const answer = await answered;
    assert.ok(answer !== null);
    return answer;
  } finally {
    socket.destroy();
  }
}

test("id_field: a change during an import counts for it, or it is told to come again", async () => {
  const client = await newClient(server);
  for (const bad of [false, true]) {
    const source = await createSource(client, { id_field: "/a" });
    await importItems(client, source, [{ a: "a0", b: "b0" }]);
    // The rows are as before whether the import saw the change at its start or at its end.
    const items = `{"a":"a1","b":"b1"}${bad ? ',{"id":1,"x":1e999}' : ""}`;
    const answer = await importAround(client, source, items, async () => {
      const patch = { config: { id_field: "/b" } };
      (await client.patch(`/sources/${source.id}`, patch)).expect(200);
    });
    if (answer.status === 409) {
      assert.ok(bad, answer.text);
      assert.match(assertProblem(answer, 409).detail, /id_field.*again/);
    } else {
      assert.equal(importAnswer(answer).stats.created, 1);
    }
    const ids = (await sourceRows(client, source)).map((row) => row.external_id);
    assert.deepEqual(ids, answer.status === 409 ? ["a0"] : ["a0", "b1"]);
  }
});

test("full: a list of which one item failed removes what it lacks, and says what failed", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importFull(client, source, [{ id: 1 }, { id: 2 }, { id: 3 }]);
  const told = await importWith(client, source, "mode=full", [
    { id: 1 },
    { id: 2, n: "x".repeat(600_000) },
  ]);
  assert.deepEqual(told.stats, importStats({ skipped: 1, failed: 1, removed: 1 }));
});
