// The workerd processes of a local server, found from outside by what the system says of them: they
// are what gets killed, and their memory is what the machine pays.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";

export interface Workerd {
  readonly pid: number;
  /** wrangler, which starts another one when this one ends. */
  readonly parent: number;
}

/** The one that runs the Worker and holds its database open. */
export function workerOf(stateDir: string): Workerd {
  const pid = workerdsOf(stateDir).find((each) => holdsFileBelow(each, stateDir));
  assert.ok(pid !== undefined, "a workerd holds the database");
  return { pid, parent: parentOf(pid) };
}

/** wrangler's proxy, which listens on the server's port. */
export function proxyOf(stateDir: string): Workerd {
  const worker = workerOf(stateDir);
  const pid = workerdsOf(stateDir).find((each) => each !== worker.pid);
  assert.ok(pid !== undefined, "another workerd is the proxy");
  return { pid, parent: worker.parent };
}

/** The process by which the supervisor runs wrangler, which leads the group of all others. */
export function leaderOf(supervisor: number): number {
  const pid = descendants(supervisor).find((each) =>
    textOf(`/proc/${each}/cmdline`).includes("bin/wrangler.js"),
  );
  assert.ok(pid !== undefined, "the supervisor runs wrangler");
  return pid;
}

function workerdsOf(stateDir: string): number[] {
  const supervisor = Number(readFileSync(join(stateDir, "supervisor.pid"), "utf8"));
  return descendants(supervisor).filter((each) =>
    basename(linkOf(`/proc/${each}/exe`)).startsWith("workerd"),
  );
}

/** Whether nothing is left of a process but an entry that its parent may not have looked at. */
export function isDead(pid: number): boolean {
  const text = textOf(`/proc/${pid}/stat`);
  const ended = text === "" || /^[ZX]/.test(text.slice(text.lastIndexOf(")") + 2));
  // Its first thread may have ended before those that still hold its files.
  return ended && entriesOf(`/proc/${pid}/task`).length <= 1;
}

/**
 * For a server whose memory is measured: V8 collects all garbage whenever it collects any. By
 * default it lets that of thousands of requests lie, an empty Worker's no less than ours, and what
 * is really held does not show.
 */
export const kTidyMemory = {
  MINIFLARE_WORKERD_V8_FLAGS: "--gc-global --max-semi-space-size=1",
} as const;

/** What the process holds in memory. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/status`))?.[1];
  assert.ok(kilobytes !== undefined, `process ${pid} is there`);
  return Number(kilobytes) * 1024;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found.slice(1);
}

/** 0 for a process that has ended meanwhile. */
function parentOf(pid: number): number {
  const text = textOf(`/proc/${pid}/stat`);
  // The name, in parentheses, may hold anything, so the fields are counted from its end.
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}

function holdsFileBelow(pid: number, directory: string): boolean {
  const folder = `/proc/${pid}/fd`;
  return entriesOf(folder).some((fd) => linkOf(join(folder, fd)).startsWith(`${directory}/`));
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}
