// Starts the real product for a test file and stops it again.
//
// A file calls `openServer()` once. When `CONTRACT_ORIGIN` names a server that runs already (run.ts
// starts one for the whole suite), that one is used and left running; otherwise the file gets its
// own. Tests that break a server, or that need a fresh store, call `startServer()` instead.
// `WASM_BUILD` in the environment reaches the product unchanged.
//
// The product runs behind the limits of production that workerd lacks (tests/host/limited_worker.ts):
// a server that went beyond one fails when it is stopped.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kViolation } from "../host/production_limits.ts";
import { copyMigratedStore } from "./migrated_store.ts";

export const kRoot: string = resolve(import.meta.dirname, "../..");

const kReadyLine = "Sync Manager is ready on ";
/** Bounds for what hangs. No slow machine comes near them. */
const kStartTimeoutMs = 300_000;
const kStopTimeoutMs = 60_000;

export interface Server {
  readonly origin: string;
  /** Of its supervisor; null when it runs elsewhere. */
  readonly pid: number | null;
  /** Where the server keeps its store; null when it runs elsewhere. */
  readonly stateDir: string | null;
  /** What the server printed so far. */
  output(): string;
  stop(): Promise<void>;
  /** Ends the server without a chance to finish anything, and keeps its store. */
  kill(): Promise<void>;
}

export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /**
   * An existing state directory, which then outlives the server. An empty one gets its store from the server itself, by
   * all migrations; without this option the server begins with a migrated one.
   */
  readonly stateDir?: string;
  /** A command and its arguments, which run the server's own in the place of their process. */
  readonly within?: readonly string[];
}

export function wasmBuild(): string {
  return process.env["WASM_BUILD"] ?? "wasi";
}

/** The server of this test file: the shared one where there is one, else one of its own. */
export async function openServer(): Promise<Server> {
  const origin = process.env["CONTRACT_ORIGIN"];
  if (origin === undefined) return startServer();
  return {
    origin: origin.replace(/\/$/, ""),
    pid: null,
    stateDir: process.env["CONTRACT_STATE_DIR"] || null,
    output: () => "",
    stop: () => Promise.resolve(),
    kill: () => Promise.reject(new Error("a shared server is not killed")),
  };
}

export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const port = await freePort();
  const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), "sync-manager-contract-"));
  if (options.stateDir === undefined) await copyMigratedStore(stateDir);
  const [command = "", ...args] = [...(options.within ?? []), process.execPath, "host/dev/dev.ts"];
  const child = spawn(command, args, {
    cwd: kRoot,
    env: childEnvironment({
      PORT: String(port),
      STATE_DIR: stateDir,
      WORKER_FILE: "tests/host/limited_worker.ts",
      // scheduled.ts lets nights pass.
      TRUST_SCHEDULED_TIME: "true",
      ...options.env,
    }),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const printed: string[] = [];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => printed.push(text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => printed.push(text));
  const killAtExit = (): void => killGroup(child);
  process.once("exit", killAtExit);
  // Without a handler of theirs these end a process without its exit handlers.
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    if (process.listenerCount(name) === 0) process.once(name, () => process.exit(1));
  }
  let wanted = false;
  child.once("exit", (code, signal) => {
    if (wanted) return;
    const told = printed.join("");
    console.error(`The server on port ${port} ended by itself (${code ?? signal}).\n${told}`);
  });
  const stop = async (): Promise<void> => {
    wanted = true;
    holdProcess(child, "ref");
    await stopChild(child);
    process.removeListener("exit", killAtExit);
    if (options.stateDir === undefined) rmSync(stateDir, { recursive: true, force: true });
    assertWithinLimits(printed);
  };
  try {
    await untilReady(child, printed);
  } catch (error) {
    await stop();
    throw error;
  }
  // A test that fails before it stops its server must not keep the process: the exit handler
  // ends what is left.
  holdProcess(child, "unref");
  return {
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid ?? null,
    stateDir,
    output: () => printed.join(""),
    stop,
    kill: async () => {
      wanted = true;
      holdProcess(child, "ref");
      const gone = new Promise<void>((done) => child.once("close", () => done()));
      killGroup(child);
      await gone;
      while (await isListening(port)) await sleep(20);
      process.removeListener("exit", killAtExit);
    },
  };
}

function assertWithinLimits(printed: readonly string[]): void {
  const lines = printed.join("").split("\n");
  const beyond = lines.filter((line) => line.includes(kViolation));
  assert.deepEqual(beyond, [], `the server went ${beyond.length} times ${kViolation}`);
}

/** A variable of `dev.env`, which the local server makes beside its store. */
export function devVariable(stateDir: string, name: string): string | null {
  const file = join(stateDir, "dev.env");
  if (!existsSync(file)) return null;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const match = /^(?:export\s+)?([A-Z_]+)=(.*)$/.exec(line.trim());
    if (match?.[1] === name) return (match[2] ?? "").replace(/^(["'])(.*)\1$/, "$2");
  }
  return null;
}

function childEnvironment(extra: Record<string, string>): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of ["NODE_TEST_CONTEXT", "NODE_OPTIONS", "CONTRACT_ORIGIN"]) delete env[name];
  return { ...env, ...extra };
}

function untilReady(child: ChildProcess, printed: string[]): Promise<void> {
  return new Promise((done, fail) => {
    const refuse = (why: string): void => {
      cleanUp();
      fail(new Error(`the server ${why}; it printed:\n${printed.join("")}`));
    };
    const timer = setTimeout(() => refuse("was not ready in time"), kStartTimeoutMs);
    const onExit = (code: number | null): void => refuse(`ended with code ${code}`);
    const onError = (error: Error): void => refuse(`did not start: ${error.message}`);
    const onData = (): void => {
      const lines = printed.join("").split("\n");
      if (!lines.some((line) => line.startsWith(kReadyLine))) return;
      cleanUp();
      done();
    };
    const cleanUp = (): void => {
      clearTimeout(timer);
      child.off("exit", onExit);
      child.off("error", onError);
      child.stdout?.off("data", onData);
    };
    child.once("exit", onExit);
    child.once("error", onError);
    child.stdout?.on("data", onData);
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    child.kill("SIGTERM");
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((done) => {
      timer = setTimeout(done, kStopTimeoutMs);
    });
    await Promise.race([ended, late]);
    clearTimeout(timer);
  }
  killGroup(child);
}

function holdProcess(child: ChildProcess, how: "ref" | "unref"): void {
  child[how]();
  for (const pipe of [child.stdout, child.stderr]) if (pipe instanceof Socket) pipe[how]();
}

/** Ends what is left of the server's own process group. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}

export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => done(port));
    });
  });
}
