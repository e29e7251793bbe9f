// STATE_DIR: what a run leaves behind is there alone. The D1 database (v3/), the secrets that
// belong to it (dev.env), the record of applied migrations (migrations.json).

import { randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { allowanceVariables, UserError } from "./settings.ts";

/** The bundle of the Worker and some small files, and as much again. */
const startBytes = 1024 * 1024;

/** Variables of the Worker that the caller's environment may set or override. An empty value takes one away. */
const workerVariables = [
  "ADMIN_TOKEN",
  "API_KEY_PEPPER",
  "ENCRYPTION_KEY",
  "RETENTION_DAYS",
  "TENANT_SIGNUP",
  "TRUST_SCHEDULED_TIME",
];

/** Secrets are made once, since sealed data and hashed keys in the database are worthless without them. */
export function writeEnvFiles(stateDir: string): string[] {
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
  for (const name of allowanceVariables) lines.push(`${name}=${process.env[name] || "0"}\n`);
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

/**
 * Whether the disk has room for what a start writes. A wrangler that finds none while it starts
 * neither serves nor ends.
 */
export function hasRoom(stateDir: string): boolean {
  const probe = resolve(stateDir, "room.probe");
  try {
    writeFileSync(probe, Buffer.alloc(startBytes));
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { force: true });
  }
}

/** Whether there is room, and all files of the database can be written. */
export function isWritable(stateDir: string): boolean {
  const database = resolve(stateDir, "v3");
  try {
    for (const name of readdirSync(database, { recursive: true, encoding: "utf8" })) {
      accessSync(resolve(database, name), constants.W_OK);
    }
  } catch {
    return false;
  }
  return hasRoom(stateDir);
}

/** A variable as the Worker has it: the caller's, else the state folder's own. */
export function workerVariable(stateDir: string, name: string): string | undefined {
  return process.env[name] ?? parseEnv(readFileSync(resolve(stateDir, "dev.env"), "utf8"))[name];
}
