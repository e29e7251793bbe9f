// The seeds' whole story on a fresh store: the curl lines of the quick reference card and of the
// usage guide as printed, a hand edit that survives, and the two daily_sync.py. The tests of this
// file build on one another, since the seeds' commands name the ids 1.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { Client } from "./client.ts";
import {
  assertTargetProperty,
  type Data,
  type ImportAnswer,
  type SyncAnswer,
  type TargetProperty,
} from "./rows.ts";
import { readStory } from "./seeds.ts";
import { startServer } from "./server.ts";
import type { Tenant } from "./world.ts";

const run = promisify(execFile);

const server = await startServer();
const folder = mkdtempSync(join(tmpdir(), "sync-manager-story-"));
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

// Settings for curl, so that the commands themselves stay as printed.
writeFileSync(join(folder, ".curlrc"), 'silent\nshow-error\nwrite-out = "\\n%{http_code}"\n');
const environment = { ...process.env, CURL_HOME: folder, PYTHONIOENCODING: "utf-8" };

interface Said {
  status: number;
  body: string;
}

async function shell(command: string): Promise<Said> {
  const { stdout } = await run("sh", ["-c", command], { cwd: folder, env: environment });
  const end = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
}

const signup = await shell(`curl -X POST ${server.origin}/tenants -d '{"name": "My Company"}'`);
assert.equal(signup.status, 201, signup.body);
const tenant = JSON.parse(signup.body) as Tenant;
const client = new Client(server.origin, tenant.api_key);
const story = readStory(server.origin, tenant.api_key);

async function firstTarget(): Promise<TargetProperty[]> {
  const answer = (await client.get("/targets/1/properties")).expect(200);
  const rows = answer.json<TargetProperty[]>();
  for (const row of rows) assertTargetProperty(row);
  return rows;
}

async function rowOf(externalId: string): Promise<TargetProperty> {
  const row = (await firstTarget()).find((one) => one.external_id === externalId);
  assert.ok(row, externalId);
  return row;
}

function kindOf(command: string): number {
  const created = /-X POST \S+\/(sources|targets)[ '"\\]/.test(command);
  return created ? 201 : 200;
}

test("story: exactly the curl lines of the card end with properties in the target", async () => {
  assert.ok(story.card.length >= 9, `${story.card.length} commands`);
  for (const command of story.card) {
    const { status, body } = await shell(command);
    assert.equal(status, kindOf(command), `${command}\n${body}`);
    if (/\/sync\/1\/1/.test(command)) {
      const { stats } = JSON.parse(body) as SyncAnswer;
      assert.deepEqual([stats.created, stats.warnings], [1, 0]);
    }
    if (/\/import/.test(command)) {
      const { status: told, stats } = JSON.parse(body) as ImportAnswer;
      assert.deepEqual([told, stats.created], ["success", 1]);
    }
  }
  const rows = await firstTarget();
  assert.deepEqual(
    rows.map((row) => [row.external_id, row.data]),
    [["1", { id: "1", title: "Property" }]],
  );
  assert.deepEqual([rows[0]?.has_manual_changes, rows[0]?.warning], [false, null]);
});

test("story: a hand edit survives the next sync with a warning", async () => {
  const [row] = await firstTarget();
  const key = `-H 'X-API-Key: ${tenant.api_key}'`;
  const edit = await shell(
    `curl -X PATCH ${server.origin}/targets/1/properties/${row?.id} ${key} ` +
      `-d '{"data": {"title": "Edited by hand"}}'`,
  );
  assert.equal(edit.status, 200, edit.body);
  const sync = await shell(`curl -X POST ${server.origin}/sync/1/1 ${key}`);
  assert.equal((JSON.parse(sync.body) as SyncAnswer).stats.warnings, 1);
  const edited = await rowOf("1");
  assert.equal(edited.data["title"], "Edited by hand");
  assert.equal(edited.has_manual_changes, true);
  assert.ok(edited.warning);
});

test("story: when the source changes as well, the warning says what the guide shows", async () => {
  const items = [{ id: "1", title: "Property, renamed" }];
  (await client.post("/sources/1/import", { data: items })).expect(200);
  const { stats } = (await client.post("/sync/1/1")).expect(200).json<SyncAnswer>();
  assert.deepEqual([stats.warnings, stats.conflicts], [1, 1]);
  const row = await rowOf("1");
  assert.equal(row.data["title"], "Edited by hand");
  assert.match(row.warning ?? "", /^Source has changes but target has manual modifications/);
});

const kVilla: Data = { id: "PROP001", title: "Beautiful Villa", price: 500_000, bedrooms: 4 };
const kFlat: Data = { id: "PROP002", title: "City Apartment", price: 250_000, bedrooms: 2 };

async function hasRequests(): Promise<boolean> {
  try {
    await run("python3", ["-c", "import requests"]);
    return true;
  } catch {
    return false;
  }
}

/** The same two calls, for a machine without the documents or without Python's requests. */
async function plainDailySync(items: readonly Data[]): Promise<string> {
  const call = async (path: string, body?: unknown): Promise<{ stats: unknown }> => {
    const response = await fetch(`${server.origin}${path}`, {
      method: "POST",
      headers: { "X-API-Key": tenant.api_key, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as { stats: unknown };
  };
  const imported = await call("/sources/1/import", { data: items });
  const synced = await call("/sync/1/1");
  const show = (stats: unknown): string => JSON.stringify(stats).replaceAll('"', "'");
  return `Import: ${show(imported.stats)}\nSync: ${show(synced.stats)}\n`;
}

async function dailySync(script: string | undefined, items: readonly Data[]): Promise<string> {
  const text = JSON.stringify(items);
  for (const name of ["properties.json", "latest_properties.json"]) {
    writeFileSync(join(folder, name), text);
  }
  if (script === undefined || !(await hasRequests())) return plainDailySync(items);
  writeFileSync(join(folder, "daily_sync.py"), script);
  const { stdout } = await run("python3", ["daily_sync.py"], { cwd: folder, env: environment });
  return stdout;
}

function figures(output: string, name: string): Record<string, number> {
  const line = output.split("\n").find((one) => one.startsWith(`${name}: {`));
  assert.ok(line, output);
  return JSON.parse(line.slice(name.length + 2).replaceAll("'", '"')) as Record<string, number>;
}

test("story: daily_sync.py of the card runs as printed", async (context) => {
  if (story.scripts === null) context.diagnostic("without the documents: the plain translation");
  else if (!(await hasRequests())) context.diagnostic("without python3-requests: the translation");
  const output = await dailySync(story.scripts?.card, [kVilla, kFlat]);
  assert.equal(figures(output, "Import")["created"], 2);
  const synced = figures(output, "Sync");
  assert.deepEqual([synced["created"], synced["warnings"]], [2, 1]);
  assert.deepEqual((await rowOf("PROP001")).data, kVilla);
});

test("story: daily_sync.py of the guide runs as printed, and tells of manual changes", async () => {
  const price = { ...kVilla, title: "Beautiful Villa - UPDATED", price: 520_000 };
  const output = await dailySync(story.scripts?.guide, [price, kFlat]);
  const imported = figures(output, "Import");
  assert.deepEqual([imported["created"], imported["updated"], imported["skipped"]], [0, 1, 1]);
  const synced = figures(output, "Sync");
  assert.deepEqual([synced["updated"], synced["warnings"]], [1, 1]);
  if (story.scripts !== null && (await hasRequests())) assert.match(output, /WARNING: 1 /);
  assert.deepEqual((await rowOf("PROP001")).data, price);
});

test("story: the curl lines of the usage guide", { skip: story.guide === null }, async () => {
  for (const command of story.guide ?? []) {
    const { status, body } = await shell(command);
    assert.equal(status, kindOf(command), `${command}\n${body}`);
  }
  assert.equal((await rowOf("1")).data["title"], "Edited by hand");
});

test("story: /docs is where the card says", async () => {
  const { status, body } = await shell(`curl ${server.origin}/docs`);
  assert.equal(status, 200);
  assert.match(body, /<html/i);
});
