// Instances of the core for one isolate, bounded by the bytes that they and their reservations take
// together.
//
// Theory of operation. A lease gives one invocation one instance and is charged the larger of the
// instance's memory now and what it was promised: a fresh instance's plus what it reserved.
// Idle instances are charged their memory, and are dropped when somebody needs the room.
//
// A stream holds its instance for as long as its reader takes, so streams have a part of the budget
// only, and a smaller one where somebody waits for anything else.
//
// Waiting is polling. In workerd a promise belongs to the request that made it, and one request
// must not resolve another's; so each waiter sleeps on a timer of its own and looks again. There is
// no queue: small invocations may pass a large reservation, which fails after `waitMs` at the
// latest.
//
// An invocation that waits for its client holds its instance, and a client may take or send nothing
// for long. Where somebody waits for room, such clients are given up, the longest idle first: each
// looks by itself whether it is its turn (`mustYield`), for the same reason.
//
// A request whose context workerd destroys never gives its lease back. The driver touches its lease
// at every step and bounds every wait, so a lease that was not touched for `abandonedMs` has no
// owner any more and is taken away.

import type { Held } from "../patience.ts";
import { Instance } from "./instance.ts";

export type PoolOptions = {
  /** All of wasm in an isolate; the isolate itself has 128 MB. */
  readonly budgetBytes: number;
  /** What of the budget streams may take together: where somebody waits for anything else, and where nobody does. */
  readonly contestedStreamsBytes: number;
  readonly streamsBytes: number;
  /** What a stream is charged at least: it grows to that. */
  readonly streamBytes: number;
  /**
   * Instances up to the first size are kept for the next invocation, and one up to the second:
   * memory never shrinks. To throw one away is not free, either: its memory stays until it is
   * collected, and the system gives the next one's page by page (a tenth of an import of 11 MB).
   */
  readonly keptBytes: number;
  readonly keptOnceBytes: number;
  readonly waitMs: number;
  readonly pollMs: number;
  /** How long a client may take and send nothing: where somebody waits for room, and where nobody does. */
  readonly contestedIdleMs: number;
  readonly idleMs: number;
  readonly abandonedMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
};

const mebibyte = 1024 * 1024;

export const defaultPoolOptions: PoolOptions = {
  budgetBytes: 80 * mebibyte,
  contestedStreamsBytes: 24 * mebibyte,
  streamsBytes: 60 * mebibyte,
  streamBytes: 3 * mebibyte,
  keptBytes: 4 * mebibyte,
  keptOnceBytes: 48 * mebibyte,
  waitMs: 10_000,
  pollMs: 4,
  contestedIdleMs: 6_000,
  idleMs: 120_000,
  abandonedMs: 300_000,
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * What an invocation needs beside its instance: nothing, a reservation, or to stream its answer. One
 * with a large body is likely to grow, and begins with what has grown already.
 */
export type Need =
  | { readonly kind: "nothing"; readonly bodyBytes?: number }
  | { readonly kind: "memory"; readonly bytes: number }
  | { readonly kind: "stream" };

const nothing: Need = { kind: "nothing" };

/** What somebody waits for: so many bytes of the budget, or of the part of it that streams have. */
type Part = "all" | "streams";
type Waiter = { readonly part: Part; readonly bytes: number; readonly deadline: number };

export class Pool {
  private readonly module: WebAssembly.Module;
  private readonly options: PoolOptions;
  /** By rising size. */
  private readonly idle: Instance[] = [];
  private readonly leases = new Set<Lease>();
  private readonly waiters = new Set<Waiter>();
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
    let used = this.leasedBytes("all");
    for (const instance of this.idle) used += instance.memoryBytes;
    return used;
  }

  /** An instance without waiting, if there is room. Throws `CoreFailure` when a new one cannot be made. */
  tryAcquire(need: Need = nothing): Lease | undefined {
    if (!this.fits(need)) return undefined;
    const instance = this.takeIdle(need) ?? this.make();
    if (instance === undefined) return undefined;
    const lease = new Lease(this, instance, this.options.now());
    this.leases.add(lease);
    if (this.tryHold(lease, need)) return lease;
    this.release(lease);
    return undefined;
  }

  /** Waits for an instance; `undefined` when none was free in time. */
  async acquire(need: Need = nothing): Promise<Lease | undefined> {
    let lease: Lease | undefined;
    await this.poll(need, () => {
      lease = this.tryAcquire(need);
      return lease !== undefined;
    });
    return lease;
  }

  /** Gives the lease what it needs, if there is room; more than once is the same as once. */
  tryHold(lease: Lease, need: Need): boolean {
    const { reservedBytes, streams } = lease;
    if (need.kind === "memory") lease.reservedBytes = Math.max(reservedBytes, need.bytes);
    if (need.kind === "stream") lease.streams = true;
    if (lease.reservedBytes === reservedBytes && lease.streams === streams) return true;
    if ((streams === lease.streams || this.streamsFit(0)) && this.makeRoom(0)) return true;
    lease.reservedBytes = reservedBytes;
    lease.streams = streams;
    return false;
  }

  /** Waits until the lease can have what it needs; `false` when it could not in time. */
  async hold(lease: Lease, need: Need): Promise<boolean> {
    const attempt = (): boolean => this.tryHold(lease, need);
    return attempt() || (await this.poll(need, attempt));
  }

  touch(lease: Lease): void {
    lease.touchedAt = this.options.now();
  }

  chargedBytes(lease: Lease): number {
    const promised = this.freshBytes + lease.reservedBytes;
    const least = lease.streams ? this.options.streamBytes : 0;
    return Math.max(lease.instance.memoryBytes, promised, least);
  }

  /**
   * Whether this lease's client was waited for long enough. Where somebody waits, as many have to
   * go as it takes for the largest need.
   */
  mustYield(lease: Lease): boolean {
    const { now, contestedIdleMs, idleMs } = this.options;
    const idle = now() - lease.touchedAt;
    if (idle >= idleMs) return true;
    if (idle < contestedIdleMs || !this.leases.has(lease)) return false;
    return this.isNext(lease, "all") || (lease.streams && this.isNext(lease, "streams"));
  }

  /** Gives the instance back after an invocation that ended well. */
  release(lease: Lease): void {
    if (!this.leases.delete(lease)) return;
    const { keptBytes, keptOnceBytes, budgetBytes } = this.options;
    const bytes = lease.instance.memoryBytes;
    const largest = this.idle.at(-1)?.memoryBytes ?? 0;
    const kept = bytes <= keptBytes || (bytes <= keptOnceBytes && largest <= keptBytes);
    if (!kept || this.usedBytes + bytes > budgetBytes) return;
    const at = this.idle.findIndex((other) => other.memoryBytes >= bytes);
    this.idle.splice(at < 0 ? this.idle.length : at, 0, lease.instance);
  }

  /** Throws the instance away: it trapped, or the invocation was cut off in the middle of a call. */
  discard(lease: Lease): void {
    this.leases.delete(lease);
  }

  /** Whether somebody still lacks room when the clients that were idle for longer are gone. */
  private isNext(lease: Lease, part: Part): boolean {
    const wanted = this.wantedBytes(part);
    const { budgetBytes, streamsBytes } = this.options;
    let missing = wanted - (part === "all" ? budgetBytes : streamsBytes);
    for (const other of this.leases) {
      const goesFirst = other.awaitsClient && other.touchedAt < lease.touchedAt;
      if (!goesFirst && (part === "all" || other.streams)) missing += other.chargedBytes;
    }
    return wanted > 0 && missing > 0;
  }

  private leasedBytes(part: Part): number {
    let leased = 0;
    for (const lease of this.leases) {
      if (part === "all" || lease.streams) leased += lease.chargedBytes;
    }
    return leased;
  }

  /** What the neediest of those who wait wants. */
  private wantedBytes(part: Part): number {
    let wanted = 0;
    for (const waiter of this.waiters) {
      // A context that was destroyed left it behind.
      if (waiter.deadline <= this.options.now()) this.waiters.delete(waiter);
      else if (waiter.part === part) wanted = Math.max(wanted, waiter.bytes);
    }
    return wanted;
  }

  /** Whether an instance for this need can be had, as far as one can say before it is there. */
  private fits(need: Need): boolean {
    if (need.kind === "stream") return this.streamsFit(this.options.streamBytes);
    const bytes = need.kind === "memory" ? this.freshBytes + need.bytes : 0;
    return this.leasedBytes("all") + bytes <= this.options.budgetBytes;
  }

  private streamsFit(more: number): boolean {
    const { contestedStreamsBytes, streamsBytes } = this.options;
    const limit = this.wantedBytes("all") > 0 ? contestedStreamsBytes : streamsBytes;
    return this.leasedBytes("streams") + more <= limit;
  }

  private async poll(need: Need, attempt: () => boolean): Promise<boolean> {
    const { now, sleep, waitMs, pollMs, budgetBytes, streamBytes } = this.options;
    const part = need.kind === "stream" ? "streams" : "all";
    const more = need.kind === "memory" ? need.bytes : 0;
    const bytes = part === "streams" ? streamBytes : this.freshBytes + more;
    if (bytes > budgetBytes) return false;
    const waiter: Waiter = { part, bytes, deadline: now() + waitMs };
    this.waiters.add(waiter);
    try {
      while (now() < waiter.deadline) {
        await sleep(pollMs);
        this.dropAbandoned();
        if (attempt()) return true;
      }
      return false;
    } finally {
      this.waiters.delete(waiter);
    }
  }

  private takeIdle(need: Need): Instance | undefined {
    const { keptBytes } = this.options;
    const bytes =
      need.kind === "stream" ? 0 : need.kind === "memory" ? need.bytes : (need.bodyBytes ?? 0);
    if (bytes > keptBytes) return this.idle.pop();
    const [smallest] = this.idle;
    return smallest !== undefined && smallest.memoryBytes <= keptBytes
      ? this.idle.shift()
      : undefined;
  }

  private make(): Instance | undefined {
    if (!this.makeRoom(this.freshBytes)) return undefined;
    const instance = new Instance(this.module);
    this.freshBytes = instance.memoryBytes;
    return instance;
  }

  /** Whether `bytes` more fit, after dropping idle instances if need be. */
  private makeRoom(bytes: number): boolean {
    if (this.leasedBytes("all") + bytes > this.options.budgetBytes) return false;
    while (this.usedBytes + bytes > this.options.budgetBytes) this.idle.pop();
    return true;
  }

  private dropAbandoned(): void {
    const before = this.options.now() - this.options.abandonedMs;
    for (const lease of this.leases) if (lease.touchedAt < before) this.leases.delete(lease);
  }
}

/** One invocation's hold on an instance. */
export class Lease implements Held {
  readonly instance: Instance;
  reservedBytes = 0;
  streams = false;
  awaitsClient = false;
  /** When the invocation went on last. */
  touchedAt: number;
  private readonly pool: Pool;

  constructor(pool: Pool, instance: Instance, now: number) {
    this.pool = pool;
    this.instance = instance;
    this.touchedAt = now;
  }

  get chargedBytes(): number {
    return this.pool.chargedBytes(this);
  }

  tryHold(need: Need): boolean {
    return this.pool.tryHold(this, need);
  }

  hold(need: Need): Promise<boolean> {
    return this.pool.hold(this, need);
  }

  touch(): void {
    this.pool.touch(this);
  }

  mustYield(): boolean {
    return this.pool.mustYield(this);
  }

  release(): void {
    this.pool.release(this);
  }

  discard(): void {
    this.pool.discard(this);
  }
}
