// The local supervisor behind `make run`: one process that makes what a local deployment needs,
// runs `wrangler dev` with it, wakes it once a minute as cron does in production, starts it again
// when it ends, falls silent or stays unwell, and takes everything down again.
//
//   node host/dev/dev.ts          serves, until it is told to stop
//   node host/dev/dev.ts --check  only refuses what serving would refuse, before the core is built
//
// The line "Sync Manager is ready on http://127.0.0.1:<port>" on standard output is an interface:
// tests wait for it. Everything that wrangler says goes to standard error.

import { startLocalCron } from "./local_cron.ts";
import {
  findPort,
  readSettings,
  requireModule,
  type Settings,
  takeStateDir,
  UserError,
} from "./settings.ts";
import { hasRoom, isWritable, writeEnvFiles } from "./state.ts";
import { pause, untilAnswering, untilGivenUp } from "./watch.ts";
import { printWelcome } from "./welcome.ts";
import { endAll, killGroup, migrate, startWrangler, writeConfig } from "./wrangler.ts";

const stopTimeoutMs = 4_000;
/** Between two starts of a wrangler that ends again and again, as it does while the disk is full. */
const shortestPauseMs = 250;
const longestPauseMs = 15_000;
const roomIntervalMs = 600;

let stopping = false;
let stopCron = (): void => {};

async function main(): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => void stop(0));
  }
  // A full disk or a closed pipe behind what is printed must not end the server.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const settings = readSettings();
  takeStateDir(settings.stateDir);
  if (!hasRoom(settings.stateDir)) {
    throw new UserError(
      `there is no room on the disk of ${settings.stateDir}: STATE_DIR=<folder> make run`,
    );
  }
  const port = await findPort(settings.port);
  if (process.argv.includes("--check")) return;
  requireModule(settings);
  const envFiles = writeEnvFiles(settings.stateDir);
  writeConfig(settings);
  const database = await migrate(settings.stateDir);
  await serve(settings, port, envFiles, database);
}

/** Only a first start that fails is an error: a server that has served comes back. */
async function serve(
  settings: Settings,
  port: number,
  envFiles: readonly string[],
  database: "new" | "existing",
): Promise<void> {
  const address = `http://127.0.0.1:${port}`;
  let served = false;
  for (let pauseMs = shortestPauseMs; !stopping; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const wrangler = startWrangler(settings, port, envFiles);
    const ended = new Promise<string>((done) => {
      wrangler.once("exit", (code, signal) => done(`wrangler ended by itself (${signal ?? code})`));
    });
    let reason = await Promise.race([ended, untilAnswering(address)]);
    if (typeof reason === "boolean") {
      if (!served) {
        stopCron = startLocalCron(address);
        printWelcome(address, settings, database);
        if (!reason) console.error(`warning: ${address}/health says that something is wrong`);
      }
      served = true;
      pauseMs = shortestPauseMs;
      const canWrite = (): boolean => isWritable(settings.stateDir);
      reason = await Promise.race([ended, untilGivenUp(port, ended, canWrite)]);
    }
    if (stopping) return;
    if (!served) throw new UserError(reason);
    console.error(`warning: ${reason}; the server is started again`);
    killGroup(wrangler);
    await ended;
    await pause(pauseMs);
    await untilRoom(settings.stateDir);
  }
}

async function untilRoom(stateDir: string): Promise<void> {
  for (let told = false; !hasRoom(stateDir) && !stopping; told = true) {
    if (!told)
      console.error(`warning: no room on the disk of ${stateDir}; the server waits for it`);
    await pause(roomIntervalMs);
  }
}

async function stop(exitCode: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  stopCron();
  await endAll(stopTimeoutMs);
  process.exit(exitCode);
}

main().catch((error: unknown) => {
  if (stopping) return;
  console.error(error instanceof UserError ? `make run: ${error.message}` : error);
  void stop(1);
});
