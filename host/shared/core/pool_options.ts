// The limits of a pool, with their reasons.

import type { Patience, Polling } from "../patience.ts";

export type PoolOptions = Patience &
  Polling & {
    /** All of wasm in an isolate; the isolate itself has 128 MB. */
    readonly budgetBytes: number;
    /** What of the budget streams may take together: where somebody waits for anything else, and where nobody does. */
    readonly contestedStreamsBytes: number;
    readonly streamsBytes: number;
    /** What a stream is charged at least: it grows to that. */
    readonly streamBytes: number;
    /** What of it those may take that have a turn; and while they have lent what they reserved, if somebody waits. */
    readonly turnsBytes: number;
    readonly lentBytes: number;
    /** What of it one party's leases without a turn may take where another one waits. */
    readonly partyBytes: number;
    /**
     * Instances up to the first size are kept for the next invocation, and one up to the second:
     * memory never shrinks. To throw one away is not free, either: its memory stays until it is
     * collected, and the system gives the next one's page by page (a tenth of an import of 11 MB).
     */
    readonly keptBytes: number;
    readonly keptOnceBytes: number;
    /** How long anybody waits for room, and for a turn. */
    readonly waitMs: number;
    readonly turnMs: number;
    /** How long somebody has to have waited before clients are given up for it. */
    readonly urgentMs: number;
    readonly unseenMs: number;
    readonly abandonedMs: number;
  };

const mebibyte = 1024 * 1024;

export const defaultPoolOptions: PoolOptions = {
  budgetBytes: 80 * mebibyte,
  contestedStreamsBytes: 24 * mebibyte,
  streamsBytes: 60 * mebibyte,
  streamBytes: 3 * mebibyte,
  turnsBytes: 72 * mebibyte,
  lentBytes: 24 * mebibyte,
  partyBytes: 20 * mebibyte,
  keptBytes: 4 * mebibyte,
  keptOnceBytes: 48 * mebibyte,
  waitMs: 10_000,
  turnMs: 180_000,
  contestedIdleMs: 6_000,
  idleMs: 120_000,
  slowBytesPerMs: 32,
  urgentMs: 1_000,
  unseenMs: 2_000,
  abandonedMs: 300_000,
  pollMs: 4,
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** What answers for the service's health takes: one instance that works, and some that wait. */
export const apartPoolOptions: PoolOptions = { ...defaultPoolOptions, budgetBytes: 4 * mebibyte };
