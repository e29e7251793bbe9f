-- A pack of identities is a JSON list of "<hash><external_id>"; one of a large import has the item's place in eight digits
-- between the two. A pack of data is an object {"<hash><place>": "<data>"} in ASCII: data stands as a JSON string in which
-- :quote is written for each quotation mark, which halves what has to be escaped.

-- fragment: source_revision
(SELECT revision FROM sources WHERE tenant_id = :tenant_id AND id = :source_id)

-- fragment: next_data
(SELECT next FROM counters WHERE name = 'property_data')

-- name: source_has_rows(tenant_id TenantId, source_id SourceId) -> (found int)
-- Whether the source has any property, live or removed.
SELECT count(*) AS found FROM (
  SELECT 1 FROM source_properties WHERE tenant_id = :tenant_id AND source_id = :source_id LIMIT 1) AS row_there;

-- name: import_differences(tenant_id TenantId, source_id SourceId, pack pack) -> (letters text?)
-- One letter for each item of the pack, in its order: `n` new, `c` changed, `d` removed and differs, `r` removed and as it
-- was, `=` as it is. A row an item would cost more than the comparison.
SELECT string_agg(CASE
    WHEN p.id IS NULL THEN 'n'
    WHEN p.hash = substr(j.value, 1, 64) THEN CASE WHEN p.removed_at IS NULL THEN '=' ELSE 'r' END
    WHEN p.removed_at IS NULL THEN 'c' ELSE 'd' END, '' {{in_order}}) AS letters
FROM {{items}}
LEFT JOIN source_properties p
  ON p.tenant_id = :tenant_id AND p.source_id = :source_id AND p.external_id = substr(j.value, 65);

-- name: absent_counted(tenant_id TenantId, source_id SourceId, pack pack) -> count
-- How many live properties a list of identities lacks.
SELECT count(*) AS count FROM source_properties WHERE tenant_id = :tenant_id AND source_id = :source_id AND removed_at IS NULL
  AND external_id NOT IN (SELECT substr(j.value, 65) FROM {{items}});

-- name: source_bumped(tenant_id TenantId, source_id SourceId, live int)
-- Before any change of a source's properties, which take the new revision; `live` more of them are live.
UPDATE sources SET revision = revision + 1, property_count = property_count + :live
WHERE tenant_id = :tenant_id AND id = :source_id;

-- name: import_remembered(tenant_id TenantId, source_id SourceId, digest text)
-- Behind source_bumped: what this import was.
UPDATE sources SET imported_digest = :digest, imported_revision = revision WHERE tenant_id = :tenant_id AND id = :source_id;

-- name: last_import(tenant_id TenantId, source_id SourceId) -> (digest text?)
-- The digest of the import that left the source as it is.
SELECT imported_digest AS digest FROM sources
WHERE tenant_id = :tenant_id AND id = :source_id AND imported_revision = revision;

-- name: import_data(tenant_id TenantId, count int, quote text, pack pack)
-- The last `count` ids that were handed out are those of the data, by place.
INSERT INTO property_data (id, tenant_id, hash, data)
SELECT {{next_data}} - :count + CAST(substr(j.key, 65) AS INTEGER), :tenant_id, substr(j.key, 1, 64),
  replace(j.value, :quote, '"')
FROM {{members}};

-- name: import_snapshots(tenant_id TenantId, source_id SourceId, fresh int, count int, now text, pack pack)
-- The old versions of those items of a pack that exist: `count` of them, behind `fresh` others. Their ids are those that
-- were reserved last.
INSERT INTO source_snapshots (tenant_id, source_id, source_property_id, version, id, data_id, reason, log_id, created_at)
SELECT :tenant_id, :source_id, p.id, p.version,
  (SELECT next FROM counters WHERE name = 'source_snapshots') - :count + j.key - :fresh, p.data_id,
  'import', {{log}}, :now
FROM {{items}} CROSS JOIN source_properties p
  ON p.source_id = :source_id AND p.external_id = substr(j.value, 65)
WHERE p.tenant_id = :tenant_id;

-- fragment: import_upsert
ON CONFLICT (source_id, external_id) DO UPDATE SET hash = excluded.hash, data_id = excluded.data_id,
  version = source_properties.version + 1, removed_at = NULL, revision = excluded.revision, log_id = excluded.log_id,
  life_log = CASE WHEN source_properties.removed_at IS NULL THEN source_properties.life_log ELSE excluded.life_log END,
  updated_at = excluded.updated_at

-- name: import_rows(tenant_id TenantId, source_id SourceId, fresh int, count int, now text, pack pack)
-- Creates a row for each of the first `fresh` items, with the ids that were reserved last, and updates one for each of
-- the rest. The data of all `count` has the ids that were reserved last.
INSERT INTO source_properties (tenant_id, source_id, external_id, id, hash, data_id, revision, log_id, life_log,
  created_at, updated_at)
SELECT :tenant_id, :source_id, substr(j.value, 65),
  (SELECT next FROM counters WHERE name = 'source_properties') - :fresh + j.key, substr(j.value, 1, 64),
  {{next_data}} - :count + j.key, {{source_revision}}, {{log}}, {{log}}, :now, :now
FROM {{items}} WHERE true
{{import_upsert}};

-- fragment: returned
removed_at = NULL, revision = {{source_revision}}, life_log = {{log}}, updated_at = :now

-- fragment: removed
removed_at = :now, revision = {{source_revision}}, life_log = {{log}}, updated_at = :now

-- name: import_returned(tenant_id TenantId, source_id SourceId, now text, pack pack)
-- Removed properties that came back as they were.
UPDATE source_properties SET {{returned}}
WHERE tenant_id = :tenant_id
  AND (source_id, external_id) IN (SELECT :source_id, substr(j.value, 65) FROM {{items}} LIMIT -1);

-- name: import_removed(tenant_id TenantId, source_id SourceId, now text, pack pack)
-- Live properties that a list of identities lacks.
UPDATE source_properties SET {{removed}}
WHERE tenant_id = :tenant_id AND source_id = :source_id AND removed_at IS NULL
  AND external_id NOT IN (SELECT substr(j.value, 65) FROM {{items}});

-- name: property_removed(tenant_id TenantId, source_id SourceId, id PropertyId, now text)
UPDATE source_properties SET {{removed}} WHERE tenant_id = :tenant_id AND source_id = :source_id AND id = :id;

-- A large import: its items are staged part by part, and applied by one batch.

-- name: import_begun(tenant_id TenantId, source_id SourceId, lease_until text)
-- Takes the id that was handed out last.
INSERT INTO imports (id, tenant_id, source_id, lease_until)
SELECT next - 1, :tenant_id, :source_id, :lease_until FROM counters WHERE name = 'imports';

-- name: guard_import(tenant_id TenantId, import_id int)
-- Aborts the batch as `guard:lease_lost` where the import was given up meanwhile.
INSERT INTO guard (lease_lost)
SELECT NULL WHERE NOT EXISTS (
  SELECT 1 FROM imports WHERE tenant_id = :tenant_id AND id = :import_id AND lease_until <> '');

-- name: import_renewed(tenant_id TenantId, import_id int, lease_until text)
UPDATE imports SET lease_until = :lease_until WHERE tenant_id = :tenant_id AND id = :import_id;

-- name: staged_differences(tenant_id TenantId, source_id SourceId, pack pack) -> (letters text?)
-- One letter for each item of a part, in its order: `=` where the source has its data, `x` where it is to be sent.
SELECT string_agg(CASE WHEN p.hash = substr(j.value, 1, 64) THEN '=' ELSE 'x' END, '' {{in_order}}) AS letters FROM {{items}}
LEFT JOIN source_properties p
  ON p.tenant_id = :tenant_id AND p.source_id = :source_id AND p.external_id = substr(j.value, 73);

-- name: staged_again(tenant_id TenantId, import_id int, pack pack) -> (key int, place int)
-- Items of a part whose identity an earlier part has: their place in the pack, and the earlier item's in the import.
SELECT j.key AS key, g.place FROM {{items}}
CROSS JOIN staging g ON g.import_id = :import_id AND g.external_id = substr(j.value, 73)
WHERE g.tenant_id = :tenant_id AND g.hash IS NOT NULL;

-- name: staged_superseded(tenant_id TenantId, import_id int, pack pack)
-- Data that was sent for items whose identities come again.
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT g.data_id, :tenant_id, g.external_id FROM {{items}}
CROSS JOIN staging g ON g.import_id = :import_id AND g.external_id = substr(j.value, 73)
WHERE g.tenant_id = :tenant_id AND g.sent = 1
ON CONFLICT (data_id) DO NOTHING;

-- fragment: staging_row
INSERT INTO staging (tenant_id, import_id, external_id, place, hash, data_id, sent)

-- fragment: staging_upsert
ON CONFLICT (import_id, external_id) DO UPDATE SET place = excluded.place, hash = excluded.hash,
  data_id = excluded.data_id, sent = excluded.sent

-- name: staged_sent(tenant_id TenantId, import_id int, count int, pack pack)
-- The `count` items of a part whose data was sent: it has the ids that were handed out last.
{{staging_row}}
SELECT :tenant_id, :import_id, substr(j.value, 73), CAST(substr(j.value, 65, 8) AS INTEGER), substr(j.value, 1, 64),
  {{next_data}} - :count + j.key, 1
FROM {{items}} WHERE true
{{staging_upsert}};

-- name: staged_unsent(tenant_id TenantId, source_id SourceId, import_id int, pack pack)
-- The items of a part whose data the source has.
{{staging_row}}
SELECT :tenant_id, :import_id, p.external_id, CAST(substr(j.value, 65, 8) AS INTEGER), p.hash, p.data_id, 0
FROM {{items}} CROSS JOIN source_properties p
  ON p.source_id = :source_id AND p.external_id = substr(j.value, 73)
WHERE p.tenant_id = :tenant_id
{{staging_upsert}};

-- name: staged_failed(tenant_id TenantId, import_id int, pack pack)
-- Items that failed, of a full import: they count as present, unless another one has the identity.
{{staging_row}}
SELECT :tenant_id, :import_id, substr(j.value, 73), 0, NULL, NULL, 0 FROM {{items}} WHERE true
ON CONFLICT (import_id, external_id) DO NOTHING;

-- fragment: staged_pairs
FROM staging g LEFT JOIN source_properties p
  ON p.tenant_id = :tenant_id AND p.source_id = :source_id AND p.external_id = g.external_id
WHERE g.tenant_id = :tenant_id AND g.import_id = :import_id AND g.hash IS NOT NULL

-- fragment: not_staged
NOT EXISTS (SELECT 1 FROM staging g WHERE g.tenant_id = :tenant_id AND g.import_id = :import_id
  AND g.external_id = source_properties.external_id)

-- name: staged_counted(tenant_id TenantId, source_id SourceId, import_id int) -> (items int, fresh int, changed int, returned int, revived int)
-- How many items there are, are new, differ, returned as they were, and returned and differ.
SELECT count(*) AS items, count(*) FILTER (WHERE p.id IS NULL) AS fresh,
  count(*) FILTER (WHERE p.hash <> g.hash) AS changed,
  count(*) FILTER (WHERE p.hash = g.hash AND p.removed_at IS NOT NULL) AS returned,
  count(*) FILTER (WHERE p.hash <> g.hash AND p.removed_at IS NOT NULL) AS revived
{{staged_pairs}};

-- name: staged_absent_counted(tenant_id TenantId, source_id SourceId, import_id int) -> count
SELECT count(*) AS count FROM source_properties
WHERE tenant_id = :tenant_id AND source_id = :source_id AND removed_at IS NULL AND {{not_staged}};

-- name: staged_unused(tenant_id TenantId, source_id SourceId, import_id int)
-- Data that was sent and that the source has got meanwhile.
INSERT INTO orphans (data_id, tenant_id, external_id) SELECT g.data_id, :tenant_id, g.external_id
{{staged_pairs}} AND g.sent = 1 AND p.hash = g.hash
ON CONFLICT (data_id) DO NOTHING;

-- name: staged_snapshots(tenant_id TenantId, source_id SourceId, import_id int, count int, now text)
-- The old versions of the `count` items that differ. Their ids are those that were reserved last.
INSERT INTO source_snapshots (tenant_id, source_id, source_property_id, version, id, data_id, reason, log_id, created_at)
SELECT :tenant_id, :source_id, p.id, p.version,
  (SELECT next FROM counters WHERE name = 'source_snapshots') - :count + row_number() OVER (ORDER BY g.external_id) - 1,
  p.data_id, 'import', {{log}}, :now
{{staged_pairs}} AND p.hash <> g.hash;

-- fragment: staged_row
-- The `fresh` ones that are created have the ids that were reserved last, in the order of the external ids, in which the
-- rows are written, too.
INSERT INTO source_properties (tenant_id, source_id, external_id, id, hash, data_id, revision, log_id, life_log,
  created_at, updated_at)
SELECT :tenant_id, :source_id, g.external_id,
  (SELECT next FROM counters WHERE name = 'source_properties') - :fresh + row_number() OVER (ORDER BY g.external_id) - 1,
  g.hash, g.data_id, {{source_revision}}, {{log}}, {{log}}, :now, :now

-- name: staged_all_created(tenant_id TenantId, source_id SourceId, import_id int, fresh int, now text)
-- Every staged item is new.
{{staged_row}}
FROM staging g WHERE g.tenant_id = :tenant_id AND g.import_id = :import_id AND g.hash IS NOT NULL;

-- name: staged_created(tenant_id TenantId, source_id SourceId, import_id int, fresh int, now text)
{{staged_row}}
{{staged_pairs}} AND p.id IS NULL;

-- name: staged_updated(tenant_id TenantId, source_id SourceId, import_id int, now text)
-- Every staged item has its row by now. Straight from the staged rows, in the order of both tables' keys: looking the
-- source's rows up beforehand would have all rows copied first.
INSERT INTO source_properties (tenant_id, source_id, external_id, id, hash, data_id, revision, log_id, life_log,
  created_at, updated_at)
SELECT :tenant_id, :source_id, external_id, 0, hash, data_id, {{source_revision}}, {{log}}, {{log}}, :now, :now
FROM staging WHERE tenant_id = :tenant_id AND import_id = :import_id AND hash IS NOT NULL
{{import_upsert}}
WHERE source_properties.hash <> excluded.hash;

-- name: staged_returned(tenant_id TenantId, source_id SourceId, import_id int, now text)
-- Not by the index of removed rows, which holds those of all sources.
UPDATE source_properties SET {{returned}}
WHERE tenant_id = :tenant_id AND coalesce(removed_at, '') <> '' AND (source_id, external_id) IN (
  SELECT :source_id, external_id FROM staging WHERE tenant_id = :tenant_id
    AND import_id = :import_id AND hash IS NOT NULL LIMIT -1);

-- name: staged_removed(tenant_id TenantId, source_id SourceId, import_id int, now text)
UPDATE source_properties SET {{removed}}
WHERE tenant_id = :tenant_id AND source_id = :source_id AND removed_at IS NULL AND {{not_staged}};

-- name: staging_dropped(tenant_id TenantId, import_id int)
DELETE FROM staging WHERE tenant_id = :tenant_id AND import_id = :import_id;

-- name: import_ended(tenant_id TenantId, import_id int)
DELETE FROM imports WHERE tenant_id = :tenant_id AND id = :import_id;
