// Room for bodies that are gathered before the core has an instance, so that a client which sends
// slowly holds some of the host's memory in place of one.
//
// A body takes room as it grows, never for what it only announces: many that trickle take little.
// What comes with one key has a part of the room. Growing bodies cannot block each other for good:
// of those that wait, the first of each key may pass its key's part, and the first of all the whole,
// by the size of one body.

import { type Credit, type Polling, poll } from "./patience.ts";

const mebibyte = 1024 * 1024;

export type RoomOptions = Polling & {
  readonly roomBytes: number;
  readonly partyBytes: number;
  /** What the first that waits may take beyond either. */
  readonly extraBytes: number;
  readonly waitMs: number;
  /** Shares of requests that workerd destroyed are given back after so long. */
  readonly abandonedMs: number;
};

export const defaultRoomOptions: RoomOptions = {
  roomBytes: 8 * mebibyte,
  partyBytes: 2 * mebibyte,
  extraBytes: mebibyte,
  waitMs: 180_000,
  abandonedMs: 300_000,
  pollMs: 4,
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** The client of a body, or of an instance. */
export type Client = {
  /** What came with one key is one party; what came without any, too. */
  readonly party: string;
  readonly credit: Credit;
  readonly left: boolean;
};

/** What one body has of the room, in the order of their begin. */
type Share = { readonly client: Client; bytes: number; wantedBytes: number; seenAt: number };

export class BodyRoom {
  private readonly options: RoomOptions;
  private readonly shares = new Map<Client, Share>();

  constructor(options: RoomOptions = defaultRoomOptions) {
    this.options = options;
  }

  get usedBytes(): number {
    return this.sum(() => true);
  }

  get isContested(): boolean {
    return this.firstWaiting(() => true) !== undefined;
  }

  /** Gives the client's body so much room in all, if it is there. */
  tryHold(client: Client, bytes: number): boolean {
    this.dropAbandoned();
    const share = this.shareOf(client);
    const more = bytes - share.bytes;
    if (more > 0 && !this.fits(share, more)) return false;
    share.bytes = Math.max(share.bytes, bytes);
    return true;
  }

  /** Waits for it; `false` when it was not there in time. */
  async hold(client: Client, bytes: number): Promise<boolean> {
    if (this.tryHold(client, bytes)) return true;
    const { now, waitMs } = this.options;
    const share = this.shareOf(client);
    share.wantedBytes = bytes;
    const deadline = now() + waitMs;
    const mayWait = (): boolean => now() < deadline && !client.left;
    const held = await poll(this.options, mayWait, () => this.tryHold(client, bytes));
    share.wantedBytes = 0;
    return held;
  }

  release(client: Client): void {
    this.shares.delete(client);
  }

  /** Whether a client whose credit is spent has to make room. */
  mustYield(client: Client): boolean {
    this.shareOf(client).seenAt = this.options.now();
    return client.credit.isStale || (client.credit.leftMs <= 0 && this.isContested);
  }

  private shareOf(client: Client): Share {
    const now = this.options.now();
    const share = this.shares.get(client) ?? { client, bytes: 0, wantedBytes: 0, seenAt: now };
    this.shares.set(client, share);
    share.seenAt = now;
    return share;
  }

  private fits(share: Share, more: number): boolean {
    const { roomBytes, partyBytes, extraBytes } = this.options;
    const ofParty = (other: Share): boolean => other.client.party === share.client.party;
    const extra = (first: Share | undefined): number => (first === share ? extraBytes : 0);
    return (
      this.usedBytes + more <= roomBytes + extra(this.firstWaiting(() => true)) &&
      this.sum(ofParty) + more <= partyBytes + extra(this.firstWaiting(ofParty))
    );
  }

  private firstWaiting(among: (share: Share) => boolean): Share | undefined {
    for (const share of this.shares.values())
      if (share.wantedBytes > 0 && among(share)) return share;
    return undefined;
  }

  private sum(among: (share: Share) => boolean): number {
    let bytes = 0;
    for (const share of this.shares.values()) if (among(share)) bytes += share.bytes;
    return bytes;
  }

  private dropAbandoned(): void {
    const before = this.options.now() - this.options.abandonedMs;
    for (const share of this.shares.values()) {
      if (share.seenAt < before) this.shares.delete(share.client);
    }
  }
}
