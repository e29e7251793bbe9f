-- fragment: contest
-- The two sources of a contested row, by number and name: its warning names them. One that was deleted has none.
x.source_id AS owner, x.contested_by, CASE WHEN x.contested_by IS NOT NULL THEN {{owner_name}} END AS owner_name,
CASE WHEN x.contested_by IS NOT NULL THEN {{contester_name}} END AS contester_name

-- row: source_property(id int, external_id text, data text, hash text, version int, created_at text, updated_at text, source_id int, removed_at text?, revision int)
-- A property of a source as lists show it, and the revision that its entity tag is made of.

-- fragment: source_columns
x.id, x.external_id, d.data, x.hash, x.version, x.created_at, x.updated_at, x.source_id, x.removed_at, x.revision

-- row: target_property(id int, external_id text, data text, hash text, version int, created_at text, updated_at text, target_id int, source_property_id int?, has_manual_changes int, manual_changes_warning text?, sync_status text, last_synced text?, revision int, owner int?, contested_by int?, owner_name text?, contester_name text?)
-- A property of a target as lists show it, the revision that its entity tag is made of, and what its contest's warning names.

-- fragment: owning_property
-- A row has no owner from the deletion of its source on.
CASE WHEN {{none_deleted}} OR x.source_id NOT IN {{deleted_sources}} THEN x.source_property_id END

-- fragment: target_columns
x.id, x.external_id, d.data, x.hash, x.version, x.created_at, x.updated_at, x.target_id,
{{owning_property}} AS source_property_id,
x.has_manual_changes, x.manual_changes_warning, x.sync_status, x.last_synced, x.revision, {{contest}}

-- Lists carry many rows, and what costs most is their way out of the store: each cell, each quotation mark (the store
-- answers in JSON) and each character beyond ASCII. So a list's row has few cells: its small members, which hold no `|`
-- but for the external id at the end, are one text, its rare ones one more, and data that is not ASCII stands in
-- hexadecimal, twice the characters of text and half the cost.

-- fragment: listed_data
-- How many bytes of data a row has, and the data unless it has more than :largest.
octet_length(d.data) AS bytes, CASE WHEN octet_length(d.data) <= :largest THEN {{sent_data}} END AS data

-- fragment: sent_data
-- As it is, and then it begins with a brace, or in hexadecimal.
CASE WHEN length(d.data) = octet_length(d.data) THEN d.data ELSE {{data_hex}} END

-- fragment: data_hex
-- sqlite:
hex(d.data)
-- postgres:
upper(encode(convert_to(d.data, 'UTF8'), 'hex'))

-- row: listed_source_property(id int, bytes int, data text?, members text)
-- `members`: hash|version|created_at|updated_at|source_id|removed_at|external_id

-- fragment: source_listed
x.id, {{listed_data}}, x.hash || '|' || x.version || '|' || x.created_at || '|' || x.updated_at || '|' || x.source_id
  || '|' || coalesce(x.removed_at, '') || '|' || x.external_id AS members

-- row: listed_target_property(id int, bytes int, data text?, members text, warnings text?)
-- `members`: hash|version|created_at|updated_at|target_id|source_property_id|has_manual_changes|sync_status|last_synced|external_id.
-- `warnings`: none, or a list of the own warning, and of the owner and the contester the number and the name.

-- fragment: owner_name
(SELECT s.name FROM sources s WHERE s.tenant_id = :tenant_id AND s.id = x.source_id AND s.deleted_at IS NULL)

-- fragment: contester_name
(SELECT s.name FROM sources s WHERE s.tenant_id = :tenant_id AND s.id = x.contested_by AND s.deleted_at IS NULL)

-- fragment: warnings
-- The core reads canonical JSON, without the white space of PostgreSQL's json_build_array.
-- sqlite:
json_array(x.manual_changes_warning, x.source_id, {{owner_name}}, x.contested_by, {{contester_name}})
-- postgres:
'[' || coalesce(to_json(x.manual_changes_warning)::text, 'null') || ',' || coalesce(x.source_id::text, 'null')
  || ',' || coalesce(to_json({{owner_name}})::text, 'null') || ',' || coalesce(x.contested_by::text, 'null')
  || ',' || coalesce(to_json({{contester_name}})::text, 'null') || ']'

-- fragment: target_listed
x.id, {{listed_data}}, x.hash || '|' || x.version || '|' || x.created_at || '|' || x.updated_at || '|' || x.target_id
  || '|' || coalesce(CAST({{owning_property}} AS TEXT), '') || '|' || x.has_manual_changes || '|' || x.sync_status
  || '|' || coalesce(x.last_synced, '') || '|' || x.external_id AS members,
CASE WHEN x.manual_changes_warning IS NOT NULL OR x.contested_by IS NOT NULL THEN
  {{warnings}} END AS warnings

-- fragment: source_filters
(:removed IS NULL OR CASE WHEN x.removed_at IS NULL THEN 0 ELSE 1 END = :removed)
  AND (:updated_since IS NULL OR x.updated_at >= :updated_since)

-- fragment: source_page
x.tenant_id = :tenant_id AND x.source_id = :source_id AND x.id > :after AND {{source_filters}} AND d.tenant_id = :tenant_id
ORDER BY x.id LIMIT :count

-- name: source_property_rows(tenant_id TenantId, source_id SourceId, removed int?, updated_since text?, after int, count int, largest int) -> listed_source_property
-- A page of a source's properties by rising id, removed ones included.
SELECT {{source_listed}} FROM source_properties x CROSS JOIN property_data d ON d.id = x.data_id
WHERE {{source_page}};

-- name: source_property_removed_rows(tenant_id TenantId, source_id SourceId, removed int?, updated_since text?, after int, count int, largest int) -> listed_source_property
-- The same of removed ones alone, by their index.
SELECT {{source_listed}} FROM source_properties x INDEXED BY source_properties_removed
CROSS JOIN property_data d ON d.id = x.data_id
WHERE x.removed_at IS NOT NULL AND {{source_page}};

-- name: source_property_named(tenant_id TenantId, source_id SourceId, external_id text, removed int?, updated_since text?, after int, largest int) -> listed_source_property
-- The page of at most one row that has an external id.
SELECT {{source_listed}} FROM source_properties x CROSS JOIN property_data d ON d.id = x.data_id
WHERE x.tenant_id = :tenant_id AND x.source_id = :source_id AND x.external_id = :external_id AND x.id > :after
  AND {{source_filters}} AND d.tenant_id = :tenant_id;

-- Few rows of a long list are found by another index than that of its order, and sorted: those that changed since a moment
-- by their revisions, those that a source owns by the source's properties. Revisions rise with each batch, and the times of
-- rows with them, but for what clocks differ by: `before` is so much earlier than the moment. `halving` finds, bit by bit and
-- one row read for each, a revision up to which all rows are older than that. Where few rows are behind it they are the
-- candidates of the page; where there are more, the list is scanned in its order, as it is without a filter. SQLite makes a
-- copy of each part wherever it is named, of which there may not be many.

-- fragment: few_source
-- A share of the rows, and no more than are sorted in a moment. A number where there is no source, too, as OFFSET asks for.
coalesce((SELECT CASE WHEN property_count / :few_of < :few THEN property_count / :few_of + 1 ELSE :few END FROM sources
  WHERE tenant_id = :tenant_id AND id = :source_id), 0)

-- fragment: few_target
-- A share of the rows, and no more than are sorted in a moment. A number where there is no target, too, as OFFSET asks for.
coalesce((SELECT CASE WHEN property_count / :few_of < :few THEN property_count / :few_of + 1 ELSE :few END FROM targets
  WHERE tenant_id = :tenant_id AND id = :target_id), 0)

-- fragment: edge_source
-- The highest revision of rows that are older; none where there are no such rows, or too many behind them.
WITH RECURSIVE halving(floor, bit) AS (SELECT CAST(0 AS BIGINT), CAST(1099511627776 AS BIGINT) UNION ALL
  SELECT CASE WHEN floor + bit > {{source_revision}} THEN floor
    WHEN coalesce((SELECT CASE WHEN p.updated_at < :before THEN 1 ELSE 0 END FROM source_properties p
      INDEXED BY source_properties_changed
      WHERE p.tenant_id = :tenant_id AND p.source_id = :source_id AND p.revision <= floor + bit
      ORDER BY p.revision DESC LIMIT 1), 1) = 1 THEN floor + bit
    ELSE floor END, bit / 2
  FROM halving WHERE bit > 0 AND :before IS NOT NULL),
older AS MATERIALIZED (SELECT max(p.revision) AS revision FROM source_properties p INDEXED BY source_properties_changed
  WHERE p.tenant_id = :tenant_id AND p.source_id = :source_id AND p.revision <= (SELECT max(floor) FROM halving)),
edge AS MATERIALIZED (SELECT CASE WHEN revision IS NOT NULL AND (SELECT 1 FROM source_properties p
  WHERE p.tenant_id = :tenant_id AND p.source_id = :source_id AND p.revision > older.revision
  LIMIT 1 OFFSET {{few_source}}) IS NULL THEN revision END AS revision FROM older)

-- fragment: edge_target
-- The highest revision of rows that are older; none where there are no such rows, or too many behind them.
WITH RECURSIVE halving(floor, bit) AS (SELECT CAST(0 AS BIGINT), CAST(1099511627776 AS BIGINT) UNION ALL
  SELECT CASE WHEN floor + bit > {{target_revision}} THEN floor
    WHEN coalesce((SELECT CASE WHEN p.updated_at < :before THEN 1 ELSE 0 END FROM target_properties p
      INDEXED BY target_properties_changed
      WHERE p.tenant_id = :tenant_id AND p.target_id = :target_id AND p.revision <= floor + bit
      ORDER BY p.revision DESC LIMIT 1), 1) = 1 THEN floor + bit
    ELSE floor END, bit / 2
  FROM halving WHERE bit > 0 AND :before IS NOT NULL),
older AS MATERIALIZED (SELECT max(p.revision) AS revision FROM target_properties p INDEXED BY target_properties_changed
  WHERE p.tenant_id = :tenant_id AND p.target_id = :target_id AND p.revision <= (SELECT max(floor) FROM halving)),
edge AS MATERIALIZED (SELECT CASE WHEN revision IS NOT NULL AND (SELECT 1 FROM target_properties p
  WHERE p.tenant_id = :tenant_id AND p.target_id = :target_id AND p.revision > older.revision
  LIMIT 1 OFFSET {{few_target}}) IS NULL THEN revision END AS revision FROM older)

-- name: source_property_few_rows(tenant_id TenantId, source_id SourceId, removed int?, updated_since text, before text, few int, few_of int, after int, count int, largest int) -> listed_source_property
-- The page of those that changed since a moment.
{{edge_source}}, page AS MATERIALIZED (
  SELECT id, external_id FROM (SELECT x.id, x.external_id FROM edge
    CROSS JOIN source_properties x ON x.source_id = :source_id AND x.revision > edge.revision
    WHERE x.tenant_id = :tenant_id AND x.id > :after AND {{source_filters}} ORDER BY x.id LIMIT :count) AS changed
  UNION ALL
  SELECT id, external_id FROM (SELECT x.id, x.external_id FROM source_properties x
    WHERE x.tenant_id = :tenant_id AND x.source_id = :source_id
      AND x.id > (SELECT CASE WHEN revision IS NULL THEN :after ELSE 9223372036854775807 END FROM edge)
      AND {{source_filters}} ORDER BY x.id LIMIT :count) AS scanned)
SELECT {{source_listed}} FROM page CROSS JOIN source_properties x ON x.source_id = :source_id AND x.external_id = page.external_id
CROSS JOIN property_data d ON d.id = x.data_id
WHERE x.tenant_id = :tenant_id AND d.tenant_id = :tenant_id ORDER BY page.id;

-- name: source_property(tenant_id TenantId, source_id SourceId, id PropertyId) -> source_property
SELECT {{source_columns}} FROM source_properties x CROSS JOIN property_data d ON d.id = x.data_id
WHERE x.tenant_id = :tenant_id AND x.source_id = :source_id AND x.id = :id AND d.tenant_id = :tenant_id
  AND {{source_there}};

-- fragment: target_filters
(:has_manual_changes IS NULL OR x.has_manual_changes = :has_manual_changes)
  AND (:removed IS NULL OR CASE WHEN x.sync_status = 'removed' THEN 1 ELSE 0 END = :removed)
  AND (:sync_status IS NULL OR x.sync_status = :sync_status)
  AND (:owner IS NULL OR (x.source_id = :owner AND ({{none_deleted}} OR :owner NOT IN {{deleted_sources}})))
  AND (:updated_since IS NULL OR x.updated_at >= :updated_since)

-- fragment: target_page
x.tenant_id = :tenant_id AND x.target_id = :target_id AND x.id > :after AND x.deleted_at IS NULL
  AND {{target_filters}} AND d.tenant_id = :tenant_id
ORDER BY x.id LIMIT :count

-- name: target_property_rows(tenant_id TenantId, target_id TargetId, has_manual_changes int?, removed int?, sync_status text?, owner SourceId?, updated_since text?, after int, count int, largest int) -> listed_target_property
-- A page of a target's properties by rising id, without hidden ones.
SELECT {{target_listed}} FROM target_properties x CROSS JOIN property_data d ON d.id = x.data_id
WHERE {{target_page}};

-- name: target_property_edited_rows(tenant_id TenantId, target_id TargetId, has_manual_changes int?, removed int?, sync_status text?, owner SourceId?, updated_since text?, after int, count int, largest int) -> listed_target_property
-- The same of those that were edited by hand alone, by the index of rows that carry a flag, a warning or a contest.
SELECT {{target_listed}} FROM target_properties x INDEXED BY target_properties_attention
CROSS JOIN property_data d ON d.id = x.data_id
WHERE {{attention}} AND {{target_page}};

-- name: target_property_status_rows(tenant_id TenantId, target_id TargetId, status text, has_manual_changes int?, removed int?, sync_status text?, owner SourceId?, updated_since text?, after int, count int, largest int) -> listed_target_property
-- The same of those with one sync_status other than `synced` alone, by its index.
SELECT {{target_listed}} FROM target_properties x INDEXED BY target_properties_status
CROSS JOIN property_data d ON d.id = x.data_id
WHERE x.sync_status = :status AND x.sync_status <> 'synced' AND {{target_page}};

-- name: target_property_few_rows(tenant_id TenantId, target_id TargetId, has_manual_changes int?, removed int?, sync_status text?, owner SourceId?, updated_since text?, before text?, few int, few_of int, after int, count int, largest int) -> listed_target_property
-- The page of those that changed since a moment, of those that a source owns, or of those that fit both.
{{edge_target}}, owner AS MATERIALIZED (SELECT CASE WHEN revision IS NULL AND (SELECT 1 FROM source_properties p
  WHERE p.tenant_id = :tenant_id AND p.source_id = :owner LIMIT 1 OFFSET {{few_target}}) IS NULL THEN :owner END AS id
  FROM edge),
page AS MATERIALIZED (
  SELECT id, external_id FROM (SELECT x.id, x.external_id FROM edge
    CROSS JOIN target_properties x ON x.target_id = :target_id AND x.revision > edge.revision
    WHERE x.tenant_id = :tenant_id AND x.id > :after AND x.deleted_at IS NULL AND {{target_filters}}
    ORDER BY x.id LIMIT :count) AS changed
  UNION ALL
  SELECT id, external_id FROM (SELECT x.id, x.external_id FROM owner
    CROSS JOIN source_properties p ON p.source_id = owner.id
    CROSS JOIN target_properties x ON x.target_id = :target_id AND x.external_id = p.external_id
    WHERE p.tenant_id = :tenant_id AND x.tenant_id = :tenant_id AND x.id > :after AND x.deleted_at IS NULL
      AND {{target_filters}} ORDER BY x.id LIMIT :count) AS owned
  UNION ALL
  SELECT id, external_id FROM (SELECT x.id, x.external_id FROM target_properties x
    WHERE x.tenant_id = :tenant_id AND x.target_id = :target_id AND x.id > CASE WHEN (SELECT revision FROM edge) IS NULL
        AND (SELECT id FROM owner) IS NULL THEN :after ELSE 9223372036854775807 END
      AND x.deleted_at IS NULL AND {{target_filters}} ORDER BY x.id LIMIT :count) AS scanned)
SELECT {{target_listed}} FROM page CROSS JOIN target_properties x ON x.target_id = :target_id AND x.external_id = page.external_id
CROSS JOIN property_data d ON d.id = x.data_id
WHERE x.tenant_id = :tenant_id AND d.tenant_id = :tenant_id ORDER BY page.id;

-- name: target_property_named(tenant_id TenantId, target_id TargetId, external_id text, has_manual_changes int?, removed int?, sync_status text?, owner SourceId?, updated_since text?, after int, largest int) -> listed_target_property
-- The page of at most one row that has an external id.
SELECT {{target_listed}} FROM target_properties x CROSS JOIN property_data d ON d.id = x.data_id
WHERE x.tenant_id = :tenant_id AND x.target_id = :target_id AND x.external_id = :external_id AND x.id > :after
  AND x.deleted_at IS NULL AND {{target_filters}} AND d.tenant_id = :tenant_id;

-- name: target_property(tenant_id TenantId, target_id TargetId, id PropertyId) -> target_property
SELECT {{target_columns}} FROM target_properties x CROSS JOIN property_data d ON d.id = x.data_id
WHERE x.tenant_id = :tenant_id AND x.target_id = :target_id AND x.id = :id AND x.deleted_at IS NULL
  AND d.tenant_id = :tenant_id AND {{target_there}};

-- fragment: not_hidden_source
true

-- fragment: not_hidden_target
p.deleted_at IS NULL

-- name: snapshots_state(connector, tenant_id TenantId, connector_id int, id PropertyId) -> (count int, last int)
-- Whether the property exists, and what the ETag of its list of snapshots is made of.
SELECT count(x.id) AS count, coalesce(max(x.id), 0) AS last FROM {connector}_properties p
LEFT JOIN {connector}_snapshots x ON x.{connector}_id = p.{connector}_id AND x.{connector}_property_id = p.id AND x.tenant_id = :tenant_id
WHERE p.tenant_id = :tenant_id AND p.{connector}_id = :connector_id AND p.id = :id AND {{not_hidden_{connector}}}
  AND EXISTS (SELECT 1 FROM {connector}s k WHERE k.tenant_id = :tenant_id AND k.id = :connector_id AND k.deleted_at IS NULL)
GROUP BY p.id;

-- name: snapshots_page(connector, tenant_id TenantId, connector_id int, id PropertyId, after int, count int, largest int) -> (id int, bytes int, data text?, members text)
-- `members`: hash|version|created_at|reason
SELECT x.id, {{listed_data}},
  d.hash || '|' || x.version || '|' || x.created_at || '|' || x.reason AS members
FROM {connector}_snapshots x CROSS JOIN property_data d ON d.id = x.data_id
WHERE x.tenant_id = :tenant_id AND x.{connector}_id = :connector_id AND x.{connector}_property_id = :id AND x.id > :after
  AND d.tenant_id = :tenant_id
ORDER BY x.id LIMIT :count;

-- name: edited_base(tenant_id TenantId, target_id TargetId, id PropertyId) -> (hash text)
-- The hash of what a target property is settled with: data equal to it is no manual change.
SELECT b.hash FROM target_properties p CROSS JOIN property_data b ON b.id = p.base_data_id
WHERE p.tenant_id = :tenant_id AND p.target_id = :target_id AND p.id = :id AND p.deleted_at IS NULL
  AND b.tenant_id = :tenant_id;

-- name: guard_row(tenant_id TenantId, target_id TargetId, id PropertyId, revision int)
-- Aborts the batch as `guard:row_changed` where the row moved on from `revision`, or is gone, or its target is.
INSERT INTO guard (row_changed) SELECT NULL WHERE NOT {{target_there}} OR (
  SELECT revision FROM target_properties WHERE tenant_id = :tenant_id AND target_id = :target_id AND id = :id)
    IS DISTINCT FROM :revision;

-- name: target_bumped(tenant_id TenantId, target_id TargetId, created int)
-- Before any change of a target's rows, which take the new revision.
UPDATE targets SET revision = revision + 1, property_count = property_count + :created
WHERE tenant_id = :tenant_id AND id = :target_id;

-- fragment: target_revision
(SELECT revision FROM targets WHERE tenant_id = :tenant_id AND id = :target_id)

-- name: edit_snapshot(tenant_id TenantId, target_id TargetId, id PropertyId, reason text, now text)
-- The row as it is, before an edit. Its id is the newest of those that were reserved in the batch.
INSERT INTO target_snapshots (tenant_id, target_id, target_property_id, version, id, data_id, base_data_id, accepted,
  hidden, reason, log_id, created_at)
SELECT :tenant_id, :target_id, id, version, (SELECT next - 1 FROM counters WHERE name = 'target_snapshots'),
  data_id, base_data_id, accepted, CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END, :reason, {{log}}, :now
FROM target_properties WHERE tenant_id = :tenant_id AND target_id = :target_id AND id = :id;

-- name: edit_data(tenant_id TenantId, hash text, data pack)
INSERT INTO property_data (id, tenant_id, hash, data)
SELECT next - 1, :tenant_id, :hash, :data FROM counters WHERE name = 'property_data';

-- name: edit_applied(tenant_id TenantId, target_id TargetId, id PropertyId, hash text, now text) -> revision
-- New data that differs from the base: a manual change, which ends what was accepted before.
UPDATE target_properties SET hash = :hash, data_id = (SELECT next - 1 FROM counters WHERE name = 'property_data'),
  version = version + 1, accepted = 0, has_manual_changes = 1, manual_changes_warning = NULL, sync_status = 'manual',
  log_id = {{log}}, revision = {{target_revision}}, updated_at = :now
WHERE tenant_id = :tenant_id AND target_id = :target_id AND id = :id RETURNING revision;

-- name: base_restored(tenant_id TenantId, target_id TargetId, id PropertyId, hash text, now text) -> revision
-- The edit gives the base back: nothing is manual any more.
UPDATE target_properties SET hash = :hash, data_id = base_data_id, version = version + 1, accepted = 0,
  has_manual_changes = 0, manual_changes_warning = NULL, sync_status = 'synced',
  log_id = {{log}}, revision = {{target_revision}}, updated_at = :now
WHERE tenant_id = :tenant_id AND target_id = :target_id AND id = :id RETURNING revision;
