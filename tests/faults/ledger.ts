// What the clients of a fault test asked for, and what they were told is done.
//
// Theory of operation. An import writes one generation into all items of a set, and its writer
// makes the next one only when this one is acknowledged. So each set of the store must show exactly
// one generation, the last acknowledged or the one under way, however often it was cut off and sent
// again, and each of its rows has counted every generation once. Likewise an edit counts one field
// of its own upwards in a row that all editors share, and takes the field away at every other step,
// so that the row is free for the next sync.

import type { Data, Place, SyncStats, TargetProperty } from "../contract/rows.ts";
import { range } from "../contract/world.ts";

/** A number that rises: what was acknowledged, and what was asked for last. */
export interface Counter {
  acknowledged: number;
  attempted: number;
}

/** Items that are always imported together. */
export interface ImportSet extends Counter {
  readonly source: Place;
  /** Where the source is synced to. */
  readonly target: Place;
  readonly prefix: string;
  readonly size: number;
  /** Imported with `mode=full`: each import leaves out one item in `kLeftOut`, others in turn. */
  readonly full: boolean;
  /** One item in so many changes with each generation, others in turn. */
  readonly stride: number;
  readonly padding: string;
  /** The generation that an acknowledged sync has brought to the target at least. */
  synced: number;
}

export interface Edit extends Counter {
  readonly row: TargetProperty;
  readonly field: string;
}

/** A source or target that was to be created, and the id that it got, if that was told. */
export interface Creation {
  readonly kind: "sources" | "targets";
  readonly name: string;
  id: number | null;
}

export interface AcknowledgedSync {
  readonly source_id: number;
  readonly target_id: number;
  readonly sync_id: string;
  readonly stats: SyncStats;
}

export interface Ledger {
  readonly sets: ImportSet[];
  readonly edits: Edit[];
  readonly creations: Creation[];
  readonly syncs: AcknowledgedSync[];
}

const kLeftOut = 5;

export function emptyLedger(): Ledger {
  return { sets: [], edits: [], creations: [], syncs: [] };
}

export interface SetOptions {
  readonly full?: boolean;
  readonly stride?: number;
  readonly paddingBytes?: number;
}

export function importSet(
  source: Place,
  target: Place,
  prefix: string,
  size: number,
  options: SetOptions = {},
): ImportSet {
  const { full = false, stride = 1, paddingBytes = 100 } = options;
  const padding = "p".repeat(paddingBytes);
  const counter = { acknowledged: 0, attempted: 0, synced: 0 };
  return { source, target, prefix, size, full, stride, padding, ...counter };
}

/** A row of a source after so many generations. */
export interface ExpectedRow {
  readonly generation: number;
  readonly version: number;
  readonly removed: boolean;
}

/** `null` where the place of a set was not imported yet. */
export function expectedRow(
  set: ImportSet,
  place: number,
  generations: number,
): ExpectedRow | null {
  let row = null as ExpectedRow | null;
  for (let generation = 1; generation <= generations; generation += 1) {
    if (!isPresent(set, place, generation)) {
      if (row !== null) row = { ...row, removed: true };
    } else if (row === null || generation % set.stride === place % set.stride) {
      row = { generation, version: (row?.version ?? 0) + 1, removed: false };
    }
  }
  return row;
}

export function itemsOf(set: ImportSet, generation: number): Data[] {
  const items: Data[] = [];
  for (const place of range(set.size)) {
    const row = expectedRow(set, place, generation);
    if (row === null || row.removed) continue;
    items.push({ id: `${set.prefix}-${place}`, generation: row.generation, padding: set.padding });
  }
  return items;
}

/** How many properties of a set are live after any of its generations. */
export function liveCount(set: ImportSet): number {
  return range(set.size).filter((place) => isPresent(set, place, 1)).length;
}

/** What the edited field holds after so many edits of it. */
export function editedValue(count: number): number | null {
  return count % 2 === 1 ? count : null;
}

function isPresent(set: ImportSet, place: number, generation: number): boolean {
  return !set.full || place % kLeftOut !== generation % kLeftOut;
}
