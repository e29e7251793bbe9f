import assert from "node:assert/strict";
import { test } from "node:test";
import { Instance } from "../../host/core/instance.ts";
import { defaultPoolOptions, Pool } from "../../host/core/pool.ts";
import { compileFixture } from "./script.ts";

const module = compileFixture();
const size = new Instance(module).memoryBytes;

/** A pool with a clock of its own: a sleep takes as long as it says and no time at all. */
function makePool(budgetBytes: number): {
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
  assert.equal(await one.reserve(2 * size), true);
  assert.equal(pool.usedBytes, 3 * size);
  const two = pool.tryAcquire()!;
  assert.equal(pool.tryAcquire(), undefined);
  assert.equal(await two.reserve(1), false);
  assert.equal(pool.usedBytes, 4 * size);
  one.release();
  assert.equal(await two.reserve(3 * size), true);
  assert.equal(pool.usedBytes, 4 * size);
});

test("idle instances make room for a reservation", async () => {
  const { pool, clock } = makePool(3 * size);
  const leases = [pool.tryAcquire()!, pool.tryAcquire()!, pool.tryAcquire()!] as const;
  leases[1].release();
  leases[2].release();
  assert.equal(pool.usedBytes, 3 * size);
  assert.equal(await leases[0].reserve(2 * size), true);
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
  assert.equal(await pool.tryAcquire()!.reserve(4 * size), false);
  assert.equal(clock.now, 0);
});

test("a lease that nobody has touched for long is taken away", async () => {
  const { pool, clock } = makePool(size);
  const abandoned = pool.tryAcquire()!;
  clock.now += defaultPoolOptions.abandonedMs + 1;
  assert.ok(await pool.acquire());
  abandoned.release();
  assert.equal(pool.usedBytes, size);
});
