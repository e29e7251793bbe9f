// api.md section 1, failures: what does not fit is 503 with `Retry-After`, at once or after a wait
// that has an end, never 500; and afterwards the service is as it was, without anybody's help.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, Client, openSocket, readAnswer } from "../contract/client.ts";
import type { Place } from "../contract/rows.ts";
import { startServer } from "../contract/server.ts";
import { storeFile, whileLocked } from "../contract/store_file.ts";
import { createSource, importItems, newClient, range, sourceRows } from "../contract/world.ts";
import { assertUnavailable, Load } from "./load.ts";
import { kTidyMemory, megabytes, residentBytes, workerOf } from "./processes.ts";
import { chosenSeed, Random } from "./random.ts";
import { assertStore, prepareScene } from "./scene.ts";
import { StoreCopy } from "./store_copy.ts";

const server = await startServer({ env: kTidyMemory });
after(() => server.stop());
const stateDir = server.stateDir ?? "";

/** Far more than the pool has instances, if each held one while its body does not come. */
const kSlowSenders = 200;
const kOthers = 150;
const kItems = 200;
/** Longer than the 10 s for which the pool lets anybody wait. */
const kSlowMs = 12_000;
/**
 * Where each held an instance, all but some ten would be refused. On a machine that is busy with other things a few of the
 * others wait for more than those 10 s.
 */
const kMostRefused = 70;
const kAnswerLimitMs = 300_000;
const kPoolBytes = 80 * 1024 * 1024;
const kSlackBytes = 32 * 1024 * 1024;

const kTest = { timeout: 1_200_000 };

/** An import whose body came slowly, and how many properties its source had before. */
interface Sent {
  readonly source: Place;
  readonly before: number;
  readonly answer: Answer;
}

interface Wave {
  readonly sent: readonly Sent[];
  readonly accepted: number;
  readonly refused: number;
  readonly slowestMs: number;
}

test(
  "overload: bodies that come slowly, more than the pool has instances, hold no instances",
  kTest,
  async (t) => {
    const client = await newClient(server);
    const source = await createSource(client);
    await importItems(client, source, items("first"));
    const senders = await Promise.all(range(kSlowSenders).map(() => createSource(client)));
    const { pid } = workerOf(stateDir);
    const resident = [residentBytes(pid)];
    for (const wave of range(2)) {
      const { sent, accepted, refused, slowestMs } = await overwhelm(client, source, senders);
      t.diagnostic(`${accepted} accepted, ${refused} refused, the slowest in ${slowestMs} ms`);
      assert.ok(refused <= kMostRefused, `${refused} were refused`);
      // Whoever found no room now would have 503.
      const answers = await Promise.all(range(20).map(() => client.get(`/sources/${source.id}`)));
      for (const answer of answers) answer.expect(200);
      const told = await importItems(client, source, items(`after ${wave}`));
      assert.equal(told.stats.updated, kItems);
      await assertWhole(client, sent);
      resident.push(residentBytes(pid));
    }
    t.diagnostic(`resident before, after each wave: ${resident.map(megabytes).join(", ")}`);
    const [before = 0, once = 0, twice = 0] = resident;
    assert.ok(once - before < kPoolBytes + kSlackBytes, "what the pool may keep, no more");
    assert.ok(twice - once < kSlackBytes, "another wave adds nothing");
    assert.equal((await sourceRows(client, source)).length, kItems);
  },
);

/** What was accepted is there, and of what was refused there is no trace. */
async function assertWhole(client: Client, sent: readonly Sent[]): Promise<void> {
  const counts = await propertyCounts(client);
  for (const { source, answer, before } of sent) {
    assert.equal(counts.get(source.id), answer.status === 200 ? kItems : before, `${source.id}`);
  }
}

async function propertyCounts(client: Client): Promise<Map<number, number>> {
  const rows = (await client.get("/sources")).expect(200).json<Place[]>();
  return new Map(rows.map((row) => [row.id, row.property_count]));
}

function items(text: string): { id: number; text: string }[] {
  return range(kItems).map((id) => ({ id, text }));
}

async function overwhelm(client: Client, source: Place, senders: readonly Place[]): Promise<Wave> {
  const counts = await propertyCounts(client);
  const path = `/sources/${source.id}`;
  const began = Date.now();
  const slow = senders.map(async (sender): Promise<Sent> => {
    const answer = await sendSlowly(client, sender);
    return { source: sender, before: counts.get(sender.id) ?? 0, answer };
  });
  const others = range(kOthers).map((at) =>
    at % 10 > 0 ? client.get(path) : client.post(`${path}/import`, { data: items(`by ${at}`) }),
  );
  const all = Promise.all([Promise.all(slow), Promise.all(others)]);
  const [sent, answered] = await withinLimit(all);
  const answers = [...sent.map(({ answer }) => answer), ...answered];
  const refused = answers.filter((answer) => answer.status !== 200);
  for (const answer of refused) assertUnavailable(answer);
  return {
    sent,
    accepted: answers.length - refused.length,
    refused: refused.length,
    slowestMs: Date.now() - began,
  };
}

/** Sends half of an import, and the rest when the others have had their answers. */
async function sendSlowly(client: Client, source: Place): Promise<Answer> {
  const body = JSON.stringify({ data: items("slow") });
  const head = [
    `POST /sources/${source.id}/import HTTP/1.1`,
    `Host: ${new URL(client.origin).host}`,
    `X-API-Key: ${client.key}`,
    `Content-Length: ${body.length}`,
  ];
  const half = Math.floor(body.length / 2);
  const socket = await openSocket(client.origin);
  try {
    socket.write(`${head.join("\r\n")}\r\n\r\n${body.slice(0, half)}`);
    const answer = readAnswer(socket);
    const early = await Promise.race([answer, sleep(kSlowMs, undefined)]);
    if (early !== undefined) return certain(early);
    socket.write(body.slice(half));
    return certain(await answer);
  } finally {
    socket.destroy();
  }
}

function certain(answer: Answer | null): Answer {
  assert.ok(answer !== null, "an answer before the connection ends");
  return answer;
}

async function withinLimit<T>(work: Promise<T>): Promise<T> {
  const late = sleep(kAnswerLimitMs, null, { ref: false }).then(() => {
    throw new Error(`not all answered within ${kAnswerLimitMs} ms`);
  });
  return Promise.race([work, late]);
}

/** Acknowledged before and after the lock, and turned away during it. */
const kCalmRequests = 60;
const kRefused = 5;
/** A bound for what hangs. No slow machine comes near it. */
const kStateTimeoutMs = 120_000;
const kClients = 6;

test(
  "overload: a store that is locked is 503 under load, and nothing is lost",
  kTest,
  async (t) => {
    const random = new Random(chosenSeed());
    const { key } = await newClient(server);
    const client = new Client(server.origin, key);
    const load = new Load(() => client, random);
    t.after(() => load.abandon());
    const target = await prepareScene(load, client, { editors: kClients });
    const { sets, edits, creations } = load.ledger;
    for (const set of sets) {
      load.start(() => load.importNext(set));
      load.start(() => load.syncNow(set.source, target));
    }
    for (const at of range(kClients)) {
      const own = edits.filter((edit) => edit.field === `editor${at}`);
      load.start(() => load.edit(random.pick(own)));
    }
    load.start(async () => void (await load.create("sources", `made ${creations.length}`)));
    await load.progress(kCalmRequests, kStateTimeoutMs);
    const calm = { ...load.counts };
    const isFelt = (): boolean => load.counts.unavailable >= calm.unavailable + kRefused;
    await whileLocked(storeFile(stateDir), () =>
      load.until(isFelt, "the lock is felt", kStateTimeoutMs),
    );
    const locked = { ...load.counts };
    const goesOn = (): boolean => load.counts.imports > locked.imports + sets.length;
    await load.until(goesOn, "all goes on by itself", kStateTimeoutMs);
    await load.finish();
    t.diagnostic(`before: ${JSON.stringify(calm)}`);
    t.diagnostic(`after the lock: ${JSON.stringify(locked)}`);
    t.diagnostic(`at the end: ${JSON.stringify(load.counts)}`);
    assert.equal(calm.unavailable, 0);
    assert.equal(load.counts.cutOff, 0, "every request was answered");
    assertStore(new StoreCopy(stateDir).take(), load.ledger, "at the end");
  },
);
