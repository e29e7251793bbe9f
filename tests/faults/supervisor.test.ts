// The local server comes back by itself, whichever of its processes is killed, and outlives a disk that
// is full. What it prints says why it started anew: at once, since it saw a process end, and not after
// the minute in which it finds out that nobody answers.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../contract/client.ts";
import { assertProblem } from "../contract/rows.ts";
import { type Server, startServer } from "../contract/server.ts";
import { createSource, importItems, newClient, range, sourceRows } from "../contract/world.ts";
import { isDead, leaderOf, proxyOf, workerOf } from "./processes.ts";
import { fill, onDiskOf } from "./small_disk.ts";

/** A bound for what hangs. No slow machine comes near it. */
const kBackTimeoutMs = 300_000;
const kAnswerMs = 5_000;
const kTest = { timeout: 900_000 };

const kVictims: Readonly<Record<string, (server: Server) => number>> = {
  "the proxy": ({ stateDir }) => proxyOf(stateDir ?? "").pid,
  "the Worker": ({ stateDir }) => workerOf(stateDir ?? "").pid,
  wrangler: ({ stateDir }) => workerOf(stateDir ?? "").parent,
  "what started wrangler": ({ pid }) => leaderOf(pid ?? 0),
};

test(
  "supervisor: a server of which any process is killed comes back with its data",
  kTest,
  async () => {
    const server = await startServer();
    try {
      const client = await newClient(server);
      const source = await createSource(client);
      for (const [at, [name, victim]] of Object.entries(kVictims).entries()) {
        await importItems(client, source, [{ id: `before ${name}` }]);
        const pid = victim(server);
        process.kill(pid, "SIGKILL");
        while (!isDead(pid)) await sleep(1);
        await untilHealthy(server);
        assert.equal((await sourceRows(client, source)).length, at + 1, name);
      }
      const printed = server.output();
      assert.match(printed, /the server's proxy ended; the server is started again/);
      assert.equal(printed.match(/wrangler ended by itself .*; the server is started/g)?.length, 2);
    } finally {
      await server.stop();
    }
  },
);

const kDiskMegabytes = 24;
const kPollMs = 100;

test(
  "supervisor: on a full disk a server reads on, and comes back when there is room",
  kTest,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "sync-manager-full-"));
    const server = await startServer({
      stateDir: folder,
      within: onDiskOf(kDiskMegabytes, folder),
    });
    // The disk is the server's own, and is looked at through its process.
    const disk = `/proc/${server.pid}/root${folder}`;
    try {
      const client = await newClient(server);
      const source = await createSource(client);
      await importItems(client, source, [{ id: "before" }]);
      fill(join(disk, "filler"));
      const items = range(2_000).map((id) => ({ id, text: "lorem ipsum ".repeat(100) }));
      const refused = await client.post(`/sources/${source.id}/import`, { data: items });
      assertProblem(refused, refused.status === 507 ? 507 : 503);
      assert.equal((await sourceRows(client, source)).length, 1);
      // Even so it is started again, as soon as it can be.
      process.kill(leaderOf(server.pid ?? 0), "SIGKILL");
      await until(() => /no room on the disk of .*; the server waits/.test(server.output()));
      rmSync(join(disk, "filler"));
      await untilHealthy(server);
      assert.equal((await sourceRows(client, source)).length, 1);
      assert.equal((await importItems(client, source, items)).stats.created, items.length);
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

function untilHealthy(server: Server): Promise<void> {
  return until(async () => {
    const asked = new Client(server.origin).get("/health").then(
      (answer) => answer.status === 200,
      () => false,
    );
    // A proxy without a Worker lets a request wait for ever.
    return Promise.race([asked, sleep(kAnswerMs, false, { ref: false })]);
  });
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + kBackTimeoutMs;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, "it did not come to be");
    await sleep(kPollMs);
  }
}
