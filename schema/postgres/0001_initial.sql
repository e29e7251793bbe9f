-- What is stored where, and why: ../README.md.
-- Texts compare byte by byte, as on SQLite, whatever the collation of the database is.

CREATE TABLE tenants (
  id BIGINT PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL,
  created_at TEXT COLLATE "C" NOT NULL,
  updated_at TEXT COLLATE "C" NOT NULL
);

CREATE TABLE api_keys (
  id BIGINT PRIMARY KEY,
  tenant_id BIGINT NOT NULL REFERENCES tenants,
  key_hash TEXT COLLATE "C" NOT NULL UNIQUE, -- HMAC-SHA-256 with the deployment's pepper, hex
  created_at TEXT COLLATE "C" NOT NULL,
  revoked_at TEXT COLLATE "C"
);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id);

CREATE TABLE sources (
  id BIGINT PRIMARY KEY,
  tenant_id BIGINT NOT NULL REFERENCES tenants,
  name TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  config TEXT COLLATE "C" NOT NULL,          -- canonical JSON, the mask where a secret stands
  property_count BIGINT NOT NULL DEFAULT 0,  -- live ones, kept by each batch
  revision BIGINT NOT NULL DEFAULT 1,        -- +1 by each batch that changes the row or its properties
  created_at TEXT COLLATE "C" NOT NULL,
  updated_at TEXT COLLATE "C" NOT NULL
);
CREATE INDEX sources_tenant ON sources (tenant_id, id);

CREATE TABLE targets (
  id BIGINT PRIMARY KEY,
  tenant_id BIGINT NOT NULL REFERENCES tenants,
  name TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  config TEXT COLLATE "C" NOT NULL,
  property_count BIGINT NOT NULL DEFAULT 0,
  revision BIGINT NOT NULL DEFAULT 1,
  feed_floor BIGINT NOT NULL DEFAULT 0,      -- changes since an older revision can no longer be told
  created_at TEXT COLLATE "C" NOT NULL,
  updated_at TEXT COLLATE "C" NOT NULL
);
CREATE INDEX targets_tenant ON targets (tenant_id, id);

CREATE TABLE secrets (
  tenant_id BIGINT NOT NULL REFERENCES tenants,
  owner TEXT COLLATE "C" NOT NULL,           -- source, target
  owner_id BIGINT NOT NULL,
  pointer TEXT COLLATE "C" NOT NULL,         -- into the owner's config
  key_id TEXT COLLATE "C" NOT NULL,
  sealed TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (owner, owner_id, pointer)
);

CREATE TABLE property_data (
  id BIGINT PRIMARY KEY,
  tenant_id BIGINT NOT NULL,
  hash TEXT COLLATE "C" NOT NULL,            -- SHA-256 of data, lower-case hex
  data TEXT COLLATE "C" NOT NULL             -- canonical JSON
);

CREATE TABLE source_properties (
  tenant_id BIGINT NOT NULL,
  source_id BIGINT NOT NULL REFERENCES sources ON DELETE CASCADE,
  external_id TEXT COLLATE "C" NOT NULL,
  id BIGINT NOT NULL,
  hash TEXT COLLATE "C" NOT NULL,
  data_id BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  removed_at TEXT COLLATE "C",
  revision BIGINT NOT NULL,                  -- the source's, when the row last changed
  log_id BIGINT NOT NULL,                    -- sync_logs row of the last change of its data
  life_log BIGINT NOT NULL,                  -- of its creation, removal or return
  created_at TEXT COLLATE "C" NOT NULL,
  updated_at TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (source_id, external_id)
);
CREATE UNIQUE INDEX source_properties_list ON source_properties (source_id, id);
CREATE INDEX source_properties_changed ON source_properties (source_id, revision);

CREATE TABLE target_properties (
  tenant_id BIGINT NOT NULL,
  target_id BIGINT NOT NULL REFERENCES targets ON DELETE CASCADE,
  external_id TEXT COLLATE "C" NOT NULL,
  id BIGINT NOT NULL,
  source_id BIGINT,                          -- the owner
  source_property_id BIGINT,
  hash TEXT COLLATE "C" NOT NULL,
  data_id BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  base_data_id BIGINT NOT NULL,              -- what the row is settled with; data_id where nobody edited
  accepted BIGINT NOT NULL DEFAULT 0,
  has_manual_changes BIGINT NOT NULL DEFAULT 0,
  manual_changes_warning TEXT COLLATE "C",
  contested_by BIGINT,                       -- a source whose live property wants this row, too
  sync_status TEXT COLLATE "C" NOT NULL,
  last_synced TEXT COLLATE "C",
  delivered_data_id BIGINT,                  -- what the outside is known to hold
  log_id BIGINT NOT NULL,
  created_log BIGINT NOT NULL,
  revision BIGINT NOT NULL,                  -- the target's, when the row last changed
  deleted_at TEXT COLLATE "C",               -- hidden
  created_at TEXT COLLATE "C" NOT NULL,
  updated_at TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (target_id, external_id)
);
CREATE UNIQUE INDEX target_properties_list ON target_properties (target_id, id);
CREATE INDEX target_properties_changed ON target_properties (target_id, revision);
CREATE INDEX target_properties_attention ON target_properties (target_id)
  WHERE has_manual_changes = 1 OR manual_changes_warning IS NOT NULL OR contested_by IS NOT NULL;

CREATE TABLE source_snapshots (
  tenant_id BIGINT NOT NULL,
  source_id BIGINT NOT NULL,
  source_property_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  id BIGINT NOT NULL,
  data_id BIGINT NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  log_id BIGINT NOT NULL,                    -- the change that ended this state
  created_at TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (source_property_id, version, id)
);

CREATE TABLE target_snapshots (
  tenant_id BIGINT NOT NULL,
  target_id BIGINT NOT NULL,
  target_property_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  id BIGINT NOT NULL,
  data_id BIGINT NOT NULL,
  base_data_id BIGINT NOT NULL,
  accepted BIGINT NOT NULL,
  hidden BIGINT NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  log_id BIGINT NOT NULL,
  created_at TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (target_property_id, version, id)
);

CREATE TABLE sync_pairs (
  source_id BIGINT NOT NULL REFERENCES sources ON DELETE CASCADE,
  target_id BIGINT NOT NULL REFERENCES targets ON DELETE CASCADE,
  tenant_id BIGINT NOT NULL,
  source_revision BIGINT NOT NULL,           -- both as the last sync of this pair left them
  target_revision BIGINT NOT NULL,
  settings_hash TEXT COLLATE "C" NOT NULL,   -- of all that decides a sync but the rows
  PRIMARY KEY (source_id, target_id)
);
CREATE INDEX sync_pairs_target ON sync_pairs (target_id);

-- Data that a batch stopped pointing to without a snapshot; a clean-up looks at it.
CREATE TABLE orphans (
  data_id BIGINT PRIMARY KEY,
  tenant_id BIGINT NOT NULL,
  external_id TEXT COLLATE "C" NOT NULL
);
CREATE INDEX orphans_tenant ON orphans (tenant_id, data_id);

-- Numbered within the tenant, so that one row is all that an operation without changes writes.
CREATE TABLE sync_logs (
  tenant_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  sync_id TEXT COLLATE "C" NOT NULL,
  run_id TEXT COLLATE "C",
  sync_type TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  source_id BIGINT,
  target_id BIGINT,
  total_properties BIGINT NOT NULL,
  updated_properties BIGINT NOT NULL,
  failed_properties BIGINT NOT NULL,
  stats TEXT COLLATE "C",
  revision BIGINT,
  error_message TEXT COLLATE "C",
  started_at TEXT COLLATE "C" NOT NULL,
  completed_at TEXT COLLATE "C",
  PRIMARY KEY (tenant_id, id)
);

-- The next free id of each kind; ids are handed out inside the batch that uses them, or ahead of it.
CREATE TABLE counters (
  name TEXT COLLATE "C" PRIMARY KEY,
  next BIGINT NOT NULL
);
INSERT INTO counters (name, next) VALUES
  ('tenants', 1), ('api_keys', 1), ('sources', 1), ('targets', 1), ('property_data', 1),
  ('source_properties', 1), ('target_properties', 1), ('source_snapshots', 1), ('target_snapshots', 1);

-- Stays empty: inserting NULL aborts the batch and names the column.
CREATE TABLE guard (
  source_changed BIGINT NOT NULL DEFAULT 0,
  target_changed BIGINT NOT NULL DEFAULT 0,
  row_changed BIGINT NOT NULL DEFAULT 0,
  last_key BIGINT NOT NULL DEFAULT 0
);
