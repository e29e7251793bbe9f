// api.md sections 1 (limits) and 3: imports of tens of thousands of properties in one request.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, openSocket, readAnswer } from "./client.ts";
import { importHead, importLines, importPieces, kNdjson, postLines } from "./imports.ts";
import {
  assertProblem,
  canonical,
  type ImportAnswer,
  type Place,
  type SourceProperty,
  sha256,
} from "./rows.ts";
import { openServer } from "./server.ts";
import {
  assertSync,
  createSource,
  createTarget,
  importAnswer,
  importItems,
  importStats,
  logs,
  newClient,
  place,
  range,
  sourceRows,
  syncOnce,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kMany = 60_000;
const kBodyLimit = 100_000_000;
const kFiller = "lorem ipsum ".repeat(38);

/** The text of an item of half a kilobyte. */
function item(at: number, v = 1): string {
  return `{"id":"P${at}","text":"${kFiller}","v":${v}}`;
}

function items(from: number, to: number, v = 1): string[] {
  return range(to - from).map((at) => item(from + at, v));
}

const kItems = items(0, kMany);

/** What stays the same where an import wrote nothing. */
async function seen(client: Client, source: Place): Promise<unknown> {
  const path = `/sources/${source.id}`;
  return [
    await place(client, path),
    (await client.get(path)).etag,
    (await client.get(`${path}/properties?limit=1`)).etag,
    (await client.get(`${path}/properties?limit=1`)).text,
  ];
}

/** A body in two halves; the second one is sent when it may be. */
async function* halves(body: string, mayGoOn: Promise<void>): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(body);
  const middle = bytes.length >> 1;
  yield bytes.subarray(0, middle);
  await mayGoOn;
  yield bytes.subarray(middle);
}

/** Imports while somebody looks at the source, some times between the halves: what shows is nothing or all of it. */
async function importWatched(
  client: Client,
  source: Place,
  body: string,
  type: string,
): Promise<ImportAnswer> {
  const kLooksBetween = 10;
  const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>();
  let done = false;
  const ended = importPieces(client, source, halves(body, mayGoOn), type).finally(() => {
    done = true;
  });
  ended.catch(() => undefined);
  for (let looks = 1; !done; looks++) {
    const { property_count } = await place(client, `/sources/${source.id}`);
    const page = await client.get(`/sources/${source.id}/properties?limit=2`);
    const rows = page.expect(200).json<unknown[]>().length;
    if (looks <= kLooksBetween) assert.deepEqual([property_count, rows], [0, 0]);
    if (!done) assert.ok(property_count === 0 || property_count === kMany, `${property_count}`);
    if (looks === kLooksBetween) goOn();
    await sleep(20);
  }
  return ended;
}

function assertErrors(told: ImportAnswer, failed: readonly number[]): void {
  assert.deepEqual(
    told.errors.map((error) => error.index),
    failed.slice(0, 1_000),
  );
}

test("large: 60,000 items of 30 MB as JSON, failures and far duplicates among them", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const list: string[] = [];
  const failed = [0, 1];
  for (const [at, text] of kItems.entries()) {
    if (at === 2_000 || at === 59_000) failed.push(list.length);
    list.push(text);
    if (at % 40 === 39) failed.push(list.push(`{"at":${at}}`) - 1);
  }
  for (const at of [0, 1, 2_000, 59_000]) list.push(item(at, 2));
  const body = `[${list.join(",")}]`;
  const told = await importWatched(client, source, `{"data":${body}}`, "application/json");
  assert.equal(told.status, "partial");
  assert.deepEqual(told.stats, importStats({ created: kMany, failed: 1_504 }));
  assertErrors(told, failed);
  assert.deepEqual([told.errors[0]?.external_id, told.errors[2]?.external_id], ["P0", null]);

  const answer = await client.get(`/sources/${source.id}/properties`);
  const rows = answer.expect(200).json<SourceProperty[]>();
  assert.equal(rows.length, kMany);
  const last = new Set(["P0", "P1", "P2000", "P59000"]);
  for (const { external_id, data, version } of rows) {
    assert.ok(data["id"] === external_id && data["text"] === kFiller && version === 1);
    assert.equal(data["v"], last.has(external_id) ? 2 : 1);
  }
  for (const row of rows.slice(0, 500)) assert.equal(row.hash, sha256(canonical(row.data)));
});

test("large: 60,000 lines of 30 MB, and the same again, changed, removed and returned", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const list = kItems.flatMap((text, at) => (at % 50 === 7 ? [text, "{"] : [text]));
  const failed = list.flatMap((text, at) => (text === "{" ? [at] : []));
  const told = await importWatched(client, source, list.join("\n"), kNdjson);
  assert.deepEqual(told.stats, importStats({ created: kMany, failed: failed.length }));
  assertErrors(told, failed);

  const before = await seen(client, source);
  const clean = kItems.join("\n");
  const again = await importLines(client, source, clean);
  assert.deepEqual(again.stats, importStats({ skipped: kMany }));
  const kept = await importLines(client, source, clean, "?mode=full");
  assert.deepEqual(kept.stats, importStats({ skipped: kMany }));
  const few = await postLines(client, source, kItems.slice(0, 26_000).join("\n"), "?mode=full");
  assertProblem(few, 409);
  assert.equal((await postLines(client, source, "{}\n", "?mode=full")).status, 422);
  assert.deepEqual(await seen(client, source), before, "nothing was written");

  const next = [
    ...kItems.slice(1_000, 59_500),
    ...items(59_500, kMany, 3),
    ...items(kMany, 61_000),
  ];
  const full = await importLines(client, source, next.join("\n"), "?mode=full");
  const changes = { created: 1_000, updated: 500, skipped: 58_500, removed: 1_000 };
  assert.deepEqual(full.stats, importStats(changes));
  const target = await createTarget(client);
  await assertSync(client, source, target, { created: kMany });
  const back = await importLines(client, source, kItems.slice(0, 30_000).join("\n"));
  assert.deepEqual(back.stats, importStats({ updated: 1_000, skipped: 29_000 }));
  await assertSync(client, source, target, { created: 1_000, skipped: kMany });
  const { property_count } = await place(client, `/sources/${source.id}`);
  assert.equal(property_count, 61_000);
  const rows = (await logs(client)).filter((row) => row.sync_type === "import");
  assert.deepEqual(
    rows.map((row) => [row.status, row.updated_properties]),
    [
      ["partial", kMany],
      ["success", 0],
      ["success", 0],
      ["failed", 0],
      ["failed", 0],
      ["success", 2_500],
      ["success", 1_000],
    ],
  );
});

test("large: a body that breaks off after 20 MB leaves no trace", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "kept" }]);
  const before = [await seen(client, source), await logs(client)];
  const lines = Buffer.from(kItems.slice(0, 45_000).join("\n"));
  const json = Buffer.from(`{"data":[${kItems.slice(0, 45_000).join(",")}]}`);
  for (const [type, body] of [
    [kNdjson, lines],
    ["application/json", json],
  ] as const) {
    const socket = await openSocket(server.origin);
    socket.write(importHead(client, source, type, `Content-Length: ${body.length}`));
    const part = body.subarray(0, body.length - 1_000_000);
    await new Promise<void>((done) => socket.write(part, () => done()));
    socket.destroy();
  }
  await sleep(300);
  assert.deepEqual([await seen(client, source), await logs(client)], before);
  assert.equal((await importItems(client, source, [{ id: "next" }])).stats.created, 1);
  assert.equal((await sourceRows(client, source)).length, 2);
});

test("large: what turns out to be no JSON after 12 MB is 400, and leaves no trace", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const before = [await seen(client, source), await logs(client)];
  const head = `{"data":[${kItems.slice(0, 26_000).join(",")}`;
  const path = `/sources/${source.id}/import`;
  for (const [tail, offset] of [
    [",}]}", 1],
    ["]}]", 2],
  ] as const) {
    const answer = await client.post(path, undefined, { raw: head + tail });
    const problem = assertProblem(answer, 400);
    assert.ok(problem.detail.includes(String(head.length + offset)), problem.detail);
  }
  const shape = await client.post(path, undefined, { raw: `${head}],"x":1}` });
  assertProblem(shape, 422, { pointers: ["/x"] });
  assert.deepEqual([await seen(client, source), await logs(client)], before);
});

test("large: two imports of one source at once: each is all there, or as if it came first", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const list = (from: number, v: number): string => items(from, from + 28_000, v).join("\n");
  const told = await Promise.all([
    importLines(client, source, list(0, 1)),
    importLines(client, source, list(14_000, 2)),
  ]);
  const sum = (name: "created" | "updated"): number =>
    told.reduce((total, one) => total + one.stats[name], 0);
  assert.deepEqual([sum("created"), sum("updated")], [42_000, 14_000]);
  const rows = (await client.get(`/sources/${source.id}/properties`)).json<SourceProperty[]>();
  const shared = rows.filter((row) => row.version === 2);
  assert.deepEqual([rows.length, shared.length], [42_000, 14_000]);
  assert.equal(new Set(shared.map((row) => row.data["v"])).size, 1, "one of the two came last");
});

test("large: beside small imports and syncs of the same source nothing is lost", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const target = await createTarget(client);
  let running = true;
  const large = importLines(client, source, kItems.slice(0, 30_000).join("\n")).finally(() => {
    running = false;
  });
  const small = async (name: string): Promise<number> => {
    let count = 0;
    while (running) {
      const told = await importItems(client, source, [{ id: `${name}${count}` }]);
      assert.equal(told.stats.created, 1);
      count += 1;
      await syncOnce(client, source, target);
    }
    return count;
  };
  const [told, ...counts] = await Promise.all([large, small("a"), small("b")]);
  assert.deepEqual(told.stats, importStats({ created: 30_000 }));
  await syncOnce(client, source, target);
  const all = 30_000 + counts.reduce((sum, count) => sum + count, 0);
  await assertSync(client, source, target, { skipped: all });
  for (const path of [`/sources/${source.id}`, `/targets/${target.id}`]) {
    assert.equal((await place(client, path)).property_count, all);
  }
});

test("limits: a body of 100,000,000 bytes passes, a byte more is 413 without the rest", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  const head = Buffer.from('{"data":[{"id":1}]');
  const raw = Buffer.alloc(kBodyLimit, " ");
  head.copy(raw);
  raw.write("}", kBodyLimit - 1);
  const whole = await client.post(`/sources/${source.id}/import`, undefined, { raw });
  assert.deepEqual(importAnswer(whole).stats, importStats({ created: 1 }));

  raw.write(" ", kBodyLimit - 1);
  const socket = await openSocket(server.origin);
  try {
    socket.write(importHead(client, source, "application/json", "Transfer-Encoding: chunked"));
    const answered = readAnswer(socket);
    // A little more than the limit, so that the server has no large rest to leave unread.
    const parts = range(10).map((at) => raw.subarray(at * 10_000_000, (at + 1) * 10_000_000));
    for (const part of [...parts, raw.subarray(-200_000)]) {
      socket.write(`${part.length.toString(16)}\r\n`);
      socket.write(part);
      socket.write("\r\n");
    }
    const answer = await answered;
    assert.ok(answer !== null);
    assertProblem(answer, 413);
  } finally {
    socket.destroy();
  }
  assert.equal((await sourceRows(client, source)).length, 1);
});
