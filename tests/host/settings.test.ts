// What `make run` refuses before it builds or starts anything: settings that mean nothing, a folder
// or a port that cannot be used.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";

const root = resolve(import.meta.dirname, "../..");
/** A bound for what hangs. No slow machine comes near it. */
const timeout = 120_000;
const folder = mkdtempSync(join(tmpdir(), "sync-manager-settings-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function check(variables: Readonly<Record<string, string>>): {
  status: number | null;
  text: string;
} {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--no-warnings", "host/dev/dev.ts", "--check"],
    {
      cwd: root,
      encoding: "utf8",
      timeout,
      killSignal: "SIGKILL",
      env: { ...process.env, PORT: "0", STATE_DIR: join(folder, "state"), ...variables },
    },
  );
  return { status, text: stdout + stderr };
}

for (const [variables, says] of [
  [{ PORT: "99999" }, /PORT=99999 is no port: a number from 1 to 65535/],
  [{ LOG_LEVEL: "chatty" }, /LOG_LEVEL=chatty is none of none, error, warn, info, log, debug/],
  [{ RETENTION_DAYS: "-5" }, /RETENTION_DAYS=-5 is no number of days/],
  [{ WASM_FILE: "nowhere.wasm" }, /WASM_FILE=nowhere.wasm does not exist/],
  [{ STATE_DIR: "/proc/nowhere/state" }, /the folder \/proc\/nowhere\/state cannot be written/],
  [{ STATE_DIR: "README.md/state" }, /README.md\/state cannot be written/],
] as const) {
  test(`settings: ${Object.entries(variables).join().replace(",", "=")} is refused by name`, () => {
    const { status, text } = check(variables);
    assert.match(text, says);
    assert.equal(status, 1);
  });
}

test("settings: a folder of somebody else's files is not taken, one of ours or an empty one is", () => {
  const other = mkdtempSync(join(folder, "other-"));
  assert.equal(check({ STATE_DIR: other }).status, 0);
  writeFileSync(join(other, "thesis.txt"), "mine");
  const { status, text } = check({ STATE_DIR: other });
  assert.match(text, /holds files, but no database of Sync Manager: choose an empty folder/);
  assert.equal(status, 1);
  writeFileSync(join(other, "dev.env"), "");
  assert.equal(check({ STATE_DIR: other }).status, 0);
});

test("settings: a port that another program has is refused, and another one is named", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const { status, text } = check({ PORT: String(address.port) });
  server.close();
  assert.match(
    text,
    new RegExp(`port ${address.port} is in use by another program: PORT=\\d+ make run`),
  );
  assert.equal(status, 1);
});
