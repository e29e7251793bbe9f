// The rows of the API as tests read them, and what must hold for every one of them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Answer } from "./client.ts";

export type Data = Record<string, unknown>;

export interface Place {
  id: number;
  name: string;
  type: string;
  config: Data;
  property_count: number;
  created_at: string;
  updated_at: string;
}

export interface Property {
  id: number;
  external_id: string;
  data: Data;
  hash: string;
  version: number;
  created_at: string;
  updated_at: string;
}

export interface SourceProperty extends Property {
  source_id: number;
  removed_at: string | null;
}

export interface TargetProperty extends Property {
  target_id: number;
  source_property_id: number | null;
  has_manual_changes: boolean;
  warning: string | null;
  sync_status: string;
  last_synced: string | null;
}

export interface Snapshot {
  id: number;
  data: Data;
  hash: string;
  version: number;
  reason: string;
  created_at: string;
}

export interface ImportStats {
  created: number;
  updated: number;
  skipped: number;
  failed: number;
  removed: number;
}

export interface ImportError {
  index: number;
  external_id: string | null;
  detail: string;
}

export interface ImportAnswer {
  status: string;
  stats: ImportStats;
  errors: ImportError[];
}

export interface SyncStats {
  created: number;
  updated: number;
  skipped: number;
  warnings: number;
  conflicts: number;
  removed: number;
}

export interface SyncAnswer {
  status: string;
  stats: SyncStats;
  delivery: string;
  sync_id: string;
}

export interface Log {
  id: number;
  sync_id: string | null;
  run_id: string | number | null;
  sync_type: string;
  status: string;
  source_id: number | null;
  target_id: number | null;
  total_properties: number;
  updated_properties: number;
  failed_properties: number;
  stats: unknown;
  error_message: string | null;
  started_at: string;
  completed_at: string | null;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors?: { pointer?: string; parameter?: string; detail: string }[];
}

export const kTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
export const kStrongTag = /^"[\x21\x23-\x7e\x80-\xff]*"$/;

export function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

export function canonical(value: unknown): string {
  const text = canonicalize(value);
  assert.ok(text !== undefined);
  return text;
}

export function assertMembers(row: object, names: readonly string[]): void {
  assert.deepEqual(Object.keys(row).sort(), [...names].sort());
}

export function assertTime(text: unknown): void {
  assert.ok(typeof text === "string" && kTime.test(text), `no RFC 3339 UTC time: ${text}`);
  assert.ok(Date.parse(text) - Date.now() < 3_600_000, `in the future: ${text}`);
}

function assertId(id: unknown): void {
  assert.ok(Number.isSafeInteger(id) && Number(id) > 0, `no id: ${id}`);
}

export function assertPlace(row: Place): void {
  assertMembers(row, [
    "id",
    "name",
    "type",
    "config",
    "property_count",
    "created_at",
    "updated_at",
  ]);
  assertId(row.id);
  assert.ok(Number.isSafeInteger(row.property_count));
  assertTime(row.created_at);
  assertTime(row.updated_at);
}

const kProperty = ["id", "external_id", "data", "hash", "version", "created_at", "updated_at"];

/** Assumes that `data` holds no integer beyond 2^53, which `JSON.parse` would round. */
function assertProperty(row: Property): void {
  assertId(row.id);
  assert.equal(typeof row.external_id, "string");
  assert.equal(row.hash, sha256(canonical(row.data)), "hash == sha256(data)");
  assert.ok(Number.isSafeInteger(row.version) && row.version >= 1);
  assertTime(row.created_at);
  assertTime(row.updated_at);
}

export function assertSourceProperty(row: SourceProperty): void {
  assertMembers(row, [...kProperty, "source_id", "removed_at"]);
  assertProperty(row);
  assertId(row.source_id);
  if (row.removed_at !== null) assertTime(row.removed_at);
}

export function assertTargetProperty(row: TargetProperty): void {
  assertMembers(row, [
    ...kProperty,
    "target_id",
    "source_property_id",
    "has_manual_changes",
    "warning",
    "sync_status",
    "last_synced",
  ]);
  assertProperty(row);
  assertId(row.target_id);
  if (row.source_property_id !== null) assertId(row.source_property_id);
  assert.equal(typeof row.has_manual_changes, "boolean");
  assert.ok(row.warning === null || typeof row.warning === "string");
  assert.ok(["synced", "manual", "conflict", "removed"].includes(row.sync_status));
  if (row.last_synced !== null) assertTime(row.last_synced);
}

export function assertSnapshot(row: Snapshot): void {
  assertMembers(row, ["id", "data", "hash", "version", "reason", "created_at"]);
  assertId(row.id);
  assert.equal(row.hash, sha256(canonical(row.data)), "hash == sha256(data)");
  assert.equal(typeof row.reason, "string");
  assertTime(row.created_at);
}

export function assertLog(row: Log): void {
  assertMembers(row, [
    "id",
    "sync_id",
    "run_id",
    "sync_type",
    "status",
    "source_id",
    "target_id",
    "total_properties",
    "updated_properties",
    "failed_properties",
    "stats",
    "error_message",
    "started_at",
    "completed_at",
  ]);
  assertId(row.id);
  const types = "import sync push cleanup rollback resolve manual scheduled".split(" ");
  assert.ok(types.includes(row.sync_type), row.sync_type);
  assert.ok(["running", "success", "partial", "failed"].includes(row.status), row.status);
  assertTime(row.started_at);
  if (row.completed_at !== null) assertTime(row.completed_at);
}

/** Ids rise strictly. */
export function assertRising(rows: readonly { id: number }[]): void {
  for (const [at, row] of rows.entries()) {
    const before = rows[at - 1];
    if (before !== undefined) assert.ok(row.id > before.id, `${row.id} after ${before.id}`);
  }
}

export interface Faults {
  /** The JSON Pointers under `errors`, in any order. */
  readonly pointers?: readonly string[];
  /** The query parameters under `errors`, in any order. */
  readonly parameters?: readonly string[];
}

/** Asserts the one shape that all errors have, and returns the problem. */
export function assertProblem(answer: Answer, status: number, faults: Faults = {}): Problem {
  answer.expect(status);
  assert.match(answer.header("content-type") ?? "", /^application\/problem\+json(;|$)/);
  const problem = answer.json<Problem>();
  const known = ["type", "title", "status", "detail", "errors", "quota"];
  const rare: readonly string[] = ["errors", "quota"];
  const required = known.filter((name) => !rare.includes(name) || Object.hasOwn(problem, name));
  assertMembers(problem, required);
  assert.equal(typeof problem.type, "string");
  assert.ok(typeof problem.title === "string" && problem.title !== "");
  assert.equal(problem.status, status);
  assert.ok(typeof problem.detail === "string" && problem.detail !== "");
  for (const error of problem.errors ?? []) {
    const place = error.parameter === undefined ? "pointer" : "parameter";
    assertMembers(error, [place, "detail"]);
    assert.ok(typeof error.detail === "string" && error.detail !== "");
  }
  assert.doesNotMatch(
    answer.text,
    /\bSELECT\b|\bINSERT\b|\bUPDATE \w+ SET\b|SQLITE|D1_ERROR|RuntimeError|wasm|\bat \w+ \(|\.ts:\d|\.cc:\d/i,
    "never a stack trace or SQL",
  );
  assert.ok(!answer.text.includes(answer.header("x-request-id") ?? "\0"), "nothing varies");
  const told = (name: "pointer" | "parameter"): string[] =>
    (problem.errors ?? []).flatMap((error) => error[name] ?? []).sort();
  if (faults.pointers !== undefined) {
    assert.deepEqual(told("pointer"), [...faults.pointers].sort(), answer.text);
  }
  if (faults.parameters !== undefined) {
    assert.deepEqual(told("parameter"), [...faults.parameters].sort(), answer.text);
  }
  return problem;
}
