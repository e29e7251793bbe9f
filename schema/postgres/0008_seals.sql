-- The sealed secrets of a config as one text. A row a secret, with its pointer, took a hundred times the room of a body that
-- has many small ones. What stands in `secrets` stays there, and counts, until its config is changed.

CREATE TABLE sealed_secrets (
  tenant_id BIGINT NOT NULL REFERENCES tenants,
  owner TEXT COLLATE "C" NOT NULL,           -- source, target
  owner_id BIGINT NOT NULL,
  seals TEXT COLLATE "C" NOT NULL,           -- JSON list: key id and seal for each mask of the config, in its order
  PRIMARY KEY (owner, owner_id)
);
