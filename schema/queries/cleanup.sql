-- Old snapshots go, and data that nothing points to. The work is done in slices, each one batch: the expired snapshots of
-- either kind up to a cut, in the order of their keys (source or target, property, version), and candidates (rows of
-- `orphans`) up to an id. What a batch took away is not found again, so the next one begins at the front. A slice is bounded
-- by what its batch has to read and to delete, not by properties: one may have any number of snapshots.
--
-- A datum goes with its last pointer. Which pointers stay is found in one of two ways, whichever reads less
-- (core/flow/cleanup.cc): one scan of the tenant's rows, behind which those data are left that no row names, or a look-up in
-- all sources and targets of each external id that the slice touches: all pointers to one datum lie under one external id, so
-- they are found by primary keys. The second reads the rows of a property once, however many of its data may go.
--
-- Snapshots of what was deleted stay: they go with their source or target (deletion.sql), and count nowhere.

-- fragment: old_source
SELECT x.source_id AS connector_id, x.source_property_id AS property_id, x.version
FROM sources s CROSS JOIN source_snapshots x ON x.source_id = s.id
WHERE s.tenant_id = :tenant_id AND s.deleted_at IS NULL AND x.tenant_id = :tenant_id AND x.created_at < :before
ORDER BY s.id, x.source_property_id, x.version LIMIT :count + 1

-- fragment: old_target
SELECT x.target_id AS connector_id, x.target_property_id AS property_id, x.version
FROM targets s CROSS JOIN target_snapshots x ON x.target_id = s.id
WHERE s.tenant_id = :tenant_id AND s.deleted_at IS NULL AND x.tenant_id = :tenant_id AND x.created_at < :before
ORDER BY s.id, x.target_property_id, x.version LIMIT :count + 1

-- fragment: staged
EXISTS (SELECT 1 FROM imports i CROSS JOIN staging g ON g.import_id = i.id AND g.external_id = o.external_id
  WHERE i.tenant_id = :tenant_id AND g.tenant_id = :tenant_id AND g.data_id = o.data_id)

-- fragment: orphan_slice
-- What a large import in progress has staged is looked at when that has ended.
SELECT o.data_id FROM orphans o WHERE o.tenant_id = :tenant_id AND NOT {{staged}}
ORDER BY o.data_id LIMIT :count + 1

-- fragment: last_of
ORDER BY connector_id DESC, property_id DESC, version DESC LIMIT 1 OFFSET

-- fragment: behind
CASE WHEN count(*) > :count THEN 1 ELSE 0 END

-- name: cleanup_extent(tenant_id TenantId, scan_rows int) -> (connectors int, size int)
-- How many sources and targets there are, and how many rows a scan of all would read. These are counted, up to `scan_rows`
-- and one more, where the numbers of properties do not tell already that there are more.
SELECT connectors, CASE WHEN properties <= :scan_rows THEN (
  SELECT count(*) FROM (
    SELECT 1 AS one FROM sources s CROSS JOIN source_properties p ON p.source_id = s.id {{of_rows}}
    UNION ALL SELECT 1 FROM targets s CROSS JOIN target_properties p ON p.target_id = s.id {{of_rows}}
    UNION ALL SELECT 1 FROM sources s CROSS JOIN source_snapshots x ON x.source_id = s.id {{of_snapshots}}
    UNION ALL SELECT 1 FROM targets s CROSS JOIN target_snapshots x ON x.target_id = s.id {{of_snapshots}}
    UNION ALL SELECT 1 FROM imports s CROSS JOIN staging x ON x.import_id = s.id {{of_snapshots}}
    LIMIT :scan_rows + 1) AS counted) ELSE properties END AS size
FROM (SELECT count(*) AS connectors, CAST(coalesce(sum(property_count), 0) AS BIGINT) AS properties FROM (
  SELECT property_count FROM sources WHERE tenant_id = :tenant_id
  UNION ALL SELECT property_count FROM targets WHERE tenant_id = :tenant_id) AS connectors) AS live;

-- name: cleanup_slice(tenant_id TenantId, before text, count int) -> (source_count int, source_connector int?, source_property int?, source_version int?, target_count int, target_connector int?, target_property int?, target_version int?, orphan_count int, orphan_last int)
-- What the next batch takes away, at most `count` of each kind. The numbers count one more where there is more behind it.
WITH old_source AS MATERIALIZED ({{old_source}}),
old_target AS MATERIALIZED ({{old_target}}),
orphan AS MATERIALIZED ({{orphan_slice}}),
last_source AS MATERIALIZED (SELECT connector_id, property_id, version FROM old_source
  {{last_of}} (SELECT {{behind}} FROM old_source)),
last_target AS MATERIALIZED (SELECT connector_id, property_id, version FROM old_target
  {{last_of}} (SELECT {{behind}} FROM old_target)),
last_orphan AS MATERIALIZED (SELECT data_id FROM orphan
  ORDER BY data_id DESC LIMIT 1 OFFSET (SELECT {{behind}} FROM orphan))
SELECT (SELECT count(*) FROM old_source) AS source_count, (SELECT connector_id FROM last_source) AS source_connector,
  (SELECT property_id FROM last_source) AS source_property, (SELECT version FROM last_source) AS source_version,
  (SELECT count(*) FROM old_target) AS target_count, (SELECT connector_id FROM last_target) AS target_connector,
  (SELECT property_id FROM last_target) AS target_property, (SELECT version FROM last_target) AS target_version,
  (SELECT count(*) FROM orphan) AS orphan_count, coalesce((SELECT data_id FROM last_orphan), 0) AS orphan_last;

-- fragment: expired_source
FROM sources s CROSS JOIN source_snapshots x ON x.source_id = s.id AND s.id <= :source_connector
  AND s.deleted_at IS NULL
  AND x.source_property_id <= CASE WHEN s.id < :source_connector THEN 9223372036854775807 ELSE :source_property END
  AND (s.id < :source_connector OR x.source_property_id < :source_property OR x.version <= :source_version)
  AND x.created_at < :before

-- fragment: kept_source
x.source_id = s.id AND (x.created_at >= :before OR s.deleted_at IS NOT NULL
  OR (x.source_id, x.source_property_id, x.version) > (:source_connector, :source_property, :source_version))

-- fragment: expired_target
FROM targets s CROSS JOIN target_snapshots x ON x.target_id = s.id AND s.id <= :target_connector
  AND s.deleted_at IS NULL
  AND x.target_property_id <= CASE WHEN s.id < :target_connector THEN 9223372036854775807 ELSE :target_property END
  AND (s.id < :target_connector OR x.target_property_id < :target_property OR x.version <= :target_version)
  AND x.created_at < :before

-- fragment: kept_target
x.target_id = s.id AND (x.created_at >= :before OR s.deleted_at IS NOT NULL
  OR (x.target_id, x.target_property_id, x.version) > (:target_connector, :target_property, :target_version))

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

-- fragment: touched
-- The external ids of these, each once: a snapshot is never without its property.
SELECT p.external_id {{expired_source}}
  CROSS JOIN source_properties p ON p.source_id = s.id AND p.id = x.source_property_id
  {{of_snapshots}} AND p.tenant_id = :tenant_id
UNION SELECT p.external_id {{expired_target}}
  CROSS JOIN target_properties p ON p.target_id = s.id AND p.id = x.target_property_id
  {{of_snapshots}} AND p.tenant_id = :tenant_id
UNION SELECT o.external_id FROM orphans o WHERE o.tenant_id = :tenant_id AND o.data_id <= :orphan_last

-- name: staged_kept(tenant_id TenantId, before text, source_connector int, source_property int, source_version int, target_connector int, target_property int, target_version int, orphan_last int)
-- What an import in progress has staged becomes a candidate: nothing else may point to it when that has ended. `IS TRUE`
-- keeps PostgreSQL from making a join of it, which might compare each staged item with each datum: it hashes the data.
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT g.data_id, :tenant_id, g.external_id FROM imports i CROSS JOIN ({{touched}}) AS touched
CROSS JOIN staging g ON g.import_id = i.id AND g.external_id = touched.external_id
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

-- fragment: unreferenced
WITH touched AS MATERIALIZED ({{touched}})
SELECT data_id FROM ({{dropped}}) AS dropped
EXCEPT SELECT data_id FROM (
  SELECT p.data_id FROM touched o CROSS JOIN sources s
    CROSS JOIN source_properties p ON p.source_id = s.id AND p.external_id = o.external_id {{of_rows}}
  UNION ALL SELECT CASE three.n WHEN 0 THEN p.data_id WHEN 1 THEN p.base_data_id ELSE p.delivered_data_id END
    FROM touched o CROSS JOIN targets s
    CROSS JOIN target_properties p ON p.target_id = s.id AND p.external_id = o.external_id
    CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2) AS three {{of_rows}}) AS shown
EXCEPT SELECT data_id FROM (
  SELECT x.data_id FROM touched o CROSS JOIN sources s
    CROSS JOIN source_properties p ON p.source_id = s.id AND p.external_id = o.external_id
    CROSS JOIN source_snapshots x ON x.source_property_id = p.id AND {{kept_source}}
    {{of_snapshots}} AND p.tenant_id = :tenant_id
  UNION ALL SELECT CASE two.n WHEN 0 THEN x.data_id ELSE x.base_data_id END
    FROM touched o CROSS JOIN targets s
    CROSS JOIN target_properties p ON p.target_id = s.id AND p.external_id = o.external_id
    CROSS JOIN target_snapshots x ON x.target_property_id = p.id AND {{kept_target}}
    CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1) AS two {{of_snapshots}} AND p.tenant_id = :tenant_id
  UNION ALL SELECT g.data_id FROM touched o CROSS JOIN imports i
    CROSS JOIN staging g ON g.import_id = i.id AND g.external_id = o.external_id
    WHERE i.tenant_id = :tenant_id AND g.tenant_id = :tenant_id AND g.data_id IS NOT NULL) AS kept

-- name: loose_data_deleted(tenant_id TenantId, before text, source_connector int, source_property int, source_version int, target_connector int, target_property int, target_version int, orphan_last int)
-- By a scan. PostgreSQL looks the members of an array up by the key, whatever it takes their number for.
-- sqlite:
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id IN ({{loose}});
-- postgres:
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id = ANY (ARRAY({{loose}}));

-- name: unreferenced_data_deleted(tenant_id TenantId, before text, source_connector int, source_property int, source_version int, target_connector int, target_property int, target_version int, orphan_last int)
-- The same data, by look-ups.
-- sqlite:
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id IN ({{unreferenced}});
-- postgres:
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id = ANY (ARRAY({{unreferenced}}));

-- name: orphans_checked(tenant_id TenantId, last int)
DELETE FROM orphans AS o WHERE o.tenant_id = :tenant_id AND o.data_id <= :last AND NOT {{staged}};

-- fragment: gone_counted
INSERT INTO guard (row_changed)
SELECT NULL WHERE set_config('sync_manager.changes', (SELECT count(*) FROM gone)::text, true) IS NULL

-- fragment: source_keys
(source_id, source_property_id, version, id) IN (
  SELECT x.source_id, x.source_property_id, x.version, x.id {{expired_source}} {{of_snapshots}})

-- name: source_snapshots_expired(tenant_id TenantId, before text, source_connector int, source_property int, source_version int)
-- Deletes them, by their keys. The next statement is told how many there were: on PostgreSQL, which has no changes(), by a
-- setting of the transaction, which is never NULL.
-- sqlite:
DELETE FROM source_snapshots WHERE tenant_id = :tenant_id AND {{source_keys}};
-- postgres:
WITH gone AS (DELETE FROM source_snapshots WHERE tenant_id = :tenant_id AND {{source_keys}} RETURNING 1)
{{gone_counted}};

-- fragment: target_keys
(target_id, target_property_id, version, id) IN (
  SELECT x.target_id, x.target_property_id, x.version, x.id {{expired_target}} {{of_snapshots}})

-- name: target_snapshots_expired(tenant_id TenantId, before text, target_connector int, target_property int, target_version int)
-- sqlite:
DELETE FROM target_snapshots WHERE tenant_id = :tenant_id AND {{target_keys}};
-- postgres:
WITH gone AS (DELETE FROM target_snapshots WHERE tenant_id = :tenant_id AND {{target_keys}} RETURNING 1)
{{gone_counted}};

-- fragment: hidden
-- `id > 0` says nothing, and leads SQLite to the index of what is not `synced`.
FROM targets t CROSS JOIN target_properties p
  ON p.target_id = t.id AND p.sync_status = 'removed' AND p.sync_status <> 'synced' AND p.id > 0
WHERE t.tenant_id = :tenant_id AND p.tenant_id = :tenant_id AND p.deleted_at < :before
  AND NOT EXISTS (SELECT 1 FROM target_snapshots x
    WHERE x.tenant_id = :tenant_id AND x.target_id = p.target_id AND x.target_property_id = p.id)

-- name: hidden_slice(tenant_id TenantId, before text, count int) -> (target_id int?, last int?)
-- Of the target rows that have been hidden since before a moment, in the order of target and id: the last one of a slice.
-- What is hidden is `removed`. A row that has snapshots, since clocks differ, waits for these to go.
WITH slice AS MATERIALIZED (SELECT p.target_id, p.id {{hidden}} ORDER BY t.id, p.id LIMIT :count)
SELECT (SELECT target_id FROM slice ORDER BY target_id DESC LIMIT 1) AS target_id,
  (SELECT id FROM slice ORDER BY target_id DESC, id DESC LIMIT 1) AS last;

-- fragment: hidden_rows
{{hidden}} AND t.id <= :target_id AND (t.id < :target_id OR p.id <= :last)

-- name: hidden_targets_bumped(tenant_id TenantId, target_id int, last int, before text)
-- Targets with rows of a slice that have been hidden since before a moment: who knows an older revision has missed them.
UPDATE targets SET revision = revision + 1, feed_floor = revision + 1
WHERE tenant_id = :tenant_id AND (id IN (SELECT p.target_id {{hidden_rows}})) IS TRUE;

-- name: hidden_orphaned(tenant_id TenantId, target_id int, last int, before text)
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT p.data_id, :tenant_id, p.external_id {{hidden_rows}}
UNION
SELECT p.base_data_id, :tenant_id, p.external_id {{hidden_rows}}
UNION
SELECT p.delivered_data_id, :tenant_id, p.external_id {{hidden_rows}} AND p.delivered_data_id IS NOT NULL
ON CONFLICT (data_id) DO NOTHING;

-- name: hidden_deleted(tenant_id TenantId, target_id int, last int, before text)
-- Their snapshots are as old as they are, and went before them.
DELETE FROM target_properties WHERE tenant_id = :tenant_id AND (target_id, external_id) IN (
  SELECT p.target_id, p.external_id {{hidden_rows}});

-- name: expired_imports(tenant_id TenantId, now text) -> (id int, lease_until text)
-- A large import that was given up, and until when it was alive.
SELECT id, lease_until FROM imports WHERE tenant_id = :tenant_id AND lease_until < :now ORDER BY lease_until LIMIT 1;

-- name: import_given_up(tenant_id TenantId, import_id int)
-- What it has staged goes in slices: from the first one on it may not go on (guard_import).
UPDATE imports SET lease_until = '' WHERE tenant_id = :tenant_id AND id = :import_id;

-- name: staged_slice(tenant_id TenantId, import_id int, count int) -> (last text?, count int)
-- Of what an import has staged: the last external id of a slice, and how many there are.
SELECT max(external_id) AS last, count(*) AS count FROM (
  SELECT external_id FROM staging WHERE tenant_id = :tenant_id AND import_id = :import_id
  ORDER BY external_id LIMIT :count) AS slice;

-- name: staged_slice_data_deleted(tenant_id TenantId, import_id int, last text)
-- Data of an import that is given up, before any row points to it.
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id IN (
  SELECT data_id FROM staging
  WHERE tenant_id = :tenant_id AND import_id = :import_id AND external_id <= :last AND sent = 1);

-- name: staged_slice_dropped(tenant_id TenantId, import_id int, last text)
DELETE FROM staging WHERE tenant_id = :tenant_id AND import_id = :import_id AND external_id <= :last;

-- name: guard_import_idle(tenant_id TenantId, import_id int, lease_until text)
-- Aborts the batch as `guard:lease_lost` where the import moved on.
INSERT INTO guard (lease_lost) SELECT NULL WHERE EXISTS (
  SELECT 1 FROM imports WHERE tenant_id = :tenant_id AND id = :import_id AND lease_until <> :lease_until);

-- fragment: log_expired
started_at < :before AND status <> 'running' AND id <> {{log}}

-- name: logs_slice(tenant_id TenantId, before text, count int) -> (last int?, count int)
-- Of the oldest log rows: the last id, and how many are older than a moment. The newest stays: the next one follows its
-- number. One that is running stays: what it does is counted in it.
SELECT max(id) AS last, count(*) FILTER (WHERE {{log_expired}}) AS count FROM (
  SELECT id, started_at, status FROM sync_logs WHERE tenant_id = :tenant_id ORDER BY id LIMIT :count) AS slice;

-- name: logs_expired(tenant_id TenantId, last int, before text)
DELETE FROM sync_logs WHERE tenant_id = :tenant_id AND id <= :last AND {{log_expired}};
