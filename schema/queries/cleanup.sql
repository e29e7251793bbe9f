-- Data is dropped when nothing points to it any more. All pointers to one datum lie under one external id of one tenant, so
-- each candidate (a row of `orphans`) is checked by primary key.

-- row: slice(last int?, count int)
-- The last id of a slice, and how many there are.

-- name: cleanup_properties(side, tenant_id TenantId, after int, count int) -> slice
-- The next slice of the tenant's property rows by id, across all its {side}s: the last id, and how many there are.
SELECT max(id) AS last, count(*) AS count FROM (
  SELECT p.id FROM {side}s s CROSS JOIN {side}_properties p ON p.{side}_id = s.id AND p.id > :after
  WHERE s.tenant_id = :tenant_id AND p.tenant_id = :tenant_id ORDER BY p.id LIMIT :count) AS slice;

-- fragment: expired
FROM {side}s s CROSS JOIN {side}_properties p ON p.{side}_id = s.id AND p.id > :after AND p.id <= :last
CROSS JOIN {side}_snapshots x ON x.{side}_property_id = p.id
WHERE s.tenant_id = :tenant_id AND p.tenant_id = :tenant_id
  AND x.tenant_id = :tenant_id AND x.created_at < :before

-- name: snapshots_orphaned(side, tenant_id TenantId, after int, last int, before text)
-- Data of the snapshots of a slice that are older than `before`.
INSERT INTO orphans (data_id, tenant_id, external_id) SELECT x.data_id, :tenant_id, p.external_id {{expired}}
ON CONFLICT (data_id) DO NOTHING;

-- name: snapshot_bases_orphaned(tenant_id TenantId, after int, last int, before text)
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT x.base_data_id, :tenant_id, p.external_id
FROM targets s CROSS JOIN target_properties p ON p.target_id = s.id AND p.id > :after AND p.id <= :last
CROSS JOIN target_snapshots x ON x.target_property_id = p.id
WHERE s.tenant_id = :tenant_id AND p.tenant_id = :tenant_id
  AND x.tenant_id = :tenant_id AND x.created_at < :before
ON CONFLICT (data_id) DO NOTHING;

-- fragment: expired_deleted
DELETE FROM {side}_snapshots WHERE tenant_id = :tenant_id AND ({side}_property_id, version, id) IN (
  SELECT x.{side}_property_id, x.version, x.id {{expired}})

-- name: snapshots_expired(side, tenant_id TenantId, after int, last int, before text)
-- Deletes them. The next statement is told how many there were: on PostgreSQL, which has no changes(), by a setting of the
-- transaction, which is never NULL.
-- sqlite:
{{expired_deleted}};
-- postgres:
WITH gone AS ({{expired_deleted}} RETURNING 1)
INSERT INTO guard (row_changed)
SELECT NULL WHERE set_config('sync_manager.changes', (SELECT count(*) FROM gone)::text, true) IS NULL;

-- fragment: hidden_rows
FROM targets t CROSS JOIN target_properties p ON p.target_id = t.id AND p.id > :after AND p.id <= :last
WHERE t.tenant_id = :tenant_id AND p.tenant_id = :tenant_id
  AND p.deleted_at < :before

-- name: hidden_targets_bumped(tenant_id TenantId, after int, last int, before text)
-- Targets with rows of a slice that have been hidden since before a moment: who knows an older revision has missed them.
UPDATE targets SET revision = revision + 1, feed_floor = revision + 1
WHERE tenant_id = :tenant_id AND id IN (SELECT p.target_id {{hidden_rows}});

-- name: hidden_orphaned(tenant_id TenantId, after int, last int, before text)
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT p.data_id, :tenant_id, p.external_id {{hidden_rows}}
UNION
SELECT p.base_data_id, :tenant_id, p.external_id {{hidden_rows}}
ON CONFLICT (data_id) DO NOTHING;

-- name: hidden_deleted(tenant_id TenantId, after int, last int, before text)
-- Their snapshots are as old as they are, and went before them.
DELETE FROM target_properties WHERE tenant_id = :tenant_id AND (target_id, external_id) IN (
  SELECT p.target_id, p.external_id {{hidden_rows}});

-- name: expired_imports(tenant_id TenantId, now text) -> (id int, lease_until text)
-- A large import that was given up, and until when it was alive.
SELECT id, lease_until FROM imports WHERE tenant_id = :tenant_id AND lease_until < :now ORDER BY lease_until LIMIT 1;

-- name: guard_import_idle(tenant_id TenantId, import_id int, lease_until text)
-- Aborts the batch as `guard:lease_lost` where the import moved on.
INSERT INTO guard (lease_lost) SELECT NULL WHERE EXISTS (
  SELECT 1 FROM imports WHERE tenant_id = :tenant_id AND id = :import_id AND lease_until <> :lease_until);

-- name: logs_slice(tenant_id TenantId, before text, count int) -> slice
-- Of the oldest log rows: the last id, and how many are older than a moment. The newest stays: the next one follows its
-- number.
SELECT max(id) AS last, count(*) FILTER (WHERE started_at < :before AND id <> {{log}}) AS count FROM (
  SELECT id, started_at FROM sync_logs WHERE tenant_id = :tenant_id ORDER BY id LIMIT :count) AS slice;

-- name: logs_expired(tenant_id TenantId, last int, before text)
DELETE FROM sync_logs WHERE tenant_id = :tenant_id AND id <= :last AND started_at < :before AND id <> {{log}};

-- name: orphans_slice(tenant_id TenantId, after int, count int) -> slice
-- The next slice of candidates: the last id, and how many there are.
SELECT max(data_id) AS last, count(*) AS count FROM (
  SELECT data_id FROM orphans WHERE tenant_id = :tenant_id AND data_id > :after ORDER BY data_id LIMIT :count) AS slice;

-- fragment: staged
EXISTS (SELECT 1 FROM imports i CROSS JOIN staging g ON g.import_id = i.id AND g.external_id = o.external_id
  WHERE i.tenant_id = :tenant_id AND g.tenant_id = :tenant_id AND g.data_id = o.data_id)

-- name: orphaned_data_deleted(tenant_id TenantId, after int, last int)
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id IN (
  SELECT o.data_id FROM orphans o
  WHERE o.tenant_id = :tenant_id AND o.data_id > :after AND o.data_id <= :last
    AND NOT EXISTS (SELECT 1 FROM sources s
      CROSS JOIN source_properties p ON p.source_id = s.id AND p.external_id = o.external_id
      LEFT JOIN source_snapshots x ON x.source_property_id = p.id AND x.data_id = o.data_id AND x.tenant_id = :tenant_id
      WHERE s.tenant_id = :tenant_id AND p.tenant_id = :tenant_id
        AND (p.data_id = o.data_id OR x.id IS NOT NULL))
    AND NOT EXISTS (SELECT 1 FROM targets t
      CROSS JOIN target_properties p ON p.target_id = t.id AND p.external_id = o.external_id
      LEFT JOIN target_snapshots x ON x.target_property_id = p.id
        AND (x.data_id = o.data_id OR x.base_data_id = o.data_id) AND x.tenant_id = :tenant_id
      WHERE t.tenant_id = :tenant_id AND p.tenant_id = :tenant_id
        AND (p.data_id = o.data_id OR p.base_data_id = o.data_id OR p.delivered_data_id = o.data_id
          OR x.id IS NOT NULL))
    AND NOT {{staged}});

-- name: orphans_checked(tenant_id TenantId, after int, last int)
-- What a large import in progress has staged is looked at again when that has ended.
DELETE FROM orphans AS o WHERE o.tenant_id = :tenant_id AND o.data_id > :after AND o.data_id <= :last AND NOT {{staged}};
