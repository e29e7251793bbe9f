// Public tools read the served document as strangers would: a validator; schemathesis, which sends what the document
// allows and what it does not, and compares the answers with it; and clients that are generated in two languages, which then
// do what an integrator does first. tools/openapi_tools.sh installs them.
//
// A longer search by hand, with another seed:
//   OPENAPI_EXAMPLES=200 OPENAPI_SEED=7 node --no-warnings --test tests/openapi/tools.test.ts

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Client } from "../contract/client.ts";
import { devVariable, kRoot, startServer } from "../contract/server.ts";
import {
  assertSync,
  createSource,
  createTarget,
  createTenant,
  editRow,
  importItems,
  range,
  sourceRows,
  syncedPair,
  targetRow,
  targetRows,
} from "../contract/world.ts";

const kTools = join(kRoot, "build/openapi_tools");
const kPython = join(kTools, "python/bin");
const kNodeTools = join(kTools, "node_modules/.bin");
const kWork = join(kTools, "work");
const kDocument = join(kWork, "openapi.json");
/** Bounds for what hangs. No slow machine comes near them. */
const kTimeoutMs = 900_000;
const kExamples = process.env["OPENAPI_EXAMPLES"] ?? "10";
const kSeed = process.env["OPENAPI_SEED"] ?? "1";

// A server of its own: its ids begin at 1, where schemathesis.toml looks for rows, and a run can be repeated.
const server = await startServer();
after(() => server.stop());

before(async () => {
  rmSync(kWork, { recursive: true, force: true });
  mkdirSync(kWork, { recursive: true });
  const answer = await new Client(server.origin).get("/openapi.json");
  writeFileSync(kDocument, answer.expect(200).bytes);
});

/** Runs the program in the work folder and gives its output, which is the message where it fails. */
async function run(program: string, ...args: readonly string[]): Promise<string> {
  const path = `${kPython}:${process.env["PATH"]}`;
  const options = { cwd: kWork, timeout: kTimeoutMs, maxBuffer: 64 * 1024 * 1024 };
  const env = { ...process.env, PATH: path, SCHEMATHESIS_HOOKS: "hooks", PYTHONPATH: kWork };
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { ...options, env });
    return stdout + stderr;
  } catch (failure) {
    const { stdout, stderr } = failure as { stdout?: string; stderr?: string };
    assert.fail(`${program} ${args.join(" ")}\n${stdout}${stderr}`.slice(-20_000));
  }
}

function place(...names: readonly string[]): void {
  for (const name of names) copyFileSync(join(import.meta.dirname, name), join(kWork, name));
}

test("openapi: a public validator accepts the document", async () => {
  await run(join(kPython, "openapi-spec-validator"), "--subschema-errors", "all", kDocument);
});

/**
 * A tenant with rows of every kind, at the ids that schemathesis.toml names: six spare sources, targets and keys, and then
 * a source and a target that stay, with four properties each, snapshots and a conflict.
 */
async function createScene(): Promise<string> {
  const { api_key } = await createTenant(server);
  const client = new Client(server.origin, api_key);
  for (const spare of range(6)) {
    await createSource(client, {}, `Spare ${spare}`);
    await createTarget(client, {}, `Spare ${spare}`);
    (await client.post("/keys")).expect(201);
  }
  const items = ["a", "b", "c", "d"].map((id) => ({ id, price: 1 }));
  const { source, target } = await syncedPair(client, items);
  await editRow(client, await targetRow(client, target, "a"), { price: 3 });
  await importItems(client, source, [{ id: "a", price: 2 }]);
  await assertSync(client, source, target, { skipped: 3, warnings: 1, conflicts: 1 });
  const ids = [source, target].map((side) => side.id);
  const properties = [...(await sourceRows(client, source)), ...(await targetRows(client, target))];
  assert.deepEqual(
    [ids, properties.map(({ id }) => id)],
    [
      [7, 7],
      [1, 2, 3, 4, 1, 2, 3, 4],
    ],
  );
  return api_key;
}

/** The part of a line of schemathesis' report that is looked at. */
interface Event {
  readonly ScenarioFinished?: {
    readonly recorder: {
      readonly cases: Record<string, { value: { method: string; path: string } }>;
      readonly interactions?: Record<string, { response: { status_code: number } | null }>;
    };
  };
}

/** Adds the operations that had a success to `reached`. */
function addReached(report: string, reached: Set<string>): void {
  for (const line of readFileSync(report, "utf8").trimEnd().split("\n")) {
    const { recorder } = (JSON.parse(line) as Event).ScenarioFinished ?? {};
    for (const [id, { response }] of Object.entries(recorder?.interactions ?? {})) {
      const { method, path } = recorder?.cases[id]?.value ?? {};
      if (response !== null && response.status_code < 300) reached.add(`${method} ${path}`);
    }
  }
}

test("openapi: schemathesis finds no answer that the document does not tell, and reaches every operation", async () => {
  place("hooks.py", "schemathesis.toml");
  const key = await createScene();
  const reached = new Set<string>();
  const token = devVariable(server.stateDir ?? "", "ADMIN_TOKEN");
  // The administrator's, in an order that leaves the tenant of the key as it was.
  const administrators = [
    "/tenants",
    ...["keys", "suspend", "resume"].map((what) => `/tenants/{id}/${what}`),
  ];
  // These are tried alone, and last: to this key the one does not show a tenant that has just been created, which would be
  // taken for a fault; and the other may revoke the very key that all requests carry.
  const apart = [...administrators, "/tenants/{id}", "/keys/{id}"];
  const others = apart.map((path) => `--exclude-path=${path}`);
  for (const which of [others, ...apart.map((path) => [`--include-path=${path}`])]) {
    const administers = administrators.some((path) => which.includes(`--include-path=${path}`));
    const report = join(kWork, "report.ndjson");
    await run(
      join(kPython, "schemathesis"),
      "run",
      kDocument,
      `--url=${server.origin}`,
      ...which,
      administers ? `--header=Authorization: Bearer ${token}` : `--header=X-API-Key: ${key}`,
      "--checks=all",
      `--max-examples=${kExamples}`,
      `--seed=${kSeed}`,
      "--report=ndjson",
      `--report-ndjson-path=${report}`,
    );
    addReached(report, reached);
  }
  const { paths } = JSON.parse(readFileSync(kDocument, "utf8")) as {
    paths: Record<string, object>;
  };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.ok(operations.length > 30);
  assert.deepEqual(
    operations.filter((operation) => !reached.has(operation)),
    [],
    "operations that never succeeded",
  );
});

test("openapi: a generated TypeScript client imports, syncs, lists and edits", async () => {
  place("typescript_client.ts");
  // Members of a configuration that have a default need not be sent.
  const generate = ["openapi.json", "--output=schema.d.ts", "--default-non-nullable=false"];
  await run(join(kNodeTools, "openapi-typescript"), ...generate);
  const check = ["--noEmit", "--strict", "--skipLibCheck", "--target", "esnext"];
  const resolve = ["--module", "esnext", "--moduleResolution", "bundler"];
  await run(join(kNodeTools, "tsc"), ...check, ...resolve, "typescript_client.ts");
  await run(process.execPath, "typescript_client.ts", server.origin);
});

test("openapi: a generated Python client imports, syncs, lists and edits", async () => {
  place("python_client.py");
  const { api_key } = await createTenant(server);
  const generate = ["generate", "--path=openapi.json", "--meta=none", "--output-path=sync_manager"];
  const told = await run(join(kPython, "openapi-python-client"), ...generate);
  // It knows no type of lines, and leaves that out of the import. It tells of nothing else.
  const warnings = told.split("\n").filter((line) => /^(WARNING|ERROR|Unsupported)/.test(line));
  assert.deepEqual(
    warnings,
    [
      "WARNING parsing POST /sources/{id}/import within properties_of_a_source.",
      "Unsupported content type application/x-ndjson",
    ],
    told,
  );
  await run(join(kPython, "mypy"), "--strict", "--follow-imports=silent", "python_client.py");
  await run(join(kPython, "python"), "python_client.py", server.origin, api_key);
});
