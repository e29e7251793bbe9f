-- The decision table of a sync. `plan` gives each candidate its class, the first line that fits:
--
--   create    no target row
--   contest   the row is tied to a live property of another source
--   agree     both hold the same data
--   update    no manual changes, or the policy lets the source win
--   accept    the difference was accepted, and the source is as it was then
--   keep      manual changes, and the source is as it was when the row was last settled
--   conflict  both changed
--
-- `pending` is 1 where the row does not say so yet. Candidates are the rows that changed on either side since the pair's
-- last sync, and those that carry a flag, a warning or a contest: three indexed arms, since an OR would scan the source. A
-- pair's first sync, or one under other settings, looks at all rows instead, by one scan.
-- Every statement of a batch works the plan out anew: what an earlier one wrote is settled for the later ones.

-- fragment: live_elsewhere
EXISTS (SELECT 1 FROM source_properties o WHERE o.tenant_id = :tenant_id AND o.source_id = t.source_id
  AND o.external_id = t.external_id AND o.removed_at IS NULL)

-- fragment: source_unchanged
(SELECT b.hash FROM property_data b WHERE b.tenant_id = :tenant_id AND b.id = t.base_data_id) = s.hash

-- fragment: not_tied
(owner IS NOT :source_id OR contested_by IS :source_id)

-- fragment: candidates_all
WITH

-- fragment: candidates_changed
WITH candidate(external_id) AS (
  SELECT external_id FROM source_properties INDEXED BY source_properties_changed
  WHERE tenant_id = :tenant_id AND source_id = :source_id AND revision > :source_since
  UNION
  SELECT external_id FROM target_properties INDEXED BY target_properties_changed
  WHERE tenant_id = :tenant_id AND target_id = :target_id AND revision > :target_since
  UNION
  SELECT external_id FROM target_properties INDEXED BY target_properties_attention
  WHERE tenant_id = :tenant_id AND target_id = :target_id
    AND (has_manual_changes OR manual_changes_warning IS NOT NULL OR contested_by IS NOT NULL)
),

-- fragment: pairs_all
source_properties s

-- fragment: pairs_changed
candidate c CROSS JOIN source_properties s ON s.external_id = c.external_id

-- fragment: classed
{{candidates_{scope}}} classed AS (
  SELECT s.external_id, s.id AS property_id, s.hash, s.data_id,
    t.source_id AS owner, t.contested_by, t.accepted, t.has_manual_changes, t.manual_changes_warning AS warning,
    t.sync_status, t.data_id = t.base_data_id AS on_base,
    CASE
      WHEN t.id IS NULL THEN 'create'
      WHEN t.source_id <> :source_id AND {{live_elsewhere}} THEN 'contest'
      WHEN t.hash = s.hash THEN 'agree'
      WHEN NOT t.has_manual_changes THEN 'update'
      WHEN t.accepted AND {{source_unchanged}} THEN 'accept'
      WHEN :policy = 'source_wins' THEN 'update'
      WHEN {{source_unchanged}} THEN 'keep'
      ELSE 'conflict'
    END AS class
  FROM {{pairs_{scope}}}
  LEFT JOIN target_properties t
    ON t.tenant_id = :tenant_id AND t.target_id = :target_id AND t.external_id = s.external_id
  WHERE s.tenant_id = :tenant_id AND s.source_id = :source_id AND s.removed_at IS NULL
)

-- fragment: plan
{{classed}}, plan AS (
  SELECT external_id, property_id, hash, data_id, class, CASE class
    WHEN 'create' THEN 1
    WHEN 'update' THEN 1
    WHEN 'contest' THEN contested_by IS NULL
    WHEN 'agree' THEN {{not_tied}} OR NOT on_base OR accepted OR has_manual_changes OR warning IS NOT NULL
      OR sync_status <> 'synced'
    WHEN 'accept' THEN {{not_tied}}
    WHEN 'keep' THEN {{not_tied}} OR warning IS NOT :keep_warning OR sync_status <> 'manual'
    ELSE {{not_tied}} OR warning IS NOT :conflict_warning OR sync_status <> 'conflict'
  END AS pending
  FROM classed
)

-- fragment: tie
source_id = excluded.source_id, source_property_id = excluded.source_property_id,
contested_by = CASE WHEN contested_by = excluded.source_id THEN NULL ELSE contested_by END,
revision = excluded.revision, updated_at = excluded.updated_at

-- fragment: planned_rows
-- What the plan would make of each row, for upserts: `excluded` carries the source's side.
INSERT INTO target_properties (tenant_id, target_id, external_id, id, source_id, source_property_id, hash, data_id,
  base_data_id, sync_status, last_synced, log_id, created_log, revision, created_at, updated_at)

-- name: sync_position(tenant_id TenantId, source_id SourceId, target_id TargetId)
-- Up to where the pair's last sync saw both sides, and under which settings.
SELECT source_revision, target_revision, settings_hash FROM sync_pairs
WHERE tenant_id = :tenant_id AND source_id = :source_id AND target_id = :target_id;

-- name: sync_attention(tenant_id TenantId, target_id TargetId)
-- Whether any row of the target carries a flag, a warning or a contest.
SELECT EXISTS (SELECT 1 FROM target_properties INDEXED BY target_properties_attention
  WHERE tenant_id = :tenant_id AND target_id = :target_id
    AND (has_manual_changes OR manual_changes_warning IS NOT NULL OR contested_by IS NOT NULL));

-- name: sync_classes(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text)
-- How many candidates each class has, and how many of them have something to write.
{{plan}}
SELECT class, count(*), sum(pending) FROM plan GROUP BY class;

-- name: sync_snapshots(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, first_id int, now text)
-- The rows that are about to be updated, as they are.
{{classed}}
INSERT INTO target_snapshots (tenant_id, target_id, target_property_id, version, id, data_id, base_data_id, accepted,
  hidden, reason, log_id, created_at)
SELECT :tenant_id, :target_id, t.id, t.version, :first_id + row_number() OVER (ORDER BY t.id) - 1, t.data_id,
  t.base_data_id, t.accepted, 0, 'sync', {{log}}, :now
FROM classed CROSS JOIN target_properties t ON t.target_id = :target_id AND t.external_id = classed.external_id
WHERE classed.class = 'update' AND t.tenant_id = :tenant_id;

-- name: sync_created(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, first_id int, now text)
{{classed}}
{{planned_rows}}
SELECT :tenant_id, :target_id, external_id, :first_id + row_number() OVER (ORDER BY property_id) - 1, :source_id,
  property_id, hash, data_id, data_id, 'synced', :now, {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM classed WHERE class = 'create';

-- name: sync_updated(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, now text)
{{classed}}
{{planned_rows}}
SELECT :tenant_id, :target_id, external_id, 0, :source_id, property_id, hash, data_id, data_id, 'synced', :now,
  {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM classed WHERE class = 'update'
ON CONFLICT (target_id, external_id) DO UPDATE SET hash = excluded.hash, data_id = excluded.data_id,
  base_data_id = excluded.base_data_id, version = version + 1, accepted = 0, has_manual_changes = 0,
  manual_changes_warning = NULL, sync_status = 'synced', last_synced = excluded.last_synced,
  log_id = excluded.log_id, {{tie}};

-- name: sync_bases_orphaned(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text)
-- Bases that the next statement stops pointing to.
{{plan}}
INSERT INTO orphans (data_id, tenant_id, external_id)
SELECT t.base_data_id, :tenant_id, t.external_id
FROM plan CROSS JOIN target_properties t ON t.target_id = :target_id AND t.external_id = plan.external_id
WHERE plan.class = 'agree' AND plan.pending AND t.tenant_id = :tenant_id AND t.base_data_id <> t.data_id
ON CONFLICT (data_id) DO NOTHING;

-- name: sync_agreed(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, now text)
-- Both hold the same: the row's own data is its base from now on.
{{plan}}
{{planned_rows}}
SELECT :tenant_id, :target_id, external_id, 0, :source_id, property_id, hash, data_id, data_id, 'synced', :now,
  {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM plan WHERE class = 'agree' AND pending
ON CONFLICT (target_id, external_id) DO UPDATE SET base_data_id = target_properties.data_id, accepted = 0,
  has_manual_changes = 0, manual_changes_warning = NULL, sync_status = 'synced', last_synced = excluded.last_synced,
  {{tie}};

-- name: sync_warned(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, warned text, now text)
-- Not touched but for the warning and the status, of the class `keep` or `conflict`.
{{plan}}
{{planned_rows}}
SELECT :tenant_id, :target_id, external_id, 0, :source_id, property_id, hash, data_id, data_id, '', :now,
  {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM plan WHERE class = :warned AND pending
ON CONFLICT (target_id, external_id) DO UPDATE SET
  manual_changes_warning = CASE :warned WHEN 'keep' THEN :keep_warning ELSE :conflict_warning END,
  sync_status = CASE :warned WHEN 'keep' THEN 'manual' ELSE 'conflict' END,
  {{tie}};

-- name: sync_tied(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, now text)
-- Rows whose difference was accepted and that nobody owns.
{{plan}}
{{planned_rows}}
SELECT :tenant_id, :target_id, external_id, 0, :source_id, property_id, hash, data_id, data_id, '', :now,
  {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM plan WHERE class = 'accept' AND pending
ON CONFLICT (target_id, external_id) DO UPDATE SET {{tie}};

-- name: sync_contested(scope, tenant_id TenantId, source_id SourceId, target_id TargetId, source_since int, target_since int, policy text, keep_warning text, conflict_warning text, now text)
{{plan}}
{{planned_rows}}
SELECT :tenant_id, :target_id, external_id, 0, :source_id, property_id, hash, data_id, data_id, '', :now,
  {{log}}, {{log}}, {{target_revision}}, :now, :now
FROM plan WHERE class = 'contest' AND pending
ON CONFLICT (target_id, external_id) DO UPDATE SET contested_by = excluded.source_id,
  revision = excluded.revision, updated_at = excluded.updated_at;

-- name: sync_positioned(tenant_id TenantId, source_id SourceId, target_id TargetId, source_revision int, target_revision int, settings_hash text)
INSERT INTO sync_pairs (source_id, target_id, tenant_id, source_revision, target_revision, settings_hash)
VALUES (:source_id, :target_id, :tenant_id, :source_revision, :target_revision, :settings_hash)
ON CONFLICT (source_id, target_id) DO UPDATE SET source_revision = excluded.source_revision,
  target_revision = excluded.target_revision, settings_hash = excluded.settings_hash;
