// api.md section 3: an import is all or nothing, and a body that was cut off is no list of anything.
//
// A connection that is reset can look, behind a proxy, like the end of a chunked body. The cuts
// stand at random places and are the same in each run.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, openSocket } from "./client.ts";
import { importFull, importHead, importLines, kNdjson, postLines, postPieces } from "./imports.ts";
import { assertProblem, type Log, type Place } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  externalIds,
  importAnswer,
  importStats,
  logs,
  newClient,
  range,
  sourceRows,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kItems = 60;
const kResets = 24;
const kNewline = 0x0a;

/** Numbers from 0 to 1 that are the same in each run (Numerical Recipes' generator). */
function* spread(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

interface How {
  readonly type: string;
  readonly chunked: boolean;
  readonly query: string;
}

/** Sends the first `end` bytes of a body and resets the connection there. */
async function sendCut(client: Client, source: Place, body: Buffer, end: number, how: How) {
  const socket = await openSocket(client.origin);
  const length = how.chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`;
  const head = Buffer.from(importHead(client, source, how.type, length, how.query));
  const part = body.subarray(0, end);
  const chunk = Buffer.concat([Buffer.from(`${end.toString(16)}\r\n`), part, Buffer.from("\r\n")]);
  await new Promise<void>((done) => {
    socket.write(Buffer.concat([head, how.chunked ? chunk : part]), () => done());
  });
  // A reset throws away what is not on its way yet.
  await sleep(30);
  socket.resetAndDestroy();
}

/** A source of `kItems` properties, after imports of changed ones that were cut off. */
async function afterCuts(how: How, seed: number) {
  const client = await newClient(server);
  const source = await createSource(client);
  const items = range(kItems).map((id) => ({ id: `p${id}`, text: "x".repeat(id * 7) }));
  await importFull(client, source, items);
  const before = await sourceRows(client, source);
  const changed = items.map((item) => ({ ...item, changed: true }));
  const lines = changed.map((item) => `${JSON.stringify(item)}\n`).join("");
  const body = Buffer.from(how.type === kNdjson ? lines : JSON.stringify({ data: changed }));
  const random = spread(seed);
  const ends = range(kResets).map(() => 1 + Math.floor(random.next().value * (body.length - 2)));
  // A chunked body of lines that is cut exactly behind one is whole, as far as anybody can tell.
  const cuts = ends.map((end) => (body[end - 1] === kNewline ? end - 1 : end));
  await Promise.all(cuts.map((end) => sendCut(client, source, body, end, how)));
  // Its batch comes behind those of the cut ones, if any of them has one.
  await importLines(client, source, '{"id":"behind"}\n');
  return { client, source, before };
}

function committed(rows: readonly Log[]): Log[] {
  return rows.filter((row) => row.sync_type === "import" && row.status !== "failed");
}

for (const type of [kNdjson, "application/json"]) {
  for (const chunked of [true, false]) {
    const how = `${type}, ${chunked ? "chunked" : "with its length"}`;
    test(`cuts: a full import that is reset removes nothing (${how})`, async () => {
      const query = "?mode=full&force=true";
      const { client, source } = await afterCuts({ type, chunked, query }, 1);
      const rows = await sourceRows(client, source);
      assert.equal(rows.length, kItems + 1);
      assert.deepEqual(
        rows.filter((row) => row.removed_at !== null),
        [],
      );
    });
  }
}

test("cuts: a JSON body that is reset does nothing at all", async () => {
  for (const chunked of [true, false]) {
    const how = { type: "application/json", chunked, query: "" };
    const { client, source, before } = await afterCuts(how, 2);
    const rows = await sourceRows(client, source);
    assert.deepEqual(
      rows.filter((row) => row.external_id !== "behind"),
      before,
    );
    assert.equal(committed(await logs(client)).length, 2);
  }
});

test("cuts: lines that are reset are never a partial import", async () => {
  for (const chunked of [true, false]) {
    const { client } = await afterCuts({ type: kNdjson, chunked, query: "" }, 3);
    for (const row of committed(await logs(client))) assert.equal(row.status, "success");
  }
});

test("cuts: without a length, a last line that is no JSON and has no newline is 400", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  for (const last of ['{"id":2', '{"id":2,"text":"x', "{", '{"id":2}}', "?", "\ufeff{}"]) {
    const answer = await postPieces(client, source, [Buffer.from(`{"id":1}\n${last}`)]);
    assert.match(assertProblem(answer, 400).detail, /cut off.*Content-Length/);
    assert.deepEqual(await sourceRows(client, source), []);
    const other = await createSource(client);
    const told = await importLines(client, other, `{"id":1}\n${last}`);
    assert.deepEqual(told.stats, importStats({ created: 1, failed: 1 }), "with one: a bad line");
  }
  const bad = await postPieces(client, source, [Buffer.from('{"id":1}\n{\n{"id":2}')]);
  assert.deepEqual(importAnswer(bad).stats, importStats({ created: 2, failed: 1 }));
});

test("cuts: mode=full without a length needs a newline at its end", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const text = (count: number, end: string): Buffer =>
    Buffer.from(
      range(count)
        .map((id) => `{"id":${id}}`)
        .join("\n") + end,
    );
  await importFull(
    client,
    source,
    range(12).map((id) => ({ id })),
  );
  const before = await sourceRows(client, source);
  const send = (bytes: Buffer[]) => postPieces(client, source, bytes, kNdjson, "?mode=full");
  for (const bytes of [[text(11, "")], [text(10, '\n{"id":1')], []]) {
    assert.match(assertProblem(await send(bytes), 400).detail, /newline.*Content-Length/);
  }
  assert.deepEqual(await sourceRows(client, source), before);
  assert.deepEqual(
    importAnswer(await send([text(11, "\n")])).stats,
    importStats({ skipped: 11, removed: 1 }),
  );
  const told = await importLines(client, source, text(10, ""), "?mode=full");
  assert.deepEqual(told.stats, importStats({ skipped: 10, removed: 1 }), "a length: fine without");
});

test("ndjson: a body whose first line opens a list is 400", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  for (const text of ['[{"id":1}]', "[", ' \n[\n{"id":1}\n]\n', '\ufeff[{"id":1},\n{"id":2}]\n']) {
    const answer = await postLines(client, source, text);
    assert.match(assertProblem(answer, 400).detail, /list.*"data"/);
  }
  assert.deepEqual(externalIds(await sourceRows(client, source)), []);
});
