-- The usual schema: each row holds its data, each snapshot a copy of it. `data` stands last in its row, so that comparing
-- hashes does not read it. Measured without gain, so left out: covering indexes with the hash, WITHOUT ROWID.
CREATE TABLE tenants (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  created_at TEXT NOT NULL
);

CREATE TABLE api_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL REFERENCES tenants ON DELETE CASCADE,
  key_hash TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL
);

CREATE TABLE sources (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL REFERENCES tenants ON DELETE CASCADE,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);

CREATE TABLE targets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL REFERENCES tenants ON DELETE CASCADE,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);

CREATE TABLE source_properties (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL,
  source_id INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
  external_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  data TEXT NOT NULL,
  UNIQUE (source_id, external_id)
);

CREATE TABLE target_properties (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL,
  target_id INTEGER NOT NULL REFERENCES targets ON DELETE CASCADE,
  source_property_id INTEGER,
  external_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  source_hash TEXT NOT NULL, -- of the source data that the row was last settled with
  version INTEGER NOT NULL DEFAULT 1,
  has_manual_changes INTEGER NOT NULL DEFAULT 0,
  warning TEXT,
  sync_status TEXT NOT NULL,
  last_synced TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  data TEXT NOT NULL,
  UNIQUE (target_id, external_id)
);
CREATE INDEX target_properties_manual ON target_properties (target_id) WHERE has_manual_changes;

CREATE TABLE source_snapshots (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL,
  source_property_id INTEGER NOT NULL,
  hash TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE INDEX source_snapshots_of ON source_snapshots (source_property_id);

CREATE TABLE target_snapshots (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL,
  target_property_id INTEGER NOT NULL,
  hash TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE INDEX target_snapshots_of ON target_snapshots (target_property_id);

CREATE TABLE sync_logs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL,
  sync_id TEXT NOT NULL,
  sync_type TEXT NOT NULL,
  source_id INTEGER,
  target_id INTEGER,
  total_properties INTEGER NOT NULL,
  updated_properties INTEGER NOT NULL,
  created_at TEXT NOT NULL
);
