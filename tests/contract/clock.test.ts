// api.md section 6: what a trigger says of the future is not believed. On a developer's machine the
// door for triggers is open to any page that is shown there.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client } from "./client.ts";
import { cleanups, nightAfter, wake } from "./scheduled.ts";
import { startServer } from "./server.ts";
import { readStore, storeFile } from "./store_file.ts";
import {
  createTenant,
  importItems,
  snapshots,
  sourcePath,
  sourceRow,
  syncedPair,
} from "./world.ts";

// As `make run` starts it.
const server = await startServer({ env: { TRUST_SCHEDULED_TIME: "" } });
after(() => server.stop());

test("clock: a trigger from the year 2100 drops nothing and moves no schedule", async () => {
  const { id, api_key } = await createTenant(server);
  const client = new Client(server.origin, api_key);
  const { source } = await syncedPair(client, [{ id: "a", v: 0 }]);
  await importItems(client, source, [{ id: "a", v: 1 }]);
  const schedule = () =>
    readStore(
      storeFile(server.stateDir ?? ""),
      `SELECT next_due FROM schedules WHERE tenant_id = ${id}`,
    );
  const before = schedule();
  assert.equal(before.length, 1);
  for (const time of [Date.UTC(2100, 0, 1, 2, 0, 30), nightAfter(40), nightAfter(2)]) {
    await wake(server.origin, time);
  }
  assert.deepEqual(await cleanups(client), []);
  assert.deepEqual(schedule(), before);
  const kept = await snapshots(client, sourcePath(await sourceRow(client, source, "a")));
  assert.equal(kept.length, 1);
});
