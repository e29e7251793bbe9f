-- fragment: log
-- The log row of this batch: it is inserted first, and ids rise within a tenant.
(SELECT id FROM sync_logs WHERE tenant_id = :tenant_id ORDER BY id DESC LIMIT 1)

-- fragment: newest_logs
(SELECT id, sync_id, stats FROM sync_logs WHERE tenant_id = :tenant_id ORDER BY id DESC LIMIT 1000) AS newest

-- fragment: session
-- What a host sets for each connection. A bitmap loses the order of its index, so that each page of a list would read and
-- sort all rows behind it: PostgreSQL prefers that where it takes a list for short, as before it has counted a table's rows.
-- sqlite:
-- postgres:
SET enable_bitmapscan = off

-- fragment: begin
-- What a batch begins with, in a host: from here on the tenant has one writer. SQLite has one writer at a time anyway. On
-- PostgreSQL another batch of the tenant waits here for the end of the first, so that each of its statements, which see what
-- is committed when they begin, sees all of that one and nothing that moves.
-- sqlite:
-- postgres:
SELECT 1 FROM tenants WHERE id = :tenant_id FOR NO KEY UPDATE

-- fragment: items
-- The texts of a pack that is a JSON list of them; `key` counts from 0.
-- sqlite:
json_each(:pack) j
-- postgres:
(SELECT place - 1 AS key, value FROM json_array_elements_text(:pack::json) WITH ORDINALITY AS item(value, place)) j

-- fragment: members
-- Those of a pack that is a JSON object of texts.
-- sqlite:
json_each(:pack) j
-- postgres:
json_each_text(:pack::json) j

-- fragment: in_order
-- Behind the arguments of an aggregate over items. SQLite meets them in their order, and would sort them once more.
-- sqlite:
-- postgres:
ORDER BY j.key

-- fragment: stats
-- The stats of a log row, whose members `->>` gives. They are stored as text, so that they stay as the core wrote them.
-- sqlite:
stats
-- postgres:
stats::json

-- row: count(count int)

-- row: revision(revision int)
-- What a row that was changed has as its revision now.

-- name: store_ready() -> (probed_at int)
-- One row where the schema is in place: when store_probed last wrote, 0 for never.
SELECT coalesce((SELECT next FROM counters WHERE name = 'probe'), 0) AS probed_at FROM counters WHERE name = 'tenants';

-- name: store_probed(now int)
-- Shows that the store takes writes; `now` in milliseconds since 1970.
INSERT INTO counters (name, next) VALUES ('probe', :now)
ON CONFLICT (name) DO UPDATE SET next = excluded.next;

-- name: ids_reserved(name text, count int) -> (first int)
-- Hands out `count` ids of a kind: the first of them.
UPDATE counters SET next = next + :count WHERE name = :name RETURNING next - :count AS first;

-- name: guard_connector(connector, tenant_id TenantId, id int, revision int)
-- Aborts the batch as `guard:{connector}_changed` where the row moved on from `revision`, or is gone.
INSERT INTO guard ({connector}_changed)
SELECT NULL WHERE (SELECT revision FROM {connector}s WHERE tenant_id = :tenant_id AND id = :id) IS DISTINCT FROM :revision;

-- name: log_added(tenant_id TenantId, sync_id text, sync_type text, status text, source_id SourceId?, target_id TargetId?, total int, updated int, failed int, stats text?, error_message text?, started_at text, completed_at text?) -> (id int)
-- The log row of a batch; its first statement, so that the others can name it. Gives its number.
INSERT INTO sync_logs (tenant_id, id, sync_id, sync_type, status, source_id, target_id,
  total_properties, updated_properties, failed_properties, stats, error_message, started_at, completed_at)
SELECT :tenant_id, coalesce({{log}}, 0) + 1, :sync_id, :sync_type, :status, :source_id, :target_id,
  :total, :updated, :failed, :stats, :error_message, :started_at, :completed_at
RETURNING id;

-- fragment: changes
-- How many rows the statement before this one changed. PostgreSQL is told by that statement (snapshots_expired).
-- sqlite:
changes()
-- postgres:
current_setting('sync_manager.changes')::bigint

-- fragment: member
-- How the member at a path begins in the text of stats, which is the shortest that JSON has.
'"' || substr(:path, 3) || '":'

-- fragment: counted
CAST({{stats}} ->> substr(:path, 3) AS BIGINT)

-- name: log_counted(tenant_id TenantId, id int?, path text)
-- Behind a statement whose rows count as removed: adds their number to a log row, under a path of its stats. Without a
-- number, to the row of this batch.
UPDATE sync_logs SET total_properties = total_properties + {{changes}},
  updated_properties = updated_properties + {{changes}},
  stats = replace(stats, {{member}} || {{counted}}, {{member}} || ({{counted}} + {{changes}}))
WHERE tenant_id = :tenant_id AND id = coalesce(:id, {{log}}) AND {{changes}} > 0;

-- name: log_figures(tenant_id TenantId, id int?) -> (id int, stats text)
-- The number of a log row, and its stats; without a number, of the row of this batch.
SELECT id, stats FROM sync_logs WHERE tenant_id = :tenant_id AND id = coalesce(:id, {{log}});

-- name: log_ended(tenant_id TenantId, id int?, status text, error_message text?, completed_at text)
-- The row of an operation that took several batches.
UPDATE sync_logs SET status = :status, error_message = :error_message, completed_at = :completed_at
WHERE tenant_id = :tenant_id AND id = coalesce(:id, {{log}});

-- name: failure_logged(tenant_id TenantId, sync_id text, sync_type text, source_id SourceId?, target_id TargetId?, error_message text, started_at text, completed_at text)
-- The log row of an operation that changed nothing. None where it has one.
INSERT INTO sync_logs (tenant_id, id, sync_id, sync_type, status, source_id, target_id,
  total_properties, updated_properties, failed_properties, error_message, started_at, completed_at)
SELECT :tenant_id, coalesce({{log}}, 0) + 1, :sync_id, :sync_type, 'failed', :source_id, :target_id, 0, 0, 0,
  :error_message, :started_at, :completed_at
WHERE NOT EXISTS (SELECT 1 FROM {{newest_logs}} WHERE sync_id = :sync_id);

-- name: log_interrupted(tenant_id TenantId, sync_id text, error_message text, completed_at text)
-- An operation that failed behind its first batch: what it did until then stays told.
UPDATE sync_logs SET status = 'partial', error_message = :error_message, completed_at = :completed_at
WHERE tenant_id = :tenant_id AND status = 'running' AND sync_id = :sync_id;

-- name: logs_abandoned(tenant_id TenantId, before text, error_message text, completed_at text)
-- Operations that nobody ended, because whoever worked on them was killed. Rows of runs are ended by their own runs.
UPDATE sync_logs SET status = 'partial', error_message = :error_message, completed_at = :completed_at
WHERE tenant_id = :tenant_id AND status = 'running' AND run_id IS NULL AND started_at < :before;

-- name: log_by_sync_id(tenant_id TenantId, sync_id text) -> (stats text?, id int)
-- Whether a batch whose outcome is unknown was committed: its log row is among the newest.
SELECT stats, id FROM {{newest_logs}} WHERE sync_id = :sync_id;

-- name: logs_state(tenant_id TenantId) -> (first int?, last int?, running int, counted int)
-- What the ETag of the log's list is made of. New rows raise the largest number, and old ones that go the smallest. Of the
-- rows that are there, only those of operations in progress change: while no new one comes, these get fewer, and what they
-- have counted grows.
SELECT (SELECT min(id) FROM sync_logs WHERE tenant_id = :tenant_id) AS first,
  (SELECT max(id) FROM sync_logs WHERE tenant_id = :tenant_id) AS last,
  (SELECT count(*) FROM sync_logs WHERE tenant_id = :tenant_id AND status = 'running') AS running,
  (SELECT CAST(coalesce(sum(total_properties + updated_properties), 0) AS BIGINT) FROM sync_logs
   WHERE tenant_id = :tenant_id AND status = 'running') AS counted;

-- name: logs_page(tenant_id TenantId, source_id SourceId?, target_id TargetId?, status text?, sync_type text?, after int, count int) -> (id int, sync_id text, run_id text?, sync_type text, status text, source_id int?, target_id int?, total_properties int, updated_properties int, failed_properties int, stats text?, error_message text?, started_at text, completed_at text?)
-- Log rows by rising id.
SELECT id, sync_id, run_id, sync_type, status, source_id, target_id, total_properties, updated_properties,
  failed_properties, stats, error_message, started_at, completed_at
FROM sync_logs
WHERE tenant_id = :tenant_id AND id > :after
  AND (:source_id IS NULL OR source_id = :source_id) AND (:target_id IS NULL OR target_id = :target_id)
  AND (:status IS NULL OR status = :status) AND (:sync_type IS NULL OR sync_type = :sync_type)
ORDER BY id LIMIT :count;
