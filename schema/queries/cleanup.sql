-- Data is dropped when nothing points to it any more. All pointers to one datum lie under one external id of one tenant, so
-- each candidate (a row of `orphans`) is checked by primary key.

-- name: cleanup_properties(side, tenant_id TenantId, after int, count int)
-- The next slice of the tenant's property rows by id, across all its {side}s: the last id, and how many there are.
SELECT max(id), count(*) FROM (
  SELECT p.id FROM {side}s s CROSS JOIN {side}_properties p ON p.{side}_id = s.id
  WHERE s.tenant_id = :tenant_id AND p.tenant_id = :tenant_id AND p.id > :after ORDER BY p.id LIMIT :count);

-- fragment: expired
FROM {side}s s CROSS JOIN {side}_properties p ON p.{side}_id = s.id
CROSS JOIN {side}_snapshots x ON x.{side}_property_id = p.id
WHERE s.tenant_id = :tenant_id AND p.tenant_id = :tenant_id AND p.id > :after AND p.id <= :last
  AND x.tenant_id = :tenant_id AND x.created_at < :before

-- name: snapshots_orphaned(side, tenant_id TenantId, after int, last int, before text)
-- Data of the snapshots of a slice that are older than `before`.
INSERT INTO orphans (data_id, tenant_id, external_id) SELECT x.data_id, :tenant_id, p.external_id {{expired}}
ON CONFLICT (data_id) DO NOTHING;

-- name: snapshot_bases_orphaned(tenant_id TenantId, after int, last int, before text)
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT x.base_data_id, :tenant_id, p.external_id
FROM targets s CROSS JOIN target_properties p ON p.target_id = s.id
CROSS JOIN target_snapshots x ON x.target_property_id = p.id
WHERE s.tenant_id = :tenant_id AND p.tenant_id = :tenant_id AND p.id > :after AND p.id <= :last
  AND x.tenant_id = :tenant_id AND x.created_at < :before
ON CONFLICT (data_id) DO NOTHING;

-- name: snapshots_expired(side, tenant_id TenantId, after int, last int, before text)
-- Deletes them, and gives their number back by the statement's changes.
DELETE FROM {side}_snapshots WHERE tenant_id = :tenant_id AND ({side}_property_id, version, id) IN (
  SELECT x.{side}_property_id, x.version, x.id {{expired}});

-- name: orphans_slice(tenant_id TenantId, after int, count int)
-- The next slice of candidates: the last id, and how many there are.
SELECT max(data_id), count(*) FROM (
  SELECT data_id FROM orphans WHERE tenant_id = :tenant_id AND data_id > :after ORDER BY data_id LIMIT :count);

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
