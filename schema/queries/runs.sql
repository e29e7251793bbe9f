-- Work that is due by the clock. A slot of a schedule is claimed by inserting its run, which can be done once; who works on
-- a run holds its lease, and every batch of the work begins with a guard on the fence, which rises with each holder.

-- name: schedule_added(tenant_id TenantId, next_due text)
INSERT INTO schedules (tenant_id, kind, next_due) VALUES (:tenant_id, 'retention', :next_due);

-- name: due_schedules(now text, count int)
-- Of all tenants, the longest overdue first.
SELECT tenant_id, next_due FROM schedules INDEXED BY schedules_due
WHERE next_due <= :now AND kind = 'retention' ORDER BY next_due LIMIT :count;

-- name: run_claimed(tenant_id TenantId, due_at text, lease_until text, now text)
-- The new run's id; no row where the slot was claimed before, or an earlier run is still active.
INSERT INTO runs (id, tenant_id, kind, due_at, state, checkpoint, fence, lease_until, started_at)
SELECT next, :tenant_id, 'retention', :due_at, 'running', '{}', 1, :lease_until, :now FROM counters WHERE name = 'runs'
ON CONFLICT DO NOTHING RETURNING id;

-- name: schedule_advanced(tenant_id TenantId, due_at text, next_due text)
UPDATE schedules SET next_due = :next_due
WHERE tenant_id = :tenant_id AND kind = 'retention' AND next_due = :due_at;

-- name: dead_runs(now text, count int)
-- Of all tenants: active runs whose holder let its lease pass.
SELECT id, tenant_id, fence FROM runs INDEXED BY runs_lease
WHERE state = 'running' AND lease_until <= :now ORDER BY lease_until LIMIT :count;

-- name: run_taken(tenant_id TenantId, id int, fence int, lease_until text)
-- The new holder's fence and where the work stands; no row where another one was quicker.
UPDATE runs SET fence = fence + 1, lease_until = :lease_until
WHERE tenant_id = :tenant_id AND id = :id AND fence = :fence AND state = 'running' RETURNING fence, checkpoint;

-- name: guard_run(tenant_id TenantId, id int, fence int)
-- Aborts the batch as `guard:lease_lost` where the run has another holder, or none any more.
INSERT INTO guard (lease_lost) SELECT NULL WHERE NOT EXISTS (
  SELECT 1 FROM runs WHERE tenant_id = :tenant_id AND id = :id AND fence = :fence AND state = 'running');

-- name: run_counted(tenant_id TenantId, id int, path text)
-- Behind a statement whose rows count as dropped: adds their number to the checkpoint.
UPDATE runs SET checkpoint = json_set(checkpoint, :path, coalesce(checkpoint ->> :path, 0) + changes())
WHERE tenant_id = :tenant_id AND id = :id;

-- name: run_positioned(tenant_id TenantId, id int, phase int, after int, lease_until text)
UPDATE runs SET checkpoint = json_set(checkpoint, '$.phase', :phase, '$.after', :after), lease_until = :lease_until
WHERE tenant_id = :tenant_id AND id = :id;

-- name: run_logged(tenant_id TenantId, id int, sync_id text, now text)
INSERT INTO sync_logs (tenant_id, id, sync_id, sync_type, status, total_properties, updated_properties, failed_properties,
  stats, started_at, completed_at)
SELECT :tenant_id, coalesce({{log}}, 0) + 1, :sync_id, 'cleanup', 'success', sources + targets, sources + targets, 0,
  json_object('source_snapshots', sources, 'target_snapshots', targets), started_at, :now
FROM (SELECT started_at, coalesce(checkpoint ->> '$.source_snapshots', 0) AS sources,
    coalesce(checkpoint ->> '$.target_snapshots', 0) AS targets
  FROM runs WHERE tenant_id = :tenant_id AND id = :id);

-- name: run_ended(tenant_id TenantId, id int)
UPDATE runs SET state = 'done' WHERE tenant_id = :tenant_id AND id = :id;

-- name: run_released(tenant_id TenantId, id int, fence int, now text)
-- The work goes on with the next wake.
UPDATE runs SET lease_until = :now WHERE tenant_id = :tenant_id AND id = :id AND fence = :fence AND state = 'running';

-- name: runs_forgotten(tenant_id TenantId, before text)
DELETE FROM runs WHERE tenant_id = :tenant_id AND kind = 'retention' AND state = 'done' AND due_at < :before;
