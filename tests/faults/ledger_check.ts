// Whether a store holds what the ledger says: everything that was acknowledged, and of the rest all
// or nothing.

import assert from "node:assert/strict";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { range } from "../contract/world.ts";
import {
  type Counter,
  type Edit,
  editedValue,
  expectedRow,
  type ImportSet,
  type Ledger,
} from "./ledger.ts";

type Fields = Readonly<Record<string, unknown>>;

interface SourceState {
  readonly data: Fields;
  readonly version: number;
  readonly removed: boolean;
}

interface TargetState {
  readonly data: Fields;
  readonly status: string;
  readonly manual: boolean;
}

/** Imports and edits under way: those that the store has, and those of which it has no trace. */
export interface Unacknowledged {
  kept: number;
  absent: number;
}

export function assertKept(store: DatabaseSync, ledger: Ledger): Unacknowledged {
  const unacknowledged = { kept: 0, absent: 0 };
  const tally = ({ acknowledged, attempted }: Counter, found: number): void => {
    if (attempted > acknowledged) unacknowledged[found > acknowledged ? "kept" : "absent"] += 1;
  };
  const edited = new Set(ledger.edits.map((edit) => edit.row.external_id));
  for (const set of ledger.sets) {
    const generation = assertImported(store, set);
    tally(set, generation);
    assertSynced(store, set, generation, edited);
  }
  for (const edits of Map.groupBy(ledger.edits, (edit) => edit.row.id).values()) {
    assertEdited(store, edits, tally);
  }
  for (const { sync_id, stats, source_id, target_id } of ledger.syncs) {
    const log = store.prepare("SELECT * FROM sync_logs WHERE sync_id = ?").get(sync_id);
    assert.ok(log !== undefined, `the acknowledged sync ${sync_id} has its log row`);
    assert.deepEqual(JSON.parse(String(log["stats"])), stats, "as it was answered");
    assert.deepEqual([log["source_id"], log["target_id"]], [source_id, target_id]);
  }
  for (const { kind, name, id } of ledger.creations) {
    const found = store.prepare(`SELECT id FROM ${kind} WHERE name = ?`).all(name);
    if (id !== null)
      assert.deepEqual(
        found.map((row) => row["id"]),
        [id],
        `${kind} ${name}`,
      );
    assert.ok(found.length <= 1, `${name} once`);
  }
  return unacknowledged;
}

/** The one generation that the rows of a set show. */
function assertImported(store: DatabaseSync, set: ImportSet): number {
  const rows = new Map<string, SourceState>();
  const sql = `SELECT external_id, version, removed_at, data FROM source_properties p
    JOIN property_data d ON d.id = p.data_id WHERE p.source_id = ? AND external_id GLOB ?`;
  for (const row of read(store, sql, set.source.id, `${set.prefix}-*`)) {
    const data = JSON.parse(String(row["data"]));
    const removed = row["removed_at"] !== null;
    rows.set(String(row["external_id"]), { data, version: Number(row["version"]), removed });
  }
  const told: string[] = [];
  for (let generation = set.acknowledged; generation <= set.attempted; generation += 1) {
    const difference = differenceOf(set, generation, rows);
    if (difference === null) return generation;
    told.push(`not generation ${generation}: ${difference}`);
  }
  return assert.fail(`the rows of ${set.prefix} are ${told.join("; ")}`);
}

function differenceOf(
  set: ImportSet,
  generation: number,
  rows: ReadonlyMap<string, SourceState>,
): string | null {
  let count = 0;
  for (const place of range(set.size)) {
    const id = `${set.prefix}-${place}`;
    const expected = expectedRow(set, place, generation);
    const row = rows.get(id);
    if (expected === null) {
      if (row !== undefined) return `${id} is there`;
      continue;
    }
    count += 1;
    if (row === undefined) return `${id} is missing`;
    const { version, removed } = row;
    const shown = { generation: row.data["generation"], version, removed };
    if (JSON.stringify(shown) !== JSON.stringify(expected)) {
      return `${id} is ${JSON.stringify(shown)}`;
    }
  }
  return rows.size === count ? null : `${rows.size} rows`;
}

/** The rows that nobody edits show one generation, not older than an acknowledged sync brought. */
function assertSynced(
  store: DatabaseSync,
  set: ImportSet,
  imported: number,
  edited: ReadonlySet<string>,
): void {
  const rows = new Map<string, TargetState>();
  const sql = `SELECT external_id, sync_status, has_manual_changes, data FROM target_properties p
    JOIN property_data d ON d.id = p.data_id WHERE p.target_id = ? AND external_id GLOB ?`;
  for (const row of read(store, sql, set.target.id, `${set.prefix}-*`)) {
    const data = JSON.parse(String(row["data"]));
    const manual = row["has_manual_changes"] === 1;
    rows.set(String(row["external_id"]), { data, status: String(row["sync_status"]), manual });
  }
  const told: string[] = [];
  for (let generation = set.synced; generation <= imported; generation += 1) {
    const difference = differenceOfTarget(set, generation, rows, edited);
    if (difference === null) return;
    told.push(`not generation ${generation}: ${difference}`);
  }
  assert.fail(`the rows of ${set.prefix} in the target are ${told.join("; ")}`);
}

function differenceOfTarget(
  set: ImportSet,
  generation: number,
  rows: ReadonlyMap<string, TargetState>,
  edited: ReadonlySet<string>,
): string | null {
  for (const place of range(set.size)) {
    const id = `${set.prefix}-${place}`;
    if (edited.has(id)) continue;
    const expected = expectedRow(set, place, generation);
    const row = rows.get(id);
    if (row === undefined) {
      // A generation that came and went between two syncs has left no row.
      if (expected === null || expected.removed) continue;
      return `${id} is missing`;
    }
    if (expected === null) return `${id} is there`;
    if (row.manual) return `${id} is manual`;
    if (row.status !== (expected.removed ? "removed" : "synced")) return `${id} is ${row.status}`;
    const shown = row.data["generation"];
    if (expected.removed ? Number(shown) > generation : shown !== expected.generation) {
      return `${id} has ${shown}`;
    }
  }
  return null;
}

interface Version {
  readonly data: Fields;
  /** Why this state ended; `null` for the present one. */
  readonly reason: string | null;
}

/**
 * Of a row that is edited: each version came from the one before by a sync that found it free of
 * edits, or by one edit of one field; and each field went through all of its edits, in turn.
 */
function assertEdited(
  store: DatabaseSync,
  edits: readonly Edit[],
  tally: (edit: Edit, found: number) => void,
): void {
  const [first] = edits;
  if (first === undefined) return;
  const { id, target_id, external_id } = first.row;
  const fields = edits.map((edit) => edit.field);
  const history = historyOf(store, target_id, id);
  for (const [at, { data, reason }] of history.entries()) {
    const next = history[at + 1]?.data;
    if (next === undefined) break;
    const where = `version ${at + 2} of ${external_id}`;
    const changed = fields.filter((field) => data[field] !== next[field]);
    if (reason === "sync") {
      assert.ok(
        fields.every((field) => data[field] === undefined),
        `${where}: an edit is kept`,
      );
      assert.deepEqual(changed, [], `${where}: a sync brings no edit`);
      assert.ok(Number(next["generation"]) > Number(data["generation"]), `${where} is newer`);
    } else {
      assert.equal(changed.length, 1, `${where}: one edit, of ${changed.join(", ")}`);
      assert.equal(next["generation"], data["generation"], `${where}: an edit brings no import`);
    }
  }
  for (const edit of edits) {
    const values = history.map(({ data }) => data[edit.field] ?? null);
    const seen = values.filter((value, at) => value !== (at === 0 ? null : values[at - 1]));
    const { acknowledged, attempted } = edit;
    const where = `${edit.field} of ${external_id}`;
    assert.deepEqual(
      seen,
      seen.map((_, at) => editedValue(at + 1)),
      `${where}: each edit once`,
    );
    assert.ok(seen.length >= acknowledged, `${where}: ${seen.length} of ${acknowledged} edits`);
    assert.ok(seen.length <= attempted, `${where}: ${seen.length} edits, ${attempted} asked for`);
    tally(edit, seen.length);
  }
  const last = history.at(-1)?.data ?? {};
  const isEdited = fields.some((field) => last[field] !== undefined);
  const sql =
    "SELECT has_manual_changes AS manual FROM target_properties WHERE target_id = ? AND id = ?";
  const manual = store.prepare(sql).get(target_id, id)?.["manual"] === 1;
  assert.equal(manual, isEdited, `${external_id}: has_manual_changes`);
}

function historyOf(store: DatabaseSync, targetId: number, id: number): Version[] {
  const sql = `SELECT data, reason FROM (
      SELECT version, data_id, reason FROM target_snapshots
      WHERE target_id = :target AND target_property_id = :id
      UNION ALL
      SELECT version, data_id, NULL FROM target_properties WHERE target_id = :target AND id = :id
    ) v JOIN property_data d ON d.id = v.data_id ORDER BY v.version`;
  return store
    .prepare(sql)
    .all({ id, target: targetId })
    .map((row) => ({
      data: JSON.parse(String(row["data"])),
      reason: row["reason"] === null ? null : String(row["reason"]),
    }));
}

function read(store: DatabaseSync, sql: string, ...values: SQLInputValue[]): Fields[] {
  return store.prepare(sql).all(...values);
}
