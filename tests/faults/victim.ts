// A server that is killed and comes back on the same state.
//
// `kill -9` of the workerd that runs the Worker, and with it the database, is a crash that wrangler
// notices and mends by itself. Killing everything, supervisor included, is what a power cut or an
// out-of-memory killer does; the server is then started again as an operator would.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../contract/client.ts";
import { copyMigratedStore } from "../contract/migrated_store.ts";
import { type Server, startServer } from "../contract/server.ts";
import { isDead, workerOf } from "./processes.ts";
import { StoreCopy } from "./store_copy.ts";

/** A bound for what hangs. No slow machine comes near it. */
const kBackTimeoutMs = 300_000;
const kHealthTimeoutMs = 5_000;

export type Crash = "worker" | "everything";

export class Victim {
  readonly stateDir: string;
  readonly copy: StoreCopy;
  private running: Server;

  private constructor(stateDir: string, server: Server) {
    this.stateDir = stateDir;
    this.running = server;
    this.copy = new StoreCopy(stateDir);
  }

  static async start(): Promise<Victim> {
    const stateDir = mkdtempSync(join(tmpdir(), "sync-manager-faults-"));
    await copyMigratedStore(stateDir);
    return new Victim(stateDir, await startServer({ stateDir }));
  }

  /** Another one after each crash of everything. */
  get server(): Server {
    return this.running;
  }

  /**
   * Ends processes in the middle of whatever they do, and brings the server back. `inspect` is
   * given a copy of the store as the crash left it; while `settle` runs, nothing can write or
   * answer.
   */
  async crash(
    crash: Crash,
    settle: () => Promise<void>,
    inspect: (store: string) => void,
  ): Promise<void> {
    if (crash === "everything") {
      await this.running.kill();
      await settle();
      inspect(this.copy.take());
      this.running = await startServer({ stateDir: this.stateDir });
      return;
    }
    const worker = workerOf(this.stateDir);
    // A stopped wrangler cannot start the next workerd before the store has been copied.
    process.kill(worker.parent, "SIGSTOP");
    try {
      process.kill(worker.pid, "SIGKILL");
      while (!isDead(worker.pid)) await sleep(1);
      await settle();
      this.copy.take();
    } finally {
      process.kill(worker.parent, "SIGCONT");
    }
    inspect(this.copy.file);
    await this.untilHealthy();
  }

  async stop(): Promise<void> {
    await this.running.stop();
    rmSync(this.stateDir, { recursive: true, force: true });
  }

  private async untilHealthy(): Promise<void> {
    const deadline = Date.now() + kBackTimeoutMs;
    while (Date.now() < deadline) {
      if (await isHealthy(this.running.origin)) return;
      await sleep(20);
    }
    assert.fail(`not back after ${kBackTimeoutMs / 1000} s; it printed:\n${this.running.output()}`);
  }
}

async function isHealthy(origin: string): Promise<boolean> {
  const late = sleep(kHealthTimeoutMs, false, { ref: false });
  const asked = new Client(origin).get("/health").then(
    (answer) => answer.status === 200,
    () => false,
  );
  return Promise.race([asked, late]);
}
