-- fragment: alive
-- Of a key: neither revoked nor expired.
revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)

-- name: key_owner(key_hash text, now text) -> (tenant_id TenantId, suspended_at text?, scope text, last_used_hour int)
-- The tenant whose live key this is.
SELECT k.tenant_id, t.suspended_at, k.scope, k.last_used_hour FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
WHERE k.key_hash = :key_hash AND {{alive}};

-- name: guard_key(tenant_id TenantId, key_hash text, now text, writes int)
-- Aborts the call as `guard:key_refused` where this is no live key of the tenant, as `guard:tenant_suspended`, or, where the
-- call `writes`, as `guard:key_reads`.
INSERT INTO guard (key_refused, tenant_suspended, key_reads)
SELECT CASE WHEN finding <> 'refused' THEN 0 END, CASE WHEN finding <> 'suspended' THEN 0 END, CASE WHEN finding <> 'reads' THEN 0 END
FROM (SELECT coalesce((
  SELECT CASE WHEN t.suspended_at IS NOT NULL THEN 'suspended' WHEN :writes = 1 AND k.scope <> 'full' THEN 'reads' ELSE 'good' END
  FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
  WHERE k.tenant_id = :tenant_id AND k.key_hash = :key_hash AND {{alive}}), 'refused') AS finding) AS looked_up
WHERE finding <> 'good';

-- name: key_idle(tenant_id TenantId, key_hash text, hour int) -> (id int)
-- The key, where it is yet to be told that it was used in this hour.
SELECT id FROM api_keys WHERE tenant_id = :tenant_id AND key_hash = :key_hash AND last_used_hour < :hour;

-- name: key_used(tenant_id TenantId, key_hash text, hour int)
UPDATE api_keys SET last_used_hour = :hour
WHERE tenant_id = :tenant_id AND key_hash = :key_hash AND last_used_hour < :hour;

-- name: tenant_added(id TenantId, name text, now text)
INSERT INTO tenants (id, name, created_at, updated_at) VALUES (:id, :name, :now, :now);

-- row: tenant(id int, name text, created_at text, suspended_at text?)

-- name: tenant_by_id(tenant_id TenantId) -> tenant
SELECT id, name, created_at, suspended_at FROM tenants WHERE id = :tenant_id;

-- name: tenants_page(after int, count int) -> tenant
SELECT id, name, created_at, suspended_at FROM tenants WHERE id > :after ORDER BY id LIMIT :count;

-- name: tenants_state() -> (changes int)
-- What the ETag of the list of tenants is made of.
SELECT next AS changes FROM counters WHERE name = 'tenant_changes';

-- name: tenant_suspended(tenant_id TenantId, now text)
UPDATE tenants SET suspended_at = :now, updated_at = :now WHERE id = :tenant_id AND suspended_at IS NULL;

-- name: tenant_resumed(tenant_id TenantId, now text)
UPDATE tenants SET suspended_at = NULL, updated_at = :now WHERE id = :tenant_id AND suspended_at IS NOT NULL;

-- name: key_added(tenant_id TenantId, id int, key_hash text, name text?, scope text, expires_at text?, now text)
INSERT INTO api_keys (id, tenant_id, key_hash, name, scope, expires_at, created_at)
VALUES (:id, :tenant_id, :key_hash, :name, :scope, :expires_at, :now);

-- row: key(id int, name text?, scope text, created_at text, last_used_hour int, expires_at text?, revoked_at text?)
-- A key as lists show it.

-- name: keys_page(tenant_id TenantId, after int, count int) -> key
SELECT id, name, scope, created_at, last_used_hour, expires_at, revoked_at FROM api_keys
WHERE tenant_id = :tenant_id AND id > :after ORDER BY id LIMIT :count;

-- name: keys_state(tenant_id TenantId) -> (count int, last int, revoked int, used int)
-- What the ETag of the list of keys is made of. Hours of use only rise.
SELECT count(*) AS count, coalesce(max(id), 0) AS last, count(revoked_at) AS revoked,
  CAST(coalesce(sum(last_used_hour), 0) AS BIGINT) AS used
FROM api_keys WHERE tenant_id = :tenant_id;

-- name: key_by_id(tenant_id TenantId, id int) -> key
SELECT id, name, scope, created_at, last_used_hour, expires_at, revoked_at FROM api_keys
WHERE tenant_id = :tenant_id AND id = :id;

-- name: guard_last_key(tenant_id TenantId, id int, now text)
-- Aborts the batch as `guard:last_key` where this is a full key, and no other live one of the tenant is left.
INSERT INTO guard (last_key) SELECT NULL FROM api_keys WHERE tenant_id = :tenant_id AND id = :id AND scope = 'full' AND NOT EXISTS (
  SELECT 1 FROM api_keys k WHERE k.tenant_id = :tenant_id AND k.id <> :id AND k.scope = 'full' AND {{alive}});

-- name: key_revoked(tenant_id TenantId, id int, now text)
UPDATE api_keys SET revoked_at = :now WHERE tenant_id = :tenant_id AND id = :id AND revoked_at IS NULL;
