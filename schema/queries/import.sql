-- name: import_differences(tenant_id TenantId, source_id SourceId, pack pack)
-- Which of the items differ from what is stored: their place in the pack, and 1 where the property exists.
-- A pack of identities is a JSON list of "<hash><external_id>".
SELECT j.key, p.id IS NOT NULL FROM json_each(:pack) j
LEFT JOIN source_properties p
  ON p.tenant_id = :tenant_id AND p.source_id = :source_id AND p.external_id = substr(j.value, 65)
WHERE p.hash IS NOT substr(j.value, 1, 64);

-- name: import_data(tenant_id TenantId, first_data_id int, quote text, pack pack)
-- A pack of data is an object {"<hash><place>": "<data>"} in ASCII: data stands as a JSON string in which :quote is
-- written for each quotation mark, which halves what has to be escaped.
INSERT INTO property_data (id, tenant_id, hash, data)
SELECT :first_data_id + CAST(substr(j.key, 65) AS INTEGER), :tenant_id, substr(j.key, 1, 64),
  replace(j.value, :quote, '"')
FROM json_each(:pack) j;

-- name: import_snapshots(tenant_id TenantId, source_id SourceId, first_snapshot_id int, now text, pack pack)
-- The old versions of those items of a pack of identities that exist.
INSERT INTO source_snapshots (tenant_id, source_id, source_property_id, version, id, data_id, reason, log_id, created_at)
SELECT :tenant_id, :source_id, p.id, p.version, :first_snapshot_id + row_number() OVER (ORDER BY p.id) - 1, p.data_id,
  'import', {{log}}, :now
FROM json_each(:pack) j CROSS JOIN source_properties p
  ON p.source_id = :source_id AND p.external_id = substr(j.value, 65)
WHERE p.tenant_id = :tenant_id;

-- name: import_rows(tenant_id TenantId, source_id SourceId, first_id int, first_data_id int, revision int, now text, pack pack)
-- Creates or updates a row for each item of a pack of identities; data ids follow the places in the pack.
INSERT INTO source_properties (tenant_id, source_id, external_id, id, hash, data_id, revision, log_id, life_log,
  created_at, updated_at)
SELECT :tenant_id, :source_id, substr(j.value, 65), :first_id + j.key, substr(j.value, 1, 64),
  :first_data_id + j.key, :revision, {{log}}, {{log}}, :now, :now
FROM json_each(:pack) j WHERE true
ON CONFLICT (source_id, external_id) DO UPDATE SET hash = excluded.hash, data_id = excluded.data_id,
  version = version + 1, revision = excluded.revision, log_id = excluded.log_id, updated_at = excluded.updated_at;

-- name: source_bumped(tenant_id TenantId, source_id SourceId, created int)
UPDATE sources SET revision = revision + 1, property_count = property_count + :created
WHERE tenant_id = :tenant_id AND id = :source_id;

-- name: sent_data_deleted(tenant_id TenantId, first int, count int)
-- Data that was sent ahead and is not needed after all: a whole part, before any row points to it.
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id >= :first AND id < :first + :count;

-- name: sent_data_dropped(tenant_id TenantId, pack pack)
-- The same for a list of ids.
DELETE FROM property_data WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:pack));
