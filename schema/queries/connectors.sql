-- name: connector_added(connector, tenant_id TenantId, id int, name text, type text, config text, now text)
INSERT INTO {connector}s (id, tenant_id, name, type, config, created_at, updated_at)
VALUES (:id, :tenant_id, :name, :type, :config, :now, :now);

-- row: connector(id int, name text, type text, config text, property_count int, created_at text, updated_at text, revision int)
-- A source or a target.

-- name: connector_by_id(connector, tenant_id TenantId, id int) -> connector
SELECT id, name, type, config, property_count, created_at, updated_at, revision FROM {connector}s
WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL;

-- name: connectors_state(connector, tenant_id TenantId) -> (count int, last int, revisions int)
-- What the ETag of the list is made of: a change of any row raises the sum, a new row the largest id.
SELECT count(*) AS count, coalesce(max(id), 0) AS last, CAST(coalesce(sum(revision), 0) AS BIGINT) AS revisions
FROM {connector}s WHERE tenant_id = :tenant_id AND deleted_at IS NULL;

-- name: connectors_page(connector, tenant_id TenantId, after int, count int, largest int) -> (id int, bytes int, data text?, name text, type text, property_count int, created_at text, updated_at text)
-- `data` is the config, unless it has more than `largest` bytes.
SELECT id, octet_length(config) AS bytes, CASE WHEN octet_length(config) <= :largest THEN config END AS data,
  name, type, property_count, created_at, updated_at
FROM {connector}s WHERE tenant_id = :tenant_id AND id > :after AND deleted_at IS NULL ORDER BY id LIMIT :count;

-- name: connector_changed(connector, tenant_id TenantId, id int, name text, config text, now text) -> revision
UPDATE {connector}s SET name = :name, config = :config, revision = revision + 1, updated_at = :now
WHERE tenant_id = :tenant_id AND id = :id RETURNING revision;

-- name: connector_seals(connector, tenant_id TenantId, id int) -> (seals text)
SELECT seals FROM sealed_secrets WHERE tenant_id = :tenant_id AND owner = '{connector}' AND owner_id = :id;

-- name: connector_old_seals(connector, tenant_id TenantId, id int) -> (pointer text, key_id text, sealed text)
-- Those of a config that was not changed since each secret had a row.
SELECT pointer, key_id, sealed FROM secrets WHERE tenant_id = :tenant_id AND owner = '{connector}' AND owner_id = :id;

-- name: seals_stored(connector, tenant_id TenantId, id int, seals text)
INSERT INTO sealed_secrets (tenant_id, owner, owner_id, seals) VALUES (:tenant_id, '{connector}', :id, :seals)
ON CONFLICT (owner, owner_id) DO UPDATE SET seals = excluded.seals;

-- name: seals_deleted(connector, tenant_id TenantId, id int)
DELETE FROM sealed_secrets WHERE tenant_id = :tenant_id AND owner = '{connector}' AND owner_id = :id;

-- name: old_seals_deleted(connector, tenant_id TenantId, id int)
DELETE FROM secrets WHERE tenant_id = :tenant_id AND owner = '{connector}' AND owner_id = :id;

-- name: fed_targets_bumped(tenant_id TenantId, source_id SourceId)
-- Every target that has rows of the source, or rows that it contests: the next batch changes them.
UPDATE targets SET revision = revision + 1 WHERE tenant_id = :tenant_id AND id IN (
  SELECT target_id FROM sync_pairs WHERE tenant_id = :tenant_id AND source_id = :source_id);
