// The Workers that are measured, each alone in a workerd that Miniflare starts: `wrangler dev`
// would put two proxies before them, which cost more than what is measured. Requests go to the
// Worker's own socket, past Miniflare's entry, too.
import { randomBytes } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join, resolve } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { allowanceVariables } from "../../host/dev/settings.ts";
import { statementsOf } from "../schema/migrations.ts";
import { request } from "./client.ts";
import { kProbePath, type Seen } from "./probe.ts";

export interface Server {
  readonly name: string;
  readonly url: string;
  readonly stateDir: string;
  readonly miniflare: Miniflare;
}

const running = new Set<Server>();

interface Worker {
  readonly name: string;
  /** The module whose default export is the Worker. */
  readonly main: string;
  /** What the Worker imports as WebAssembly. */
  readonly wasm?: string;
  /** The texts that go with it. */
  readonly statements?: string;
  /** Files that make the database, in order; a Worker without any has no database. */
  readonly schema?: readonly string[];
  readonly variables?: Record<string, string>;
}

export function startProduct(root: string, folder: string): Promise<Server> {
  const migrations = join(root, "schema/sqlite");
  const wasm =
    process.env["WASM_FILE"] || `build/${process.env["WASM_BUILD"] || "wasi"}/sync_manager.wasm`;
  return start(root, folder, {
    name: "product",
    main: join(root, "host/worker/worker.ts"),
    wasm: resolve(root, wasm),
    statements: resolve(root, wasm, "../generated/store/statements.sqlite.json"),
    schema: readdirSync(migrations)
      .sort()
      .map((file) => join(migrations, file)),
    variables: {
      ADMIN_TOKEN: randomBytes(24).toString("base64url"),
      API_KEY_PEPPER: randomBytes(32).toString("base64"),
      ENCRYPTION_KEY: randomBytes(32).toString("base64"),
      TENANT_SIGNUP: "open",
      ...Object.fromEntries(allowanceVariables.map((name) => [name, "0"])),
    },
  });
}

export function startBaseline(root: string, folder: string): Promise<Server> {
  const baseline = join(root, "tests/bench/baseline");
  return start(root, folder, {
    name: "baseline",
    main: join(baseline, "worker.ts"),
    schema: [join(baseline, "schema.sql")],
  });
}

export function startCanonical(root: string, folder: string, wasm: string): Promise<Server> {
  return start(root, folder, {
    name: "canonical",
    main: join(root, "tests/bench/canonical/worker.ts"),
    wasm,
  });
}

async function start(root: string, folder: string, worker: Worker): Promise<Server> {
  const stateDir = join(folder, worker.name);
  const modules = [
    { type: "ESModule" as const, path: "worker.js", contents: await bundle(root, worker) },
  ];
  const compiled = worker.wasm === undefined ? [] : [compiledModule(worker.wasm)];
  const { compatibilityDate, compatibilityFlags } = readCompatibility(root);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: worker.name,
      modules: [...modules, ...compiled],
      compatibilityDate,
      compatibilityFlags,
      bindings: worker.variables ?? {},
      ...(worker.schema === undefined ? {} : { d1Databases: { DB: worker.name } }),
      resourcePersistencePath: stateDir,
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      inspectorPort: 0,
      cf: false,
      logRequests: false,
    }),
  );
  try {
    await miniflare.ready;
    if (worker.schema !== undefined) {
      const db = await miniflare.getD1Database("DB");
      for (const file of worker.schema)
        await db.exec(oneStatementALine(readFileSync(file, "utf8")));
    }
    const { origin } = await miniflare.unsafeGetDirectURL();
    const server = { name: worker.name, url: origin, stateDir, miniflare };
    running.add(server);
    return server;
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/**
 * One module behind the probe; WebAssembly stays beside it, under the one name that
 * `compiledModule` gives.
 */
async function bundle(root: string, { main, statements = "" }: Worker): Promise<string> {
  const probe = join(root, "tests/bench/probe.ts");
  const entry =
    `import { probed } from ${JSON.stringify(probe)};\n` +
    `import worker from ${JSON.stringify(main)};\nexport default probed(worker);\n`;
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: root, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    target: "esnext",
    external: ["node:*", "cloudflare:*"],
    plugins: [
      {
        name: "core",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /\.wasm$/ }, () => ({ path: "./core.wasm", external: true }));
          onResolve({ filter: /^core$/ }, () => ({ path: "core", namespace: "core" }));
          onLoad({ filter: /./, namespace: "core" }, () => ({
            contents:
              'export { default as module } from "core.wasm";\n' +
              `export { default as statements } from ${JSON.stringify(statements)};\n`,
            resolveDir: root,
          }));
        },
      },
    ],
  });
  return outputFiles[0]?.text ?? "";
}

function compiledModule(file: string) {
  return { type: "CompiledWasm" as const, path: "core.wasm", contents: readFileSync(file) };
}

/** As the product is deployed; the others run under the same. */
function readCompatibility(root: string) {
  const config = readFileSync(join(root, "wrangler.toml"), "utf8");
  const date = /^compatibility_date = "([^"]+)"$/m.exec(config)?.[1];
  const flags = /^compatibility_flags = (\[.*\])$/m.exec(config)?.[1];
  if (date === undefined || flags === undefined) {
    throw new Error("wrangler.toml names no compatibility_date or compatibility_flags");
  }
  return { compatibilityDate: date, compatibilityFlags: JSON.parse(flags) as string[] };
}

/** What D1's `exec` takes. */
function oneStatementALine(sql: string): string {
  return statementsOf(sql)
    .map((statement) => `${statement};`)
    .join("\n");
}

/** Ends the server and drops what it stored. */
export async function stop(server: Server): Promise<void> {
  running.delete(server);
  await server.miniflare.dispose();
  rmSync(server.stateDir, { recursive: true, force: true });
}

/** For the end of this process, however it comes. */
export async function stopServers(): Promise<void> {
  for (const server of running) await stop(server);
}

/** What the probe saw, after it did what is asked for (probe.ts). */
export async function look(server: Pick<Server, "url">, first?: "reset" | "settle"): Promise<Seen> {
  const path = first === undefined ? kProbePath : `${kProbePath}?${first}`;
  const answer = await request(server.url, "GET", path);
  return JSON.parse(answer.text) as Seen;
}

/** Bytes in memory now, and the most since the last reset. */
export interface Memory {
  readonly residentBytes: number;
  readonly peakBytes: number;
}

/** Of the workerd that runs the Worker and its database. */
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

/** The child of this process that has the server's database open. */
function workerProcess(server: Server): number | undefined {
  if (!existsSync("/proc/self/task")) return undefined;
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && parentOf(pid) === process.pid)
    .find((pid) => {
      if (!basename(target(`/proc/${pid}/exe`)).startsWith("workerd")) return false;
      return readdirSync(`/proc/${pid}/fd`).some((fd) =>
        target(`/proc/${pid}/fd/${fd}`).startsWith(server.stateDir),
      );
    });
}

function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

/** What a link points to, or nothing where it has gone. */
function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}
