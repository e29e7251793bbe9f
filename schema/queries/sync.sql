-- The decision table of a sync. `classed` gives each candidate its class, the first line that fits:
--
--   hold      the source property was removed, the row tied to it was edited
--   remove    it was removed, the row is as it was
--   retract   it was removed, the row is another source's, and this one has contested it
--   create    no target row
--   revive    a hidden one
--   contest   the row is tied to a live property of another source
--   agree     both hold the same data
--   update    no manual changes, or the policy lets the source win
--   accept    the difference was accepted, and the source is as it was then
--   keep      manual changes, and the source is as it was when the row was last settled
--   conflict  both changed
--
-- A class whose row says so already ends in ` said`: it is counted, and nothing is written. Rows that nobody has to count
-- have no class: those that agree and say so, and removed properties whose row says so or that have none. Candidates are
-- the rows that changed on either side since the pair's last sync, and those that carry a flag, a warning or a contest:
-- three indexed arms, since an OR would scan the source. A pair's first sync, one under other settings, or one after many
-- changes looks at all rows instead, by one scan.
-- Every statement of a batch works the classes out anew: what an earlier one wrote is settled for the later ones.

-- fragment: live_elsewhere
EXISTS (SELECT 1 FROM source_properties o WHERE o.tenant_id = :tenant_id AND o.source_id = t.source_id
  AND o.external_id = t.external_id AND o.removed_at IS NULL)

-- fragment: contest_over
-- The contester takes over, or has the property no more.
(t.contested_by IS NOT NULL AND (t.contested_by = :source_id OR NOT EXISTS (
  SELECT 1 FROM source_properties o WHERE o.tenant_id = :tenant_id AND o.source_id = t.contested_by
    AND o.external_id = t.external_id AND o.removed_at IS NULL)))

-- fragment: source_unchanged
(SELECT b.hash FROM property_data b WHERE b.tenant_id = :tenant_id AND b.id = t.base_data_id) = s.hash

-- fragment: not_tied
t.source_id IS NOT :source_id OR {{contest_over}}

-- fragment: candidates_all
WITH

-- fragment: candidates_changed
{{looked_at_changed}},

-- fragment: looked_at_all

-- fragment: looked_at_changed
WITH candidate(external_id) AS (
  SELECT external_id FROM source_properties INDEXED BY source_properties_changed
  WHERE tenant_id = :tenant_id AND source_id = :source_id AND revision > :source_since
  UNION
  SELECT external_id FROM target_properties INDEXED BY target_properties_changed
  WHERE tenant_id = :tenant_id AND target_id = :target_id AND revision > :target_since
  UNION
  SELECT external_id FROM target_properties INDEXED BY target_properties_attention
  WHERE tenant_id = :tenant_id AND target_id = :target_id AND {{attention}}
)

-- fragment: pairs_all
source_properties s

-- fragment: pairs_changed
candidate c CROSS JOIN source_properties s ON s.external_id = c.external_id

-- fragment: room_all
-- Ids for all rows of the source at once lie as far apart as the source's own: numbering them costs a third more.
s.id - (SELECT min(id) FROM source_properties WHERE tenant_id = :tenant_id AND source_id = :source_id)

-- fragment: room_changed
row_number() OVER () - 1

-- fragment: classed
-- Whoever asks for the class of all rows puts LIMIT -1 behind it, or the planner works the CASE out once for each use.
{{candidates_{scope}}} classed AS (
  SELECT s.external_id, s.id AS property_id, s.hash, s.data_id, t.id AS row_id, t.version, t.data_id AS row_data_id,
    t.base_data_id, t.accepted,
    CASE WHEN t.contested_by IS NOT NULL AND NOT {{contest_over}} THEN t.contested_by END AS contest,
    CASE
      WHEN s.removed_at IS NOT NULL THEN CASE
        WHEN t.source_id = :source_id AND t.deleted_at IS NULL AND t.sync_status <> 'removed' THEN CASE
          WHEN NOT t.has_manual_changes THEN 'remove'
          WHEN t.contested_by IS NOT NULL OR t.manual_changes_warning IS NOT :hold_warning
            OR t.sync_status <> 'conflict' THEN 'hold'
          ELSE 'hold said' END
        WHEN t.contested_by = :source_id THEN 'retract' END
      WHEN t.id IS NULL THEN 'create'
      WHEN t.deleted_at IS NOT NULL THEN 'revive'
      WHEN t.source_id <> :source_id AND {{live_elsewhere}} THEN CASE
        WHEN t.contested_by IS NULL OR (t.contested_by <> :source_id AND {{contest_over}}) THEN 'contest'
        ELSE 'contest said' END
      WHEN t.hash = s.hash THEN CASE
        WHEN t.data_id <> t.base_data_id OR t.accepted OR t.has_manual_changes OR t.manual_changes_warning IS NOT NULL
          OR t.sync_status <> 'synced' OR {{not_tied}} THEN 'agree' END
      WHEN NOT t.has_manual_changes THEN 'update'
      WHEN t.accepted AND {{source_unchanged}} THEN CASE
        WHEN t.manual_changes_warning IS NOT NULL OR t.sync_status <> 'manual' OR {{not_tied}} THEN 'accept'
        ELSE 'accept said' END
      WHEN :policy = 'source_wins' THEN 'update'
      WHEN {{source_unchanged}} THEN CASE
        WHEN t.manual_changes_warning IS NOT :keep_warning OR t.sync_status <> 'manual' OR {{not_tied}} THEN 'keep'
        ELSE 'keep said' END
      WHEN t.manual_changes_warning IS NOT :conflict_warning OR t.sync_status <> 'conflict' OR {{not_tied}}
        THEN 'conflict'
      ELSE 'conflict said'
    END AS class
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
hash = excluded.hash, data_id = excluded.data_id, version = version + 1, log_id = excluded.log_id, {{settle}}

-- fragment: planned_rows
-- What a class makes of each row, for upserts: `excluded` carries the source's side.
INSERT INTO target_properties (tenant_id, target_id, external_id, id, source_id, source_property_id, contested_by, hash,
  data_id, base_data_id, sync_status, last_synced, log_id, created_log, revision, created_at, updated_at)

-- fragment: attention
(has_manual_changes OR manual_changes_warning IS NOT NULL OR contested_by IS NOT NULL)

-- name: sync_position(tenant_id TenantId, source_id SourceId, target_id TargetId) -> (source_revision int, target_revision int, settings_hash text)
-- Up to where the pair's last sync saw both sides, and under which settings.
SELECT source_revision, target_revision, settings_hash FROM sync_pairs
WHERE tenant_id = :tenant_id AND source_id = :source_id AND target_id = :target_id;

-- name: sync_target_state(tenant_id TenantId, target_id TargetId) -> (feed_floor int, filled int, attention int)
-- What the target forgot, whether it has any row, and whether one carries a flag, a warning or a contest.
SELECT feed_floor,
  EXISTS (SELECT 1 FROM target_properties WHERE tenant_id = :tenant_id AND target_id = :target_id) AS filled,
  EXISTS (SELECT 1 FROM target_properties INDEXED BY target_properties_attention
    WHERE tenant_id = :tenant_id AND target_id = :target_id AND {{attention}}) AS attention
FROM targets WHERE tenant_id = :tenant_id AND id = :target_id;

-- fragment: feeders
(SELECT group_concat(s.id || ':' || s.revision) FROM sync_pairs p CROSS JOIN sources s ON s.id = p.source_id
  WHERE p.tenant_id = :tenant_id AND p.target_id = :target_id AND s.tenant_id = :tenant_id)

-- name: sync_feeders(tenant_id TenantId, target_id TargetId) -> (feeders text?)
-- All sources that feed the target, with their revisions: whose live properties rows are tied to decides classes, too.
SELECT {{feeders}} AS feeders;

-- name: guard_feeders(tenant_id TenantId, target_id TargetId, feeders text?)
-- Aborts the batch as `guard:source_changed` where any of them moved on.
INSERT INTO guard (source_changed) SELECT NULL WHERE {{feeders}} IS NOT :feeders;

-- name: sync_changed_counted(tenant_id TenantId, source_id SourceId, target_id TargetId) -> count
-- How many of the source's rows changed since the pair's last sync, as far as just over a tenth of them.
SELECT count(*) AS count FROM (SELECT 1 FROM source_properties INDEXED BY source_properties_changed
  WHERE tenant_id = :tenant_id AND source_id = :source_id AND revision > (
    SELECT source_revision FROM sync_pairs
    WHERE tenant_id = :tenant_id AND source_id = :source_id AND target_id = :target_id)
  LIMIT coalesce((SELECT property_count / 10 + 1 FROM sources WHERE tenant_id = :tenant_id AND id = :source_id), 0));

-- name: sync_classes(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text) -> (class_name text, count int)
-- How many candidates each class has.
{{classed}}
SELECT class AS class_name, count(*) AS count FROM (SELECT class FROM classed LIMIT -1) WHERE class IS NOT NULL GROUP BY class;

-- name: sync_logged(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text, sync_id text, started_at text, now text) -> (stats text)
-- The log row of a sync that decides inside its batch: the stats that Plan::stats makes of the classes.
{{classed}}, counted AS (
  SELECT count(*) FILTER (WHERE class IN ('create', 'revive')) AS created,
    count(*) FILTER (WHERE class = 'update') AS updated,
    count(*) FILTER (WHERE class IN ('contest', 'contest said', 'keep', 'keep said', 'conflict', 'conflict said'))
      AS warnings,
    count(*) FILTER (WHERE class IN ('conflict', 'conflict said', 'hold', 'hold said')) AS conflicts,
    count(*) FILTER (WHERE class = 'remove') AS removed FROM (SELECT class FROM classed LIMIT -1)
)
INSERT INTO sync_logs (tenant_id, id, sync_id, sync_type, status, source_id, target_id,
  total_properties, updated_properties, failed_properties, stats, started_at, completed_at)
SELECT :tenant_id, coalesce({{log}}, 0) + 1, :sync_id, 'sync', 'success', :source_id, :target_id, s.property_count,
  created + updated + removed, warnings, json_object('created', created, 'updated', updated,
    'skipped', s.property_count - created - updated - warnings, 'warnings', warnings, 'conflicts', conflicts,
    'removed', removed), :started_at, :now
FROM counted CROSS JOIN sources s WHERE s.tenant_id = :tenant_id AND s.id = :source_id
RETURNING stats;

-- name: guard_settings(tenant_id TenantId, source_id SourceId, target_id TargetId, config text, feed_floor int)
-- Aborts the batch where the target's settings moved on from what they were read as, where it forgot rows since, or where
-- one of the two is gone.
INSERT INTO guard (target_changed) SELECT NULL WHERE NOT EXISTS (
  SELECT 1 FROM sources s CROSS JOIN targets t WHERE s.tenant_id = :tenant_id AND s.id = :source_id
    AND t.tenant_id = :tenant_id AND t.id = :target_id AND t.config = :config AND t.feed_floor = :feed_floor);

-- name: target_synced(tenant_id TenantId, target_id TargetId, hides int)
-- Before the sync's changes of the target's rows, which take the new revision: what its log row says is counted.
UPDATE targets SET revision = revision + 1, property_count = property_count + (
  SELECT (stats ->> '$.created') - CASE WHEN :hides THEN stats ->> '$.removed' ELSE 0 END FROM sync_logs
  WHERE tenant_id = :tenant_id ORDER BY id DESC LIMIT 1)
WHERE tenant_id = :tenant_id AND id = :target_id;

-- name: sync_revived_orphaned(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text)
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

-- name: sync_revived(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text, now text)
{{classed}}
{{planned_rows}}
SELECT :tenant_id, :target_id, external_id, 0, :source_id, property_id, contest, hash, data_id, data_id, 'synced', :now,
  {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM classed WHERE class = 'revive'
ON CONFLICT (target_id, external_id) DO UPDATE SET created_log = excluded.created_log, deleted_at = NULL, {{take_data}};

-- name: sync_snapshots(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text, class_name text, now text)
-- The rows of a class that are about to be updated or hidden, as they are.
{{classed}}
INSERT INTO target_snapshots (tenant_id, target_id, target_property_id, version, id, data_id, base_data_id, accepted,
  hidden, reason, log_id, created_at)
SELECT :tenant_id, :target_id, row_id, version,
  (SELECT next FROM counters WHERE name = 'target_snapshots') + row_id - (SELECT min(id) FROM target_properties
    WHERE tenant_id = :tenant_id AND target_id = :target_id), row_data_id, base_data_id, accepted, 0, 'sync', {{log}}, :now
FROM classed WHERE class = :class_name;

-- name: target_snapshot_ids_taken(tenant_id TenantId, target_id TargetId)
-- Behind sync_snapshots, whose ids lie as far apart as those of the rows.
UPDATE counters SET next = next + 1 + coalesce(
  (SELECT max(id) FROM target_properties WHERE tenant_id = :tenant_id AND target_id = :target_id) -
  (SELECT min(id) FROM target_properties WHERE tenant_id = :tenant_id AND target_id = :target_id), 0)
WHERE name = 'target_snapshots';

-- name: target_ids_taken(tenant_id TenantId, target_id TargetId)
-- Behind sync_applied: past the largest id that the target has.
UPDATE counters SET next = max(next, (SELECT coalesce(max(id), 0) + 1 FROM target_properties
  WHERE tenant_id = :tenant_id AND target_id = :target_id)) WHERE name = 'target_properties';

-- name: sync_applied(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, now text)
-- The classes `create` and `update` in one pass: the source's rows go to where they belong, and the second half says
-- which of those that are there give way. It must say what `update` is in `classed`.
{{looked_at_{scope}}}
INSERT INTO target_properties AS t (tenant_id, target_id, external_id, id, source_id, source_property_id, contested_by,
  hash, data_id, base_data_id, sync_status, last_synced, log_id, created_log, revision, created_at, updated_at)
SELECT :tenant_id, :target_id, s.external_id, (SELECT next FROM counters WHERE name = 'target_properties') + {{room_{scope}}},
  :source_id, s.id, NULL, s.hash, s.data_id, s.data_id, 'synced', :now, {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM {{pairs_{scope}}}
WHERE s.tenant_id = :tenant_id AND s.source_id = :source_id AND s.removed_at IS NULL
ON CONFLICT (target_id, external_id) DO UPDATE SET hash = excluded.hash, data_id = excluded.data_id,
  version = version + 1, log_id = excluded.log_id, base_data_id = excluded.base_data_id, accepted = 0,
  has_manual_changes = 0, manual_changes_warning = NULL, sync_status = 'synced', last_synced = excluded.last_synced,
  source_id = excluded.source_id, source_property_id = excluded.source_property_id,
  contested_by = CASE WHEN t.contested_by IS NOT NULL AND NOT {{contest_over}} THEN t.contested_by END,
  revision = excluded.revision, updated_at = excluded.updated_at
WHERE t.hash <> excluded.hash AND t.deleted_at IS NULL
  AND (NOT t.has_manual_changes OR (:policy = 'source_wins' AND NOT (t.accepted AND
    (SELECT b.hash FROM property_data b WHERE b.tenant_id = :tenant_id AND b.id = t.base_data_id) = excluded.hash)))
  AND NOT (t.source_id <> :source_id AND {{live_elsewhere}});

-- name: sync_all_snapshots(tenant_id TenantId, target_id TargetId, now text)
-- The snapshots where every visible row of the target is about to be updated.
INSERT INTO target_snapshots (tenant_id, target_id, target_property_id, version, id, data_id, base_data_id, accepted,
  hidden, reason, log_id, created_at)
SELECT :tenant_id, :target_id, id, version, (SELECT next FROM counters WHERE name = 'target_snapshots') + id - (
  SELECT min(id) FROM target_properties WHERE tenant_id = :tenant_id AND target_id = :target_id), data_id, base_data_id,
  accepted, 0, 'sync', {{log}}, :now
FROM target_properties WHERE tenant_id = :tenant_id AND target_id = :target_id AND deleted_at IS NULL;

-- name: sync_all_updated(tenant_id TenantId, source_id SourceId, target_id TargetId, now text)
-- Every visible row is in class `update`: without a subquery in WHERE the rows are written as they are met, which takes
-- half the time.
UPDATE target_properties AS t SET (hash, data_id, base_data_id, source_property_id) = (
    SELECT s.hash, s.data_id, s.data_id, s.id FROM source_properties s
    WHERE s.tenant_id = :tenant_id AND s.source_id = :source_id AND s.external_id = t.external_id),
  version = version + 1, log_id = {{log}}, accepted = 0, has_manual_changes = 0, manual_changes_warning = NULL,
  sync_status = 'synced', last_synced = :now, source_id = :source_id,
  contested_by = CASE WHEN t.contested_by IS NOT NULL AND NOT {{contest_over}} THEN t.contested_by END,
  revision = {{target_revision}}, updated_at = :now
WHERE t.tenant_id = :tenant_id AND t.target_id = :target_id AND t.deleted_at IS NULL;

-- name: sync_bases_orphaned(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text)
-- Bases that the next statement stops pointing to.
{{classed}}
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT t.base_data_id, :tenant_id, t.external_id
FROM classed CROSS JOIN target_properties t ON t.target_id = :target_id AND t.external_id = classed.external_id
WHERE classed.class = 'agree' AND t.tenant_id = :tenant_id AND t.base_data_id <> t.data_id
ON CONFLICT (data_id) DO NOTHING;

-- name: sync_agreed(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text, now text)
-- Both hold the same: the row's own data is its base from now on.
{{classed}}
INSERT INTO target_properties (tenant_id, target_id, external_id, id, source_id, source_property_id, contested_by, hash,
  data_id, base_data_id, sync_status, last_synced, log_id, created_log, revision, created_at, updated_at)
SELECT :tenant_id, :target_id, t.external_id, 0, :source_id, property_id, contest, t.hash, t.data_id, t.data_id, 'synced',
  :now, 0, 0, {{target_revision}}, :now, :now
FROM classed CROSS JOIN target_properties t ON t.target_id = :target_id AND t.external_id = classed.external_id
WHERE class = 'agree' AND t.tenant_id = :tenant_id
ON CONFLICT (target_id, external_id) DO UPDATE SET {{settle}};

-- name: sync_warned(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text, class_name text, warning text?, sync_status text, now text)
-- Not touched but for the warning and the status: the classes `keep`, `conflict` and `accept`.
{{classed}}
{{planned_rows}}
SELECT :tenant_id, :target_id, external_id, 0, :source_id, property_id, contest, hash, data_id, data_id, 'synced', :now,
  {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM classed WHERE class = :class_name
ON CONFLICT (target_id, external_id) DO UPDATE SET manual_changes_warning = :warning, sync_status = :sync_status,
  {{tie}};

-- name: sync_contested(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text, now text)
{{classed}}
UPDATE target_properties SET contested_by = :source_id, revision = {{target_revision}}, updated_at = :now
WHERE tenant_id = :tenant_id AND target_id = :target_id
  AND external_id IN (SELECT external_id FROM classed WHERE class = 'contest');

-- name: sync_retracted(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text, now text)
{{classed}}
UPDATE target_properties SET contested_by = NULL, revision = {{target_revision}}, updated_at = :now
WHERE tenant_id = :tenant_id AND target_id = :target_id
  AND external_id IN (SELECT external_id FROM classed WHERE class = 'retract');

-- name: sync_held(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text, now text)
{{classed}}
UPDATE target_properties SET manual_changes_warning = :hold_warning, sync_status = 'conflict', contested_by = NULL,
  revision = {{target_revision}}, updated_at = :now
WHERE tenant_id = :tenant_id AND target_id = :target_id
  AND external_id IN (SELECT external_id FROM classed WHERE class = 'hold');

-- name: sync_removed(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, hold_warning text, deleted_at text?, now text)
-- Rows whose property was removed stay, or are hidden from `deleted_at` on.
{{classed}}
UPDATE target_properties SET sync_status = 'removed', deleted_at = :deleted_at, accepted = 0,
  manual_changes_warning = NULL, contested_by = NULL, last_synced = :now, revision = {{target_revision}}, updated_at = :now
WHERE tenant_id = :tenant_id AND target_id = :target_id
  AND external_id IN (SELECT external_id FROM classed WHERE class = 'remove');

-- name: sync_positioned(tenant_id TenantId, source_id SourceId, target_id TargetId, settings_hash text)
-- The pair has seen both sides as they are now.
INSERT INTO sync_pairs (source_id, target_id, tenant_id, source_revision, target_revision, settings_hash)
SELECT s.id, t.id, :tenant_id, s.revision, t.revision, :settings_hash FROM sources s CROSS JOIN targets t
WHERE s.tenant_id = :tenant_id AND s.id = :source_id AND t.tenant_id = :tenant_id AND t.id = :target_id
ON CONFLICT (source_id, target_id) DO UPDATE SET source_revision = excluded.source_revision,
  target_revision = excluded.target_revision, settings_hash = excluded.settings_hash;
