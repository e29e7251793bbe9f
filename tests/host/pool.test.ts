import assert from "node:assert/strict";
import { test } from "node:test";
import { Instance } from "../../host/shared/core/instance.ts";
import {
  defaultPoolOptions,
  type Lease,
  type Need,
  Pool,
  type PoolOptions,
} from "../../host/shared/core/pool.ts";
import { compileFixture } from "./script.ts";

const module = compileFixture();
const size = new Instance(module).memoryBytes;
const stream: Need = { kind: "stream" };
const memory = (bytes: number): Need => ({ kind: "memory", bytes });

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
  const lease = pool.tryAcquire()!;
  const { instance } = lease;
  lease.release();
  assert.equal(pool.tryAcquire()?.instance, instance);
});

test("an instance that was discarded is not used again", () => {
  const { pool } = makePool(2 * size);
  const lease = pool.tryAcquire()!;
  const { instance } = lease;
  lease.discard();
  assert.equal(pool.usedBytes, 0);
  assert.notEqual(pool.tryAcquire()?.instance, instance);
});

test("instances and reservations never pass the budget", async () => {
  const { pool } = makePool(4 * size);
  const one = pool.tryAcquire()!;
  assert.equal(await one.hold(memory(2 * size)), true);
  assert.equal(pool.usedBytes, 3 * size);
  const two = pool.tryAcquire()!;
  assert.equal(pool.tryAcquire(), undefined);
  assert.equal(await two.hold(memory(1)), false);
  assert.equal(pool.usedBytes, 4 * size);
  one.release();
  assert.equal(await two.hold(memory(3 * size)), true);
  assert.equal(pool.usedBytes, 4 * size);
});

test("idle instances make room for a reservation", async () => {
  const { pool, clock } = makePool(3 * size);
  const leases = [pool.tryAcquire()!, pool.tryAcquire()!, pool.tryAcquire()!] as const;
  leases[1].release();
  leases[2].release();
  assert.equal(pool.usedBytes, 3 * size);
  assert.equal(await leases[0].hold(memory(2 * size)), true);
  assert.equal(clock.now, 0);
});

test("who finds no room waits for ten seconds at most", async () => {
  const { pool, clock } = makePool(size);
  const held = pool.tryAcquire()!;
  assert.equal(await pool.acquire(), undefined);
  assert.ok(clock.now >= 10_000 && clock.now < 10_100, String(clock.now));
  clock.onSleep = () => held.release();
  assert.ok(await pool.acquire());
});

test("a reservation that can never fit is refused at once", async () => {
  const { pool, clock } = makePool(4 * size);
  assert.equal(await pool.tryAcquire()!.hold(memory(4 * size)), false);
  assert.equal(clock.now, 0);
});

test("a reservation is held once, however often it is asked for", async () => {
  const { pool } = makePool(3 * size);
  const lease = pool.tryAcquire(memory(2 * size))!;
  assert.equal(pool.usedBytes, 3 * size);
  assert.equal(await lease.hold(memory(2 * size)), true);
  assert.equal(pool.usedBytes, 3 * size);
  lease.release();
  assert.equal(pool.usedBytes, size);
});

test("who needs a reservation waits for it without an instance", async () => {
  const { pool, clock } = makePool(3 * size);
  const first = pool.tryAcquire(memory(2 * size))!;
  assert.equal(pool.tryAcquire(memory(2 * size)), undefined);
  assert.equal(pool.usedBytes, 3 * size);
  clock.onSleep = () => first.release();
  assert.ok(await pool.acquire(memory(2 * size)));
});

test("an instance that grew is for the next large body, and small requests leave it alone", () => {
  const { pool } = makePool(8 * size, { keptBytes: size, keptOnceBytes: 3 * size });
  const large: Need = { kind: "nothing", bodyBytes: 2 * size };
  const grow = (lease: Lease): void => {
    const { memory } = (lease.instance as unknown as { exports: { memory: WebAssembly.Memory } })
      .exports;
    memory.grow((2 * size - memory.buffer.byteLength) / 65_536);
  };
  const first = pool.tryAcquire()!;
  const second = pool.tryAcquire()!;
  const grown = first.instance;
  for (const lease of [first, second]) grow(lease);
  first.release();
  second.release();
  assert.equal(pool.usedBytes, 2 * size, "one of the two");
  const small = pool.tryAcquire()!;
  assert.notEqual(small.instance, grown);
  small.release();
  assert.equal(pool.tryAcquire(large)?.instance, grown);
});

test("streams have a part of the budget, and a smaller one where somebody waits", async () => {
  const { pool, clock } = makePool(8 * size, {
    streamsBytes: 4 * size,
    contestedStreamsBytes: 2 * size,
  });
  const streams = [1, 2, 3, 4].map(() => pool.tryAcquire(stream)!);
  const fifth = pool.tryAcquire()!;
  assert.equal(fifth.tryHold(stream), false);
  assert.equal(pool.tryAcquire(stream), undefined);
  assert.ok(pool.tryAcquire(), "anything else has an instance");
  streams[0]!.release();
  let whileWaiting: boolean | undefined;
  clock.onSleep = () => {
    whileWaiting ??= fifth.tryHold(stream);
  };
  assert.equal(await pool.acquire(memory(4 * size)), undefined);
  assert.equal(whileWaiting, false);
  assert.equal(fifth.tryHold(stream), true);
});

test("a stream is charged what it will grow to", () => {
  const { pool } = makePool(8 * size, { streamBytes: 3 * size });
  const lease = pool.tryAcquire()!;
  assert.equal(lease.tryHold(stream), true);
  assert.equal(pool.usedBytes, 3 * size);
});

test("where somebody waits, clients that stall make room: as many as it takes, the longest first", async () => {
  const { pool, clock } = makePool(5 * size);
  const leases = [1, 2, 3, 4, 5].map(() => pool.tryAcquire(stream)!);
  for (const lease of leases) {
    clock.now += 1;
    lease.touch();
    lease.awaitsClient = true;
  }
  leases[0]!.awaitsClient = false; // waits for the store, not for a client
  const idle = defaultPoolOptions.contestedIdleMs;
  clock.now += idle;
  const yielding = (): number[] =>
    leases.flatMap((lease, index) => (lease.awaitsClient && lease.mustYield() ? [index] : []));
  assert.deepEqual(yielding(), [], "nobody waits");
  let seen: number[] | undefined;
  clock.onSleep = () => {
    seen ??= yielding();
  };
  assert.equal(await pool.acquire(memory(size)), undefined);
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(yielding(), [], "nobody waits any more");
});

test("a client that takes a little now and then is left alone, whoever waits", async () => {
  const { pool, clock } = makePool(size);
  const lease = pool.tryAcquire(stream)!;
  lease.awaitsClient = true;
  clock.onSleep = () => {
    if (clock.now % 1000 === 0) lease.touch();
    assert.equal(lease.mustYield(), false);
  };
  assert.equal(await pool.acquire(), undefined);
});

test("a client that stalls for two minutes is given up, even where nobody waits", () => {
  const { pool, clock } = makePool(size);
  const lease = pool.tryAcquire(stream)!;
  clock.now += 119_999;
  assert.equal(lease.mustYield(), false);
  clock.now += 1;
  assert.equal(lease.mustYield(), true);
});

test("a lease that nobody has touched for long is taken away", async () => {
  const { pool, clock } = makePool(size);
  const abandoned = pool.tryAcquire()!;
  clock.now += defaultPoolOptions.abandonedMs + 1;
  assert.ok(await pool.acquire());
  abandoned.release();
  assert.equal(pool.usedBytes, size);
});
