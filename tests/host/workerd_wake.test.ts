// Scheduled wakes of the Worker with the fixture core in workerd, through the hook that
// `wrangler dev` has for them.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { type FixtureText, numberOf } from "./fixture_statements.ts";
import {
  answerOk,
  answerReplies,
  lastStep,
  type Scripted,
  script,
  startStream,
  step,
  storeHead,
  trap,
  writeForever,
} from "./script.ts";
import { logged, startWorker, until, type Worker } from "./workerd.ts";

const log = (message: string): Scripted => ({ effect: "log", level: "info", message });
const reserve: Scripted = { effect: "reserve_memory", bytes: 55 * 1024 * 1024, turn: "" };

/** What the core does in a wake, by its scheduled time. */
const wakes = {
  60000: script(storeHead("INSERT INTO woken VALUES (?1)"), lastStep([log("woken at one")])),
  120000: script(trap()),
  180000: script(step([{ effect: "reserve_memory", bytes: 1, turn: "" }]), trap()),
  240000: script(answerOk("nobody hears this")),
  300000: script(
    step([log("waits")]),
    step([reserve]),
    storeHead("INSERT INTO woken VALUES (?1)"),
    lastStep([log("goes on")]),
  ),
};

let worker: Worker;
before(async () => {
  worker = await startWorker(
    Object.fromEntries(Object.entries(wakes).map(([time, ops]) => [`wake_${time}`, ops])),
  );
  await store("batch", "CREATE TABLE woken (head TEXT)");
});
after(() => worker.stop());

function call(ops: string, path = "/"): Promise<Response> {
  return fetch(`http://127.0.0.1:${worker.port}${path}`, { headers: { "x-script": ops } });
}

async function store(
  effect: "query" | "batch",
  text: FixtureText,
  ...params: number[]
): Promise<Buffer> {
  const statements = [{ statement: numberOf(text), params }];
  const effects = [{ effect, statements, turn: "", at_once: 0, unseen: false }];
  const answer = await call(script(step(effects), answerReplies()));
  return Buffer.from(await answer.arrayBuffer());
}

/** The heads of the start frames that wakes of this time have stored. */
async function heads(time: number): Promise<Record<string, unknown>[]> {
  const frame = await store(
    "query",
    "SELECT json_group_array(json(head)) AS heads FROM woken WHERE json_extract(head, '$.scheduled_time') = ?1",
    time,
  );
  // A head, and one section with one cell: a tag byte, a length, and the text.
  return JSON.parse(frame.subarray(4 + frame.readUInt32LE(0) + 9).toString());
}

async function wake(query: string): Promise<void> {
  const answer = await fetch(
    `http://127.0.0.1:${worker.port}/cdn-cgi/local/scheduled?cron=%2A+%2A+%2A+%2A+%2A${query}`,
  );
  assert.equal(await answer.text(), "ok");
  assert.equal(answer.status, 200);
}

test("a wake reaches the core with its scheduled time and what every invocation has", async () => {
  const before = Date.now();
  await wake("&time=60000");
  const [head, ...others] = await heads(60_000);
  assert.deepEqual(others, []);
  assert.ok(head);
  assert.equal(head["kind"], "wake");
  assert.equal(head["scheduled_time"], 60_000);
  const time = Number(head["time"]);
  assert.ok(time >= before && time <= Date.now(), `${time}`);
  assert.equal(head["store"], "d1");
  const secrets = head["secrets"] as Record<string, unknown>;
  assert.deepEqual(secrets, { ENCRYPTION_KEY: { bytes: 32, digest: "" } });
  const vars = head["vars"] as Record<string, string>;
  assert.equal(vars["GREETING"], "hi");
  assert.equal(vars["ENCRYPTION_KEY"], undefined);
  await until(() => logged(worker, new RegExp(`${head["request_id"]}: woken at one`)).length === 1);
});

test("without a time of its own a wake is for now", async () => {
  await wake("");
  assert.equal(logged(worker, /the core failed/).length, 0);
});

test("a wake that fails is logged, and requests and wakes after it work", async () => {
  for (const [index, time] of [120_000, 180_000, 240_000, 120_000].entries()) {
    await wake(`&time=${time}`);
    await until(() => logged(worker, /[0-9a-f-]{36}: the core failed: /).length === index + 1);
    assert.equal(await (await call(script(answerOk("fine")))).text(), "fine");
    await wake("&time=60000");
  }
  assert.equal((await heads(60_000)).length, 5);
});

test("two wakes at once are two invocations, side by side", async () => {
  // Somebody holds the memory that both want, for as long as an endless answer is not taken.
  const endless = [startStream(), writeForever(256 * 1024), lastStep([])];
  const holder = request({
    port: worker.port,
    host: "127.0.0.1",
    headers: { "x-script": script(step([reserve]), step([log("holds")]), ...endless) },
  });
  const answered = once(holder, "response");
  holder.end();
  await until(() => logged(worker, /: holds/).length === 1);
  const [answer] = await answered;
  const both = Promise.all([wake("&time=300000"), wake("&time=300000")]);
  await until(() => logged(worker, /: waits/).length === 2);
  assert.deepEqual(await heads(300_000), []);
  answer.destroy();
  await both;
  await until(() => logged(worker, /: goes on/).length === 2);
  const ids = (await heads(300_000)).map((head) => head["request_id"]);
  assert.equal(new Set(ids).size, 2);
});

test("the hook of older tools is a path like any other", async () => {
  assert.equal(
    await (await call(script(answerOk("a request")), "/__scheduled?cron=x")).text(),
    "a request",
  );
});
