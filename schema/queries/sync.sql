-- A sync. `classed` gives each candidate its class by the decision table (core/sync/classes.json; core/sync/README.md says
-- what the words mean), whose fragments decisions.mjs makes. A class that a row is already as it makes it ends in ` said`:
-- it is counted, and nothing is written. Rows that nobody has to count or to write have no class.
--
-- Candidates are the rows that changed on either side since the pair's last sync, and those that carry a flag, a warning or
-- a contest: three indexed arms, since an OR would scan the source. A pair's first sync, one under other settings, or one
-- after many changes looks at all rows instead, by one scan.
-- Every statement of a batch works the classes out anew: what an earlier one wrote is settled for the later ones.

-- fragment: live_elsewhere
EXISTS (SELECT 1 FROM source_properties o WHERE o.tenant_id = :tenant_id AND o.source_id = t.source_id
  AND o.external_id = t.external_id AND o.removed_at IS NULL
  AND ({{none_deleted}} OR o.source_id NOT IN {{deleted_sources}}))

-- fragment: contested
-- The contest of a source that was deleted has ended with it.
(t.contested_by IS NOT NULL AND ({{none_deleted}} OR t.contested_by NOT IN {{deleted_sources}}))

-- fragment: contest_over
-- The contester takes over, or has the property no more.
({{contested}} AND (t.contested_by = :source_id OR NOT EXISTS (
  SELECT 1 FROM source_properties o WHERE o.tenant_id = :tenant_id AND o.source_id = t.contested_by
    AND o.external_id = t.external_id AND o.removed_at IS NULL)))

-- What the table asks of a source property `s`, and of the row `t` of the same external id.

-- fragment: fact_removed
s.removed_at IS NOT NULL

-- fragment: fact_absent
t.id IS NULL

-- fragment: fact_hidden
t.deleted_at IS NOT NULL

-- fragment: fact_tied
t.source_id = :source_id AND t.deleted_at IS NULL

-- fragment: fact_marked
t.sync_status = 'removed'

-- fragment: fact_contesting
t.contested_by = :source_id

-- fragment: fact_owned_elsewhere
t.source_id <> :source_id AND {{live_elsewhere}}

-- fragment: fact_same
t.hash = s.hash

-- fragment: fact_edited
t.has_manual_changes = 1

-- fragment: fact_accepted
t.accepted = 1

-- fragment: fact_gives_way
t.has_manual_changes = 0 OR :policy = 'source_wins'

-- fragment: fact_unchanged
(SELECT b.hash FROM property_data b WHERE b.tenant_id = :tenant_id AND b.id = t.base_data_id) = s.hash

-- fragment: candidates_all
-- PostgreSQL wants every parameter in the text; a part that nobody reads is never worked out.
-- sqlite:
WITH
-- postgres:
WITH unread AS (SELECT :source_since, :target_since),

-- fragment: candidates_changed
WITH candidate(external_id) AS (
  SELECT external_id FROM source_properties INDEXED BY source_properties_changed
  WHERE tenant_id = :tenant_id AND source_id = :source_id AND revision > :source_since
  UNION
  SELECT external_id FROM target_properties INDEXED BY target_properties_changed
  WHERE tenant_id = :tenant_id AND target_id = :target_id AND revision > :target_since
  UNION
  SELECT external_id FROM target_properties INDEXED BY target_properties_attention
  WHERE tenant_id = :tenant_id AND target_id = :target_id AND {{attention}}
),

-- fragment: pairs_all
source_properties s

-- fragment: pairs_changed
candidate c CROSS JOIN source_properties s
    ON s.tenant_id = :tenant_id AND s.source_id = :source_id AND s.external_id = c.external_id

-- fragment: classed
-- Whoever asks for the class of all rows puts LIMIT -1 behind it, or the planner works the CASE out once for each use.
{{candidates_{scope}}} classed AS (
  SELECT s.external_id, s.id AS property_id, s.hash, s.data_id, t.id AS row_id, t.version, t.data_id AS row_data_id,
    t.base_data_id, t.accepted, t.source_id AS row_source_id, t.source_property_id AS row_property_id, t.contested_by,
    t.manual_changes_warning, t.sync_status,
    CASE WHEN {{contested}} AND NOT {{contest_over}} THEN t.contested_by END AS contest,
    {{class_of}} AS class
  FROM {{pairs_{scope}}}
  LEFT JOIN target_properties t
    ON t.tenant_id = :tenant_id AND t.target_id = :target_id AND t.external_id = s.external_id
  WHERE s.tenant_id = :tenant_id AND s.source_id = :source_id
)

-- fragment: tie
source_id = excluded.source_id, source_property_id = excluded.source_property_id,
contested_by = excluded.contested_by, revision = excluded.revision, updated_at = excluded.updated_at

-- fragment: settle
base_data_id = excluded.base_data_id, accepted = 0, has_manual_changes = 0, manual_changes_warning = NULL,
sync_status = 'synced', last_synced = excluded.last_synced, {{tie}}

-- fragment: take_data
hash = excluded.hash, data_id = excluded.data_id, version = target_properties.version + 1,
log_id = excluded.log_id, {{settle}}

-- fragment: target_row
INSERT INTO target_properties (tenant_id, target_id, external_id, id, source_id, source_property_id, contested_by, hash,
  data_id, base_data_id, sync_status, last_synced, log_id, created_log, revision, created_at, updated_at)

-- fragment: planned_rows
-- What a class makes of each row that is there, for upserts: `excluded` carries the source's side.
{{target_row}}
SELECT :tenant_id, :target_id, external_id, 0, :source_id, property_id, contest, hash, data_id, data_id, 'synced', :now,
  {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM classed

-- fragment: attention
-- As the index says it.
-- sqlite:
(has_manual_changes OR manual_changes_warning IS NOT NULL OR contested_by IS NOT NULL)
-- postgres:
(has_manual_changes = 1 OR manual_changes_warning IS NOT NULL OR contested_by IS NOT NULL)

-- name: sync_position(tenant_id TenantId, source_id SourceId, target_id TargetId) -> (source_revision int, target_revision int, settings_hash text)
-- Up to where the pair's last sync saw both sides, and under which settings.
SELECT source_revision, target_revision, settings_hash FROM sync_pairs
WHERE tenant_id = :tenant_id AND source_id = :source_id AND target_id = :target_id;

-- name: sync_target_state(tenant_id TenantId, target_id TargetId) -> (feed_floor int, first_id int?, last_id int?, attention int)
-- What the target forgot, the smallest and largest id of its rows, and whether one carries a flag, a warning or a contest.
SELECT feed_floor,
  (SELECT min(id) FROM target_properties WHERE tenant_id = :tenant_id AND target_id = :target_id) AS first_id,
  (SELECT max(id) FROM target_properties WHERE tenant_id = :tenant_id AND target_id = :target_id) AS last_id,
  (SELECT count(*) FROM (SELECT 1 FROM target_properties INDEXED BY target_properties_attention
    WHERE tenant_id = :tenant_id AND target_id = :target_id AND {{attention}} LIMIT 1) AS carrying) AS attention
FROM targets WHERE tenant_id = :tenant_id AND id = :target_id;

-- name: sync_source_ids(tenant_id TenantId, source_id SourceId) -> (first_id int?, last_id int?)
-- The smallest and the largest id of the source's properties.
SELECT (SELECT min(id) FROM source_properties WHERE tenant_id = :tenant_id AND source_id = :source_id) AS first_id,
  (SELECT max(id) FROM source_properties WHERE tenant_id = :tenant_id AND source_id = :source_id) AS last_id;

-- fragment: feeders
(SELECT string_agg(s.id || ':' || s.revision, ',' ORDER BY s.id) FROM sync_pairs p CROSS JOIN sources s ON s.id = p.source_id
  WHERE p.tenant_id = :tenant_id AND p.target_id = :target_id AND s.tenant_id = :tenant_id AND s.deleted_at IS NULL)

-- name: sync_feeders(tenant_id TenantId, target_id TargetId) -> (feeders text?)
-- All sources that feed the target, with their revisions: whose live properties rows are tied to decides classes, too.
SELECT {{feeders}} AS feeders;

-- name: guard_feeders(tenant_id TenantId, target_id TargetId, feeders text?)
-- Aborts the batch as `guard:source_changed` where any of them moved on.
INSERT INTO guard (source_changed) SELECT NULL WHERE {{feeders}} IS DISTINCT FROM :feeders;

-- name: sync_changed_counted(tenant_id TenantId, source_id SourceId, target_id TargetId) -> count
-- How many of the source's rows changed since the pair's last sync, as far as just over a tenth of them.
SELECT count(*) AS count FROM (SELECT 1 FROM source_properties INDEXED BY source_properties_changed
  WHERE tenant_id = :tenant_id AND source_id = :source_id AND revision > (
    SELECT source_revision FROM sync_pairs
    WHERE tenant_id = :tenant_id AND source_id = :source_id AND target_id = :target_id)
  LIMIT coalesce((SELECT property_count / 10 + 1 FROM sources WHERE tenant_id = :tenant_id AND id = :source_id), 0))
AS changed;

-- name: sync_classes(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text) -> (class_name text, count int)
-- How many candidates each class has.
{{classed}}
SELECT class AS class_name, count(*) AS count FROM (SELECT class FROM classed LIMIT -1) AS known
WHERE class IS NOT NULL GROUP BY class;

-- name: sync_logged(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, sync_id text, started_at text, now text) -> (stats text)
-- The log row of a sync that decides inside its batch: the stats that Plan::stats makes of the classes.
{{classed}}, counted AS (SELECT {{class_counts}} FROM (SELECT class FROM classed LIMIT -1) AS known)
INSERT INTO sync_logs (tenant_id, id, sync_id, sync_type, status, source_id, target_id,
  total_properties, updated_properties, failed_properties, stats, started_at, completed_at)
SELECT :tenant_id, coalesce({{log}}, 0) + 1, :sync_id, 'sync', 'success', :source_id, :target_id, s.property_count,
  created + updated + removed, warnings, '{"created":' || created || ',"updated":' || updated
    || ',"skipped":' || (s.property_count - created - updated - warnings) || ',"warnings":' || warnings
    || ',"conflicts":' || conflicts || ',"removed":' || removed || '}', :started_at, :now
FROM counted CROSS JOIN sources s WHERE s.tenant_id = :tenant_id AND s.id = :source_id
RETURNING stats;

-- name: guard_settings(tenant_id TenantId, source_id SourceId, target_id TargetId, config text, feed_floor int)
-- Aborts the batch where the target's settings moved on from what they were read as, where it forgot rows since, or where
-- one of the two is gone.
INSERT INTO guard (target_changed) SELECT NULL WHERE NOT EXISTS (
  SELECT 1 FROM sources s CROSS JOIN targets t WHERE s.tenant_id = :tenant_id AND s.id = :source_id
    AND s.deleted_at IS NULL AND t.tenant_id = :tenant_id AND t.id = :target_id AND t.deleted_at IS NULL
    AND t.config = :config AND t.feed_floor = :feed_floor);

-- name: target_synced(tenant_id TenantId, target_id TargetId, hides int)
-- Before the sync's changes of the target's rows, which take the new revision: what its log row says is counted.
UPDATE targets SET revision = revision + 1, property_count = property_count + (
  SELECT CAST({{stats}} ->> 'created' AS BIGINT) - :hides * CAST({{stats}} ->> 'removed' AS BIGINT) FROM sync_logs
  WHERE tenant_id = :tenant_id ORDER BY id DESC LIMIT 1)
WHERE tenant_id = :tenant_id AND id = :target_id;

-- name: sync_revived_orphaned(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text)
-- What hidden rows stop pointing to when they come back.
{{classed}}
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT t.data_id, :tenant_id, t.external_id
FROM classed CROSS JOIN target_properties t ON t.target_id = :target_id AND t.external_id = classed.external_id
WHERE classed.class = 'revive' AND t.tenant_id = :tenant_id
UNION
SELECT t.base_data_id, :tenant_id, t.external_id
FROM classed CROSS JOIN target_properties t ON t.target_id = :target_id AND t.external_id = classed.external_id
WHERE classed.class = 'revive' AND t.tenant_id = :tenant_id
ON CONFLICT (data_id) DO NOTHING;

-- name: sync_revived(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, now text)
{{classed}}
{{planned_rows}} WHERE class = 'revive'
ON CONFLICT (target_id, external_id) DO UPDATE SET created_log = excluded.created_log, deleted_at = NULL, {{take_data}};

-- fragment: target_snapshot
INSERT INTO target_snapshots (tenant_id, target_id, target_property_id, version, id, data_id, base_data_id, accepted,
  hidden, reason, log_id, created_at)

-- fragment: member_count
(SELECT CAST({{stats}} ->> :member AS BIGINT) FROM sync_logs WHERE tenant_id = :tenant_id ORDER BY id DESC LIMIT 1)

-- name: sync_ids_reserved(name text, tenant_id TenantId, member text)
-- Before the statements that create rows: one id for each row that the batch's log row counts as `member`. Where the sync
-- decides inside its batch, nobody else knows how many there are.
UPDATE counters SET next = next + {{member_count}} WHERE name = :name;

-- name: sync_snapshots(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, class_name text, member text, now text)
-- The rows of a class that are about to be updated or hidden, as they are. Their ids are those that were reserved last.
{{classed}}
{{target_snapshot}}
SELECT :tenant_id, :target_id, row_id, version, (SELECT next FROM counters WHERE name = 'target_snapshots') - {{member_count}}
  + row_number() OVER (ORDER BY external_id) - 1, row_data_id, base_data_id, accepted, 0, 'sync', {{log}}, :now
FROM classed WHERE class = :class_name;

-- name: sync_created(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, now text)
-- Their ids are those that were reserved last, in the order of the external ids.
{{classed}}
{{target_row}}
SELECT :tenant_id, :target_id, external_id, (SELECT next FROM counters WHERE name = 'target_properties') - (
    SELECT CAST({{stats}} ->> 'created' AS BIGINT) FROM sync_logs WHERE tenant_id = :tenant_id ORDER BY id DESC LIMIT 1)
  + row_number() OVER (ORDER BY external_id) - 1, :source_id, property_id, NULL, hash, data_id, data_id, 'synced', :now,
  {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM classed WHERE class = 'create';

-- name: sync_updated(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, now text)
{{classed}}
{{planned_rows}} WHERE class = 'update'
ON CONFLICT (target_id, external_id) DO UPDATE SET {{take_data}};

-- fragment: place_dense
x.id - :first_id

-- fragment: place_ranked
-- sqlite:
row_number() OVER (ORDER BY x.external_id) - 1
-- postgres:
row_number() OVER (ORDER BY x.external_id) - 1 + 0 * :first_id

-- name: sync_all_created(numbering, tenant_id TenantId, source_id SourceId, target_id TargetId, first_id int, reserved int, now text)
-- Every live property of the source is in class `create`. The ids are the last `reserved` ones that were handed out.
{{target_row}}
SELECT :tenant_id, :target_id, x.external_id,
  (SELECT next FROM counters WHERE name = 'target_properties') - :reserved + {{place_{numbering}}},
  :source_id, x.id, NULL, x.hash, x.data_id, x.data_id, 'synced', :now, {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM source_properties x WHERE x.tenant_id = :tenant_id AND x.source_id = :source_id AND x.removed_at IS NULL;

-- name: sync_all_snapshots(numbering, tenant_id TenantId, target_id TargetId, first_id int, reserved int, now text)
-- The snapshots where every visible row of the target is about to be updated. Their ids are the last `reserved` ones.
{{target_snapshot}}
SELECT :tenant_id, :target_id, x.id, x.version,
  (SELECT next FROM counters WHERE name = 'target_snapshots') - :reserved + {{place_{numbering}}},
  x.data_id, x.base_data_id, x.accepted, 0, 'sync', {{log}}, :now
FROM target_properties x WHERE x.tenant_id = :tenant_id AND x.target_id = :target_id AND x.deleted_at IS NULL;

-- name: sync_all_updated(tenant_id TenantId, source_id SourceId, target_id TargetId, now text)
-- Every visible row is in class `update`: without a subquery in WHERE the rows are written as they are met, which takes
-- half the time.
UPDATE target_properties AS t SET (hash, data_id, base_data_id, source_property_id) = (
    SELECT s.hash, s.data_id, s.data_id, s.id FROM source_properties s
    WHERE s.tenant_id = :tenant_id AND s.source_id = :source_id AND s.external_id = t.external_id),
  version = version + 1, log_id = {{log}}, accepted = 0, has_manual_changes = 0, manual_changes_warning = NULL,
  sync_status = 'synced', last_synced = :now, source_id = :source_id,
  contested_by = CASE WHEN {{contested}} AND NOT {{contest_over}} THEN t.contested_by END,
  revision = {{target_revision}}, updated_at = :now
WHERE t.tenant_id = :tenant_id AND t.target_id = :target_id AND t.deleted_at IS NULL;

-- name: sync_bases_orphaned(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text)
-- Bases that the next statement stops pointing to.
{{classed}}
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT t.base_data_id, :tenant_id, t.external_id
FROM classed CROSS JOIN target_properties t ON t.target_id = :target_id AND t.external_id = classed.external_id
WHERE classed.class = 'agree' AND t.tenant_id = :tenant_id AND t.base_data_id <> t.data_id
ON CONFLICT (data_id) DO NOTHING;

-- name: sync_agreed(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, now text)
-- Both hold the same: the row's own data is its base from now on.
{{classed}}
{{target_row}}
SELECT :tenant_id, :target_id, t.external_id, 0, :source_id, property_id, contest, t.hash, t.data_id, t.data_id, 'synced',
  :now, 0, 0, {{target_revision}}, :now, :now
FROM classed CROSS JOIN target_properties t ON t.target_id = :target_id AND t.external_id = classed.external_id
WHERE class = 'agree' AND t.tenant_id = :tenant_id
ON CONFLICT (target_id, external_id) DO UPDATE SET {{settle}};

-- name: sync_marked(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, now text)
-- The data stays: owner, contest, warning and status become what the classes make of them.
{{classed}}
INSERT INTO target_properties (tenant_id, target_id, external_id, id, source_id, source_property_id, contested_by, hash,
  data_id, base_data_id, manual_changes_warning, sync_status, log_id, created_log, revision, created_at, updated_at)
SELECT :tenant_id, :target_id, external_id, 0, {{marked_owner}}, {{marked_property}}, {{marked_contest}}, hash,
  data_id, data_id, {{marked_warning}}, {{marked_status}}, {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM classed WHERE class IN ({{marked_classes}})
ON CONFLICT (target_id, external_id) DO UPDATE SET manual_changes_warning = excluded.manual_changes_warning,
  sync_status = excluded.sync_status, {{tie}};

-- name: sync_removed(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, deleted_at text?, now text)
-- Rows whose property was removed stay, or are hidden from `deleted_at` on.
{{classed}}
UPDATE target_properties SET sync_status = 'removed', deleted_at = :deleted_at, accepted = 0,
  manual_changes_warning = NULL, contested_by = NULL, last_synced = :now, revision = {{target_revision}}, updated_at = :now
WHERE tenant_id = :tenant_id
  AND (target_id, external_id) IN (SELECT :target_id, external_id FROM classed WHERE class = 'remove' LIMIT -1);

-- name: sync_positioned(tenant_id TenantId, source_id SourceId, target_id TargetId, settings_hash text)
-- The pair has seen both sides as they are now.
INSERT INTO sync_pairs (source_id, target_id, tenant_id, source_revision, target_revision, settings_hash)
SELECT s.id, t.id, :tenant_id, s.revision, t.revision, :settings_hash FROM sources s CROSS JOIN targets t
WHERE s.tenant_id = :tenant_id AND s.id = :source_id AND t.tenant_id = :tenant_id AND t.id = :target_id
ON CONFLICT (source_id, target_id) DO UPDATE SET source_revision = excluded.source_revision,
  target_revision = excluded.target_revision, settings_hash = excluded.settings_hash;
