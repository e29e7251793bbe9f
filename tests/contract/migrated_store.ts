// A store to which all migrations were applied, for servers that begin with an empty one. wrangler takes ten seconds of a
// processor to apply them, so that is done once and kept below build/ for as long as nothing changes of what went into it.

import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { migrate, writeConfig } from "../../host/dev/wrangler.ts";

const kRoot = resolve(import.meta.dirname, "../..");
const kKept = join(kRoot, "build/stores");
const kMigrations = join(kRoot, "schema/sqlite");
const kMadeOf = [
  ...readdirSync(kMigrations).map((name) => join(kMigrations, name)),
  join(kRoot, "host/dev/wrangler.ts"),
  join(kRoot, "wrangler.toml"),
  join(kRoot, "node_modules/wrangler/package.json"),
];
/** The database, and the supervisor's record of what was applied. */
const kParts = ["v3", "migrations.json"];

/** Puts the store into an empty state directory. */
export async function copyMigratedStore(stateDir: string): Promise<void> {
  const store = join(kKept, keyOf(kMadeOf));
  if (!existsSync(store)) await make(store);
  for (const part of kParts) cpSync(join(store, part), join(stateDir, part), { recursive: true });
}

function keyOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of [...files].sort()) hash.update(`${file}\n`).update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

async function make(store: string): Promise<void> {
  mkdirSync(kKept, { recursive: true });
  const folder = mkdtempSync(join(kKept, "making-"));
  writeConfig({
    port: 0,
    stateDir: folder,
    wasmFile: join(kRoot, "build/wasi/sync_manager.wasm"),
    workerFile: join(kRoot, "host/worker/worker.ts"),
    logLevel: "warn",
  });
  await migrate(folder);
  try {
    renameSync(folder, store);
  } catch {
    // Another process was quicker: what it made is as good.
    rmSync(folder, { recursive: true, force: true });
  }
}
