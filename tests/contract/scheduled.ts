// The Worker's cron trigger, fired by hand as of any time.

import assert from "node:assert/strict";
import type { Client } from "./client.ts";
import type { Log } from "./rows.ts";
import { logs } from "./world.ts";

export const kDayMs = 86_400_000;

/** Half a minute after 02:00 UTC of the night that comes `nights` days after today. */
export function nightAfter(nights: number): number {
  const today = new Date();
  const midnight = Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate());
  return midnight + nights * kDayMs + 2 * 3_600_000 + 30_000;
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
