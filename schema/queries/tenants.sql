-- name: key_owner(key_hash text) -> (tenant_id TenantId)
-- The tenant whose live key this is.
SELECT tenant_id FROM api_keys WHERE key_hash = :key_hash AND revoked_at IS NULL;

-- name: guard_key(tenant_id TenantId, key_hash text)
-- Aborts the call as `guard:key_refused` where this is no live key of the tenant.
INSERT INTO guard (key_refused) SELECT NULL WHERE NOT EXISTS (
  SELECT 1 FROM api_keys WHERE tenant_id = :tenant_id AND key_hash = :key_hash AND revoked_at IS NULL);

-- name: tenant_added(id TenantId, name text, now text)
INSERT INTO tenants (id, name, created_at, updated_at) VALUES (:id, :name, :now, :now);

-- name: tenant_by_id(tenant_id TenantId) -> (id int, name text, created_at text)
SELECT id, name, created_at FROM tenants WHERE id = :tenant_id;

-- name: key_added(tenant_id TenantId, id int, key_hash text, now text)
INSERT INTO api_keys (id, tenant_id, key_hash, created_at) VALUES (:id, :tenant_id, :key_hash, :now);

-- row: key(id int, created_at text, revoked_at text?)
-- A key as lists show it.

-- name: keys_page(tenant_id TenantId, after int, count int) -> key
SELECT id, created_at, revoked_at FROM api_keys
WHERE tenant_id = :tenant_id AND id > :after ORDER BY id LIMIT :count;

-- name: keys_state(tenant_id TenantId) -> (count int, last int, revoked int)
-- What the ETag of the list of keys is made of.
SELECT count(*) AS count, coalesce(max(id), 0) AS last, count(revoked_at) AS revoked FROM api_keys WHERE tenant_id = :tenant_id;

-- name: key_by_id(tenant_id TenantId, id int) -> key
SELECT id, created_at, revoked_at FROM api_keys WHERE tenant_id = :tenant_id AND id = :id;

-- name: guard_last_key(tenant_id TenantId, id int)
-- Aborts the batch as `guard:last_key` where no other live key of the tenant is left.
INSERT INTO guard (last_key) SELECT NULL
WHERE NOT EXISTS (SELECT 1 FROM api_keys WHERE tenant_id = :tenant_id AND id <> :id AND revoked_at IS NULL);

-- name: key_revoked(tenant_id TenantId, id int, now text)
UPDATE api_keys SET revoked_at = :now WHERE tenant_id = :tenant_id AND id = :id AND revoked_at IS NULL;
