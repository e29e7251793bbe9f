// A disk that is full: api.md section 1, failures. Nothing can be written, so what is asked for is
// 503 and has changed nothing, and it says so; what is there can be read; /health says degraded. When
// there is room again, everything goes on without anybody's help.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../contract/client.ts";
import { startServer } from "../contract/server.ts";
import {
  assertSync,
  createSource,
  createTarget,
  importItems,
  newClient,
  range,
  sourceRows,
} from "../contract/world.ts";
import { fill, onDiskOf } from "./small_disk.ts";

const kDiskMegabytes = 24;
/** More than fit what is left in the store's own files. */
const kMostImports = 50;
const kHealthTimeoutMs = 60_000;
const kTest = { timeout: 180_000 };

const stateDir = mkdtempSync(join(tmpdir(), "sync-manager-full-"));
after(() => rmSync(stateDir, { recursive: true, force: true }));

function items(version: number): object[] {
  return range(600).map((id) => ({ id, version, text: "x".repeat(1000) }));
}

async function untilHealth(client: Client, status: number): Promise<void> {
  const deadline = Date.now() + kHealthTimeoutMs;
  while ((await client.get("/health")).status !== status) {
    assert.ok(Date.now() < deadline, `/health never became ${status}`);
    await sleep(200);
  }
}

test(
  "failures: a full disk is 503 without a trace, reads go on, and room mends it",
  kTest,
  async () => {
    const server = await startServer({ stateDir, within: onDiskOf(kDiskMegabytes, stateDir) });
    const filler = join(`/proc/${server.pid}/root`, stateDir, "filler");
    try {
      const client = await newClient(server);
      const source = await createSource(client);
      const target = await createTarget(client);
      await importItems(client, source, items(0));

      fill(filler);
      let version = 0;
      let refused = await client.post(`/sources/${source.id}/import`, { data: items(++version) });
      while (refused.status === 200) {
        assert.ok(version < kMostImports, "the disk never got full");
        refused = await client.post(`/sources/${source.id}/import`, { data: items(++version) });
      }
      const rows = await sourceRows(client, source);
      assert.deepEqual(new Set(rows.map((row) => row.data["version"])), new Set([version - 1]));

      for (const answer of [
        refused,
        await client.post(`/sources/${source.id}/import`, { data: items(version) }),
        await client.post(`/sync/${source.id}/${target.id}`),
      ]) {
        answer.expect(503);
        assert.match(answer.text, /Nothing was changed/);
      }
      (await client.post("/sources", { name: "x", type: "json" })).expect(503);
      (await client.post("/cleanup?days=0")).expect(503);
      await untilHealth(client, 503);
      (await client.get(`/sources/${source.id}`)).expect(200);

      rmSync(filler);
      await untilHealth(client, 200);
      assert.equal((await importItems(client, source, items(version))).stats.updated, 600);
      await assertSync(client, source, target, { created: 600 });
      (await client.post("/cleanup?days=0")).expect(200);
    } finally {
      await server.stop();
    }
  },
);
