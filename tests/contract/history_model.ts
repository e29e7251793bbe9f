// What api.md sections 3 and 4 say about two sources and a target, as the plainest program that
// says it, for comparison with what the server does. A property's data is one small number; the
// policies are skip and source_wins, nothing is protected or accepted.

import type { ImportStats, SyncStats } from "./rows.ts";
import { importStats, syncStats } from "./world.ts";

export interface ModelProperty {
  v: number;
  version: number;
  removed: boolean;
}

/** Null: no warning of its own. Unsure: an edit may have left one, which the next sync settles. */
type Warning = null | "set" | "unsure";

export interface ModelRow {
  v: number;
  /** The source's data with which the row was last settled. */
  base: number;
  owner: ModelSource | null;
  version: number;
  status: "synced" | "manual" | "conflict" | "removed";
  warning: Warning;
  /** A source that wants the row, too; of no concern while nobody owns it. */
  contest: ModelSource | null;
  hidden: boolean;
}

export class ModelSource {
  readonly properties = new Map<string, ModelProperty>();

  isLive(id: string): boolean {
    return this.properties.get(id)?.removed === false;
  }

  liveCount(): number {
    return [...this.properties.values()].filter((one) => !one.removed).length;
  }

  importItems(items: ReadonlyMap<string, number>, mode: "upsert" | "full"): ImportStats {
    const stats = importStats({});
    for (const [id, v] of items) {
      const known = this.properties.get(id);
      if (known === undefined) {
        this.properties.set(id, { v, version: 1, removed: false });
        stats.created += 1;
      } else if (known.v === v && !known.removed) {
        stats.skipped += 1;
      } else {
        if (known.v !== v) known.version += 1;
        known.v = v;
        known.removed = false;
        stats.updated += 1;
      }
    }
    for (const [id, property] of this.properties) {
      if (mode === "upsert" || property.removed || items.has(id)) continue;
      property.removed = true;
      stats.removed += 1;
    }
    return stats;
  }
}

export class ModelTarget {
  readonly rows = new Map<string, ModelRow>();
  sourceWins = false;
  hides = false;

  sync(source: ModelSource): SyncStats {
    const stats = syncStats({});
    for (const [id, property] of source.properties) {
      const row = this.rows.get(id);
      if (row !== undefined) this.endContest(id, row, source);
      if (property.removed) this.lose(source, row, stats);
      else this.take(id, property.v, source, row, stats);
    }
    return stats;
  }

  edit(id: string, v: number): void {
    const row = this.rows.get(id);
    if (row === undefined || row.v === v) return;
    row.v = v;
    row.version += 1;
    row.status = v === row.base ? "synced" : "manual";
    row.warning = row.warning === null || v === row.base ? null : "unsure";
  }

  /** The source is deleted, and with it its part in every contest. */
  forget(source: ModelSource): void {
    for (const row of this.rows.values()) {
      if (row.contest === source) row.contest = null;
      if (row.owner === source) row.owner = null;
    }
    source.properties.clear();
  }

  visible(): [string, ModelRow][] {
    return [...this.rows].filter(([, row]) => !row.hidden);
  }

  /** A sync of either side finds that the rival lacks the property. */
  private endContest(id: string, row: ModelRow, source: ModelSource): void {
    if (row.contest === null || (row.owner !== source && row.contest !== source)) return;
    if (!row.contest.isLive(id)) row.contest = null;
  }

  private lose(source: ModelSource, row: ModelRow | undefined, stats: SyncStats): void {
    if (row === undefined || row.hidden || row.owner !== source) return;
    row.contest = null;
    if (row.status === "removed") return;
    if (row.v !== row.base) {
      row.status = "conflict";
      row.warning = "set";
      stats.conflicts += 1;
      return;
    }
    row.warning = null;
    row.hidden = this.hides;
    row.status = this.hides ? "synced" : "removed";
    stats.removed += 1;
  }

  private take(
    id: string,
    v: number,
    source: ModelSource,
    row: ModelRow | undefined,
    stats: SyncStats,
  ): void {
    if (row === undefined || row.hidden) {
      const version = (row?.version ?? 0) + 1;
      this.rows.set(id, { ...kFresh, v, base: v, owner: source, version });
      stats.created += 1;
      return;
    }
    if (row.owner !== null && row.owner !== source && row.owner.isLive(id)) {
      row.contest ??= source;
      stats.warnings += 1;
      return;
    }
    row.owner = source;
    if (row.contest === source) row.contest = null;
    const edited = row.v !== row.base;
    if (row.v === v || !edited || this.sourceWins) {
      stats[row.v === v ? "skipped" : "updated"] += 1;
      row.version += row.v === v ? 0 : 1;
      Object.assign(row, { v, base: v, status: "synced", warning: null });
      return;
    }
    const moved = v !== row.base;
    row.status = moved ? "conflict" : "manual";
    row.warning = "set";
    stats.warnings += 1;
    if (moved) stats.conflicts += 1;
  }
}

const kFresh = { status: "synced", warning: null, contest: null, hidden: false } as const;
