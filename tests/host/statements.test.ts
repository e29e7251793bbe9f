// The module and the texts of its statements: one fingerprint, or nothing starts.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CoreFailure, Instance } from "../../host/shared/core/instance.ts";
import type { StatementTable } from "../../host/shared/store/store.ts";
import { fixtureTable } from "./fixture_statements.ts";
import { compile } from "./script.ts";
import { startWorker } from "./workerd.ts";

const root = join(import.meta.dirname, "../..");
const build = join(root, "build", process.env["WASM_BUILD"] ?? "wasi");
const folder = mkdtempSync(join(tmpdir(), "sync-manager-statements-"));
after(() => rmSync(folder, { recursive: true, force: true }));
// The decision table of a sync, which a part of the queries is made of, stands outside the schema.
const decisions = "core/sync/classes.json";
cpSync(join(root, decisions), join(folder, decisions));

/** The table that a build would make of the queries after `change` has been at them. */
function tableOf(change: (text: string) => string): StatementTable {
  const schema = mkdtempSync(join(folder, "schema-"));
  cpSync(join(root, "schema"), schema, { recursive: true });
  const file = join(schema, "queries/tenants.sql");
  writeFileSync(file, change(readFileSync(file, "utf8")));
  execFileSync(process.execPath, [join(schema, "generate.mjs"), join(schema, "made")]);
  return readTable(join(schema, "made/statements.sqlite.json"));
}

function readTable(file: string): StatementTable {
  return JSON.parse(readFileSync(file, "utf8")) as StatementTable;
}

const core = new Instance(compile(readFileSync(join(build, "sync_manager.wasm"))));

test("the module of a build takes the table of its build", () => {
  core.expectStatements(
    readTable(join(build, "generated/store/statements.sqlite.json")).fingerprint,
  );
  core.expectStatements(tableOf((text) => text).fingerprint);
});

test("a table of which a text, a parameter, a column or a place differs is refused", () => {
  const changes: readonly ((text: string) => string)[] = [
    (text) => text.replace("revoked_at IS NULL;", "revoked_at IS NOT NULL;"),
    (text) => text.replace("key_owner(key_hash text,", "key_owner(key_hash text?,"),
    (text) => text.replace("-> (tenant_id TenantId,", "-> (tenant_id int,"),
    (text) => `${text}\n-- name: another()\nSELECT 1;\n`,
  ];
  for (const change of changes) {
    const { fingerprint } = tableOf(change);
    assert.throws(() => core.expectStatements(fingerprint), CoreFailure, String(change));
  }
});

test("the module holds no SQL", () => {
  const bytes = readFileSync(join(build, "sync_manager.wasm"), "latin1");
  const words = /\b(SELECT|INSERT INTO|DELETE FROM|ON CONFLICT)\b/.exec(bytes);
  assert.equal(words, null);
});

test("a Worker whose texts are another build's does not start, and says why", async () => {
  const other = { ...fixtureTable, fingerprint: "of another build" };
  await assert.rejects(startWorker({}, other), (error: Error) => {
    assert.match(error.message, /numbers the statements of fixture/);
    assert.match(error.message, /the texts are those of of another build/);
    return true;
  });
});
