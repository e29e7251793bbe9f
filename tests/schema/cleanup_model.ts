// Small states of a store with two tenants, and what has to be left of one after a retention: the rows are gone through one
// by one, in the words of schema/README.md.

export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;
export type Tables = ReadonlyMap<string, readonly Row[]>;

/** What is older goes. */
export const kBefore = "2026-05";
const kKey = { updated_at: "", created_at: "" };

/** From 0, below the limit. */
export function randomFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
}

/** The columns that point to data, by table. */
export const kPointers: Readonly<Record<string, readonly string[]>> = {
  source_properties: ["data_id"],
  target_properties: ["data_id", "base_data_id", "delivered_data_id"],
  source_snapshots: ["data_id"],
  target_snapshots: ["data_id", "base_data_id"],
  staging: ["data_id"],
};

/** The data that something points to, of one tenant or of all. */
export function pointedTo(tables: Tables, tenant?: number): Set<Cell> {
  const found = new Set<Cell>();
  for (const [table, columns] of Object.entries(kPointers)) {
    for (const row of tables.get(table) ?? []) {
      if (tenant !== undefined && row["tenant_id"] !== tenant) continue;
      for (const column of columns) if (row[column] !== null) found.add(row[column] ?? 0);
    }
  }
  return found;
}

/** Builds a state; all that points to a datum stands under one external id. */
class Builder {
  readonly tables = new Map<string, Row[]>();
  private readonly random: (limit: number) => number;
  private next = 0;

  constructor(seed: number) {
    this.random = randomFrom(seed);
    const names = ["tenants", "sources", "targets", "sync_logs", "imports", "orphans"];
    for (const table of [...names, "property_data", ...Object.keys(kPointers)])
      this.tables.set(table, []);
    for (const tenant of [1, 2]) this.addTenant(tenant);
  }

  private add(table: string, row: Row): void {
    this.tables.get(table)?.push(row);
  }

  private month(): string {
    return `2026-0${1 + this.random(9)}`;
  }

  private addTenant(tenant: number): void {
    this.add("tenants", { id: tenant, name: "", ...kKey });
    for (const place of [0, 1]) {
      const side = { tenant_id: tenant, id: tenant * 10 + place, name: "", type: "", config: "{}" };
      this.add("sources", { ...side, ...kKey });
      this.add("targets", { ...side, ...kKey, revision: 1, feed_floor: 0 });
    }
    const numbers = { total_properties: 0, updated_properties: 0, failed_properties: 0 };
    const log = { sync_id: `sync_${tenant}`, sync_type: "cleanup", status: "running" };
    const stats = '{"source_snapshots":0,"target_snapshots":0}';
    this.add("sync_logs", { tenant_id: tenant, id: 1, ...log, ...numbers, stats, started_at: "" });
    const importing = this.random(3) === 0;
    if (importing)
      this.add("imports", {
        id: tenant,
        tenant_id: tenant,
        source_id: tenant * 10,
        lease_until: "",
      });
    for (let n = 1 + this.random(8); n > 0; n--) this.addIdentity(tenant, `e${n}`, importing);
  }

  private addIdentity(tenant: number, external_id: string, importing: boolean): void {
    const data = Array.from({ length: 1 + this.random(5) }, () => ++this.next);
    for (const id of data) this.add("property_data", { id, tenant_id: tenant, hash: "", data: "" });
    const pick = () => data[this.random(data.length)] ?? 0;
    for (const place of [0, 1]) {
      const owner = { tenant_id: tenant, external_id };
      if (this.random(4) > 0) this.addSourceRow(owner, tenant * 10 + place, pick);
      if (this.random(4) > 0) this.addTargetRow(owner, tenant * 10 + place, pick);
    }
    if (importing && this.random(2) === 0) {
      const staged = { tenant_id: tenant, import_id: tenant, external_id, place: 0, hash: "" };
      this.add("staging", { ...staged, sent: 0, data_id: this.random(5) === 0 ? null : pick() });
    }
    const shown = pointedTo(new Map([...this.tables, ["staging", []]]), tenant);
    for (const data_id of data) {
      // What no row points to is a candidate; some that are pointed to are, too.
      if (shown.has(data_id) && this.random(6) > 0) continue;
      this.add("orphans", { data_id, tenant_id: tenant, external_id });
    }
  }

  private addSourceRow(owner: Row, source_id: number, pick: () => number): void {
    const id = ++this.next;
    const row = { ...owner, source_id, id, hash: "", data_id: pick(), revision: 1, ...kKey };
    this.add("source_properties", { ...row, log_id: 1, life_log: 1 });
    for (let version = this.random(4); version > 0; version--)
      this.add("source_snapshots", {
        ...this.snapshot(owner, version, pick),
        source_id,
        source_property_id: id,
      });
  }

  private addTargetRow(owner: Row, target_id: number, pick: () => number): void {
    const id = ++this.next;
    const hidden = this.random(3) === 0;
    const state = { sync_status: hidden || this.random(5) === 0 ? "removed" : "synced" };
    const data = {
      data_id: pick(),
      base_data_id: pick(),
      delivered_data_id: this.random(4) === 0 ? pick() : null,
    };
    const row = { ...owner, target_id, id, hash: "", ...data, ...state, ...kKey };
    const deleted_at = hidden ? this.month() : null;
    this.add("target_properties", { ...row, deleted_at, revision: 1, log_id: 1, created_log: 1 });
    for (let version = this.random(4); version > 0; version--)
      this.add("target_snapshots", {
        ...this.snapshot(owner, version, pick),
        target_id,
        target_property_id: id,
        base_data_id: pick(),
        accepted: 0,
        hidden: 0,
      });
  }

  private snapshot({ tenant_id = null }: Row, version: number, pick: () => number): Row {
    const ids = { tenant_id, version, id: ++this.next, data_id: pick() };
    return { ...ids, reason: "", log_id: 1, created_at: this.month() };
  }
}

export function randomTables(seed: number): Tables {
  return new Builder(seed).tables;
}

const isOld = (moment: Cell | undefined) => typeof moment === "string" && moment < kBefore;

/** All tables after a retention of one tenant. */
export function expectedAfter(before: Tables, tenant: number): Tables {
  const tables = new Map(before);
  const rows = (table: string) => tables.get(table) ?? [];
  const drop = (table: string, goes: (row: Row) => boolean): readonly Row[] => {
    const gone = rows(table).filter((row) => row["tenant_id"] === tenant && goes(row));
    tables.set(
      table,
      rows(table).filter((row) => !gone.includes(row)),
    );
    return gone;
  };
  const candidates = new Set(
    rows("orphans")
      .filter((row) => row["tenant_id"] === tenant)
      .map((row) => row["data_id"]),
  );
  const noted = (table: string, gone: readonly Row[]) => {
    for (const row of gone)
      for (const column of kPointers[table] ?? []) candidates.add(row[column] ?? null);
    return gone;
  };
  const [source, target] = ["source_snapshots", "target_snapshots"].map(
    (table) =>
      noted(
        table,
        drop(table, ({ created_at }) => isOld(created_at)),
      ).length,
  );
  const kept = new Set(rows("target_snapshots").map((row) => row["target_property_id"]));
  const hidden = noted(
    "target_properties",
    drop("target_properties", ({ id, deleted_at }) => isOld(deleted_at) && !kept.has(id)),
  );
  const pointers = pointedTo(tables);
  drop("property_data", ({ id }) => !pointers.has(id ?? 0));
  // What an import has staged stays a candidate.
  const staged = rows("staging").filter((row) => row["tenant_id"] === tenant);
  drop("orphans", () => true);
  const waiting = staged
    .filter(({ data_id }) => data_id !== null && candidates.has(data_id))
    .map(({ data_id = null, external_id = null }) => ({ data_id, tenant_id: tenant, external_id }));
  tables.set("orphans", [...rows("orphans"), ...waiting]);
  const stats = `{"source_snapshots":${source},"target_snapshots":${target}}`;
  const changed = Number(source) + Number(target);
  tables.set(
    "sync_logs",
    rows("sync_logs").map((row) =>
      row["tenant_id"] === tenant
        ? { ...row, stats, total_properties: changed, updated_properties: changed }
        : row,
    ),
  );
  tables.set(
    "targets",
    rows("targets").map((row) => raised(row, hidden)),
  );
  return tables;
}

/** A target that lost hidden rows has a new revision, below which its changes can no longer be told. */
function raised(row: Row, hidden: readonly Row[]): Row {
  const lost = hidden.some((gone) => gone["target_id"] === row["id"]);
  return lost ? { ...row, revision: 2, feed_floor: 2 } : row;
}
