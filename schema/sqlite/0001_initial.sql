-- What is stored where, and why: ../README.md.

CREATE TABLE tenants (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);

CREATE TABLE api_keys (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL REFERENCES tenants,
  key_hash TEXT NOT NULL UNIQUE,             -- HMAC-SHA-256 with the deployment's pepper, hex
  created_at TEXT NOT NULL,
  revoked_at TEXT
);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id);

CREATE TABLE sources (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL REFERENCES tenants,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  config TEXT NOT NULL,                      -- canonical JSON, the mask where a secret stands
  property_count INTEGER NOT NULL DEFAULT 0, -- live ones, kept by each batch
  revision INTEGER NOT NULL DEFAULT 1,       -- +1 by each batch that changes the row or its properties
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE INDEX sources_tenant ON sources (tenant_id, id);

CREATE TABLE targets (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL REFERENCES tenants,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  config TEXT NOT NULL,
  property_count INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL DEFAULT 1,
  feed_floor INTEGER NOT NULL DEFAULT 0,     -- changes since an older revision can no longer be told
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE INDEX targets_tenant ON targets (tenant_id, id);

CREATE TABLE secrets (
  tenant_id INTEGER NOT NULL REFERENCES tenants,
  owner TEXT NOT NULL,                       -- source, target
  owner_id INTEGER NOT NULL,
  pointer TEXT NOT NULL,                     -- into the owner's config
  key_id TEXT NOT NULL,
  sealed TEXT NOT NULL,
  PRIMARY KEY (owner, owner_id, pointer)
) WITHOUT ROWID;

CREATE TABLE property_data (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL,
  hash TEXT NOT NULL,                        -- SHA-256 of data, lower-case hex
  data TEXT NOT NULL                         -- canonical JSON
);

CREATE TABLE source_properties (
  tenant_id INTEGER NOT NULL,
  source_id INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
  external_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  hash TEXT NOT NULL,
  data_id INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  removed_at TEXT,
  revision INTEGER NOT NULL,                 -- the source's, when the row last changed
  log_id INTEGER NOT NULL,                   -- sync_logs row of the last change of its data
  life_log INTEGER NOT NULL,                 -- of its creation, removal or return
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (source_id, external_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX source_properties_list ON source_properties (source_id, id);
CREATE INDEX source_properties_changed ON source_properties (source_id, revision);

CREATE TABLE target_properties (
  tenant_id INTEGER NOT NULL,
  target_id INTEGER NOT NULL REFERENCES targets ON DELETE CASCADE,
  external_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  source_id INTEGER,                         -- the owner
  source_property_id INTEGER,
  hash TEXT NOT NULL,
  data_id INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  base_data_id INTEGER NOT NULL,             -- what the row is settled with; data_id where nobody edited
  accepted INTEGER NOT NULL DEFAULT 0,
  has_manual_changes INTEGER NOT NULL DEFAULT 0,
  manual_changes_warning TEXT,
  contested_by INTEGER,                      -- a source whose live property wants this row, too
  sync_status TEXT NOT NULL,
  last_synced TEXT,
  delivered_data_id INTEGER,                 -- what the outside is known to hold
  log_id INTEGER NOT NULL,
  created_log INTEGER NOT NULL,
  revision INTEGER NOT NULL,                 -- the target's, when the row last changed
  deleted_at TEXT,                           -- hidden
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (target_id, external_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX target_properties_list ON target_properties (target_id, id);
CREATE INDEX target_properties_changed ON target_properties (target_id, revision);
CREATE INDEX target_properties_attention ON target_properties (target_id)
  WHERE has_manual_changes OR manual_changes_warning IS NOT NULL OR contested_by IS NOT NULL;

CREATE TABLE source_snapshots (
  tenant_id INTEGER NOT NULL,
  source_id INTEGER NOT NULL,
  source_property_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  id INTEGER NOT NULL,
  data_id INTEGER NOT NULL,
  reason TEXT NOT NULL,
  log_id INTEGER NOT NULL,                   -- the change that ended this state
  created_at TEXT NOT NULL,
  PRIMARY KEY (source_property_id, version, id)
) WITHOUT ROWID;

CREATE TABLE target_snapshots (
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
  PRIMARY KEY (target_property_id, version, id)
) WITHOUT ROWID;

CREATE TABLE sync_pairs (
  source_id INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
  target_id INTEGER NOT NULL REFERENCES targets ON DELETE CASCADE,
  tenant_id INTEGER NOT NULL,
  source_revision INTEGER NOT NULL,          -- both as the last sync of this pair left them
  target_revision INTEGER NOT NULL,
  settings_hash TEXT NOT NULL,               -- of all that decides a sync but the rows
  PRIMARY KEY (source_id, target_id)
) WITHOUT ROWID;
CREATE INDEX sync_pairs_target ON sync_pairs (target_id);

-- Data that a batch stopped pointing to without a snapshot; a clean-up looks at it.
CREATE TABLE orphans (
  data_id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL,
  external_id TEXT NOT NULL
);
CREATE INDEX orphans_tenant ON orphans (tenant_id, data_id);

-- Numbered within the tenant, so that one row is all that an operation without changes writes.
CREATE TABLE sync_logs (
  tenant_id INTEGER NOT NULL,
  id INTEGER NOT NULL,
  sync_id TEXT NOT NULL,
  run_id TEXT,
  sync_type TEXT NOT NULL,
  status TEXT NOT NULL,
  source_id INTEGER,
  target_id INTEGER,
  total_properties INTEGER NOT NULL,
  updated_properties INTEGER NOT NULL,
  failed_properties INTEGER NOT NULL,
  stats TEXT,
  revision INTEGER,
  error_message TEXT,
  started_at TEXT NOT NULL,
  completed_at TEXT,
  PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;

-- The next free id of each kind; ids are handed out inside the batch that uses them, or ahead of it.
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  next INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters (name, next) VALUES
  ('tenants', 1), ('api_keys', 1), ('sources', 1), ('targets', 1), ('property_data', 1),
  ('source_properties', 1), ('target_properties', 1), ('source_snapshots', 1), ('target_snapshots', 1);

-- Stays empty: inserting NULL aborts the batch and names the column.
CREATE TABLE guard (
  source_changed INTEGER NOT NULL DEFAULT 0,
  target_changed INTEGER NOT NULL DEFAULT 0,
  row_changed INTEGER NOT NULL DEFAULT 0,
  last_key INTEGER NOT NULL DEFAULT 0
);
