-- Work that is due by the clock, of whatever kind. A slot of a schedule is claimed by inserting its run, which can be done
-- once; who works on a run holds its lease, and every batch of the work begins with a guard on the fence, which rises with
-- each holder. A run has one log row from its claim on, which each batch brings up to date.

-- name: schedule_added(tenant_id TenantId, kind text, next_due text)
INSERT INTO schedules (tenant_id, kind, next_due) VALUES (:tenant_id, :kind, :next_due);

-- name: due_slots(now text, after_due text, after_tenant TenantId, after_kind text, count int) -> (next_due text, tenant_id TenantId, kind text)
-- Of all tenants, the longest overdue first, behind the last one of an earlier page.
SELECT next_due, tenant_id, kind FROM schedules
WHERE next_due <= :now AND (next_due, tenant_id, kind) > (:after_due, :after_tenant, :after_kind)
ORDER BY next_due, tenant_id, kind LIMIT :count;

-- name: run_claimed(tenant_id TenantId, kind text, due_at text, lease_until text, now text) -> (id int)
-- Behind the reservation of its id. The new run's id; no row where the slot was claimed before, or an earlier run of the
-- kind is still active.
INSERT INTO runs (id, tenant_id, kind, due_at, state, checkpoint, fence, attempts, lease_until, started_at)
SELECT next - 1, :tenant_id, :kind, :due_at, 'running', '{}', 1, 1, :lease_until, :now FROM counters WHERE name = 'runs'
ON CONFLICT DO NOTHING RETURNING id;

-- name: schedule_advanced(tenant_id TenantId, kind text, due_at text, next_due text)
UPDATE schedules SET next_due = :next_due WHERE tenant_id = :tenant_id AND kind = :kind AND next_due = :due_at;

-- name: dead_runs(now text, after_lease text, after_id int, count int) -> (lease_until text, id int, tenant_id TenantId, kind text, due_at text, fence int, attempts int, log_id int?, error text?)
-- Of all tenants: active runs whose holder let its lease pass, behind the last one of an earlier page.
SELECT lease_until, id, tenant_id, kind, due_at, fence, attempts, log_id, error FROM runs
WHERE state = 'running' AND lease_until <= :now AND (lease_until, id) > (:after_lease, :after_id)
ORDER BY lease_until, id LIMIT :count;

-- name: run_taken(tenant_id TenantId, id int, fence int, lease_until text) -> (id int)
-- No row where another holder was quicker.
UPDATE runs SET fence = fence + 1, attempts = attempts + 1, lease_until = :lease_until
WHERE tenant_id = :tenant_id AND id = :id AND fence = :fence AND state = 'running' RETURNING id;

-- name: run_log_added(tenant_id TenantId, kind text, sync_type text, stats text)
-- The log row of the kind's active run, where it has none yet.
INSERT INTO sync_logs (tenant_id, id, sync_id, run_id, sync_type, status, total_properties, updated_properties,
  failed_properties, stats, started_at)
SELECT :tenant_id, coalesce({{log}}, 0) + 1, r.kind || '_' || r.id, r.kind || '_' || r.id, :sync_type, 'running', 0, 0, 0,
  :stats, r.started_at
FROM runs r WHERE r.tenant_id = :tenant_id AND r.kind = :kind AND r.state = 'running' AND r.log_id IS NULL;

-- name: run_log_named(tenant_id TenantId, kind text)
-- Behind it.
UPDATE runs SET log_id = {{log}} WHERE tenant_id = :tenant_id AND kind = :kind AND state = 'running' AND log_id IS NULL;

-- name: run_active(tenant_id TenantId, kind text) -> (id int, fence int, attempts int, checkpoint text, log_id int?)
-- Of whom the run is just now, and where its work stands.
SELECT id, fence, attempts, checkpoint, log_id FROM runs
WHERE tenant_id = :tenant_id AND kind = :kind AND state = 'running';

-- name: guard_run(tenant_id TenantId, id int, fence int)
-- Aborts the batch as `guard:lease_lost` where the run has another holder, or none any more.
INSERT INTO guard (lease_lost) SELECT NULL WHERE NOT EXISTS (
  SELECT 1 FROM runs WHERE tenant_id = :tenant_id AND id = :id AND fence = :fence AND state = 'running');

-- name: run_moved(tenant_id TenantId, id int, checkpoint text, lease_until text)
-- Progress: what came before is no failed attempt any more.
UPDATE runs SET checkpoint = :checkpoint, attempts = 0, error = NULL, lease_until = :lease_until
WHERE tenant_id = :tenant_id AND id = :id;

-- name: run_faulted(tenant_id TenantId, id int, fence int, error text)
-- What an attempt ended with. The run stays its holder's until the lease passes.
UPDATE runs SET error = :error WHERE tenant_id = :tenant_id AND id = :id AND fence = :fence AND state = 'running';

-- name: run_released(tenant_id TenantId, id int, now text)
-- The work goes on with the next wake.
UPDATE runs SET attempts = 0, lease_until = :now WHERE tenant_id = :tenant_id AND id = :id;

-- name: run_ended(tenant_id TenantId, id int, state text)
UPDATE runs SET state = :state WHERE tenant_id = :tenant_id AND id = :id;

-- name: runs_forgotten(tenant_id TenantId, kind text, before text)
DELETE FROM runs WHERE tenant_id = :tenant_id AND kind = :kind AND state <> 'running' AND due_at < :before;
