-- Old snapshots go, and data that nothing points to. The work is done in slices, each one batch: the expired snapshots of
-- either kind's properties up to an id, and candidates (rows of `orphans`) up to an id. What a batch took away is not found
-- again, so the next one begins at the front.
--
-- A datum goes with its last pointer. Which pointers stay is found in one of two ways, whichever reads less
-- (core/flow/cleanup.cc): one scan of the tenant's rows, behind which those data are left that no row names, or a look-up of
-- each datum in all sources and targets. All pointers to one datum lie under one external id, so it is found by primary keys.

-- row: slice(last int?, count int)
-- The last id of a slice, and how many there are.

-- fragment: staged
EXISTS (SELECT 1 FROM imports i CROSS JOIN staging g ON g.import_id = i.id AND g.external_id = o.external_id
  WHERE i.tenant_id = :tenant_id AND g.tenant_id = :tenant_id AND g.data_id = o.data_id)

-- fragment: old_source
SELECT x.source_property_id AS property_id FROM sources s CROSS JOIN source_snapshots x ON x.source_id = s.id
WHERE s.tenant_id = :tenant_id AND x.tenant_id = :tenant_id AND x.created_at < :before

-- fragment: source_slice
-- Of the oldest properties with snapshots from before a moment: the last id, and how many such snapshots they have. Nothing
-- is sorted where all fit the slice.
SELECT count(*) AS count, CASE WHEN count(*) < :count THEN coalesce(max(property_id), 0) ELSE (
  SELECT max(property_id) FROM ({{old_source}} ORDER BY x.source_property_id LIMIT :count) AS first) END AS last
FROM ({{old_source}} LIMIT :count) AS old

-- fragment: old_target
SELECT x.target_property_id AS property_id FROM targets s CROSS JOIN target_snapshots x ON x.target_id = s.id
WHERE s.tenant_id = :tenant_id AND x.tenant_id = :tenant_id AND x.created_at < :before

-- fragment: target_slice
SELECT count(*) AS count, CASE WHEN count(*) < :count THEN coalesce(max(property_id), 0) ELSE (
  SELECT max(property_id) FROM ({{old_target}} ORDER BY x.target_property_id LIMIT :count) AS first) END AS last
FROM ({{old_target}} LIMIT :count) AS old

-- fragment: orphan_slice
-- Of the candidates: the last one, and how many there are. What a large import in progress has staged is looked at when that
-- has ended.
SELECT coalesce(max(data_id), 0) AS last, count(*) AS count FROM (
  SELECT o.data_id FROM orphans o WHERE o.tenant_id = :tenant_id AND NOT {{staged}}
  ORDER BY o.data_id LIMIT :count) AS waiting

-- fragment: extent
-- How many sources and targets there are, and how many properties these say they have.
SELECT count(*) AS connectors, CAST(coalesce(sum(property_count), 0) AS BIGINT) AS properties FROM (
  SELECT property_count FROM sources WHERE tenant_id = :tenant_id
  UNION ALL SELECT property_count FROM targets WHERE tenant_id = :tenant_id) AS connectors

-- name: cleanup_slice(tenant_id TenantId, before text, count int) -> (source_last int, source_count int, target_last int, target_count int, orphan_last int, orphan_count int, connectors int, properties int)
-- What the next batch takes away, at most `count` of each kind but for the last property's, and from how much.
SELECT s.last AS source_last, s.count AS source_count, t.last AS target_last, t.count AS target_count,
  o.last AS orphan_last, o.count AS orphan_count, e.connectors, e.properties
FROM ({{source_slice}}) AS s CROSS JOIN ({{target_slice}}) AS t CROSS JOIN ({{orphan_slice}}) AS o
CROSS JOIN ({{extent}}) AS e;

-- fragment: expired_source
FROM sources s CROSS JOIN source_snapshots x ON x.source_id = s.id AND x.source_property_id <= :source_last
  AND x.created_at < :before

-- fragment: kept_source
x.source_id = s.id AND (x.created_at >= :before OR x.source_property_id > :source_last)

-- fragment: expired_target
FROM targets s CROSS JOIN target_snapshots x ON x.target_id = s.id AND x.target_property_id <= :target_last
  AND x.created_at < :before

-- fragment: kept_target
x.target_id = s.id AND (x.created_at >= :before OR x.target_property_id > :target_last)

-- fragment: of_snapshots
WHERE s.tenant_id = :tenant_id AND x.tenant_id = :tenant_id

-- fragment: of_rows
WHERE s.tenant_id = :tenant_id AND p.tenant_id = :tenant_id

-- fragment: dropped
-- All data to which the slice drops a pointer.
SELECT x.data_id {{expired_source}} {{of_snapshots}}
UNION ALL SELECT x.data_id {{expired_target}} {{of_snapshots}}
UNION ALL SELECT x.base_data_id {{expired_target}} AND x.base_data_id <> x.data_id {{of_snapshots}}
UNION ALL SELECT o.data_id FROM orphans o WHERE o.tenant_id = :tenant_id AND o.data_id <= :orphan_last

-- name: staged_kept(tenant_id TenantId, before text, source_last int, target_last int, orphan_last int)
-- What an import in progress has staged becomes a candidate: nothing else may point to it when that has ended. `IS TRUE`
-- keeps PostgreSQL from making a join of it, which might compare each staged item with each datum: it hashes the data.
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT g.data_id, :tenant_id, g.external_id FROM imports i CROSS JOIN staging g ON g.import_id = i.id
WHERE i.tenant_id = :tenant_id AND g.tenant_id = :tenant_id AND (g.data_id IN ({{dropped}})) IS TRUE
ON CONFLICT (data_id) DO NOTHING;

-- fragment: loose
-- D1 takes five selects in a row. Few rows of targets have more than one datum: an index has these alone, to which `id > 0`,
-- which says nothing, leads SQLite.
SELECT data_id FROM ({{dropped}}) AS dropped
EXCEPT SELECT data_id FROM (
  SELECT p.data_id FROM sources s CROSS JOIN source_properties p ON p.source_id = s.id {{of_rows}}
  UNION ALL SELECT p.data_id FROM targets s CROSS JOIN target_properties p ON p.target_id = s.id {{of_rows}}
  UNION ALL SELECT CASE two.n WHEN 0 THEN p.base_data_id ELSE p.delivered_data_id END
    FROM targets s CROSS JOIN target_properties p ON p.target_id = s.id AND p.id > 0
      AND (p.base_data_id <> p.data_id OR p.delivered_data_id IS NOT NULL)
    CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1) AS two {{of_rows}}) AS shown
EXCEPT SELECT data_id FROM (
  SELECT x.data_id FROM sources s CROSS JOIN source_snapshots x ON {{kept_source}} {{of_snapshots}}
  UNION ALL SELECT CASE two.n WHEN 0 THEN x.data_id ELSE x.base_data_id END
    FROM targets s CROSS JOIN target_snapshots x ON {{kept_target}}
    CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1) AS two {{of_snapshots}}
  UNION ALL SELECT g.data_id FROM imports i CROSS JOIN staging g ON g.import_id = i.id
    WHERE i.tenant_id = :tenant_id AND g.tenant_id = :tenant_id AND g.data_id IS NOT NULL) AS kept

-- fragment: property_source
CROSS JOIN source_properties p ON p.source_id = s.id AND p.id = x.source_property_id

-- fragment: property_target
CROSS JOIN target_properties p ON p.target_id = s.id AND p.id = x.target_property_id

-- fragment: candidates
-- The same data as `dropped`, each once, with their external ids: a snapshot is never without its property.
SELECT x.data_id, p.external_id {{expired_source}} {{property_source}} {{of_snapshots}} AND p.tenant_id = :tenant_id
UNION SELECT x.data_id, p.external_id {{expired_target}} {{property_target}} {{of_snapshots}} AND p.tenant_id = :tenant_id
UNION SELECT x.base_data_id, p.external_id {{expired_target}} {{property_target}} {{of_snapshots}} AND p.tenant_id = :tenant_id
UNION SELECT o.data_id, o.external_id FROM orphans o WHERE o.tenant_id = :tenant_id AND o.data_id <= :orphan_last

-- fragment: unreferenced
SELECT o.data_id FROM ({{candidates}}) AS o
WHERE NOT EXISTS (SELECT 1 FROM sources s
    CROSS JOIN source_properties p ON p.source_id = s.id AND p.external_id = o.external_id
    LEFT JOIN source_snapshots x ON x.source_property_id = p.id AND {{kept_source}} AND x.data_id = o.data_id
      AND x.tenant_id = :tenant_id
    {{of_rows}} AND (p.data_id = o.data_id OR x.id IS NOT NULL))
  AND NOT EXISTS (SELECT 1 FROM targets s
    CROSS JOIN target_properties p ON p.target_id = s.id AND p.external_id = o.external_id
    LEFT JOIN target_snapshots x ON x.target_property_id = p.id AND {{kept_target}}
      AND (x.data_id = o.data_id OR x.base_data_id = o.data_id) AND x.tenant_id = :tenant_id
    {{of_rows}} AND (p.data_id = o.data_id OR p.base_data_id = o.data_id OR p.delivered_data_id = o.data_id
      OR x.id IS NOT NULL))
  AND NOT {{staged}}

-- name: loose_data_deleted(tenant_id TenantId, before text, source_last int, target_last int, orphan_last int)
-- By a scan. PostgreSQL looks the members of an array up by the key, whatever it takes their number for.
-- sqlite:
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id IN ({{loose}});
-- postgres:
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id = ANY (ARRAY({{loose}}));

-- name: unreferenced_data_deleted(tenant_id TenantId, before text, source_last int, target_last int, orphan_last int)
-- The same data, by look-ups.
-- sqlite:
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id IN ({{unreferenced}});
-- postgres:
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id = ANY (ARRAY({{unreferenced}}));

-- name: orphans_checked(tenant_id TenantId, last int)
DELETE FROM orphans AS o WHERE o.tenant_id = :tenant_id AND o.data_id <= :last AND NOT {{staged}};

-- name: snapshots_expired(connector, tenant_id TenantId, before text, last int)
-- Deletes them. The next statement is told how many there were: on PostgreSQL, which has no changes(), by a setting of the
-- transaction, which is never NULL. There they are looked up by their keys, so that no guess at their number leads to a scan.
-- sqlite:
DELETE FROM {connector}_snapshots WHERE tenant_id = :tenant_id
  AND {connector}_id IN (SELECT id FROM {connector}s WHERE tenant_id = :tenant_id)
  AND {connector}_property_id <= :last AND created_at < :before;
-- postgres:
WITH gone AS (
  DELETE FROM {connector}_snapshots WHERE tenant_id = :tenant_id AND ({connector}_id, {connector}_property_id, version, id) IN (
    SELECT x.{connector}_id, x.{connector}_property_id, x.version, x.id
    FROM {connector}s s CROSS JOIN {connector}_snapshots x ON x.{connector}_id = s.id AND x.{connector}_property_id <= :last
    WHERE s.tenant_id = :tenant_id AND x.tenant_id = :tenant_id AND x.created_at < :before)
  RETURNING 1)
INSERT INTO guard (row_changed)
SELECT NULL WHERE set_config('sync_manager.changes', (SELECT count(*) FROM gone)::text, true) IS NULL;

-- fragment: hidden
-- `id > 0` says nothing, and leads SQLite to the index of what is not `synced`.
FROM targets t CROSS JOIN target_properties p
  ON p.target_id = t.id AND p.sync_status = 'removed' AND p.sync_status <> 'synced' AND p.id > 0
WHERE t.tenant_id = :tenant_id AND p.tenant_id = :tenant_id AND p.deleted_at < :before
  AND NOT EXISTS (SELECT 1 FROM target_snapshots x
    WHERE x.tenant_id = :tenant_id AND x.target_id = p.target_id AND x.target_property_id = p.id)

-- name: hidden_slice(tenant_id TenantId, before text, count int) -> slice
-- Of the target rows that have been hidden since before a moment: the last id, and how many there are. What is hidden is
-- `removed`. A row that has snapshots, since clocks differ, waits for these to go.
SELECT max(id) AS last, count(*) AS count FROM (
  SELECT p.id {{hidden}} ORDER BY p.id LIMIT :count) AS slice;

-- fragment: hidden_rows
{{hidden}} AND p.id <= :last

-- name: hidden_targets_bumped(tenant_id TenantId, last int, before text)
-- Targets with rows of a slice that have been hidden since before a moment: who knows an older revision has missed them.
UPDATE targets SET revision = revision + 1, feed_floor = revision + 1
WHERE tenant_id = :tenant_id AND (id IN (SELECT p.target_id {{hidden_rows}})) IS TRUE;

-- name: hidden_orphaned(tenant_id TenantId, last int, before text)
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT p.data_id, :tenant_id, p.external_id {{hidden_rows}}
UNION
SELECT p.base_data_id, :tenant_id, p.external_id {{hidden_rows}}
UNION
SELECT p.delivered_data_id, :tenant_id, p.external_id {{hidden_rows}} AND p.delivered_data_id IS NOT NULL
ON CONFLICT (data_id) DO NOTHING;

-- name: hidden_deleted(tenant_id TenantId, last int, before text)
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

-- fragment: log_expired
started_at < :before AND status <> 'running' AND id <> {{log}}

-- name: logs_slice(tenant_id TenantId, before text, count int) -> slice
-- Of the oldest log rows: the last id, and how many are older than a moment. The newest stays: the next one follows its
-- number. One that is running stays: what it does is counted in it.
SELECT max(id) AS last, count(*) FILTER (WHERE {{log_expired}}) AS count FROM (
  SELECT id, started_at, status FROM sync_logs WHERE tenant_id = :tenant_id ORDER BY id LIMIT :count) AS slice;

-- name: logs_expired(tenant_id TenantId, last int, before text)
DELETE FROM sync_logs WHERE tenant_id = :tenant_id AND id <= :last AND {{log_expired}};
