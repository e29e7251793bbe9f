// The request's body, however its stream chunks it.
//
// A body is gathered before the core has an instance: one of up to `gatheredBytes` as a whole, of a
// larger one the beginning. While nothing beyond that was read the invocation can begin anew, so the
// core may be asked whether it wants the body at all, and its instance given back until the body is
// there. What follows of a large one is read while the core goes on, in parts of 64 to 256 KiB, since
// each costs a round trip; a pause of the client ends a part, since it may wait for the answer before
// it sends more. For the same reason a body without a length that pauses is shown to the core as far
// as it came; each time the pause has to be twice as long.

import type { BodyRoom, Client } from "./body_room.ts";
import type { Reply } from "./core/abi.ts";
import { type PartReader, partReader } from "./part_reader.ts";
import type { Held } from "./patience.ts";

const gatheredBytes = 1024 * 1024;
/** Of a body that is known to be larger: enough to see that it comes. */
const begunBytes = 64 * 1024;
const firstRoomBytes = 4 * 1024;
const roomGrowth = 4;
const partBytes = 256 * 1024;
const leastBytes = 64 * 1024;

// Many chunks of a few bytes that follow each other cost most by being waited for one by one. So they
// are left to gather below us for a moment, and then read as one, as many as came in that time. Of a
// client that then pauses, fewer than the last time may not be seen before it goes on.
const tinyBytes = 64;
const tinyMs = 50;
const tinyRun = 8;
const restMs = 20;
const quickMs = 2;
const mostJoinedBytes = 4 * 1024;

/** How long a body is waited for before the core is asked whether it wants it. */
const graceMs = 20;
const pauseMs = 20;
const firstShownMs = 600;
const lookMs = 250;

// How long a body that nobody wants is still read: before the answer while so much of it comes in so
// short a time, behind the answer while it comes without a pause.
const lingerPartBytes = 16 * 1024;
const drainMs = 150;
const lingerPauseMs = 750;
const lingerMs = 10_000;

/** A lease of the pool, whose reservation is of use to others while the client is waited for. */
export type LentHeld = Held & {
  readonly lend: () => void;
  /** Waits until it is there again; `false` when it was not in time. */
  readonly takeBack: () => Promise<boolean>;
};

export class RequestBody {
  readonly announcedBytes: number | undefined;
  private readonly client: Client;
  private readonly room: BodyRoom;
  private readonly reader: PartReader | undefined;
  /** A read that goes on, although nobody may wait for it. */
  private pending: Promise<void> | undefined;
  /** `stalled` is a client that had to make room for others. */
  private state: "open" | "ended" | "failed" | "stalled" = "open";
  private receivedBytes = 0;
  private receivedAt = 0;
  /** Parts of a few bytes that came in a row, and how many bytes the next one has at least. */
  private tinyParts = 0;
  private least = 1;
  /** What came and is kept: all of it from the beginning, or, of one that streams, the part in the making. */
  private bytes = new Uint8Array(0);
  private length = 0;
  /** Up to where the core has read of it. */
  private at = 0;
  private streams = false;
  private shownMs = firstShownMs;

  constructor(
    stream: ReadableStream<Uint8Array> | null,
    contentLength: string | null,
    client: Client,
    room: BodyRoom,
  ) {
    this.client = client;
    this.room = room;
    this.announcedBytes =
      contentLength !== null && /^\d+$/.test(contentLength) ? Number(contentLength) : undefined;
    this.reader = stream === null ? undefined : partReader(stream);
    if (stream === null) this.state = "ended";
  }

  /** Whether reading it to its end waits for nobody. */
  get arrived(): boolean {
    const whole = this.announcedBytes !== undefined && this.length >= this.announcedBytes;
    return !this.streams && (whole || this.state !== "open");
  }

  /** Whether more of it is to be gathered before the core goes on. */
  get isLacking(): boolean {
    return this.state === "open" && !this.streams && this.length < this.goalBytes;
  }

  /** Whether that has to be before the core reads on. */
  get isAwaited(): boolean {
    return this.isLacking && (this.isRead || this.announcedBytes !== undefined);
  }

  /** Whether the core can read it from its beginning again. */
  get isKept(): boolean {
    return !this.streams;
  }

  rewind(): void {
    if (this.isKept) this.at = 0;
  }

  /** Takes what is there already, or on its way. */
  async gatherArrived(): Promise<void> {
    for (const deadline = Date.now() + graceMs; this.isLacking && Date.now() < deadline; ) {
      const capacity = this.nextCapacity();
      if (!this.room.tryHold(this.client, capacity)) return;
      if (!(await this.fill(capacity, graceMs, () => true))) return;
    }
  }

  /**
   * Waits for the body; or, where it has no length, for something of it and a pause behind. `false` when there
   * was no room for it in time.
   */
  async gather(): Promise<boolean> {
    const shownBytes = this.length;
    const stop = (): boolean => {
      if (this.client.left || this.room.mustYield(this.client)) this.fail("stalled");
      return this.state !== "open" || (this.length > shownBytes && this.isToBeShown());
    };
    while (this.isLacking) {
      const capacity = this.nextCapacity();
      if (!(await this.room.hold(this.client, capacity))) return false;
      this.client.credit.beginWait();
      const filled = await this.fill(capacity, lookMs, stop);
      this.client.credit.endWait();
      if (!filled) break;
    }
    return true;
  }

  /**
   * The bytes of the reply are valid until the next call. `held` is what others lack while the
   * client is waited for.
   */
  async read(held: LentHeld): Promise<Reply> {
    if (this.isRead && this.state === "open") await this.readOn(held);
    if (!this.isRead) {
      const part = this.bytes.subarray(this.at, Math.min(this.length, this.at + partBytes));
      this.at += part.length;
      return { ok: true, bytes: part };
    }
    if (this.state === "ended") return { ok: true, members: { end: true } };
    return { ok: false, error: this.state === "stalled" ? "overloaded" : "cut_off" };
  }

  /**
   * Takes what nobody wants while it comes quickly, before the answer is sent: an answer to a client
   * that is busy sending can be lost with the connection.
   */
  async drain(): Promise<void> {
    const deadline = Date.now() + lingerMs;
    for (let goesOn = true; goesOn && this.state === "open" && Date.now() < deadline; ) {
      this.stream(lingerPartBytes);
      goesOn = await this.fill(lingerPartBytes, drainMs, () => true);
    }
    this.room.release(this.client);
  }

  /** Takes what a slow client sends behind the answer; one that pauses, or sends without end, is cut off. */
  async dismiss(): Promise<void> {
    const deadline = Date.now() + lingerMs;
    while (this.state === "open" && Date.now() < deadline) {
      this.stream(lingerPartBytes);
      await this.fill(lingerPartBytes, lingerPauseMs, () => true);
      if (this.length === 0) break;
    }
    this.fail("failed");
  }

  private get isRead(): boolean {
    return this.at === this.length;
  }

  private get goalBytes(): number {
    const { announcedBytes } = this;
    if (announcedBytes === undefined) return gatheredBytes;
    return announcedBytes > gatheredBytes ? begunBytes : announcedBytes;
  }

  /** What is gathered next, in steps, so that a body which does not come takes little room. */
  private nextCapacity(): number {
    const { length } = this.bytes;
    if (this.length < length) return length;
    return Math.min(this.goalBytes, Math.max(firstRoomBytes, roomGrowth * length));
  }

  private isToBeShown(): boolean {
    if (this.announcedBytes !== undefined) return false;
    if (Date.now() - this.receivedAt < this.shownMs) return false;
    this.shownMs *= 2;
    return true;
  }

  /** Reads the next part of a body that is not gathered any more. */
  private async readOn(held: LentHeld): Promise<void> {
    const { credit } = this.client;
    this.stream(partBytes);
    credit.beginWait();
    const quick = await this.fill(leastBytes, pauseMs, () => true);
    if (!quick) {
      held.lend();
      let seenBytes = this.length;
      await this.fill(leastBytes, pauseMs, () => {
        if (this.client.left || held.mustYield()) this.fail("stalled");
        const paused = this.length > 0 && this.length === seenBytes;
        seenBytes = this.length;
        return paused || this.state !== "open";
      });
    }
    credit.endWait();
    if (!quick && !(await held.takeBack())) this.fail("stalled");
  }

  /** Forgets what was gathered, or read, to take the next part. */
  private stream(capacity: number): void {
    if (!this.streams) this.room.release(this.client);
    this.streams = true;
    this.length = this.at = 0;
    if (this.bytes.length < capacity) this.bytes = new Uint8Array(capacity);
  }

  /**
   * Reads until `goal` bytes are there or the body has ended; `false` when `stop`, which is asked every `tickMs`,
   * said so before.
   */
  private async fill(goal: number, tickMs: number, stop: () => boolean): Promise<boolean> {
    let timer: ReturnType<typeof setInterval> | undefined;
    let stopped = false;
    const stopping = new Promise<void>((resolve) => {
      timer = setInterval(() => {
        if (!stop()) return;
        stopped = true;
        resolve();
      }, tickMs);
    });
    if (this.bytes.length < goal) this.grow(goal);
    while (this.state === "open" && this.length < goal && !stopped) {
      this.pending ??= this.readMore();
      await Promise.race([this.pending, stopping]);
    }
    clearInterval(timer);
    return !stopped;
  }

  private async readMore(): Promise<void> {
    if (this.least > 1) await new Promise((resolve) => setTimeout(resolve, restMs));
    const most = Math.min(this.bytes.length - this.length, partBytes);
    const joined = this.streams && this.announcedBytes !== undefined;
    const askedAt = Date.now();
    try {
      const part = await this.reader?.next(most, joined ? leastBytes : this.least);
      if (part === undefined) this.end();
      else this.take(part, askedAt);
    } catch {
      this.fail("failed");
    }
    this.pending = undefined;
  }

  private take(part: Uint8Array, askedAt: number): void {
    const now = Date.now();
    const isTiny = part.length <= Math.max(tinyBytes, 2 * this.least);
    this.tinyParts = isTiny && now - this.receivedAt <= tinyMs ? this.tinyParts + 1 : 0;
    const next = now - askedAt <= quickMs ? 2 * this.least : this.least / 2;
    this.least = this.tinyParts < tinyRun ? 1 : Math.min(mostJoinedBytes, Math.max(1, next));
    this.receivedAt = now;
    this.receivedBytes += part.length;
    this.client.credit.earn(part.length);
    if (this.length + part.length > this.bytes.length) this.grow(this.length + part.length);
    this.bytes.set(part, this.length);
    this.length += part.length;
    if (this.announcedBytes !== undefined && this.receivedBytes >= this.announcedBytes) this.end();
  }

  private grow(capacity: number): void {
    const bytes = new Uint8Array(capacity);
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }

  private end(): void {
    // A reader that was cancelled ends, too.
    if (this.state !== "open") return;
    const { announcedBytes, receivedBytes } = this;
    if (announcedBytes !== undefined && receivedBytes < announcedBytes) this.fail("failed");
    else this.state = "ended";
  }

  private fail(how: "failed" | "stalled"): void {
    if (this.state !== "open") return;
    this.state = how;
    this.reader?.cancel();
  }
}
