import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "../../host/shared/body_room.ts";
import { Instance } from "../../host/shared/core/instance.ts";
import { type Lease, type Need, Pool } from "../../host/shared/core/pool.ts";
import { defaultPoolOptions, type PoolOptions } from "../../host/shared/core/pool_options.ts";
import { Credit } from "../../host/shared/patience.ts";
import { compileFixture } from "./script.ts";

const module = compileFixture();
const size = new Instance(module).memoryBytes;
const stream: Need = { kind: "stream" };
const nothing: Need = { kind: "nothing" };
const memory = (bytes: number, turn = ""): Need => ({ kind: "memory", bytes, turn });

function clientOf(pool: Pool, party = "k"): Client {
  return { party, credit: new Credit(pool.options), left: false };
}

function tryAcquire(pool: Pool, need = nothing, client = clientOf(pool)): Lease | undefined {
  return pool.tryAcquire(need, client);
}

function acquire(pool: Pool, need = nothing, client = clientOf(pool)): Promise<Lease | undefined> {
  return pool.acquire(need, client);
}

/** A pool with a clock of its own: a sleep takes as long as it says and no time at all. */
function makePool(
  budgetBytes: number,
  options: Partial<PoolOptions> = {},
): {
  pool: Pool;
  clock: { now: number; onSleep: () => void };
} {
  const clock = { now: 0, onSleep: () => {} };
  const sleep = async (ms: number): Promise<void> => {
    clock.now += ms;
    clock.onSleep();
  };
  const pool = new Pool(module, new Instance(module), {
    ...defaultPoolOptions,
    streamBytes: size,
    streamsBytes: budgetBytes,
    turnsBytes: budgetBytes,
    lentBytes: budgetBytes,
    partyBytes: budgetBytes,
    urgentMs: 0,
    contestedStreamsBytes: budgetBytes,
    ...options,
    budgetBytes,
    now: () => clock.now,
    sleep,
  });
  return { pool, clock };
}

test("an instance that was given back is used again", () => {
  const { pool } = makePool(2 * size);
  const lease = tryAcquire(pool)!;
  const { instance } = lease;
  lease.release();
  assert.equal(tryAcquire(pool)?.instance, instance);
});

test("an instance that was discarded is not used again", () => {
  const { pool } = makePool(2 * size);
  const lease = tryAcquire(pool)!;
  const { instance } = lease;
  lease.discard();
  assert.equal(pool.usedBytes, 0);
  assert.notEqual(tryAcquire(pool)?.instance, instance);
});

test("instances and reservations never pass the budget", async () => {
  const { pool } = makePool(4 * size);
  const one = tryAcquire(pool)!;
  assert.equal(await one.hold(memory(2 * size)), true);
  assert.equal(pool.usedBytes, 3 * size);
  const two = tryAcquire(pool)!;
  assert.equal(tryAcquire(pool), undefined);
  assert.equal(await two.hold(memory(1)), false);
  assert.equal(pool.usedBytes, 4 * size);
  one.release();
  assert.equal(await two.hold(memory(3 * size)), true);
  assert.equal(pool.usedBytes, 4 * size);
});

test("idle instances make room for a reservation", async () => {
  const { pool, clock } = makePool(3 * size);
  const leases = [tryAcquire(pool)!, tryAcquire(pool)!, tryAcquire(pool)!] as const;
  leases[1].release();
  leases[2].release();
  assert.equal(pool.usedBytes, 3 * size);
  assert.equal(await leases[0].hold(memory(2 * size)), true);
  assert.equal(clock.now, 0);
});

test("who finds no room waits for ten seconds at most", async () => {
  const { pool, clock } = makePool(size);
  const held = tryAcquire(pool)!;
  assert.equal(await acquire(pool), undefined);
  assert.ok(clock.now >= 10_000 && clock.now < 10_100, String(clock.now));
  clock.onSleep = () => held.release();
  assert.ok(await acquire(pool));
});

test("a reservation that can never fit is refused at once", async () => {
  const { pool, clock } = makePool(4 * size);
  assert.equal(await tryAcquire(pool)!.hold(memory(4 * size)), false);
  assert.equal(clock.now, 0);
});

test("a reservation is held once, however often it is asked for", async () => {
  const { pool } = makePool(3 * size);
  const lease = tryAcquire(pool, memory(2 * size))!;
  assert.equal(pool.usedBytes, 3 * size);
  assert.equal(await lease.hold(memory(2 * size)), true);
  assert.equal(pool.usedBytes, 3 * size);
  lease.release();
  assert.equal(pool.usedBytes, size);
});

test("who needs a reservation waits for it without an instance", async () => {
  const { pool, clock } = makePool(3 * size);
  const first = tryAcquire(pool, memory(2 * size))!;
  assert.equal(tryAcquire(pool, memory(2 * size)), undefined);
  assert.equal(pool.usedBytes, 3 * size);
  clock.onSleep = () => first.release();
  assert.ok(await acquire(pool, memory(2 * size)));
});

test("an instance that grew is for who reserves as much, and small requests leave it alone", () => {
  const { pool } = makePool(8 * size, { keptBytes: size, keptOnceBytes: 3 * size });
  const grow = (lease: Lease): void => {
    const { memory } = (lease.instance as unknown as { exports: { memory: WebAssembly.Memory } })
      .exports;
    memory.grow((2 * size - memory.buffer.byteLength) / 65_536);
  };
  const first = tryAcquire(pool)!;
  const second = tryAcquire(pool)!;
  const grown = first.instance;
  for (const lease of [first, second]) grow(lease);
  first.release();
  second.release();
  assert.equal(pool.usedBytes, 2 * size, "one of the two");
  const small = tryAcquire(pool)!;
  assert.notEqual(small.instance, grown);
  small.release();
  assert.notEqual(tryAcquire(pool, memory(size))?.instance, grown);
  assert.equal(tryAcquire(pool, memory(2 * size))?.instance, grown);
});

test("streams have a part of the budget, and a smaller one where somebody waits", async () => {
  const { pool, clock } = makePool(8 * size, {
    streamsBytes: 4 * size,
    contestedStreamsBytes: 2 * size,
  });
  const streams = [1, 2, 3, 4].map(() => tryAcquire(pool, stream)!);
  const fifth = tryAcquire(pool)!;
  assert.equal(fifth.tryHold(stream), false);
  assert.equal(tryAcquire(pool, stream), undefined);
  assert.ok(tryAcquire(pool), "anything else has an instance");
  streams[0]!.release();
  let whileWaiting: boolean | undefined;
  clock.onSleep = () => {
    whileWaiting ??= fifth.tryHold(stream);
  };
  assert.equal(await acquire(pool, memory(4 * size)), undefined);
  assert.equal(whileWaiting, false);
  assert.equal(fifth.tryHold(stream), true);
});

test("a stream is charged what it will grow to", () => {
  const { pool } = makePool(8 * size, { streamBytes: 3 * size });
  const lease = tryAcquire(pool)!;
  assert.equal(lease.tryHold(stream), true);
  assert.equal(pool.usedBytes, 3 * size);
});

test("where somebody waits, clients that stall make room: as many as it takes, the longest first", async () => {
  const { pool, clock } = makePool(5 * size);
  const leases = [1, 2, 3, 4, 5].map(() => tryAcquire(pool, stream)!);
  for (const [at, lease] of leases.entries()) {
    clock.now += 1;
    lease.touch();
    // The first waits for the store, not for a client.
    if (at > 0) lease.credit.beginWait();
  }
  clock.now += defaultPoolOptions.contestedIdleMs;
  const yielding = (): number[] =>
    leases.flatMap((lease, at) => (lease.credit.awaitsClient && lease.mustYield() ? [at] : []));
  assert.deepEqual(yielding(), [], "nobody waits");
  let seen: number[] | undefined;
  clock.onSleep = () => {
    seen ??= yielding();
  };
  assert.equal(await acquire(pool, memory(size)), undefined);
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(yielding(), [], "nobody waits any more");
});

test("a reader that takes a little now and then is left alone, whoever waits", async () => {
  const { pool, clock } = makePool(size);
  const lease = tryAcquire(pool, stream)!;
  lease.credit.beginWait();
  let steps = 0;
  clock.onSleep = () => {
    if (++steps % 20 === 0) {
      lease.credit.endWait();
      lease.touch();
      lease.credit.beginWait();
    }
    assert.equal(lease.mustYield(), false);
  };
  assert.equal(await acquire(pool), undefined);
});

test("a sender keeps its credit by what it sends on average, however much came at once", () => {
  const { pool, clock } = makePool(size);
  const { contestedIdleMs, slowBytesPerMs } = pool.options;
  const { credit } = clientOf(pool);
  credit.beginWait();
  for (let at = 0; at < 100; at++) {
    clock.now += 1000;
    credit.earn(1000 * slowBytesPerMs);
    assert.equal(credit.leftMs, contestedIdleMs);
  }
  credit.earn(1e9);
  for (let at = 0; at < 100; at++) {
    clock.now += 1000;
    credit.earn(1);
  }
  assert.ok(credit.leftMs < 0, "a byte a second is nothing");
  const left = credit.leftMs;
  credit.endWait();
  clock.now += 60_000;
  assert.equal(credit.leftMs, left, "time that is not its own does not count");
});

test("a client that stalls for two minutes is given up, even where nobody waits", () => {
  const { pool, clock } = makePool(size);
  const lease = tryAcquire(pool, stream)!;
  lease.credit.beginWait();
  clock.now += 119_999;
  assert.equal(lease.mustYield(), false);
  clock.now += 1;
  assert.equal(lease.mustYield(), true);
});

test("one lease at a time has a turn, and turns come in the order in which they were asked for", async () => {
  const { pool, clock } = makePool(9 * size);
  const first = tryAcquire(pool, memory(4 * size, "7"))!;
  assert.equal(tryAcquire(pool, memory(size, "7")), undefined, "the same turn");
  const second = acquire(pool, memory(4 * size, "8"));
  assert.equal(tryAcquire(pool, memory(size, "9")), undefined, "one that came later");
  assert.ok(tryAcquire(pool, memory(size)), "one without a turn");
  clock.onSleep = () => first.release();
  assert.ok(await second);
  assert.ok(tryAcquire(pool, memory(size, "7")));
});

test("what is lent is there for others, and is waited for behind them", async () => {
  const { pool, clock } = makePool(5 * size);
  const lender = tryAcquire(pool, memory(3 * size, "7"))!;
  assert.equal(pool.usedBytes, 4 * size);
  lender.lend();
  assert.equal(pool.usedBytes, size);
  const other = tryAcquire(pool, memory(3 * size, "8"))!;
  const back = lender.takeBack();
  assert.equal(pool.usedBytes, 5 * size);
  clock.onSleep = () => other.release();
  assert.equal(await back, true);
  assert.equal(lender.chargedBytes, 4 * size);
});

test("those that have lent too much for somebody who waits make room, the largest first", async () => {
  const { pool, clock } = makePool(4 * size, { lentBytes: size });
  const leases = ["1", "2", "3"].map((turn) => {
    const lease = tryAcquire(pool, memory(size, turn))!;
    lease.lend();
    lease.credit.beginWait();
    return lease;
  });
  const yielding = (): number => leases.filter((lease) => lease.mustYield()).length;
  clock.now += defaultPoolOptions.contestedIdleMs - 1000;
  const seen: number[] = [];
  clock.onSleep = () => {
    for (const { credit } of leases) credit.earn(1e6);
    seen.push(yielding());
  };
  assert.equal(await acquire(pool, memory(2 * size)), undefined);
  assert.deepEqual([seen[0], seen.at(-1)], [0, 1]);
  assert.equal(yielding(), 0, "nobody waits any more");
});

test("where another party waits, one has a part of the budget", async () => {
  const { pool, clock } = makePool(4 * size, { partyBytes: 2 * size });
  const mine = clientOf(pool, "mine");
  const leases = [1, 2, 3, 4].map(() => tryAcquire(pool, nothing, mine)!);
  const other = acquire(pool, nothing, clientOf(pool, "other"));
  leases[0]!.release();
  assert.equal(tryAcquire(pool, nothing, mine), undefined);
  clock.onSleep = () => {};
  assert.ok(await other);
  leases[1]!.release();
  assert.ok(tryAcquire(pool, nothing, mine), "nobody waits any more");
});

test("a client that left does not wait", async () => {
  const { pool, clock } = makePool(size);
  tryAcquire(pool);
  assert.equal(await acquire(pool, nothing, { ...clientOf(pool), left: true }), undefined);
  assert.equal(clock.now, 0);
});

test("a lease that nobody has touched for long is taken away", async () => {
  const { pool, clock } = makePool(size);
  const abandoned = tryAcquire(pool)!;
  clock.now += defaultPoolOptions.abandonedMs + 1;
  assert.ok(await acquire(pool));
  abandoned.release();
  assert.equal(pool.usedBytes, size);
});
