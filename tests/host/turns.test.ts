import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTurnOptions, type Taker, Turns } from "../../host/shared/turns.ts";

/** Turns by a clock that moves while somebody waits. */
function makeTurns(options = {}): { turns: Turns; pass: (ms: number) => void } {
  let time = 0;
  const turns = new Turns({
    ...defaultTurnOptions,
    waitMs: 1_000,
    now: () => time,
    sleep: async (ms) => {
      time += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
    ...options,
  });
  return { turns, pass: (ms) => (time += ms) };
}

const taker = (): Taker => ({ left: false });
const pair = { name: "1", atOnce: 2 };

test("so many have a turn at a time, and who has it keeps it until it is given back", () => {
  const { turns } = makeTurns();
  const [a, b, c] = [taker(), taker(), taker()];
  assert.ok(turns.tryTake(a, pair));
  assert.ok(turns.tryTake(b, pair));
  assert.ok(!turns.tryTake(c, pair));
  assert.ok(turns.tryTake(a, pair), "it is its own");
  turns.release(a);
  assert.ok(turns.tryTake(c, pair));
  assert.ok(!turns.tryTake(a, pair));
});

test("turns of other names are no matter", () => {
  const { turns } = makeTurns();
  assert.ok(turns.tryTake(taker(), { name: "1", atOnce: 1 }));
  assert.ok(turns.tryTake(taker(), { name: "2", atOnce: 1 }));
  assert.ok(!turns.tryTake(taker(), { name: "2", atOnce: 1 }));
});

test("those that wait have it in the order of their coming, and nobody passes them", async () => {
  const { turns } = makeTurns({ waitMs: 60_000 });
  const one = { name: "1", atOnce: 1 };
  const holders = Array.from({ length: 20 }, taker);
  const order: number[] = [];
  const first = taker();
  assert.ok(turns.tryTake(first, one));
  const waits = holders.map(async (holder, index) => {
    assert.ok(await turns.take(holder, one));
    order.push(index);
    assert.ok(!turns.tryTake(taker(), one), "somebody has it");
    turns.release(holder);
    if (index < holders.length - 1) assert.ok(!turns.tryTake(taker(), one), "others came before");
  });
  turns.release(first);
  await Promise.all(waits);
  assert.deepEqual(
    order,
    holders.map((_, index) => index),
  );
});

test("who waits in vain, or leaves, gives up, and keeps nobody back", async () => {
  const { turns } = makeTurns();
  const one = { name: "1", atOnce: 1 };
  const holder = taker();
  assert.ok(turns.tryTake(holder, one));
  assert.equal(await turns.take(taker(), one), false);
  assert.equal(await turns.take({ left: true }, one), false);
  turns.release(holder);
  assert.ok(turns.tryTake(taker(), one));
});

test("a turn of which nothing is heard is free in the end, and so is a place in the queue", async () => {
  const { turns, pass } = makeTurns();
  const one = { name: "1", atOnce: 1 };
  const [gone, alive] = [taker(), taker()];
  assert.ok(turns.tryTake(gone, one));
  pass(defaultTurnOptions.abandonedMs - 1);
  assert.ok(!turns.tryTake(alive, one));
  turns.touch(gone);
  pass(1);
  assert.ok(!turns.tryTake(alive, one), "it was heard of");
  pass(defaultTurnOptions.abandonedMs);
  assert.ok(turns.tryTake(alive, one));
  // A waiter whose request was destroyed does not look again: its promise never settles.
  const { turns: queue, pass: wait } = makeTurns({ sleep: () => new Promise(() => {}) });
  assert.ok(queue.tryTake(alive, one));
  void queue.take(gone, one);
  queue.release(alive);
  assert.ok(!queue.tryTake(alive, one), "the other one came first");
  wait(defaultTurnOptions.unseenMs);
  assert.ok(queue.tryTake(alive, one));
});
