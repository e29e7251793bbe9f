// Real faults of the local D1: its SQLite file, held or spoiled from outside the server.

import assert from "node:assert/strict";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

/** A bound for what hangs. No slow machine comes near it. */
const kStagedTimeoutMs = 120_000;
const kTouch = "CREATE TABLE contract_fault (a); DROP TABLE contract_fault";

/** The file of the product's database: the one below `d1` that holds a table of ours. */
export function storeFile(stateDir: string): string {
  const files = readdirSync(stateDir, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".sqlite") && /(^|[\\/])d1[\\/]/.test(name))
    .map((name) => join(stateDir, name))
    .filter(holdsTenants);
  assert.equal(files.length, 1, `database files below ${stateDir}: ${files.join(", ")}`);
  return files[0] as string;
}

/** A store that other files use as well is not to be held, spoiled or changed: their requests would fail. */
function openOwn(file: string): DatabaseSync {
  const shared = process.env["CONTRACT_STATE_DIR"];
  assert.ok(
    !shared || !file.startsWith(shared),
    "the file needs a server of its own: startServer()",
  );
  const database = new DatabaseSync(file);
  database.exec("PRAGMA busy_timeout = 5000");
  return database;
}

function holdsTenants(file: string): boolean {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const query = "SELECT count(*) AS n FROM sqlite_master WHERE name = 'tenants'";
    return database.prepare(query).get()?.["n"] === 1;
  } finally {
    database.close();
  }
}

/** Waits until one more large import has staged a part of itself, and fails where none does. */
export async function untilStaged(file: string, limitMs = kStagedTimeoutMs): Promise<void> {
  const store = new DatabaseSync(file, { readOnly: true });
  try {
    const query = store.prepare("SELECT count(DISTINCT import_id) AS n FROM staging");
    const staged = (): number => Number(query.get()?.["n"]);
    const [before, deadline] = [staged(), Date.now() + limitMs];
    while (staged() <= before) {
      assert.ok(Date.now() < deadline, "an import stages a part");
      await sleep(1);
    }
  } finally {
    store.close();
  }
}

/** Runs `work` while no other connection can write. Readers go on, as the file is in WAL mode. */
export async function whileLocked<T>(file: string, work: () => Promise<T>): Promise<T> {
  const database = openOwn(file);
  try {
    database.exec("BEGIN EXCLUSIVE");
    try {
      return await work();
    } finally {
      database.exec("ROLLBACK");
    }
  } finally {
    database.close();
  }
}

/**
 * Runs `work` while every query fails, because the pages hold rubbish, and puts them back.
 * A write of our own before and after makes the server drop the pages that it has cached.
 */
export async function whileSpoiled<T>(file: string, work: () => Promise<T>): Promise<T> {
  const database = openOwn(file);
  const spoilt = [file, `${file}-wal`];
  try {
    database.exec(kTouch);
    const kept = spoilt.map((name) => (existsSync(name) ? readFileSync(name) : null));
    const overwrite = (make: (bytes: Buffer) => Buffer): void => {
      for (const [at, name] of spoilt.entries()) {
        const bytes = kept[at];
        if (bytes === null || bytes === undefined) continue;
        const handle = openSync(name, "r+");
        const next = make(bytes);
        if (next.length > 0) writeSync(handle, next, 0, next.length, 0);
        closeSync(handle);
      }
    };
    overwrite((bytes) => Buffer.alloc(bytes.length, 0x55));
    try {
      return await work();
    } finally {
      overwrite((bytes) => bytes);
      database.exec(kTouch);
    }
  } finally {
    database.close();
  }
}

/** Rows of the store, read beside the product. */
export function readStore(file: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

/** Changes the store behind the product's back, for what only time would bring about. */
export function alterStore(file: string, sql: string): void {
  const database = openOwn(file);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

/**
 * Asserts that the text stands in a file below the directory, and that none of the hidden ones does, byte for byte. Others
 * write into the same store, so one look can miss what moves from its journal into the database.
 */
export function assertStored(directory: string, text: string, hidden: readonly string[]): void {
  const kMostLooks = 20;
  let found: string[] = [];
  for (let look = 0; look < kMostLooks && found.length === 0; look++) {
    for (const secret of hidden) assert.deepEqual(filesWith(directory, secret), []);
    found = filesWith(directory, text);
  }
  assert.notDeepEqual(found, [], "the store was looked through");
}

function filesWith(directory: string, text: string): string[] {
  const needle = Buffer.from(text);
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((name) => existsSync(name) && readFileSync(name).includes(needle));
}
