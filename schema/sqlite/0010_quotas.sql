-- What tenants may have and use. What is stored where, and why: ../README.md.

-- Bytes of all data that the tenant has, history included. Batches that store data add to it.
ALTER TABLE tenants ADD COLUMN data_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE tenants SET data_bytes = stored.bytes
FROM (SELECT tenant_id, sum(octet_length(data)) AS bytes FROM property_data GROUP BY tenant_id) AS stored
WHERE stored.tenant_id = tenants.id;

-- What is dropped is found out by the statement that drops it, so nobody else knows how large it was.
CREATE TRIGGER property_data_dropped AFTER DELETE ON property_data
BEGIN
  UPDATE tenants SET data_bytes = data_bytes - octet_length(old.data) WHERE id = old.tenant_id;
END;

-- Sign-ups of the hour that is named, by a keyed hash of the address that they came from. Older ones go with the next one.
CREATE TABLE signups (
  address TEXT PRIMARY KEY,
  hour INTEGER NOT NULL,                     -- since 1970
  count INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX signups_hour ON signups (hour);

ALTER TABLE guard ADD COLUMN properties_over INTEGER NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN data_over INTEGER NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN sources_over INTEGER NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN targets_over INTEGER NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN keys_over INTEGER NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN signups_over INTEGER NOT NULL DEFAULT 0;
