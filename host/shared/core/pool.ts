// Instances of the core for one isolate, bounded by the bytes that they and their reservations take
// together.
//
// Theory of operation. A lease gives one invocation one instance and is charged the larger of the
// instance's memory now and what it was promised: a fresh instance's plus what it reserved.
// Idle instances are charged their memory, and are dropped when somebody needs the room.
//
// Nobody holds an instance while a small body comes (request_body.ts). Two kinds of clients are waited
// for with one: readers of a stream, and senders of a body that is too large to be gathered. Streams
// have a part of the budget only, and a smaller one where somebody waits for anything else.
//
// A large body reserves memory for the part that is being worked on, and lends it to the others while
// its client is waited for: then it is charged what its instance has. Of one turn, which is a
// tenant's, one lease at a time reserves; turns are taken in the order in which they were asked for.
//
// There is no other order: whoever waits looks again and again (patience.ts), and small invocations may pass a
// large reservation. What came with one key has a part of the budget where somebody else waits.
//
// Where somebody has waited for room for a moment, clients that are waited for are given up, each by itself
// (`mustYield`): those whose credit is spent, the least first and as many as it takes, and of those
// that have lent their memory the largest, while together they have more than their part.
//
// A request whose context workerd destroys never gives its lease back, nor does it wait any more. The driver
// touches its lease at every step and bounds every wait, so a lease that was not touched for
// `abandonedMs` has no owner any more and is taken away, and one who has not looked for `unseenMs` does
// not wait.

import type { Client } from "../body_room.ts";
import { type Credit, poll } from "../patience.ts";
import type { LentHeld } from "../request_body.ts";
import { Instance } from "./instance.ts";
import { defaultPoolOptions, type PoolOptions } from "./pool_options.ts";

/** What an invocation needs beside its instance: nothing, a reservation, or to stream its answer. */
export type Need =
  | { readonly kind: "nothing" }
  | { readonly kind: "memory"; readonly bytes: number; readonly turn: string }
  | { readonly kind: "stream" };

/** What a lease was given beside its instance. */
type Terms = {
  readonly reservedBytes: number;
  readonly turn: string;
  readonly lent: boolean;
  readonly streams: boolean;
};

/** What somebody waits for: so many bytes of the budget, or of the part of it that streams have. */
type Part = "all" | "streams";
type Waiter = {
  readonly part: Part;
  readonly bytes: number;
  readonly turn: string;
  readonly party: string;
  readonly since: number;
  seenAt: number;
};

export class Pool {
  readonly options: PoolOptions;
  private readonly module: WebAssembly.Module;
  /** By rising size. */
  private readonly idle: Instance[] = [];
  private readonly leases = new Set<Lease>();
  /** In the order of their coming. */
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
    let used = this.charged(all);
    for (const instance of this.idle) used += instance.memoryBytes;
    return used;
  }

  /** An instance without waiting, if there is room. Throws `CoreFailure` when a new one cannot be made. */
  tryAcquire(need: Need, client: Client, waiter?: Waiter): Lease | undefined {
    if (!this.fits(need, client, waiter)) return undefined;
    const instance = this.takeIdle(need) ?? this.make();
    if (instance === undefined) return undefined;
    const lease = new Lease(this, instance, client);
    this.leases.add(lease);
    if (this.tryHold(lease, need, waiter)) return lease;
    this.release(lease);
    return undefined;
  }

  /** Waits for an instance; `undefined` when none was free in time. */
  async acquire(need: Need, client: Client): Promise<Lease | undefined> {
    let lease = this.tryAcquire(need, client);
    if (lease !== undefined) return lease;
    await this.poll(need, client, (waiter) => {
      lease = this.tryAcquire(need, client, waiter);
      return lease !== undefined;
    });
    return lease;
  }

  /** Gives the lease what it needs, if there is room; more than once is the same as once. */
  tryHold(lease: Lease, need: Need, waiter?: Waiter): boolean {
    const { terms } = lease;
    if (need.kind === "memory") {
      const { bytes, turn } = need;
      if (turn !== "" && turn !== terms.turn && !this.isTurnOf(turn, waiter)) return false;
      const reservedBytes = Math.max(terms.reservedBytes, bytes);
      return this.tryTerms(lease, { ...terms, reservedBytes, turn: turn || terms.turn });
    }
    return need.kind === "nothing" || this.tryTerms(lease, { ...terms, streams: true });
  }

  /** Waits until the lease can have what it needs; `false` when it could not in time. */
  async hold(lease: Lease, need: Need): Promise<boolean> {
    if (this.tryHold(lease, need)) return true;
    return this.poll(need, lease.client, (waiter) => this.tryHold(lease, need, waiter));
  }

  /** What was lent, again. */
  async takeBack(lease: Lease): Promise<boolean> {
    const attempt = (): boolean => this.tryTerms(lease, { ...lease.terms, lent: false });
    if (attempt()) return true;
    // It has the turn, and so goes before those that wait for one.
    const need: Need = { kind: "memory", bytes: lease.terms.reservedBytes, turn: "" };
    return this.poll(need, lease.client, attempt, this.options.turnMs);
  }

  chargedBytes({ instance, terms }: Lease): number {
    const promised = terms.lent ? 0 : this.freshBytes + terms.reservedBytes;
    const least = terms.streams ? this.options.streamBytes : 0;
    return Math.max(instance.memoryBytes, promised, least);
  }

  /** Whether this lease's client was waited for long enough. */
  mustYield(lease: Lease): boolean {
    const { credit } = lease.client;
    if (credit.isStale) return true;
    if (!this.leases.has(lease)) return false;
    if (credit.leftMs > 0) return this.overstays(lease);
    return this.isNext(lease, "all") || (lease.terms.streams && this.isNext(lease, "streams"));
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

  /** Whether somebody still lacks room when the clients that have less credit are gone. */
  private isNext(lease: Lease, part: Part): boolean {
    const wanted = this.wantedBytes(part, this.options.urgentMs);
    const { budgetBytes, streamsBytes } = this.options;
    const { leftMs } = lease.client.credit;
    let missing = wanted - (part === "all" ? budgetBytes : streamsBytes);
    for (const other of this.leases) {
      const { credit } = other.client;
      const goesFirst = credit.awaitsClient && credit.leftMs < leftMs;
      if (!goesFirst && (part === "all" || other.terms.streams)) missing += other.chargedBytes;
    }
    return wanted > 0 && missing > 0;
  }

  /** Whether it is the largest of those that have lent, where they have too much and somebody waits. */
  private overstays(lease: Lease): boolean {
    const { now, contestedIdleMs, lentBytes, urgentMs } = this.options;
    if (!isLent(lease) || now() - lease.begunAt < contestedIdleMs) return false;
    if (this.wantedBytes("all", urgentMs) === 0 || this.charged(isLent) <= lentBytes) return false;
    let largest: Lease | undefined;
    for (const other of this.leases) {
      if (isLent(other) && other.chargedBytes > (largest?.chargedBytes ?? 0)) largest = other;
    }
    return largest === lease;
  }

  private charged(among: (lease: Lease) => boolean): number {
    let charged = 0;
    for (const lease of this.leases) if (among(lease)) charged += lease.chargedBytes;
    return charged;
  }

  /** What the neediest of those who wait for room wants. */
  private wantedBytes(part: Part, waitedMs = 0): number {
    const before = this.options.now() - waitedMs;
    let wanted = 0;
    for (const waiter of this.waiters) {
      if (waiter.part !== part || waiter.since > before) continue;
      if (this.lacksRoom(waiter)) wanted = Math.max(wanted, waiter.bytes);
    }
    return wanted;
  }

  /** Whether it still waits, and not for its turn. */
  private lacksRoom(waiter: Waiter): boolean {
    return this.isSeen(waiter) && !this.isTaken(waiter.turn);
  }

  private isSeen(waiter: Waiter): boolean {
    return this.options.now() - waiter.seenAt < this.options.unseenMs;
  }

  /** Whether somebody has the turn. */
  private isTaken(turn: string): boolean {
    for (const lease of this.leases) if (turn !== "" && lease.terms.turn === turn) return true;
    return false;
  }

  /** Whether the turn is free, and nobody came before whose turn is free, too. */
  private isTurnOf(turn: string, waiter: Waiter | undefined): boolean {
    if (this.isTaken(turn)) return false;
    for (const other of this.waiters) {
      if (other === waiter) return true;
      if (other.turn !== "" && this.isSeen(other) && !this.isTaken(other.turn)) return false;
    }
    return true;
  }

  private tryTerms(lease: Lease, terms: Terms): boolean {
    const before = lease.terms;
    lease.terms = terms;
    if (lease.isAs(before)) return true;
    const streamFits = before.streams === terms.streams || this.streamsFit(0);
    const turnFits = terms.turn === "" || this.charged(hasTurn) <= this.options.turnsBytes;
    if (streamFits && turnFits && this.makeRoom(0)) return true;
    lease.terms = before;
    return false;
  }

  /** Whether an instance for this need can be had, as far as one can say before it is there. */
  private fits(need: Need, client: Client, waiter: Waiter | undefined): boolean {
    const { budgetBytes, turnsBytes, streamBytes } = this.options;
    const bytes = need.kind === "memory" ? this.freshBytes + need.bytes : 0;
    if (this.charged(all) + bytes > budgetBytes) return false;
    if (need.kind === "memory" && need.turn !== "") {
      return this.isTurnOf(need.turn, waiter) && this.charged(hasTurn) + bytes <= turnsBytes;
    }
    if (!this.partyFits(client, Math.max(bytes, this.freshBytes))) return false;
    return need.kind !== "stream" || this.streamsFit(streamBytes);
  }

  /** Whether the party has so much left of its part, or nobody else lacks it. */
  private partyFits({ party }: Client, more: number): boolean {
    const ofParty = (lease: Lease): boolean => lease.client.party === party && !hasTurn(lease);
    if (this.charged(ofParty) + more <= this.options.partyBytes) return true;
    for (const other of this.waiters) {
      if (other.party !== party && this.lacksRoom(other)) return false;
    }
    return true;
  }

  private streamsFit(more: number): boolean {
    const { contestedStreamsBytes, streamsBytes } = this.options;
    const limit = this.wantedBytes("all") > 0 ? contestedStreamsBytes : streamsBytes;
    return this.charged(isStream) + more <= limit;
  }

  private async poll(
    need: Need,
    client: Client,
    attempt: (waiter: Waiter) => boolean,
    ms?: number,
  ): Promise<boolean> {
    const { now, waitMs, turnMs, budgetBytes, streamBytes } = this.options;
    const part = need.kind === "stream" ? "streams" : "all";
    const more = need.kind === "memory" ? need.bytes : 0;
    const bytes = part === "streams" ? streamBytes : this.freshBytes + more;
    if (bytes > budgetBytes) return false;
    const turn = need.kind === "memory" ? need.turn : "";
    const waiter: Waiter = { part, bytes, turn, party: client.party, since: now(), seenAt: now() };
    this.waiters.add(waiter);
    const deadline = now() + (ms ?? (turn === "" ? waitMs : turnMs));
    const look = (): boolean => {
      this.dropAbandoned();
      waiter.seenAt = now();
      this.waiters.add(waiter);
      return attempt(waiter);
    };
    try {
      return await poll(this.options, () => now() < deadline && !client.left, look);
    } finally {
      this.waiters.delete(waiter);
    }
  }

  /** The largest that is no larger than what the need reserves, or a small one. */
  private takeIdle(need: Need): Instance | undefined {
    const { keptBytes } = this.options;
    const most = Math.max(keptBytes, need.kind === "memory" ? need.bytes : 0);
    if (most === keptBytes) return this.takeAt(0, most);
    return this.takeAt(
      this.idle.findLastIndex((one) => one.memoryBytes <= most),
      most,
    );
  }

  private takeAt(index: number, most: number): Instance | undefined {
    const instance = this.idle[index];
    if (instance === undefined || instance.memoryBytes > most) return undefined;
    this.idle.splice(index, 1);
    return instance;
  }

  private make(): Instance | undefined {
    if (!this.makeRoom(this.freshBytes)) return undefined;
    const instance = new Instance(this.module);
    this.freshBytes = instance.memoryBytes;
    return instance;
  }

  /** Whether `bytes` more fit, after dropping idle instances if need be. */
  private makeRoom(bytes: number): boolean {
    if (this.charged(all) + bytes > this.options.budgetBytes) return false;
    while (this.usedBytes + bytes > this.options.budgetBytes) this.idle.pop();
    return true;
  }

  private dropAbandoned(): void {
    const before = this.options.now() - this.options.abandonedMs;
    for (const lease of this.leases) if (lease.touchedAt < before) this.leases.delete(lease);
    for (const waiter of this.waiters) if (!this.isSeen(waiter)) this.waiters.delete(waiter);
  }
}

/** One invocation's hold on an instance. */
export class Lease implements LentHeld {
  readonly instance: Instance;
  readonly client: Client;
  readonly begunAt: number;
  /** When the invocation went on last. */
  touchedAt: number;
  terms: Terms = { reservedBytes: 0, turn: "", lent: false, streams: false };
  private readonly pool: Pool;

  constructor(pool: Pool, instance: Instance, client: Client) {
    this.pool = pool;
    this.instance = instance;
    this.client = client;
    this.begunAt = this.touchedAt = pool.options.now();
  }

  get credit(): Credit {
    return this.client.credit;
  }

  get chargedBytes(): number {
    return this.pool.chargedBytes(this);
  }

  isAs({ reservedBytes, turn, lent, streams }: Terms): boolean {
    const { terms } = this;
    const same = terms.reservedBytes === reservedBytes && terms.turn === turn;
    return same && terms.lent === lent && terms.streams === streams;
  }

  tryHold(need: Need): boolean {
    return this.pool.tryHold(this, need);
  }

  hold(need: Need): Promise<boolean> {
    return this.pool.hold(this, need);
  }

  lend(): void {
    this.terms = { ...this.terms, lent: true };
  }

  takeBack(): Promise<boolean> {
    return this.pool.takeBack(this);
  }

  /** A reader that takes something has all of its credit again. */
  touch(): void {
    this.touchedAt = this.pool.options.now();
    if (this.terms.streams) this.credit.renew();
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

const all = (): boolean => true;
const hasTurn = (lease: Lease): boolean => lease.terms.turn !== "";
const isLent = (lease: Lease): boolean => hasTurn(lease) && lease.terms.lent;
const isStream = (lease: Lease): boolean => lease.terms.streams;
