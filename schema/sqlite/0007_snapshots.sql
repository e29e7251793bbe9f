-- Snapshots by the source or target that they are of, so that those of one tenant are read without its rows. What is stored
-- where, and why: ../README.md.

CREATE TABLE source_snapshots_by_source (
  tenant_id INTEGER NOT NULL,
  source_id INTEGER NOT NULL,
  source_property_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  id INTEGER NOT NULL,
  data_id INTEGER NOT NULL,
  reason TEXT NOT NULL,
  log_id INTEGER NOT NULL,                   -- the change that ended this state
  created_at TEXT NOT NULL,
  PRIMARY KEY (source_id, source_property_id, version, id)
) WITHOUT ROWID;
INSERT INTO source_snapshots_by_source (tenant_id, source_id, source_property_id, version, id, data_id, reason, log_id,
  created_at)
SELECT tenant_id, source_id, source_property_id, version, id, data_id, reason, log_id, created_at FROM source_snapshots
ORDER BY source_id, source_property_id, version, id;
DROP TABLE source_snapshots;
ALTER TABLE source_snapshots_by_source RENAME TO source_snapshots;

CREATE TABLE target_snapshots_by_target (
  tenant_id INTEGER NOT NULL,
  target_id INTEGER NOT NULL,
  target_property_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  id INTEGER NOT NULL,
  data_id INTEGER NOT NULL,
  base_data_id INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  hidden INTEGER NOT NULL,
  reason TEXT NOT NULL,
  log_id INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (target_id, target_property_id, version, id)
) WITHOUT ROWID;
INSERT INTO target_snapshots_by_target (tenant_id, target_id, target_property_id, version, id, data_id, base_data_id,
  accepted, hidden, reason, log_id, created_at)
SELECT tenant_id, target_id, target_property_id, version, id, data_id, base_data_id, accepted, hidden, reason, log_id,
  created_at FROM target_snapshots ORDER BY target_id, target_property_id, version, id;
DROP TABLE target_snapshots;
ALTER TABLE target_snapshots_by_target RENAME TO target_snapshots;

-- Rows that point to more than one datum, so that a clean-up reads the others once.
CREATE INDEX target_properties_settled ON target_properties (target_id, id)
  WHERE base_data_id <> data_id OR delivered_data_id IS NOT NULL;
