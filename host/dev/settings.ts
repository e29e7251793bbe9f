// What a local run was asked to do, and all that is refused before anything is built or started:
// settings that mean nothing, a state folder that cannot be used, a port that another program has.
// Settings come from the environment, then from the file .env.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, relative, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

/** wrangler's own words, from silent to chatty. */
const logLevels = ["none", "error", "warn", "info", "log", "debug"];
/** The core's limit (kMaxRetentionDays). */
const maxRetentionDays = 36_500;

/** What tenants and clients may do. A local run sets no limits, unless it is told to. */
export const allowanceVariables = [
  "MAX_PROPERTIES",
  "MAX_DATA_BYTES",
  "MAX_SOURCES",
  "MAX_TARGETS",
  "MAX_KEYS",
  "MAX_REQUESTS_PER_SECOND",
  "MAX_SIGNUPS_PER_HOUR",
  "MAX_WRITES_AT_ONCE",
];

/** Something that the user can put right: shown without a stack. */
export class UserError extends Error {}

export interface Settings {
  /** 0: any that is free. */
  readonly port: number;
  readonly stateDir: string;
  readonly wasmFile: string;
  readonly workerFile: string;
  readonly logLevel: string;
}

export function readSettings(): Settings {
  const envFile = resolve(root, ".env");
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  const env = process.env;
  const port = Number(env.PORT || 8787);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new UserError(`PORT=${env.PORT} is no port: a number from 1 to 65535, or 0 for any`);
  }
  const logLevel = env.LOG_LEVEL || "warn";
  if (!logLevels.includes(logLevel)) {
    throw new UserError(`LOG_LEVEL=${logLevel} is none of ${logLevels.join(", ")}`);
  }
  const days = env.RETENTION_DAYS || "30";
  if (!/^\d+$/.test(days) || Number(days) > maxRetentionDays) {
    throw new UserError(
      `RETENTION_DAYS=${days} is no number of days: a whole number from 0 to ${maxRetentionDays}`,
    );
  }
  for (const name of allowanceVariables) {
    const limit = env[name] || "0";
    if (!/^\d+$/.test(limit) || !Number.isSafeInteger(Number(limit))) {
      throw new UserError(`${name}=${limit} is no limit: a whole number, or 0 for none`);
    }
  }
  const wasmFile = resolve(root, env.WASM_FILE || builtModule());
  if (env.WASM_FILE && !existsSync(wasmFile)) {
    throw new UserError(`WASM_FILE=${env.WASM_FILE} does not exist`);
  }
  const stateDir = resolve(root, env.STATE_DIR || ".state");
  // Tests put a Worker around ours.
  const workerFile = resolve(root, env.WORKER_FILE || "host/worker/worker.ts");
  return { port, stateDir, wasmFile, workerFile, logLevel };
}

function builtModule(): string {
  return `build/${process.env.WASM_BUILD || "wasi"}/sync_manager.wasm`;
}

export function requireModule(settings: Settings): void {
  if (existsSync(settings.wasmFile)) return;
  throw new UserError(
    `${relative(root, settings.wasmFile)} does not exist: make build-${process.env.WASM_BUILD || "wasi"}`,
  );
}

/** Makes STATE_DIR and takes it: two workerd on one database file corrupt each other's view of it. */
export function takeStateDir(stateDir: string): void {
  const lock = resolve(stateDir, "supervisor.pid");
  try {
    makeFolder(stateDir);
    if (isForeign(stateDir)) {
      throw new UserError(
        `${stateDir} holds files, but no database of Sync Manager: choose an empty folder, or one that ` +
          "is not there, as STATE_DIR",
      );
    }
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

/** Level by level: node's own recursion never ends where a file system takes no folders, as /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

/** Whether a folder has files, and none of those that a run leaves behind (state.ts). */
function isForeign(stateDir: string): boolean {
  const names = readdirSync(stateDir);
  return (
    names.length > 0 && !["dev.env", "v3", "supervisor.pid"].some((own) => names.includes(own))
  );
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

/** The wished port where it is free; any for 0. */
export function findPort(wished: number): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === "EADDRINUSE"
          ? "is in use by another program"
          : `cannot be used (${error.message})`;
      const other = wished < 65535 ? wished + 1 : wished - 1;
      failed(new UserError(`port ${wished} ${reason}: PORT=${other} make run`));
    });
    server.listen({ port: wished, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : wished;
      server.close(() => done(port));
    });
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
