// Instances of the core for one isolate, bounded by the bytes that they and their reservations take
// together.
//
// Theory of operation. A lease gives one invocation one instance and is charged the larger of the
// instance's memory now and the memory it began with plus what it reserved: a reservation covers
// the growth it was asked for. Idle instances are charged their memory, and are dropped when
// somebody needs the room.
//
// Waiting is polling. In workerd a promise belongs to the request that made it, and one request
// must not resolve another's; so each waiter sleeps on a timer of its own and looks again. There is
// no queue: small invocations may pass a large reservation, which fails after `waitMs` at the
// latest.
//
// A request whose context workerd destroys never gives its lease back. The driver touches its lease
// at every step and bounds every wait, so a lease that was not touched for `abandonedMs` has no
// owner any more and is taken away.

import { Instance } from "./instance.ts";

export type PoolOptions = {
  /** All of wasm in an isolate; the isolate itself has 128 MB. */
  readonly budgetBytes: number;
  /** An instance that grew beyond this is not kept for the next invocation: memory never shrinks. */
  readonly keptBytes: number;
  readonly waitMs: number;
  readonly pollMs: number;
  readonly abandonedMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
};

export const defaultPoolOptions: PoolOptions = {
  budgetBytes: 80 * 1024 * 1024,
  keptBytes: 16 * 1024 * 1024,
  waitMs: 10_000,
  pollMs: 4,
  abandonedMs: 300_000,
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

export class Pool {
  private readonly module: WebAssembly.Module;
  private readonly options: PoolOptions;
  private readonly idle: Instance[] = [];
  private readonly leases = new Set<Lease>();
  private freshBytes: number;

  /** `first` is an instance that was needed before the pool was there. */
  constructor(
    module: WebAssembly.Module,
    first: Instance,
    options: PoolOptions = defaultPoolOptions,
  ) {
    this.module = module;
    this.options = options;
    this.freshBytes = first.memoryBytes;
    this.idle.push(first);
  }

  /** What instances and reservations take now. */
  get usedBytes(): number {
    let used = 0;
    for (const lease of this.leases) used += lease.chargedBytes;
    for (const instance of this.idle) used += instance.memoryBytes;
    return used;
  }

  /** An instance without waiting, if there is room. Throws `CoreFailure` when a new one cannot be made. */
  tryAcquire(): Lease | undefined {
    const instance = this.idle.pop() ?? this.make();
    if (instance === undefined) return undefined;
    const lease = new Lease(this, instance, this.options.now());
    this.leases.add(lease);
    return lease;
  }

  /** Waits for an instance; `undefined` when none was free in time. */
  async acquire(): Promise<Lease | undefined> {
    let lease: Lease | undefined;
    await this.poll(() => {
      lease = this.tryAcquire();
      return lease !== undefined;
    });
    return lease;
  }

  /** Waits until `bytes` more fit for this lease; `false` when they did not in time. */
  async reserve(lease: Lease, bytes: number): Promise<boolean> {
    const attempt = (): boolean => {
      lease.reservedBytes += bytes;
      if (this.makeRoom(0)) return true;
      lease.reservedBytes -= bytes;
      return false;
    };
    if (lease.startBytes + lease.reservedBytes + bytes > this.options.budgetBytes) return false;
    return attempt() || (await this.poll(attempt));
  }

  touch(lease: Lease): void {
    lease.touchedAt = this.options.now();
  }

  /** Gives the instance back after an invocation that ended well. */
  release(lease: Lease): void {
    if (!this.leases.delete(lease)) return;
    const bytes = lease.instance.memoryBytes;
    if (bytes <= this.options.keptBytes && this.usedBytes + bytes <= this.options.budgetBytes) {
      this.idle.push(lease.instance);
    }
  }

  /** Throws the instance away: it trapped, or the invocation was cut off in the middle of a call. */
  discard(lease: Lease): void {
    this.leases.delete(lease);
  }

  private async poll(attempt: () => boolean): Promise<boolean> {
    const { now, sleep, waitMs, pollMs } = this.options;
    const deadline = now() + waitMs;
    while (now() < deadline) {
      await sleep(pollMs);
      this.dropAbandoned();
      if (attempt()) return true;
    }
    return false;
  }

  private make(): Instance | undefined {
    if (!this.makeRoom(this.freshBytes)) return undefined;
    const instance = new Instance(this.module);
    this.freshBytes = instance.memoryBytes;
    return instance;
  }

  /** Whether `bytes` more fit, after dropping idle instances if need be. */
  private makeRoom(bytes: number): boolean {
    let used = this.usedBytes + bytes;
    while (used > this.options.budgetBytes) {
      const dropped = this.idle.pop();
      if (dropped === undefined) return false;
      used -= dropped.memoryBytes;
    }
    return true;
  }

  private dropAbandoned(): void {
    const before = this.options.now() - this.options.abandonedMs;
    for (const lease of this.leases) if (lease.touchedAt < before) this.leases.delete(lease);
  }
}

/** One invocation's hold on an instance. */
export class Lease {
  readonly instance: Instance;
  readonly startBytes: number;
  reservedBytes = 0;
  touchedAt: number;
  private readonly pool: Pool;

  constructor(pool: Pool, instance: Instance, now: number) {
    this.pool = pool;
    this.instance = instance;
    this.startBytes = instance.memoryBytes;
    this.touchedAt = now;
  }

  get chargedBytes(): number {
    return Math.max(this.instance.memoryBytes, this.startBytes + this.reservedBytes);
  }

  reserve(bytes: number): Promise<boolean> {
    return this.pool.reserve(this, bytes);
  }

  touch(): void {
    this.pool.touch(this);
  }

  release(): void {
    this.pool.release(this);
  }

  discard(): void {
    this.pool.discard(this);
  }
}
