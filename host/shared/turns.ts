// Turns: of those invocations that name the same one, so many have it at a time, and the others wait in
// the order of their coming. A tenant's writes take turns, so that many of them at once do not
// keep the store from everybody else, nor lose races against each other again and again.
//
// Whoever waits looks again and again (patience.ts). A request whose context workerd destroys never
// gives its turn back, nor does it look any more: after a while neither counts.

import { type Polling, poll } from "./patience.ts";

export type TurnOptions = Polling & {
  /** How long anybody waits. */
  readonly waitMs: number;
  /** Who has not looked for so long does not wait any more. */
  readonly unseenMs: number;
  /** A turn of which nothing was heard for so long is free. */
  readonly abandonedMs: number;
};

export const defaultTurnOptions: TurnOptions = {
  waitMs: 30_000,
  unseenMs: 2_000,
  abandonedMs: 300_000,
  pollMs: 4,
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

export type Turn = { readonly name: string; readonly atOnce: number };

/** Who takes a turn: one invocation. */
export type Taker = { readonly left: boolean };

type Place = { readonly name: string; taken: boolean; seenAt: number };

export class Turns {
  private readonly options: TurnOptions;
  /** Those that have a turn or wait for one, in the order of their coming. */
  private readonly places = new Map<Taker, Place>();

  constructor(options: TurnOptions = defaultTurnOptions) {
    this.options = options;
  }

  /** Takes the turn if it is free, or is the taker's already. */
  tryTake(taker: Taker, turn: Turn): boolean {
    const own = this.places.get(taker);
    if (own?.taken === true) return true;
    if (this.countBefore(own, turn.name) >= turn.atOnce) return false;
    this.places.set(taker, this.seen(own ?? this.placeFor(turn), true));
    return true;
  }

  /** Waits for it; `false` when it was not free in time. */
  async take(taker: Taker, turn: Turn): Promise<boolean> {
    if (this.tryTake(taker, turn)) return true;
    const place = this.placeFor(turn);
    this.places.set(taker, place);
    const { now, waitMs } = this.options;
    const deadline = now() + waitMs;
    const mayWait = (): boolean => now() < deadline && !taker.left;
    const taken = await poll(this.options, mayWait, () => {
      this.seen(place, place.taken);
      // Who was not seen for a while has lost its place.
      if (!this.places.has(taker)) this.places.set(taker, place);
      return this.tryTake(taker, turn);
    });
    if (!taken) this.release(taker);
    return taken;
  }

  /** Something was heard of the taker. */
  touch(taker: Taker): void {
    const place = this.places.get(taker);
    if (place !== undefined) this.seen(place, place.taken);
  }

  release(taker: Taker): void {
    this.places.delete(taker);
  }

  /** How many of the turn's have it, or came before. */
  private countBefore(own: Place | undefined, name: string): number {
    const { now, unseenMs, abandonedMs } = this.options;
    let before = 0;
    let isBefore = true;
    for (const [taker, place] of this.places) {
      if (place === own) {
        isBefore = false;
      } else if (now() - place.seenAt >= (place.taken ? abandonedMs : unseenMs)) {
        this.places.delete(taker);
      } else if (place.name === name && (place.taken || isBefore)) {
        before += 1;
      }
    }
    return before;
  }

  private placeFor({ name }: Turn): Place {
    return { name, taken: false, seenAt: this.options.now() };
  }

  private seen(place: Place, taken: boolean): Place {
    place.seenAt = this.options.now();
    place.taken = taken;
    return place;
  }
}
