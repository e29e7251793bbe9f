// api.md section 1 (lists, caching): long lists that are read slowly, changed or lost on the way.
//
// This file has a server of its own, since it spoils the store.

import assert from "node:assert/strict";
import { type IncomingMessage, request } from "node:http";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertRising, type SourceProperty, type TargetProperty } from "./rows.ts";
import { startServer } from "./server.ts";
import { storeFile, whileSpoiled } from "./store_file.ts";
import {
  assertSync,
  createSource,
  createTarget,
  editRow,
  importItems,
  importText,
  newClient,
  place,
  range,
} from "./world.ts";

const server = await startServer();
after(() => server.stop());

const kIdle = 4;
const kRows = 1_600;
/** Rows of 40 KB: 64 MB are far more than sockets and proxies on the way hold for a reader. */
const kText = "lorem ipsum ".repeat(3_400);

const client = await newClient(server);
const source = await createSource(client);
const target = await createTarget(client);
const kItems = range(kRows).map((id) => JSON.stringify({ id, text: kText }));
await importText(client, source, `[${kItems.join(",")}]`);
await assertSync(client, source, target, { created: kRows });

/** The answer once its head is there; nothing of the body is taken until someone reads. */
function open(path: string): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const headers = { "X-API-Key": client.key ?? "" };
    const outgoing = request(server.origin + path, { headers, agent: false }, (incoming) => {
      incoming.pause();
      done(incoming);
    });
    outgoing.on("error", fail);
    outgoing.end();
  });
}

/** Reads what is left. `whole` is false where the peer cut the body off. */
function drain(incoming: IncomingMessage): Promise<{ text: string; whole: boolean }> {
  return new Promise((done) => {
    const parts: Buffer[] = [];
    incoming.on("data", (part: Buffer) => parts.push(part));
    incoming.on("error", () => undefined);
    incoming.on("close", () =>
      done({ text: Buffer.concat(parts).toString("utf8"), whole: incoming.complete }),
    );
    incoming.resume();
  });
}

test("lists: a slow reader gets every row once, whatever changes meanwhile", async () => {
  const path = `/targets/${target.id}/properties`;
  const [first] = (await client.get(`${path}?limit=1`)).expect(200).json<TargetProperty[]>();
  const incoming = await open(path);
  const etag = incoming.headers["etag"] ?? "";
  assert.equal((await client.request("HEAD", path)).etag, etag);
  await sleep(100);
  await editRow(client, first as TargetProperty, { hand: true });
  await importItems(client, source, [{ id: "late", text: "late" }]);
  await assertSync(client, source, target, { created: 1, skipped: kRows - 1, warnings: 1 });
  const { text, whole } = await drain(incoming);
  assert.ok(whole);
  const rows = JSON.parse(text) as TargetProperty[];
  assertRising(rows);
  const known = rows.filter((row) => row.external_id !== "late");
  assert.equal(known.length, kRows);
  assert.ok(known.every((row) => row.data["text"] === kText));
  const now = await client.request("HEAD", path, { headers: { "If-None-Match": etag } });
  assert.notEqual(now.expect(200).etag, etag, "the tag is of the state before the first row");
});

test("lists: readers that stop reading, or leave, hold nobody up", async () => {
  const path = `/sources/${source.id}/properties`;
  const idle = await Promise.all(range(kIdle).map(() => open(path)));
  await importItems(client, source, [{ id: "new" }]);
  assert.equal((await place(client, `/sources/${source.id}`)).property_count, kRows + 2);
  const page = (await client.get(`${path}?limit=10`)).expect(200);
  assert.equal(page.json<unknown[]>().length, 10);
  // Nobody had to be cut off for that: one who reads on gets the rest.
  for (const incoming of idle.slice(1)) incoming.destroy();
  const { text, whole } = await drain(idle[0] as IncomingMessage);
  assert.ok(whole);
  const rows = JSON.parse(text) as SourceProperty[];
  assert.ok(rows.length === kRows + 1 || rows.length === kRows + 2);
});

test("lists: a stream that fails is cut off, never closed with ]", async () => {
  const path = `/sources/${source.id}/properties`;
  const incoming = await open(path);
  assert.equal(incoming.statusCode, 200);
  const store = storeFile(server.stateDir ?? "");
  const { text, whole } = await whileSpoiled(store, () => drain(incoming));
  assert.equal(whole, false, "the client sees that rows are missing");
  assert.ok(text.startsWith("[{") && !text.trimEnd().endsWith("]"), text.slice(-40));
  const { length } = (await client.get(path)).expect(200).json<unknown[]>();
  assert.equal(length, kRows + 2);
});

test("lists: one whose source is deleted while it is read is cut off", async () => {
  const incoming = await open(`/sources/${source.id}/properties`);
  await sleep(100);
  (await client.delete(`/sources/${source.id}`)).expect(200);
  const { text, whole } = await drain(incoming);
  assert.equal(whole, false, "the client sees that rows are missing");
  assert.ok(!text.trimEnd().endsWith("]"));
  assert.equal((await client.get("/sources")).expect(200).text, "[]\n");
});
