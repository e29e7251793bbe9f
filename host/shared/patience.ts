// Waiting for clients, and for room.
//
// A client that is waited for keeps something from others: memory for a body that is gathered, or an
// instance of the core. So each has credit, a few seconds of being waited for: it is spent while
// nothing else keeps the invocation from going on, and earned by what the client sends, never beyond
// what it was at first. Whoever sends at `slowBytesPerMs` on average never runs out of it; who stops
// or trickles does so soon. Spent credit counts only where others wait for room.
//
// Waiting is polling. In workerd a promise belongs to the request that made it, and one request must
// not resolve another's, nor touch its streams: each looks by itself whether it is its turn to go on,
// or to give up.

const lookMs = 250;
const slowestPollMs = 50;

export type Patience = {
  /** Credit at first, and at most: how long a client may send nothing where others wait. */
  readonly contestedIdleMs: number;
  /** And where nobody does. */
  readonly idleMs: number;
  readonly slowBytesPerMs: number;
  readonly now: () => number;
};

export type Polling = {
  readonly pollMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
};

export class Credit {
  private readonly patience: Patience;
  private balanceMs: number;
  private seenAt: number;
  private waitedSince: number | undefined;

  constructor(patience: Patience) {
    this.patience = patience;
    this.balanceMs = patience.contestedIdleMs;
    this.seenAt = patience.now();
  }

  /** Whether nothing but the client keeps the invocation from going on. */
  get awaitsClient(): boolean {
    return this.waitedSince !== undefined;
  }

  /** What is left of it. */
  get leftMs(): number {
    const { waitedSince, balanceMs } = this;
    return waitedSince === undefined ? balanceMs : balanceMs - (this.patience.now() - waitedSince);
  }

  /** Whether the client gave no sign for longer than anybody's is waited for. */
  get isStale(): boolean {
    return this.awaitsClient && this.patience.now() - this.seenAt >= this.patience.idleMs;
  }

  beginWait(): void {
    this.seenAt = this.patience.now();
    this.waitedSince ??= this.seenAt;
  }

  endWait(): void {
    this.balanceMs = this.leftMs;
    this.waitedSince = undefined;
  }

  earn(bytes: number): void {
    const { contestedIdleMs, slowBytesPerMs, now } = this.patience;
    this.seenAt = now();
    const most = contestedIdleMs - (this.leftMs - this.balanceMs);
    this.balanceMs = Math.min(most, this.balanceMs + bytes / slowBytesPerMs);
  }

  renew(): void {
    this.balanceMs = this.patience.contestedIdleMs;
  }
}

/** What is held while a client is waited for: a lease of the pool, or room for a body. */
export type Held = {
  readonly credit: Credit;
  /** Whether the client was waited for long enough. */
  readonly mustYield: () => boolean;
};

/** Settles like `waited`, or fails when the client has to make room. */
export async function patiently<T>(held: Held, waited: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      if (held.mustYield()) reject(new Error("the client stalled"));
    }, lookMs);
  });
  held.credit.beginWait();
  try {
    return await Promise.race([waited, stalled]);
  } finally {
    held.credit.endWait();
    clearInterval(timer);
  }
}

/** Tries again and again, soon at first, until it succeeds or `mayWait` says that it was long enough. */
export async function poll(
  { pollMs, sleep }: Polling,
  mayWait: () => boolean,
  attempt: () => boolean,
): Promise<boolean> {
  for (let ms = pollMs; mayWait(); ms = Math.min(1.5 * ms, slowestPollMs)) {
    await sleep(ms);
    if (attempt()) return true;
  }
  return false;
}
