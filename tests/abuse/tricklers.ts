// Clients that send a body so slowly that it never comes, and what others see of the service meanwhile.

import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, openSocket } from "../contract/client.ts";

export interface Flow {
  readonly bytes: number;
  readonly everyMs: number;
}

export const kTrickle: Flow = { bytes: 1, everyMs: 2_000 };

export interface Sender {
  readonly socket: Socket;
  readonly stop: () => void;
}

/** Opens a request and sends `body` at the given pace, again and again where it is short. */
export async function sendSlowly(
  client: Client,
  path: string,
  length: string,
  body: Buffer,
  flow: Flow,
): Promise<Sender> {
  const socket = await openSocket(client.origin);
  const head = [`POST ${path} HTTP/1.1`, `Host: ${new URL(client.origin).host}`, length];
  if (client.key !== null) head.push(`X-API-Key: ${client.key}`);
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  const chunked = /chunked/.test(length);
  let at = 0;
  const send = (): void => {
    const part = body.subarray(at, at + flow.bytes);
    at += part.length;
    if (socket.destroyed || part.length === 0) return;
    if (chunked) socket.write(`${part.length.toString(16)}\r\n`);
    socket.write(part);
    if (chunked) socket.write("\r\n");
  };
  send();
  const timer = setInterval(send, flow.everyMs);
  const stop = (): void => {
    clearInterval(timer);
    socket.destroy();
  };
  socket.once("close", () => clearInterval(timer));
  return { socket, stop };
}

/** How long each of some calls took, one behind the other, the shortest first. */
export async function timesOf(count: number, call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    const began = performance.now();
    await call();
    times.push(performance.now() - began);
    await sleep(20);
  }
  return times.sort((a, b) => a - b);
}

export function median(times: readonly number[]): number {
  return times[times.length >> 1] ?? Number.NaN;
}

/** What a process has taken of the processors, in seconds. */
export function processorSeconds(pid: number): number {
  const kTicksPerSecond = 100;
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in parentheses, may hold anything, so the fields are counted from its end.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / kTicksPerSecond;
}
