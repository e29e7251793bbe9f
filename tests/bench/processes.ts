// The servers that are measured: a frozen copy of the tree, processes that end whatever happens, and their memory.
import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { basename, join, relative } from "node:path";
import { request } from "./client.ts";

const kStartTimeoutMs = 120_000;
const kStopTimeoutMs = 6_000;

/** Quiet and closed, as in host/dev.ts: both servers run under the same conditions. */
const kWranglerEnvironment = {
  CI: "1",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
  X_LOCAL_EXPLORER: "false",
  X_LOCAL_OBSERVABILITY: "false",
} as const;

export interface Server {
  readonly name: string;
  readonly url: string;
  readonly stateDir: string;
  readonly process: ChildProcess;
}

const running = new Set<Server>();

/**
 * Copies what the servers are started from, so that no edit during a run makes wrangler reload: everything but the
 * history and what builds leave behind beside their modules. `node_modules` is linked.
 */
export function freeze(root: string, folder: string): string {
  const frozen = join(folder, "tree");
  const skipped = new Set([".git", ".state", ".wrangler", "node_modules"]);
  const keptOfBuild = /\.(wasm|m?js|ts|json|toml)$/;
  mkdirSync(frozen, { recursive: true });
  for (const entry of readdirSync(root)) {
    if (skipped.has(entry)) continue;
    cpSync(join(root, entry), join(frozen, entry), {
      recursive: true,
      preserveTimestamps: true,
      filter: (source) => {
        const path = relative(root, source);
        if (!path.startsWith("build") || !basename(path).includes(".")) return true;
        return !path.includes("CMakeFiles") && keptOfBuild.test(path);
      },
    });
  }
  symlinkSync(join(root, "node_modules"), join(frozen, "node_modules"));
  return frozen;
}

export async function startProduct(frozen: string, folder: string): Promise<Server> {
  const port = await freePort();
  const stateDir = join(folder, "product");
  const url = `http://127.0.0.1:${port}`;
  const environment = { PORT: String(port), STATE_DIR: stateDir };
  const child = start("product", folder, frozen, ["host/dev.ts"], environment);
  const server = register({ name: "product", url, stateDir, process: child });
  await untilReady(server, folder, async () =>
    log(folder, "product").includes("Sync Manager is ready on "),
  );
  return server;
}

export async function startBaseline(frozen: string, folder: string): Promise<Server> {
  const stateDir = join(folder, "baseline");
  const config = join(frozen, "tests/bench/baseline/wrangler.toml");
  const schema = join(frozen, "tests/bench/baseline/schema.sql");
  const create = start("baseline-schema", folder, frozen, [
    kWrangler,
    ...["d1", "execute", "DB", "--local", "--yes", "--file", schema, "--persist-to", stateDir],
    ...["--config", config],
  ]);
  const code = await new Promise((done) => create.once("exit", done));
  if (code !== 0)
    throw new Error(`the baseline's schema failed:\n${log(folder, "baseline-schema")}`);
  return startWorker("baseline", config, "/floor", frozen, folder);
}

/** Any Worker under wrangler; it is ready once `probe` answers 200. */
export async function startWorker(
  name: string,
  config: string,
  probe: string,
  frozen: string,
  folder: string,
): Promise<Server> {
  const port = await freePort();
  const stateDir = join(folder, name);
  const url = `http://127.0.0.1:${port}`;
  const child = start(name, folder, frozen, [
    kWrangler,
    ...["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"],
    ...["--persist-to", stateDir, "--log-level", "warn", "--show-interactive-dev-session=false"],
    ...["--config", config],
  ]);
  const server = register({ name, url, stateDir, process: child });
  await untilReady(server, folder, async () => {
    const answer = await request(url, "GET", probe).catch(() => null);
    return answer?.status === 200;
  });
  return server;
}

const kWrangler = "node_modules/wrangler/bin/wrangler.js";

function start(
  name: string,
  folder: string,
  directory: string,
  args: string[],
  environment: Record<string, string> = {},
): ChildProcess {
  const output = openSync(join(folder, `${name}.log`), "w");
  const child = spawn(process.execPath, args, {
    cwd: directory,
    detached: true,
    stdio: ["ignore", output, output],
    env: {
      ...process.env,
      ...kWranglerEnvironment,
      WRANGLER_REGISTRY_PATH: join(folder, `${name}-registry`),
      ...environment,
    },
  });
  closeSync(output);
  return child;
}

function register(server: Server): Server {
  running.add(server);
  return server;
}

function log(folder: string, name: string): string {
  const path = join(folder, `${name}.log`);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

async function untilReady(
  server: Server,
  folder: string,
  isReady: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + kStartTimeoutMs;
  while (Date.now() < deadline && server.process.exitCode === null) {
    if (await isReady()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`the ${server.name} did not start:\n${log(folder, server.name).slice(-4000)}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Asks nicely, then kills everything that descends from the server. */
export async function stop(server: Server): Promise<void> {
  const family = descendants(server.process.pid);
  const exited = new Promise((done) => server.process.once("exit", done));
  if (server.process.exitCode === null && server.process.kill("SIGTERM")) {
    await Promise.race([exited, new Promise((done) => setTimeout(done, kStopTimeoutMs).unref())]);
  }
  killAll(server, family);
  running.delete(server);
}

/** For the end of this process, however it comes. */
export function killServers(): void {
  for (const server of running) killAll(server, descendants(server.process.pid));
  running.clear();
}

function killAll(server: Server, family: Process[]): void {
  for (const member of [...family].reverse()) {
    if (startedAt(member.pid) === member.startedAt) kill(member.pid);
  }
  if (server.process.exitCode === null && server.process.pid !== undefined) {
    kill(server.process.pid);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** A process id is given again some day; with the time of its start it is unique. */
interface Process {
  readonly pid: number;
  readonly startedAt: string;
}

function descendants(root: number | undefined): Process[] {
  if (root === undefined || !existsSync("/proc")) return [];
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const parent = Number(statistics(pid)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  const queue = [root];
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    const next = children.get(pid) ?? [];
    found.push(...next);
    queue.push(...next);
  }
  return found.flatMap((pid) => {
    const time = startedAt(pid);
    return time === undefined ? [] : [{ pid, startedAt: time }];
  });
}

/** The fields of /proc/<pid>/stat behind the name: state, parent, … */
function statistics(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function startedAt(pid: number): string | undefined {
  return statistics(pid)?.[19];
}

export interface Memory {
  /** Bytes in memory now, and the most since the last reset. */
  readonly residentBytes: number;
  readonly peakBytes: number;
}

/** Of the workerd process that holds the server's database, which is the one that runs the Worker. */
export function memoryOf(server: Server): Memory | null {
  const pid = workerProcess(server);
  if (pid === undefined) return null;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN) * 1024;
  return { residentBytes: bytes("VmRSS"), peakBytes: bytes("VmHWM") };
}

/** Lets the peak start from what is in memory now. */
export function resetPeak(server: Server): void {
  const pid = workerProcess(server);
  if (pid !== undefined) writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function workerProcess(server: Server): number | undefined {
  return descendants(server.process.pid).find(({ pid }) => {
    try {
      if (!basename(readlinkSync(`/proc/${pid}/exe`)).startsWith("workerd")) return false;
      return readdirSync(`/proc/${pid}/fd`).some((fd) => {
        try {
          return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(server.stateDir);
        } catch {
          return false;
        }
      });
    } catch {
      return false;
    }
  })?.pid;
}
