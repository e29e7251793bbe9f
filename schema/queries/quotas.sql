-- What a tenant may have, and what it has of that. A guard stands behind what makes it more.

-- fragment: live_properties
-- Of sources and of targets, all together.
(SELECT coalesce(sum(property_count), 0) FROM sources WHERE tenant_id = :tenant_id AND deleted_at IS NULL)
  + (SELECT coalesce(sum(property_count), 0) FROM targets WHERE tenant_id = :tenant_id AND deleted_at IS NULL)

-- fragment: live_keys
(SELECT count(*) FROM api_keys WHERE tenant_id = :tenant_id AND {{alive}})

-- name: tenant_usage(tenant_id TenantId, now text) -> (properties int, data_bytes int, sources int, targets int, keys int)
SELECT CAST({{live_properties}} AS BIGINT) AS properties, data_bytes,
  (SELECT count(*) FROM sources WHERE tenant_id = :tenant_id AND deleted_at IS NULL) AS sources,
  (SELECT count(*) FROM targets WHERE tenant_id = :tenant_id AND deleted_at IS NULL) AS targets, {{live_keys}} AS keys
FROM tenants WHERE id = :tenant_id;

-- name: data_stored(tenant_id TenantId, bytes int)
-- What is dropped a trigger takes away.
UPDATE tenants SET data_bytes = data_bytes + :bytes WHERE id = :tenant_id;

-- name: guard_properties(tenant_id TenantId, most int)
-- Aborts the batch as `guard:properties_over`.
INSERT INTO guard (properties_over) SELECT NULL WHERE {{live_properties}} > :most;

-- name: guard_data(tenant_id TenantId, most int)
-- Aborts the batch as `guard:data_over`.
INSERT INTO guard (data_over) SELECT NULL WHERE (SELECT data_bytes FROM tenants WHERE id = :tenant_id) > :most;

-- name: guard_connectors(connector, tenant_id TenantId, most int)
-- Aborts the batch as `guard:{connector}s_over`.
INSERT INTO guard ({connector}s_over) SELECT NULL WHERE (SELECT count(*) FROM {connector}s WHERE tenant_id = :tenant_id AND deleted_at IS NULL) > :most;

-- name: guard_keys(tenant_id TenantId, most int, now text)
-- Aborts the batch as `guard:keys_over`.
INSERT INTO guard (keys_over) SELECT NULL WHERE {{live_keys}} > :most;

-- Sign-ups in this hour, by a keyed hash of the address that they came from.

-- name: signup_counted(address text, hour int)
INSERT INTO signups (address, hour, count) VALUES (:address, :hour, 1)
ON CONFLICT (address) DO UPDATE SET hour = excluded.hour,
  count = CASE WHEN signups.hour = excluded.hour THEN signups.count + 1 ELSE 1 END;

-- name: signups_forgotten(hour int)
DELETE FROM signups WHERE hour < :hour;

-- name: guard_signups(address text, hour int, most int)
-- Aborts the batch as `guard:signups_over` where there were more.
INSERT INTO guard (signups_over) SELECT NULL WHERE (SELECT count FROM signups WHERE address = :address AND hour = :hour) > :most;
