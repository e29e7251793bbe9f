// Random numbers that a seed repeats. What a seed cannot repeat is the machine's timing, so a
// failing seed narrows a fault down rather than replaying it.

import { randomInt } from "node:crypto";

export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** From 0 up to, not including, 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(from: readonly T[]): T {
    const index = this.between(0, from.length - 1);
    return from[index] as T;
  }
}

/** `FAULTS_SEED` where it is given, else another one each time. */
export function chosenSeed(): number {
  const given = Number(process.env["FAULTS_SEED"] || Number.NaN);
  return Number.isInteger(given) ? given : randomInt(2 ** 32);
}
