-- A source or target that is deleted is marked so by one small batch: from then on nothing finds it, and nothing is tied to
-- it or contested by it. Its rows go behind that in slices, each one batch that takes away the first so many of what is left,
-- so that the next one begins at the front, and several may be at work at once: first snapshots, whose data lie under the
-- external ids of properties; then properties, and with each of a source what it was tied to; last the row itself, when
-- nothing is left that would go with it.

-- fragment: deleted_sources
-- Those of the tenant whose rows are yet to go. Hardly ever any: an index has these alone.
(SELECT g.id FROM sources g WHERE g.tenant_id = :tenant_id AND g.deleted_at IS NOT NULL)

-- fragment: none_deleted
-- Asked once for a statement: what has many rows does not look each of them up.
NOT EXISTS {{deleted_sources}}

-- fragment: source_there
EXISTS (SELECT 1 FROM sources k WHERE k.tenant_id = :tenant_id AND k.id = :source_id AND k.deleted_at IS NULL)

-- fragment: target_there
EXISTS (SELECT 1 FROM targets k WHERE k.tenant_id = :tenant_id AND k.id = :target_id AND k.deleted_at IS NULL)

-- name: connector_marked(connector, tenant_id TenantId, id int, now text)
-- Who has read it before loses the race by its revision.
UPDATE {connector}s SET deleted_at = :now, revision = revision + 1 WHERE tenant_id = :tenant_id AND id = :id;

-- fragment: also_shown_source
(SELECT count(*) FROM source_properties p INDEXED BY source_properties_removed
  WHERE p.tenant_id = :tenant_id AND p.source_id = :id AND p.removed_at IS NOT NULL)

-- fragment: also_shown_target
0

-- name: properties_counted(connector, tenant_id TenantId, id int) -> count
-- Those that a list shows: removed ones of a source, too.
SELECT property_count + {{also_shown_{connector}}} AS count FROM {connector}s WHERE tenant_id = :tenant_id AND id = :id;

-- fragment: snapshots_behind
SELECT {connector}_property_id AS property, version, id FROM {connector}_snapshots
WHERE tenant_id = :tenant_id AND {connector}_id = :connector_id
  AND ({connector}_property_id, version, id) > (:property, :version, :id)
ORDER BY {connector}_property_id, version, id

-- name: snapshots_counted(connector, tenant_id TenantId, connector_id int, property int, version int, id int, count int) -> count
-- Of the snapshots behind one, in the order of their keys: how many there are, up to a number.
SELECT count(*) AS count FROM ({{snapshots_behind}} LIMIT :count) AS slice;

-- name: snapshots_continued(connector, tenant_id TenantId, connector_id int, property int, version int, id int, count int) -> (property int, version int, id int)
-- The last one of as many; none where there are fewer.
{{snapshots_behind}} LIMIT 1 OFFSET :count - 1;

-- fragment: first_snapshots
(SELECT * FROM {connector}_snapshots WHERE tenant_id = :tenant_id AND {connector}_id = :id
  ORDER BY {connector}_property_id, version, id LIMIT :count) AS x

-- fragment: first_properties
(SELECT * FROM {connector}_properties WHERE tenant_id = :tenant_id AND {connector}_id = :id
  ORDER BY external_id LIMIT :count) AS x

-- The bases, which only rows of targets have.

-- fragment: snapshot_bases_source

-- fragment: snapshot_bases_target
UNION ALL SELECT x.base_data_id, :tenant_id, p.external_id FROM {{first_snapshots}}
CROSS JOIN target_properties p ON p.target_id = x.target_id AND p.id = x.target_property_id
WHERE p.tenant_id = :tenant_id AND x.base_data_id <> x.data_id

-- fragment: property_bases_source

-- fragment: property_bases_target
UNION ALL SELECT x.base_data_id, :tenant_id, x.external_id FROM {{first_properties}} WHERE x.base_data_id <> x.data_id

-- name: first_snapshots_orphaned(connector, tenant_id TenantId, id int, count int)
-- All data that they point to; a clean-up finds out which of it others still need.
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT x.data_id, :tenant_id, p.external_id FROM {{first_snapshots}}
CROSS JOIN {connector}_properties p ON p.{connector}_id = x.{connector}_id AND p.id = x.{connector}_property_id
WHERE p.tenant_id = :tenant_id {{snapshot_bases_{connector}}}
ON CONFLICT (data_id) DO NOTHING;

-- name: first_snapshots_deleted(connector, tenant_id TenantId, id int, count int)
DELETE FROM {connector}_snapshots WHERE tenant_id = :tenant_id
  AND ({connector}_id, {connector}_property_id, version, id) IN (
    SELECT x.{connector}_id, x.{connector}_property_id, x.version, x.id FROM {{first_snapshots}});

-- name: fed_targets_counted(tenant_id TenantId, source_id SourceId) -> count
-- Those that may have rows of a source, or rows that it contests.
SELECT count(*) AS count FROM sync_pairs WHERE tenant_id = :tenant_id AND source_id = :source_id;

-- name: first_properties_untied(tenant_id TenantId, id int, count int)
-- What is tied to the properties of a source that goes, or contested for them, lies under their external ids. It has been
-- shown without that since the source was deleted, so its revision stays.
UPDATE target_properties SET
  source_id = CASE WHEN source_id = :id THEN NULL ELSE source_id END,
  source_property_id = CASE WHEN source_id = :id THEN NULL ELSE source_property_id END,
  contested_by = CASE WHEN contested_by = :id THEN NULL ELSE contested_by END
WHERE tenant_id = :tenant_id AND (source_id = :id OR contested_by = :id) AND (target_id, external_id) IN (
  SELECT f.target_id, x.external_id FROM sync_pairs f CROSS JOIN (
    SELECT external_id FROM source_properties WHERE tenant_id = :tenant_id AND source_id = :id
    ORDER BY external_id LIMIT :count) AS x
  WHERE f.tenant_id = :tenant_id AND f.source_id = :id);

-- name: first_properties_orphaned(connector, tenant_id TenantId, id int, count int)
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT x.data_id, :tenant_id, x.external_id FROM {{first_properties}} WHERE true {{property_bases_{connector}}}
ON CONFLICT (data_id) DO NOTHING;

-- name: first_properties_deleted(connector, tenant_id TenantId, id int, count int)
DELETE FROM {connector}_properties WHERE tenant_id = :tenant_id AND ({connector}_id, external_id) IN (
  SELECT x.{connector}_id, x.external_id FROM {{first_properties}});

-- name: connector_pairs_deleted(connector, tenant_id TenantId, id int)
DELETE FROM sync_pairs WHERE tenant_id = :tenant_id AND {connector}_id = :id;

-- name: connector_deleted(connector, tenant_id TenantId, id int)
-- Unless rows are left, which would go with it.
DELETE FROM {connector}s WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM {connector}_properties p WHERE p.tenant_id = :tenant_id AND p.{connector}_id = :id);

-- name: deleted_connectors(connector, before text, count int) -> (tenant_id TenantId, id int)
-- Of all tenants: those that were deleted before a moment and whose rows are yet to go, the oldest deletion first.
SELECT tenant_id, id FROM {connector}s WHERE deleted_at < :before ORDER BY deleted_at, id LIMIT :count;
