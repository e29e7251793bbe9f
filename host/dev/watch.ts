// Whether the local server still serves, seen from outside.
//
// wrangler runs two servers: a proxy, which listens on our port, and behind it the Worker. It
// starts either anew when it ends, but a new proxy never learns where the Worker is, and lets every
// request wait. So the socket that listens is watched as well, which tells at once.

import { readFileSync } from "node:fs";

const pollIntervalMs = 50;
/** A bound for what hangs. No slow machine comes near it. */
const startTimeoutMs = 180_000;
const socketIntervalMs = 600;
/** The system's table may lack a line while connections come and go. */
const otherSockets = 3;

/** How often a server is asked, and when it is given up. */
export interface Probing {
  readonly intervalMs: number;
  /** Far longer than anything that a busy server does at one go. */
  readonly timeoutMs: number;
  /** So many in a row without an answer. */
  readonly silent: number;
  readonly healthIntervalMs: number;
  /** So many answers in a row by which /health is not well. */
  readonly unwell: number;
}

const defaultProbing: Probing = {
  intervalMs: 5_000,
  timeoutMs: 30_000,
  silent: 3,
  healthIntervalMs: 20_000,
  unwell: 3,
};

/** True once /health answers 200, false where it answers anything else, or else why nobody does. */
export async function untilAnswering(address: string): Promise<boolean | string> {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    try {
      const answer = await fetch(`${address}/health`, { signal: AbortSignal.timeout(5_000) });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      await pause(pollIntervalMs);
    }
  }
  return `the Worker did not answer within ${startTimeoutMs / 1000} s`;
}

/**
 * Ends, with what is the matter, when a server that has answered is to be started again: at once when
 * another socket, or none, listens on its port, else when it gives no answer of any kind for some
 * time, or is unwell although the store can be written.
 */
export async function untilGivenUp(
  port: number,
  ended: Promise<unknown>,
  isWritable: () => boolean,
  probing = defaultProbing,
): Promise<string> {
  const stopped = new AbortController();
  ended.then(() => stopped.abort());
  const reasons = [
    untilReplaced(port, stopped.signal),
    untilUnanswered(port, probing, stopped.signal),
    untilUnwell(port, probing, isWritable, stopped.signal),
  ];
  const reason = await Promise.race(reasons);
  stopped.abort();
  return reason;
}

async function untilReplaced(port: number, stopped: AbortSignal): Promise<string> {
  const first = listeningSocket(port);
  for (let others = 0; others < otherSockets && !stopped.aborted; ) {
    await pause(socketIntervalMs);
    others = listeningSocket(port) === first ? 0 : others + 1;
  }
  return "the server's proxy ended";
}

async function untilUnanswered(
  port: number,
  { intervalMs, timeoutMs, silent }: Probing,
  stopped: AbortSignal,
): Promise<string> {
  for (let missed = 0; missed < silent && !stopped.aborted; ) {
    await pause(intervalMs);
    // It needs neither the store nor room, so a server that is merely busy answers.
    missed = (await askHealth(port, "OPTIONS", timeoutMs)) === undefined ? missed + 1 : 0;
  }
  return "nothing answers any more";
}

/**
 * A database that was opened while its files could not be written stays so for as long as it is in
 * use. A server that was never well has another trouble, which a new start does not mend.
 */
async function untilUnwell(
  port: number,
  { healthIntervalMs, timeoutMs, unwell }: Probing,
  isWritable: () => boolean,
  stopped: AbortSignal,
): Promise<string> {
  let wasWell = false;
  for (let bad = 0; bad < unwell && !stopped.aborted; ) {
    await pause(healthIntervalMs);
    const isWell = await askHealth(port, "GET", timeoutMs);
    wasWell ||= isWell === true;
    bad = isWell === false && wasWell && isWritable() ? bad + 1 : 0;
  }
  return "/health stays degraded";
}

/** Whether /health answers well, or `undefined` when it does not answer. */
async function askHealth(
  port: number,
  method: "OPTIONS" | "GET",
  timeoutMs: number,
): Promise<boolean | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health`, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return undefined;
  }
}

/** The number that Linux gives to the socket which listens on the port; always the same where nobody knows. */
function listeningSocket(port: number): string | undefined {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const kListening = "0A";
  let table = "";
  try {
    table = readFileSync("/proc/net/tcp", "utf8");
  } catch {
    return undefined;
  }
  for (const line of table.split("\n")) {
    const [, address, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (address === local && state === kListening) return inode;
  }
  return undefined;
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
