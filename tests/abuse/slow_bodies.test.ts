// Whoever sends a body slowly keeps nothing from anybody: neither instances of the core, nor memory, nor the turn of
// another tenant's large import. Times are bounds that a service which waits for the slow ones passes by far.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, openSocket, readAnswer } from "../contract/client.ts";
import { importHead } from "../contract/imports.ts";
import { assertProblem, type Place } from "../contract/rows.ts";
import { startServer } from "../contract/server.ts";
import {
  createSource,
  importAnswer,
  importItems,
  importStats,
  newClient,
  range,
} from "../contract/world.ts";
import { workerOf } from "../faults/processes.ts";
import {
  kTrickle,
  median,
  processorSeconds,
  type Sender,
  sendSlowly,
  timesOf,
} from "./tricklers.ts";

const server = await startServer();
after(() => server.stop());
const anybody = new Client(server.origin);
const { pid } = workerOf(server.stateDir ?? "");

const kTest = { timeout: 900_000 };
const kSignUps = 300;
const kOfOneTenant = 20;
const kCalls = 15;
/** The longest that a call beside the slow ones may take, and half of the calls for /health. */
const kCallMs = 3_000;
const kHealthMs = 1_000;
/** Longer than the credit of a client that others wait for. */
const kSettledMs = 8_000;
const kBody = Buffer.from(`{"name":"${"x".repeat(900)}"}`);
const kLength = "Content-Length: 1000000";

/** What others see while these send. */
async function assertUnharmed(what: string): Promise<string> {
  const client = await newClient(server);
  const source = await createSource(client);
  const calls = await timesOf(kCalls, async () => {
    (await client.get("/sources")).expect(200);
    await importItems(client, source, [{ id: "one" }]);
  });
  const health = await timesOf(kCalls, async () => (await anybody.get("/health")).expect(200));
  const told = `${what}: calls ${calls.map(Math.round)}, /health ${health.map(Math.round)}`;
  assert.ok((calls.at(-1) ?? 0) < kCallMs, told);
  assert.ok(median(health) < kHealthMs, told);
  return told;
}

async function beside(senders: readonly Promise<Sender>[], work: () => Promise<void>) {
  const all = await Promise.all(senders);
  try {
    await work();
  } finally {
    for (const sender of all) sender.stop();
  }
}

test("slow bodies: 300 sign-ups that trickle hold nobody up", kTest, async (t) => {
  const senders = range(kSignUps).map((at) =>
    sendSlowly(
      anybody,
      "/tenants",
      at % 2 > 0 ? kLength : "Transfer-Encoding: chunked",
      kBody,
      kTrickle,
    ),
  );
  await beside(senders, async () => {
    t.diagnostic(await assertUnharmed("at once"));
    await sleep(kSettledMs);
    t.diagnostic(await assertUnharmed("after a while"));
  });
});

test("slow bodies: 20 requests of one tenant that trickle hold no other up", kTest, async (t) => {
  const client = await newClient(server);
  const sources = await Promise.all(range(kOfOneTenant).map(() => createSource(client)));
  const lengths = [kLength, "Content-Length: 99000000", "Transfer-Encoding: chunked"];
  for (const path of ["import", ""]) {
    const senders = sources.map(({ id }, at) => {
      const to = path === "" ? "/sources" : `/sources/${id}/import`;
      return sendSlowly(
        client,
        to,
        path === "" ? kLength : (lengths[at % 3] ?? ""),
        kBody,
        kTrickle,
      );
    });
    await beside(senders, async () => {
      await sleep(kSettledMs);
      t.diagnostic(await assertUnharmed(path));
      await assertLargeImport();
    });
  }
});

test("slow bodies: who is not let in is told before the body is waited for", kTest, async () => {
  const client = await newClient(server);
  const wrong = `sm_${"0".repeat(40)}`;
  const refused: readonly (readonly [number, Client, string, readonly string[]])[] = [
    [401, anybody, "/sources", ["Content-Length: 1000"]],
    [401, anybody.withKey(wrong), "/sources", ["Content-Length: 1000"]],
    [401, anybody.withKey("k".repeat(40)), "/sources", ["Content-Length: 1000"]],
    [401, anybody.withKey("k".repeat(40)), "/sources/1/import", ["Content-Length: 99000000"]],
    [401, anybody.withKey("k".repeat(40)), "/sources", ["Transfer-Encoding: chunked"]],
    [404, client, "/nowhere", ["Content-Length: 1000"]],
    [413, client, "/sources", ["Content-Length: 2000000"]],
    [415, client, "/sources", ["Content-Length: 1000", "Content-Type: text/csv"]],
  ];
  for (const [status, caller, path, headers] of refused) {
    const sender = await sendSlowly(caller, path, headers.join("\r\n"), kBody, {
      bytes: 1,
      everyMs: 100,
    });
    const began = performance.now();
    const answer = await readAnswer(sender.socket);
    const took = performance.now() - began;
    sender.stop();
    assert.ok(answer !== null, path);
    assertProblem(answer, status);
    // One that is waited for as long as it sends takes 10 s.
    assert.ok(took < kCallMs, `${status} ${path}: ${took} ms`);
  }
});

// workerd alone takes 1.9 s (1.2 s with a length) for such a body of a Worker that asks for it as a whole.
const kTinyBytes = 200_000;
const kTinySeconds = 6;

test("slow bodies: 200 KB in chunks of one byte cost little", kTest, async (t) => {
  const client = await newClient(server);
  const text = "x".repeat(1_000);
  const items = range(kTinyBytes / 1_000).map((id) => ({ id: `p${id}`, text }));
  const body = Buffer.from(JSON.stringify({ data: items }));
  for (const length of ["Transfer-Encoding: chunked", `Content-Length: ${body.length}`]) {
    const source = await createSource(client);
    const before = processorSeconds(pid);
    const socket = await openSocket(server.origin);
    socket.setNoDelay(true);
    const answered = readAnswer(socket);
    socket.write(importHead(client, source, "application/json", length));
    await sendBytes(socket, body, /chunked/.test(length));
    const answer = await answered;
    socket.destroy();
    assert.ok(answer !== null);
    assert.deepEqual(importAnswer(answer).stats, importStats({ created: items.length }));
    const took = processorSeconds(pid) - before;
    t.diagnostic(`${length}: ${took.toFixed(2)} s`);
    assert.ok(took < kTinySeconds, `${length}: ${took} s of a processor`);
  }
});

async function sendBytes(
  socket: Awaited<ReturnType<typeof openSocket>>,
  body: Buffer,
  chunked: boolean,
): Promise<void> {
  const kBytesAtOnce = 50;
  for (let at = 0; at < body.length; at += kBytesAtOnce) {
    for (const byte of body.subarray(at, at + kBytesAtOnce)) {
      const one = Buffer.from([byte]);
      socket.write(chunked ? Buffer.concat([Buffer.from("1\r\n"), one, Buffer.from("\r\n")]) : one);
    }
    await sleep(0);
  }
  if (chunked) socket.write("0\r\n\r\n");
}

test(
  "slow bodies: who waits for an answer before sending more is answered soon",
  kTest,
  async () => {
    const client = await newClient(server);
    const source = await createSource(client);
    const socket = await openSocket(server.origin);
    const answered = readAnswer(socket);
    socket.write(importHead(client, source, "application/json", "Transfer-Encoding: chunked"));
    socket.write("d\r\nthis is wrong\r\n");
    const began = performance.now();
    const answer = await answered;
    socket.destroy();
    assert.ok(answer !== null);
    assertProblem(answer, 400);
    assert.ok(performance.now() - began < kCallMs);
  },
);

const kLargeBytes = 20_000_000;
/** Of those that come many at once: large, too, and taken in several parts. */
const kManyBytes = 8_000_000;
const kQuickClients = 16;
/** An import of that size takes one or two seconds by itself. */
const kLargeMs = 30_000;

function bodyOf(bytes: number): Buffer {
  const items: string[] = [];
  for (let length = 0; length < bytes; length += items.at(-1)?.length ?? 0) {
    items.push(`{"id":"P${items.length}","text":"${"lorem ipsum ".repeat(80)}"}`);
  }
  return Buffer.from(`{"data":[${items.join(",")}]}`);
}

const kLarge = bodyOf(kLargeBytes);
const kOneOfMany = bodyOf(kManyBytes);

async function importLarge(client: Client, source: Place, raw: Buffer): Promise<number> {
  const began = performance.now();
  const answer = await client.post(`/sources/${source.id}/import`, undefined, { raw });
  answer.expect(200);
  return performance.now() - began;
}

async function assertLargeImport(): Promise<void> {
  const client = await newClient(server);
  const took = await importLarge(client, await createSource(client), kLarge);
  assert.ok(took < kLargeMs, `a large import took ${took} ms`);
}

test("slow bodies: large imports that come slowly block no other tenant's", kTest, async () => {
  const body = bodyOf(4_000_000);
  const flows = [
    { bytes: 66_000, everyMs: 4_000 },
    { bytes: 66_000, everyMs: 4_000 },
    { bytes: 62_500, everyMs: 500 }, // a line of 1 Mbit/s
    { bytes: 62_500, everyMs: 500 },
    { bytes: 62_500, everyMs: 500 },
  ];
  const senders = flows.map(async (flow, at) => {
    const client = await newClient(server);
    const source = await createSource(client);
    const length = at % 2 > 0 ? "Content-Length: 12000000" : "Content-Length: 99000000";
    return sendSlowly(client, `/sources/${source.id}/import`, length, body, flow);
  });
  await beside(senders, async () => {
    await sleep(kSettledMs);
    for (const _ of range(3)) await assertLargeImport();
    await assertUnharmed("beside slow imports");
  });
});

test("slow bodies: 16 large imports of different tenants take their turns", kTest, async (t) => {
  const clients = await Promise.all(range(kQuickClients).map(() => newClient(server)));
  const sources = await Promise.all(clients.map((client) => createSource(client)));
  const sent = sources.map((source, at) => importLarge(clients[at] ?? anybody, source, kOneOfMany));
  const times = await Promise.all(sent);
  t.diagnostic(`${times.map(Math.round)} ms`);
});

test("slow bodies: large imports of one tenant come one behind the other", kTest, async () => {
  const client = await newClient(server);
  const sources = await Promise.all(range(4).map(() => createSource(client)));
  await Promise.all(sources.map((source) => importLarge(client, source, kOneOfMany)));
});
