// The Worker's cron trigger, fired by hand as of any time.

import assert from "node:assert/strict";
import type { Client } from "./client.ts";
import type { Log } from "./rows.ts";
import { logs, range } from "./world.ts";

export const kDayMs = 86_400_000;

/** Half a minute after 02:00 UTC, of the night to come for 1, of the one after it for 2. */
export function nightAfter(nights: number): number {
  const now = new Date();
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), 2, 0, 30);
  const next = today > now.getTime() ? today : today + kDayMs;
  return next + (nights - 1) * kDayMs;
}

/** Fires the trigger as if it were that time, and waits until the Worker is done with it. */
export async function wake(origin: string, atMs: number): Promise<void> {
  const url = `${origin}/cdn-cgi/local/scheduled?cron=*+*+*+*+*&time=${atMs}`;
  const answer = await fetch(url);
  assert.equal(answer.status, 200, await answer.text());
}

/** The log rows of the tenant's nights and clean-ups. */
export async function cleanups(client: Client): Promise<Log[]> {
  return (await logs(client)).filter((row) => row.sync_type === "cleanup");
}

/**
 * Lets a night pass for the tenant: a trigger each minute until its clean-up is done, since one
 * trigger does a bounded part of the work of all tenants.
 */
export async function passNight(client: Client, nights: number): Promise<void> {
  const newest = async (): Promise<number> =>
    (await cleanups(client)).findLast((row) => row.status !== "running")?.id ?? 0;
  const before = await newest();
  for (const minute of range(30)) {
    await wake(client.origin, nightAfter(nights) + minute * 60_000);
    if ((await newest()) > before) return;
  }
  assert.fail(`no clean-up in night ${nights}`);
}
