// wrangler, which serves locally and applies migrations: how it is configured, started and ended.

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { root, type Settings, UserError } from "./settings.ts";

/** Of the counter of requests (wrangler.toml). */
const rateWindowS = 10;

const migrationsDir = resolve(root, "schema/sqlite");

const children = new Set<ChildProcess>();

/**
 * Applies new migrations. wrangler takes seconds to find out that there are none, so a record is
 * kept of those applied. Tells whether the database was there before.
 */
export async function migrate(stateDir: string): Promise<"new" | "existing"> {
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
  const database = Object.keys(applied).length === 0 ? "new" : "existing";
  if (Object.keys(present).length === Object.keys(applied).length) return database;
  console.error("migrating the database …");
  const output: Buffer[] = [];
  const child = runWrangler(
    ["d1", "migrations", "apply", "DB", "--local", "--persist-to", stateDir],
    stateDir,
    "pipe",
  );
  child.stdout?.on("data", (part: Buffer) => output.push(part));
  child.stderr?.on("data", (part: Buffer) => output.push(part));
  const code = await new Promise<number | null>((done) => child.once("close", done));
  if (code !== 0) {
    process.stderr.write(Buffer.concat(output));
    throw new UserError("the migrations of schema/sqlite could not be applied");
  }
  writeFileSync(record, `${JSON.stringify(present, null, 2)}\n`);
  return database;
}

export function startWrangler(
  settings: Settings,
  port: number,
  envFiles: readonly string[],
): ChildProcess {
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
export function writeConfig(settings: Settings): void {
  const coreModule = resolve(settings.stateDir, "core_module.mjs");
  const statements = resolve(settings.wasmFile, "../generated/store/statements.sqlite.json");
  writeFileSync(
    coreModule,
    `export { default as statements } from ${JSON.stringify(statements)};\n` +
      `export { default as module } from ${JSON.stringify(settings.wasmFile)};\n`,
  );
  const replaced: readonly (readonly [string, string])[] = [
    ['"host/worker/worker.ts"', JSON.stringify(settings.workerFile)],
    ['"schema/sqlite"', JSON.stringify(resolve(root, "schema/sqlite"))],
    ['"build/public"', JSON.stringify(resolve(root, "build/public"))],
    ['"./tools/core_module.mjs"', JSON.stringify(coreModule)],
    ['crons = ["* * * * *"]', "crons = []"],
    ["limit = 500,", `limit = ${rateWindowS * Number(process.env.MAX_REQUESTS_PER_SECOND || 50)},`],
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

/** Asks all to end, and ends those that have not after a while. */
export async function endAll(patienceMs: number): Promise<void> {
  const ends = [...children].map((child) => {
    child.kill("SIGTERM");
    return new Promise((done) => child.once("exit", done));
  });
  await Promise.race([Promise.all(ends), new Promise((done) => setTimeout(done, patienceMs))]);
  for (const child of children) killGroup(child);
}

export function killGroup(leader: ChildProcess): void {
  try {
    if (leader.pid !== undefined) process.kill(-leader.pid, "SIGKILL");
  } catch {
    // nothing left of it
  }
}
