-- What tenants may have and use. What is stored where, and why: ../README.md.

-- Bytes of all data that the tenant has, history included. Batches that store data add to it.
ALTER TABLE tenants ADD COLUMN data_bytes BIGINT NOT NULL DEFAULT 0;
UPDATE tenants SET data_bytes = stored.bytes
FROM (SELECT tenant_id, sum(octet_length(data)) AS bytes FROM property_data GROUP BY tenant_id) AS stored
WHERE stored.tenant_id = tenants.id;

-- What is dropped is found out by the statement that drops it, so nobody else knows how large it was.
CREATE FUNCTION property_data_dropped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tenants SET data_bytes = data_bytes - dropped.bytes
  FROM (SELECT tenant_id, sum(octet_length(data)) AS bytes FROM gone GROUP BY tenant_id) AS dropped
  WHERE dropped.tenant_id = tenants.id;
  RETURN NULL;
END
$$;
CREATE TRIGGER property_data_dropped AFTER DELETE ON property_data
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION property_data_dropped();

-- Sign-ups of the hour that is named, by a keyed hash of the address that they came from. Older ones go with the next one.
CREATE TABLE signups (
  address TEXT COLLATE "C" PRIMARY KEY,
  hour BIGINT NOT NULL,                     -- since 1970
  count BIGINT NOT NULL
);
CREATE INDEX signups_hour ON signups (hour);

ALTER TABLE guard ADD COLUMN properties_over BIGINT NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN data_over BIGINT NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN sources_over BIGINT NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN targets_over BIGINT NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN keys_over BIGINT NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN signups_over BIGINT NOT NULL DEFAULT 0;
