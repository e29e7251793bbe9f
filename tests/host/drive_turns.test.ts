import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTurnOptions, Turns } from "../../host/shared/turns.ts";
import { makeHost, noTurn, reply, run } from "./fake_host.ts";
import { answerOk, answerReplies, lastStep, script, step } from "./script.ts";

const one = { turn: "7", at_once: 1, unseen: false };
const read = step([{ effect: "query", statements: [] }]);
const write = step([{ effect: "batch", statements: [], ...one }]);
const other = { name: "7", atOnce: 1 };

test("a batch waits for its turn without an instance, and what was read before is read again", async () => {
  const { host, store, pool } = makeHost();
  const holder = { left: false };
  assert.ok(host.turns.tryTake(holder, other));
  const { response, finished } = run(host, script(read, write, answerOk("written")));
  const idleBytes = pool.usedBytes;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(
    store.calls.map(({ doing }) => doing),
    ["query"],
  );
  assert.equal(pool.usedBytes, idleBytes, "its instance is idle");
  host.turns.release(holder);
  assert.equal(await (await response).text(), "written");
  await finished;
  assert.deepEqual(
    store.calls.map(({ doing }) => doing),
    ["query", "query", "batch"],
  );
  assert.ok(host.turns.tryTake(holder, other), "it gave its turn back");
});

test("an invocation that cannot begin anew waits for its turn where it stands", async () => {
  const { host, store } = makeHost();
  const holder = { left: false };
  assert.ok(host.turns.tryTake(holder, other));
  const free = step([{ effect: "batch", statements: [], ...noTurn }]);
  const { response, finished } = run(host, script(free, write, answerOk("written")));
  await new Promise((resolve) => setTimeout(resolve, 20));
  host.turns.release(holder);
  assert.equal((await response).status, 200);
  await finished;
  assert.deepEqual(
    store.calls.map(({ doing }) => doing),
    ["batch", "batch"],
  );
});

test("what nobody sees may be done again, so that a turn behind it is waited for without an instance", async () => {
  const { host, store } = makeHost();
  const holder = { left: false };
  assert.ok(host.turns.tryTake(holder, other));
  const unseen = step([{ effect: "batch", statements: [], ...noTurn, unseen: true }]);
  const { response, finished } = run(host, script(unseen, write, answerOk("written")));
  await sleep(20);
  assert.equal(store.calls.length, 1);
  host.turns.release(holder);
  assert.equal((await response).status, 200);
  await finished;
  assert.equal(store.calls.length, 3, "the first one was sent twice");
});

test("who waited for a turn in vain does not wait for it again", async () => {
  const { host, store } = makeHost();
  const turns = new Turns({ ...defaultTurnOptions, pollMs: 1, waitMs: 200, unseenMs: 1e6 });
  assert.ok(turns.tryTake({ left: false }, other));
  const free = step([{ effect: "batch", statements: [], ...noTurn }]);
  const before = Date.now();
  const many = Array.from({ length: 50 }, () => write);
  const answer = await run({ ...host, turns }, script(free, ...many, answerReplies())).response;
  assert.deepEqual((await reply(answer)).replies, [{ ok: false, error: "overloaded" }]);
  assert.ok(Date.now() - before < 50 * 200);
  assert.equal(store.calls.length, 1);
});

test("a turn that does not come in time is overload, and nothing was sent", async () => {
  const { host, store } = makeHost();
  const turns = new Turns({
    pollMs: 1,
    waitMs: 20,
    unseenMs: 1e6,
    abandonedMs: 1e6,
    now: Date.now,
    sleep,
  });
  assert.ok(turns.tryTake({ left: false }, other));
  const waiting = { ...host, turns };
  const answer = await run(waiting, script(write, answerOk("written"))).response;
  assert.equal(answer.headers.get("x-stored"), "overloaded");
  const free = step([{ effect: "batch", statements: [], ...noTurn }]);
  const late = await run(waiting, script(free, write, answerReplies())).response;
  assert.deepEqual((await reply(late)).replies, [{ ok: false, error: "overloaded" }]);
  assert.equal(store.calls.length, 1);
});

test("a request is counted once, however often it begins anew", async () => {
  const { host } = makeHost();
  const counted: string[] = [];
  const limited = {
    ...host,
    count: async (of: string) => {
      counted.push(of);
      return counted.length < 2;
    },
  };
  const count = step([{ effect: "count", of: "somebody" }]);
  const holder = { left: false };
  assert.ok(host.turns.tryTake(holder, other));
  const first = run(limited, script(count, write, answerOk("ok")));
  await new Promise((resolve) => setTimeout(resolve, 20));
  host.turns.release(holder);
  assert.equal((await first.response).status, 200);
  const second = await run(limited, script(count, answerReplies())).response;
  assert.deepEqual((await reply(second)).replies, [{ ok: false, error: "spent" }]);
  assert.deepEqual(counted, ["somebody", "somebody"]);
  const uncounted = await run(host, script(count, answerReplies())).response;
  assert.deepEqual((await reply(uncounted)).replies, [{ ok: false, error: "no_counter" }]);
});

test("what a last step asks for has its turn, too", async () => {
  const { host, store } = makeHost();
  const last = lastStep([{ effect: "batch", statements: [], ...one }]);
  await run(host, script(last)).finished;
  assert.equal(store.calls.length, 1);
});

function sleep(ms: number): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
