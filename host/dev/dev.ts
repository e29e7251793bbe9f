// The local supervisor behind `make run`: one process that makes what a local deployment needs,
// runs `wrangler dev` with it, wakes it once a minute as cron does in production, starts it again
// when it falls silent, and takes everything down again.
//
// Everything that a run leaves behind is in STATE_DIR: the D1 database (v3/), the secrets that
// belong to it (dev.env), the record of applied migrations (migrations.json). Settings come from
// the environment, then from .env.
//
// The line "Sync Manager is ready on http://127.0.0.1:<port>" on standard output is an interface:
// tests wait for it. Everything that wrangler says goes to standard error.

import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { relative, resolve } from "node:path";
import { parseEnv } from "node:util";
import { startLocalCron } from "./local_cron.ts";

const root = resolve(import.meta.dirname, "../..");
const migrationsDir = resolve(root, "schema/sqlite");
const startTimeoutMs = 60_000;
const pollIntervalMs = 50;
const stopTimeoutMs = 4_000;
const probeIntervalMs = 5_000;
const probeTimeoutMs = 10_000;
const silentProbes = 3;

/** Variables of the Worker that the caller's environment may set or override. An empty value takes one away. */
const workerVariables = [
  "ADMIN_TOKEN",
  "API_KEY_PEPPER",
  "ENCRYPTION_KEY",
  "RETENTION_DAYS",
  "TENANT_SIGNUP",
];

/** Something that the user can put right: shown without a stack. */
class UserError extends Error {}

interface Settings {
  port: number;
  stateDir: string;
  wasmFile: string;
  workerFile: string;
  logLevel: string;
}

const children = new Set<ChildProcess>();
let stopping = false;
let stopCron = (): void => {};

async function main(): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => void stop(0));
  }
  const settings = readSettings();
  prepareStateDir(settings.stateDir);
  const envFiles = writeEnvFiles(settings.stateDir);
  const port = await findPort(settings.port);
  writeConfig(settings);
  await migrate(settings.stateDir);
  const address = `http://127.0.0.1:${port}`;
  for (let first = true; ; first = false) {
    const wrangler = startWrangler(settings, port, envFiles);
    const exited = new Promise<never>((_, reject) => {
      wrangler.once("exit", (code) =>
        reject(new UserError(`wrangler ended by itself (exit ${code})`)),
      );
    });
    const healthy = await Promise.race([exited, untilAnswering(address)]);
    if (first) {
      stopCron = startLocalCron(address);
      printWelcome(address, settings, healthy);
    }
    await Promise.race([exited, untilSilent(address)]);
    // wrangler starts a Worker that died anew, but not always the server in front of it.
    console.error("warning: nothing answers any more; the server is started again");
    killGroup(wrangler);
    await exited.catch(() => {});
  }
}

function readSettings(): Settings {
  const envFile = resolve(root, ".env");
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  const env = process.env;
  const port = Number(env.PORT || 8787);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new UserError(`PORT=${env.PORT} is no port`);
  }
  const build = env.WASM_BUILD || "wasi";
  const wasmFile = resolve(root, env.WASM_FILE || `build/${build}/sync_manager.wasm`);
  if (!existsSync(wasmFile)) {
    throw new UserError(`${relative(root, wasmFile)} does not exist: make build-${build}`);
  }
  const stateDir = resolve(root, env.STATE_DIR || ".state");
  // Tests put a Worker around ours.
  const workerFile = resolve(root, env.WORKER_FILE || "host/worker/worker.ts");
  return { port, stateDir, wasmFile, workerFile, logLevel: env.LOG_LEVEL || "warn" };
}

/** Makes STATE_DIR and takes it: two workerd on one database file corrupt each other's view of it. */
function prepareStateDir(stateDir: string): void {
  const lock = resolve(stateDir, "supervisor.pid");
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const owner = existsSync(lock) ? Number(readFileSync(lock, "utf8")) : 0;
    if (owner !== process.pid && isSupervisor(owner)) {
      throw new UserError(
        `${stateDir} is in use by the Sync Manager with process id ${owner}: stop it, or choose another ` +
          "STATE_DIR",
      );
    }
    writeFileSync(lock, String(process.pid));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `the folder ${stateDir} cannot be written (${messageOf(error)}): STATE_DIR=<folder> make run`,
    );
  }
  process.on("exit", () => rmSync(lock, { force: true }));
}

function isSupervisor(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // After a crash the number may belong to any other program by now.
  const commandLine = `/proc/${pid}/cmdline`;
  return !existsSync(commandLine) || readFileSync(commandLine, "utf8").includes("host/dev/dev.ts");
}

/** Secrets are made once, since sealed data and hashed keys in the database are worthless without them. */
function writeEnvFiles(stateDir: string): string[] {
  const devEnv = resolve(stateDir, "dev.env");
  if (!existsSync(devEnv)) {
    const lines = [
      "# Made by `make run`, once. The database beside it can be read only with these.",
      `ADMIN_TOKEN=${randomBytes(24).toString("base64url")}`,
      `ENCRYPTION_KEY=${randomBytes(32).toString("base64")}`,
      `API_KEY_PEPPER=${randomBytes(32).toString("base64")}`,
      "TENANT_SIGNUP=open",
    ];
    // Renamed into place: a crash leaves either no file or all of it.
    writeFileSync(`${devEnv}.new`, `${lines.join("\n")}\n`, { mode: 0o600 });
    renameSync(`${devEnv}.new`, devEnv);
  }
  const overrides = resolve(stateDir, "overrides.env");
  const names = new Set([
    ...workerVariables,
    ...Object.keys(parseEnv(readFileSync(devEnv, "utf8"))),
  ]);
  const lines = [...names].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [`${name}=${quoted(name, value)}\n`];
  });
  rmSync(overrides, { force: true });
  writeFileSync(overrides, lines.join(""), { mode: 0o600 });
  return [devEnv, overrides];
}

/** The env file format has no escapes, but three kinds of quotes. */
function quoted(name: string, value: string): string {
  const quote = ["'", '"', "`"].find((mark) => !value.includes(mark));
  if (quote === undefined || /[\r\n]/.test(value)) {
    throw new UserError(
      `${name} holds a line break or all kinds of quotes, which an env file cannot`,
    );
  }
  return quote + value + quote;
}

/** The wished port where it is free; any for 0. */
function findPort(wished: number): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === "EADDRINUSE"
          ? "is in use by another program"
          : `cannot be used (${error.message})`;
      failed(new UserError(`port ${wished} ${reason}: PORT=${wished + 1} make run`));
    });
    server.listen({ port: wished, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : wished;
      server.close(() => done(port));
    });
  });
}

/**
 * Applies new migrations. wrangler takes seconds to find out that there are none, so a record is
 * kept of those applied.
 */
async function migrate(stateDir: string): Promise<void> {
  const record = resolve(stateDir, "migrations.json");
  const applied: Record<string, string> = existsSync(record)
    ? JSON.parse(readFileSync(record, "utf8"))
    : {};
  const present: Record<string, string> = {};
  const names = existsSync(migrationsDir) ? readdirSync(migrationsDir) : [];
  for (const name of names.filter((file) => file.endsWith(".sql")).sort()) {
    present[name] = createHash("sha256")
      .update(readFileSync(resolve(migrationsDir, name)))
      .digest("hex");
  }
  for (const name of Object.keys(applied)) {
    if (present[name] !== applied[name]) {
      throw new UserError(
        `schema/sqlite/${name} is not what was applied to the database in ${stateDir}: remove that folder ` +
          "(its data is lost), or choose another STATE_DIR",
      );
    }
  }
  if (Object.keys(present).length === Object.keys(applied).length) return;
  const output: Buffer[] = [];
  const child = runWrangler(
    ["d1", "migrations", "apply", "DB", "--local", "--persist-to", stateDir],
    stateDir,
    "pipe",
  );
  child.stdout?.on("data", (part: Buffer) => output.push(part));
  child.stderr?.on("data", (part: Buffer) => output.push(part));
  const code = await new Promise<number | null>((done) => child.once("close", done));
  if (stopping) return;
  if (code !== 0) {
    process.stderr.write(Buffer.concat(output));
    throw new UserError("the migrations of schema/sqlite could not be applied");
  }
  writeFileSync(record, `${JSON.stringify(present, null, 2)}\n`);
}

function startWrangler(settings: Settings, port: number, envFiles: string[]): ChildProcess {
  const args = ["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"];
  args.push("--persist-to", settings.stateDir);
  args.push("--log-level", settings.logLevel, "--show-interactive-dev-session=false");
  for (const file of envFiles) args.push("--env-file", file);
  return runWrangler(args, settings.stateDir, "inherit");
}

/**
 * The deployment's configuration with the core that was asked for (`wrangler dev` does not honour
 * --alias) and with paths that hold from the state directory, where it is written so that several
 * servers do not share it. Without cron triggers: `wrangler dev` only warns that it has no clock,
 * and we are the clock (local_cron.ts).
 */
function writeConfig(settings: Settings): void {
  const coreModule = resolve(settings.stateDir, "core_module.mjs");
  writeFileSync(coreModule, `export { default } from ${JSON.stringify(settings.wasmFile)};\n`);
  const replaced: readonly (readonly [string, string])[] = [
    ['"host/worker/worker.ts"', JSON.stringify(settings.workerFile)],
    ['"schema/sqlite"', JSON.stringify(resolve(root, "schema/sqlite"))],
    ['"build/public"', JSON.stringify(resolve(root, "build/public"))],
    ['"./tools/core_module.mjs"', JSON.stringify(coreModule)],
    ['crons = ["* * * * *"]', "crons = []"],
  ];
  let config = readFileSync(resolve(root, "wrangler.toml"), "utf8");
  for (const [text, local] of replaced) {
    if (!config.includes(text)) throw new Error(`wrangler.toml does not hold ${text}`);
    config = config.replace(text, local);
  }
  writeFileSync(configFile(settings.stateDir), config);
}

function configFile(stateDir: string): string {
  return resolve(stateDir, "wrangler.toml");
}

/** Runs wrangler, quiet and closed, as the leader of a process group that dies with this process, however it dies. */
function runWrangler(args: string[], stateDir: string, output: "pipe" | "inherit"): ChildProcess {
  const bin = resolve(root, "node_modules/wrangler/bin/wrangler.js");
  const child = spawn(process.execPath, [bin, ...args, "--config", configFile(stateDir)], {
    cwd: root,
    detached: true,
    stdio: output === "pipe" ? ["ignore", "pipe", "pipe"] : ["ignore", 2, 2],
    env: {
      ...process.env,
      CI: "1",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      // wrangler colours its output in CI even where nobody sees it.
      FORCE_COLOR: process.stderr.isTTY ? "1" : "0",
      WRANGLER_REGISTRY_PATH: resolve(stateDir, "registry"),
      WRANGLER_SEND_ERROR_REPORTS: "false",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_WRITE_LOGS: "false",
      // Its folder in the home directory, which may be read-only and is shared with other projects.
      XDG_CONFIG_HOME: resolve(stateDir, "config"),
      // Both keep or serve data outside our own API; the first also adds half to the time of every request.
      X_LOCAL_EXPLORER: "false",
      X_LOCAL_OBSERVABILITY: "false",
    },
  });
  // Reads from a pipe that the kernel closes with this process, even after SIGKILL.
  const guard = spawn("sh", ["-c", `cat >/dev/null; kill -KILL -${child.pid}`], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  children.add(child);
  child.once("exit", () => {
    children.delete(child);
    guard.kill("SIGKILL");
    // workerd and esbuild end with wrangler; what did not is ended here.
    killGroup(child);
  });
  return child;
}

/** True once /health answers 200, false where it answers anything else. */
async function untilAnswering(address: string): Promise<boolean> {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    try {
      const answer = await fetch(`${address}/health`, { signal: AbortSignal.timeout(5_000) });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      await new Promise((done) => setTimeout(done, pollIntervalMs));
    }
  }
  throw new UserError(`the Worker did not answer within ${startTimeoutMs / 1000} s`);
}

/** Ends when a server that has answered gives no answer of any kind for some time. */
async function untilSilent(address: string): Promise<void> {
  for (let missed = 0; missed < silentProbes; ) {
    await new Promise((done) => setTimeout(done, probeIntervalMs));
    try {
      const answer = await fetch(`${address}/health`, {
        signal: AbortSignal.timeout(probeTimeoutMs),
      });
      await answer.arrayBuffer();
      missed = 0;
    } catch {
      missed++;
    }
  }
}

function printWelcome(address: string, settings: Settings, healthy: boolean): void {
  const json = "-H 'Content-Type: application/json'";
  const key = `-H "X-API-Key: $KEY" ${json}`;
  const lines = [
    "",
    `Documentation: ${address}/docs`,
    `Database and secrets: ${relative(process.cwd(), settings.stateDir) || "."} (Ctrl-C ends this, the data stays)`,
    "",
    "Try next: create a tenant, and with the api_key of the answer (KEY=sm_…) a source, then import into it:",
    `  curl -X POST ${address}/tenants ${json} -d '{"name":"My company"}'`,
    `  curl -X POST ${address}/sources ${key} -d '{"name":"Properties","type":"json"}'`,
    `  curl -X POST ${address}/sources/1/import ${key} -d '{"data":[{"id":"1","title":"Property"}]}'`,
    "",
  ];
  console.log(`Sync Manager is ready on ${address}`);
  console.log(lines.join("\n"));
  if (!healthy) console.error(`warning: ${address}/health says that something is wrong`);
}

async function stop(exitCode: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  stopCron();
  const ends = [...children].map((child) => {
    child.kill("SIGTERM");
    return new Promise((done) => child.once("exit", done));
  });
  await Promise.race([Promise.all(ends), new Promise((done) => setTimeout(done, stopTimeoutMs))]);
  for (const child of children) killGroup(child);
  process.exit(exitCode);
}

function killGroup(leader: ChildProcess): void {
  try {
    if (leader.pid !== undefined) process.kill(-leader.pid, "SIGKILL");
  } catch {
    // nothing left of it
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

main().catch((error: unknown) => {
  if (stopping) return;
  console.error(error instanceof UserError ? `make run: ${error.message}` : error);
  void stop(1);
});
