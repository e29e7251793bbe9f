// What must hold in any store, at any moment, whatever was interrupted: read from the SQLite file
// itself, since an API that heals what it reads would hide it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

/** A sentence, and a query for the rows that break it. */
type Rule = readonly [sentence: string, sql: string];

const kPointers: readonly Rule[] = [
  [
    "a source row has its datum, of its own hash and tenant",
    `SELECT p.id FROM source_properties p LEFT JOIN property_data d
     ON d.id = p.data_id AND d.tenant_id = p.tenant_id AND d.hash = p.hash WHERE d.id IS NULL`,
  ],
  [
    "a target row has its datum, of its own hash and tenant",
    `SELECT p.id FROM target_properties p LEFT JOIN property_data d
     ON d.id = p.data_id AND d.tenant_id = p.tenant_id AND d.hash = p.hash WHERE d.id IS NULL`,
  ],
  [
    "a base is there",
    `SELECT p.id FROM target_properties p LEFT JOIN property_data d
     ON d.id = p.base_data_id AND d.tenant_id = p.tenant_id WHERE d.id IS NULL`,
  ],
  [
    "a source snapshot has its datum and its row",
    `SELECT x.id FROM source_snapshots x
     LEFT JOIN property_data d ON d.id = x.data_id AND d.tenant_id = x.tenant_id
     LEFT JOIN source_properties p ON p.source_id = x.source_id AND p.id = x.source_property_id
     WHERE d.id IS NULL OR p.id IS NULL`,
  ],
  [
    "a target snapshot has its datum, its base and its row",
    `SELECT x.id FROM target_snapshots x
     LEFT JOIN property_data d ON d.id = x.data_id AND d.tenant_id = x.tenant_id
     LEFT JOIN property_data b ON b.id = x.base_data_id AND b.tenant_id = x.tenant_id
     LEFT JOIN target_properties p ON p.target_id = x.target_id AND p.id = x.target_property_id
     WHERE d.id IS NULL OR b.id IS NULL OR p.id IS NULL`,
  ],
  [
    "whatever names a log row finds it",
    `WITH named(tenant_id, id) AS (
       SELECT tenant_id, log_id FROM source_properties UNION
       SELECT tenant_id, life_log FROM source_properties UNION
       SELECT tenant_id, log_id FROM target_properties UNION
       SELECT tenant_id, created_log FROM target_properties)
     SELECT n.id FROM named n LEFT JOIN sync_logs l ON l.tenant_id = n.tenant_id AND l.id = n.id
     WHERE l.id IS NULL`,
  ],
];

const kCounts: readonly Rule[] = [
  [
    "data_bytes of a tenant is what its data has",
    `SELECT t.id FROM tenants t WHERE data_bytes <> (
       SELECT coalesce(sum(octet_length(data)), 0) FROM property_data d WHERE d.tenant_id = t.id)`,
  ],
  [
    "property_count of a source counts its live rows",
    `SELECT s.id FROM sources s WHERE property_count <> (
       SELECT count(*) FROM source_properties p WHERE p.source_id = s.id AND removed_at IS NULL)`,
  ],
  [
    "property_count of a target counts its rows",
    `SELECT t.id FROM targets t WHERE property_count <> (
       SELECT count(*) FROM target_properties p WHERE p.target_id = t.id AND deleted_at IS NULL)`,
  ],
  [
    "no row of a source is ahead of its revision",
    `SELECT p.id FROM source_properties p JOIN sources s ON s.id = p.source_id
     WHERE p.revision > s.revision OR p.tenant_id <> s.tenant_id`,
  ],
  [
    "no row of a target is ahead of its revision",
    `SELECT p.id FROM target_properties p JOIN targets t ON t.id = p.target_id
     WHERE p.revision > t.revision OR p.tenant_id <> t.tenant_id`,
  ],
  [
    "no pair has seen more than there was",
    `SELECT y.source_id FROM sync_pairs y JOIN sources s ON s.id = y.source_id
     JOIN targets t ON t.id = y.target_id
     WHERE y.source_revision > s.revision OR y.target_revision > t.revision`,
  ],
  [
    "ids are handed out ahead of their use",
    `WITH used(name, id) AS (
       SELECT 'sources', max(id) FROM sources UNION ALL
       SELECT 'targets', max(id) FROM targets UNION ALL
       SELECT 'property_data', max(id) FROM property_data UNION ALL
       SELECT * FROM (SELECT 'source_properties', max(id) FROM source_properties UNION ALL
       SELECT 'target_properties', max(id) FROM target_properties UNION ALL
       SELECT 'source_snapshots', max(id) FROM source_snapshots UNION ALL
       SELECT 'target_snapshots', max(id) FROM target_snapshots))
     SELECT u.name FROM used u JOIN counters c ON c.name = u.name WHERE u.id >= c.next`,
  ],
  [
    "an item is staged for an import under way, with its datum",
    `SELECT g.place FROM staging g
     LEFT JOIN imports i ON i.id = g.import_id AND i.tenant_id = g.tenant_id
     LEFT JOIN property_data d ON d.id = g.data_id AND d.tenant_id = g.tenant_id AND d.hash = g.hash
     WHERE i.id IS NULL OR (g.hash IS NOT NULL AND d.id IS NULL)`,
  ],
  ["the guard stays empty", "SELECT rowid FROM guard"],
];

/** These hold as long as no clean-up has dropped a snapshot and no row is hidden. */
const kHistories: readonly Rule[] = [
  [
    "a source row has a snapshot of each version that it had before",
    `SELECT p.id FROM source_properties p LEFT JOIN (
       SELECT source_property_id AS id, count(*) AS n, count(DISTINCT version) AS versions,
         min(version) AS first, max(version) AS last FROM source_snapshots GROUP BY 1
     ) x ON x.id = p.id
     WHERE coalesce(n, 0) <> p.version - 1 OR versions <> n OR first <> 1 OR last <> p.version - 1`,
  ],
  [
    "a target row has a snapshot of each version that it had before",
    `SELECT p.id FROM target_properties p LEFT JOIN (
       SELECT target_property_id AS id, count(*) AS n, count(DISTINCT version) AS versions,
         min(version) AS first, max(version) AS last FROM target_snapshots GROUP BY 1
     ) x ON x.id = p.id
     WHERE coalesce(n, 0) <> p.version - 1 OR versions <> n OR first <> 1 OR last <> p.version - 1`,
  ],
  [
    "an import has updated the rows that its log says",
    `SELECT l.id FROM sync_logs l LEFT JOIN (
       SELECT tenant_id, log_id, count(*) AS n FROM source_snapshots GROUP BY 1, 2
     ) x ON x.tenant_id = l.tenant_id AND x.log_id = l.id
     WHERE l.sync_type = 'import' AND l.status = 'success'
       AND (coalesce(n, 0) <> l.stats ->> 'updated' OR l.updated_properties
         <> (l.stats ->> 'created') + (l.stats ->> 'updated') + (l.stats ->> 'removed'))`,
  ],
  [
    "the imports of a source have created its rows",
    `SELECT s.id FROM sources s
     WHERE (SELECT count(*) FROM source_properties p WHERE p.source_id = s.id)
     <> (SELECT coalesce(sum(l.stats ->> 'created'), 0) FROM sync_logs l
         WHERE l.tenant_id = s.tenant_id AND l.source_id = s.id AND l.sync_type = 'import')`,
  ],
  [
    "a sync has created and updated the rows that its log says, and counted every one",
    `SELECT l.id FROM sync_logs l
     LEFT JOIN (SELECT tenant_id, log_id, count(*) AS n FROM target_snapshots GROUP BY 1, 2) x
       ON x.tenant_id = l.tenant_id AND x.log_id = l.id
     LEFT JOIN (SELECT tenant_id, created_log, count(*) AS n FROM target_properties GROUP BY 1, 2) c
       ON c.tenant_id = l.tenant_id AND c.created_log = l.id
     WHERE l.sync_type = 'sync' AND l.status = 'success'
       AND (coalesce(x.n, 0) <> l.stats ->> 'updated' OR coalesce(c.n, 0) <> l.stats ->> 'created'
         OR l.total_properties <> (l.stats ->> 'created') + (l.stats ->> 'updated')
           + (l.stats ->> 'skipped') + (l.stats ->> 'warnings'))`,
  ],
  [
    "an edit has its one snapshot",
    `SELECT l.id FROM sync_logs l LEFT JOIN (
       SELECT tenant_id, log_id, count(*) AS n FROM target_snapshots GROUP BY 1, 2
     ) x ON x.tenant_id = l.tenant_id AND x.log_id = l.id
     WHERE l.sync_type = 'manual' AND l.target_id IS NOT NULL AND n IS NOT 1`,
  ],
];

/** Asserts all of the above, and that every datum has the hash that it says. */
export function assertSound(store: DatabaseSync): void {
  const integrity = store.prepare("PRAGMA integrity_check").all();
  assert.deepEqual(
    integrity.map((row) => Object.values(row)[0]),
    ["ok"],
  );
  assert.deepEqual(store.prepare("PRAGMA foreign_key_check").all(), []);
  for (const [sentence, sql] of [...kPointers, ...kCounts, ...kHistories]) {
    const broken = store
      .prepare(`${sql} LIMIT 5`)
      .all()
      .flatMap((row) => Object.values(row));
    assert.deepEqual(broken, [], sentence);
  }
  assert.deepEqual(lostData(store), [], "data that nothing points to, and nothing remembers");
  for (const row of store.prepare("SELECT id, hash, data FROM property_data").iterate()) {
    const hash = createHash("sha256").update(String(row["data"])).digest("hex");
    if (hash !== row["hash"]) assert.fail(`the hash of datum ${row["id"]} is not that of its data`);
  }
}

/** Data that nothing points to, and that nothing remembers to drop. */
export function lostData(store: DatabaseSync): number[] {
  return unreferenced(store, "UNION SELECT data_id FROM orphans UNION SELECT data_id FROM staging");
}

/** Data that nothing points to. */
export function unreferencedData(store: DatabaseSync): number[] {
  return unreferenced(store, "");
}

function unreferenced(store: DatabaseSync, more: string): number[] {
  const sql = `WITH
      sources(id) AS (SELECT data_id FROM source_properties UNION
        SELECT data_id FROM source_snapshots),
      targets(id) AS (SELECT data_id FROM target_properties UNION
        SELECT base_data_id FROM target_properties UNION
        SELECT delivered_data_id FROM target_properties WHERE delivered_data_id IS NOT NULL),
      snapshots(id) AS (SELECT data_id FROM target_snapshots UNION
        SELECT base_data_id FROM target_snapshots),
      known(id) AS (SELECT id FROM sources UNION SELECT id FROM targets UNION
        SELECT id FROM snapshots),
      kept(id) AS (SELECT id FROM known ${more})
    SELECT id FROM property_data EXCEPT SELECT id FROM kept WHERE id IS NOT NULL LIMIT 5`;
  const rows = store.prepare(sql).all();
  return rows.map((row) => Number(row["id"]));
}
