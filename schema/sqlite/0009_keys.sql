-- Keys have a name, a scope, an end, and the hour of their last use; a tenant may be suspended. What is stored where, and why:
-- ../README.md.
ALTER TABLE api_keys ADD COLUMN name TEXT;
ALTER TABLE api_keys ADD COLUMN scope TEXT NOT NULL DEFAULT 'full';
ALTER TABLE api_keys ADD COLUMN expires_at TEXT;
ALTER TABLE api_keys ADD COLUMN last_used_hour INTEGER NOT NULL DEFAULT 0; -- hours since 1970; 0 for never
ALTER TABLE tenants ADD COLUMN suspended_at TEXT;
-- Rises with each tenant that is made, suspended or resumed.
INSERT INTO counters (name, next) VALUES ('tenant_changes', 1);
-- A key may be good and not allow what the call does.
ALTER TABLE guard ADD COLUMN tenant_suspended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN key_reads INTEGER NOT NULL DEFAULT 0;
