-- Large imports, and work that a schedule starts. What is stored where, and why: ../README.md.

-- A large import in progress. Its staging rows are its own until the lease passes; each part renews it.
CREATE TABLE imports (
  id BIGINT PRIMARY KEY,
  tenant_id BIGINT NOT NULL REFERENCES tenants,
  source_id BIGINT NOT NULL,
  lease_until TEXT COLLATE "C" NOT NULL
);
CREATE INDEX imports_tenant ON imports (tenant_id, lease_until);

-- The identities of a large import, each once: the last item that has it.
CREATE TABLE staging (
  tenant_id BIGINT NOT NULL,
  import_id BIGINT NOT NULL,
  external_id TEXT COLLATE "C" NOT NULL,
  place BIGINT NOT NULL,                     -- of the item in its import, from 0
  hash TEXT COLLATE "C",                     -- NULL: the item failed, and counts as present only
  data_id BIGINT,                            -- the item's data, as it was sent or as the source has it
  sent BIGINT NOT NULL,                      -- 1: the import sent that data
  PRIMARY KEY (import_id, external_id)
);

-- When the next run of a kind is due.
CREATE TABLE schedules (
  tenant_id BIGINT NOT NULL REFERENCES tenants,
  kind TEXT COLLATE "C" NOT NULL,            -- retention
  next_due TEXT COLLATE "C",                 -- NULL: stopped
  PRIMARY KEY (tenant_id, kind)
);
CREATE INDEX schedules_due ON schedules (next_due) WHERE next_due IS NOT NULL;
INSERT INTO schedules (tenant_id, kind, next_due)
SELECT id, 'retention', created_at FROM tenants;

-- One slot of a schedule is one run, whatever wakes it. Who works on it holds its lease; the fence rises with each holder,
-- and every batch of the run begins with a guard on it.
CREATE TABLE runs (
  id BIGINT PRIMARY KEY,
  tenant_id BIGINT NOT NULL REFERENCES tenants,
  kind TEXT COLLATE "C" NOT NULL,
  due_at TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,           -- running, done
  checkpoint TEXT COLLATE "C" NOT NULL,      -- JSON: what is done already
  fence BIGINT NOT NULL,
  lease_until TEXT COLLATE "C" NOT NULL,
  started_at TEXT COLLATE "C" NOT NULL,
  UNIQUE (tenant_id, kind, due_at)
);
CREATE UNIQUE INDEX runs_active ON runs (tenant_id, kind) WHERE state = 'running';
CREATE INDEX runs_lease ON runs (lease_until) WHERE state = 'running';

ALTER TABLE guard ADD COLUMN lease_lost BIGINT NOT NULL DEFAULT 0;

INSERT INTO counters (name, next) VALUES ('imports', 1), ('runs', 1);
