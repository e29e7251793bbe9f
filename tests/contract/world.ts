// What most tests begin with: a tenant of their own, places, imports and syncs that must succeed.

import assert from "node:assert/strict";
import { type Answer, Client } from "./client.ts";
import {
  assertLog,
  assertPlace,
  assertRising,
  assertSnapshot,
  assertSourceProperty,
  assertTargetProperty,
  type Data,
  type ImportAnswer,
  type ImportStats,
  type Log,
  type Place,
  type Snapshot,
  type SourceProperty,
  type SyncAnswer,
  type SyncStats,
  type TargetProperty,
} from "./rows.ts";
import type { Server } from "./server.ts";

/** An id that no row ever had. */
export const kUnusedId = 999_999_999;

export interface Tenant {
  id: number;
  name: string;
  api_key: string;
  created_at: string;
}

export async function createTenant(server: Server, name = "Contract test"): Promise<Tenant> {
  const answer = await new Client(server.origin).post("/tenants", { name });
  return answer.expect(201).json<Tenant>();
}

/** A client with the key of a new tenant. */
export async function newClient(server: Server): Promise<Client> {
  const tenant = await createTenant(server);
  return new Client(server.origin, tenant.api_key);
}

export async function createSource(
  client: Client,
  config: Data = {},
  name = "A source",
): Promise<Place> {
  const answer = await client.post("/sources", { name, type: "json", config });
  const row = answer.expect(201).json<Place>();
  assertPlace(row);
  return row;
}

export async function createTarget(
  client: Client,
  config: Data = {},
  name = "A target",
): Promise<Place> {
  const answer = await client.post("/targets", { name, type: "internal", config });
  const row = answer.expect(201).json<Place>();
  assertPlace(row);
  return row;
}

/** An import of which every item failed is a problem with what an import answers beside its own members. */
function failedImport(answer: Answer): ImportAnswer {
  const problem = answer.json<ImportAnswer & { title: string; detail: string }>();
  assert.match(answer.header("content-type") ?? "", /^application\/problem\+json/);
  assert.deepEqual(
    Object.keys(problem),
    ["type", "title", "status", "detail", "stats", "errors"],
    answer.text.slice(0, 600),
  );
  return { status: "failed", stats: problem.stats, errors: problem.errors };
}

export function importAnswer(answer: Answer): ImportAnswer {
  const told =
    answer.status === 422 ? failedImport(answer) : answer.expect(200).json<ImportAnswer>();
  assert.deepEqual(Object.keys(told).sort(), ["errors", "stats", "status"]);
  assert.deepEqual(Object.keys(told.stats).sort(), [
    "created",
    "failed",
    "removed",
    "skipped",
    "updated",
  ]);
  const { created, updated, skipped, failed } = told.stats;
  const worked = created + updated + skipped;
  const status = failed === 0 ? "success" : worked === 0 ? "failed" : "partial";
  assert.equal(told.status, status);
  assert.equal(told.errors.length, Math.min(failed, 1_000));
  for (const [at, error] of told.errors.entries()) {
    assert.deepEqual(Object.keys(error).sort(), ["detail", "external_id", "index"]);
    assert.ok(error.detail !== "");
    assert.ok(error.external_id === null || typeof error.external_id === "string");
    const before = told.errors[at - 1];
    if (before !== undefined) assert.ok(error.index > before.index, "errors by index");
  }
  return told;
}

/** Imports and asserts what every import must answer. */
export async function importItems(
  client: Client,
  source: Place,
  items: readonly unknown[],
): Promise<ImportAnswer> {
  return importAnswer(await client.post(`/sources/${source.id}/import`, { data: items }));
}

/** The same with the text of the list, for what JavaScript cannot write. */
export async function importText(
  client: Client,
  source: Place,
  list: string | Uint8Array,
): Promise<ImportAnswer> {
  const raw = Buffer.concat([Buffer.from('{"data":'), Buffer.from(list), Buffer.from("}")]);
  return importAnswer(await client.post(`/sources/${source.id}/import`, undefined, { raw }));
}

export function importStats(stats: Partial<ImportStats>): ImportStats {
  return { created: 0, updated: 0, skipped: 0, failed: 0, removed: 0, ...stats };
}

export function syncStats(stats: Partial<SyncStats>): SyncStats {
  return { created: 0, updated: 0, skipped: 0, warnings: 0, conflicts: 0, removed: 0, ...stats };
}

export async function syncOnce(client: Client, source: Place, target: Place): Promise<SyncAnswer> {
  const answer = await client.post(`/sync/${source.id}/${target.id}`);
  const told = answer.expect(200).json<SyncAnswer>();
  assert.deepEqual(Object.keys(told).sort(), ["delivery", "stats", "status", "sync_id"]);
  assert.equal(told.status, "success");
  assert.deepEqual(Object.keys(told.stats).sort(), Object.keys(syncStats({})).sort());
  assert.equal(told.delivery, "none", "an internal target gets no delivery");
  assert.equal(typeof told.sync_id, "string");
  return told;
}

/** Syncs and asserts the whole stats. */
export async function assertSync(
  client: Client,
  source: Place,
  target: Place,
  stats: Partial<SyncStats>,
): Promise<void> {
  const told = await syncOnce(client, source, target);
  assert.deepEqual(told.stats, syncStats(stats));
}

export async function sourceRows(client: Client, source: Place): Promise<SourceProperty[]> {
  const answer = await client.get(`/sources/${source.id}/properties`);
  const rows = answer.expect(200).json<SourceProperty[]>();
  for (const row of rows) assertSourceProperty(row);
  assertRising(rows);
  return rows;
}

export async function targetRows(client: Client, target: Place): Promise<TargetProperty[]> {
  const answer = await client.get(`/targets/${target.id}/properties`);
  const rows = answer.expect(200).json<TargetProperty[]>();
  for (const row of rows) assertTargetProperty(row);
  assertRising(rows);
  return rows;
}

/** What each external id holds; the order in which a batch hands out ids is its own affair. */
export function dataById(
  rows: readonly { external_id: string; data: Data }[],
): Record<string, Data> {
  return Object.fromEntries(rows.map((row) => [row.external_id, row.data]));
}

export function externalIds(rows: readonly { external_id: string }[]): string[] {
  return rows.map((row) => row.external_id).sort();
}

function only<T extends { external_id: string }>(rows: readonly T[], externalId: string): T {
  const found = rows.filter((row) => row.external_id === externalId);
  assert.equal(found.length, 1, `rows with external_id ${externalId}`);
  return found[0] as T;
}

export async function sourceRow(
  client: Client,
  source: Place,
  externalId: string,
): Promise<SourceProperty> {
  return only(await sourceRows(client, source), externalId);
}

export async function targetRow(
  client: Client,
  target: Place,
  externalId: string,
): Promise<TargetProperty> {
  return only(await targetRows(client, target), externalId);
}

export function targetPath(row: TargetProperty): string {
  return `/targets/${row.target_id}/properties/${row.id}`;
}

export function sourcePath(row: SourceProperty): string {
  return `/sources/${row.source_id}/properties/${row.id}`;
}

/** Edits a row by hand and returns it as answered. */
export async function editRow(
  client: Client,
  row: TargetProperty,
  data: Data,
): Promise<TargetProperty> {
  const answer = await client.patch(targetPath(row), { data });
  const edited = answer.expect(200).json<TargetProperty>();
  assertTargetProperty(edited);
  return edited;
}

export async function snapshots(client: Client, path: string): Promise<Snapshot[]> {
  const rows = (await client.get(`${path}/snapshots`)).expect(200).json<Snapshot[]>();
  for (const row of rows) assertSnapshot(row);
  assertRising(rows);
  return rows;
}

export async function logs(client: Client): Promise<Log[]> {
  const rows = (await client.get("/logs")).expect(200).json<Log[]>();
  for (const row of rows) assertLog(row);
  assertRising(rows);
  return rows;
}

export async function place(client: Client, path: string): Promise<Place> {
  const row = (await client.get(path)).expect(200).json<Place>();
  assertPlace(row);
  return row;
}

/** A source with these items and a target that was synced from it once. */
export async function syncedPair(
  client: Client,
  items: readonly Data[],
  targetConfig: Data = {},
): Promise<{ source: Place; target: Place }> {
  const source = await createSource(client);
  const target = await createTarget(client, targetConfig);
  await importItems(client, source, items);
  await assertSync(client, source, target, { created: items.length });
  return { source, target };
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}
