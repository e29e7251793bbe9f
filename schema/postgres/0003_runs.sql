-- Runs that fail again and again, and what the log tells of them. What is stored where, and why: ../README.md.

-- How often the run was taken since it last moved its checkpoint, the number of its log row, and what its last attempt ended
-- with. States: running, done, failed.
ALTER TABLE runs ADD COLUMN attempts BIGINT NOT NULL DEFAULT 1;
ALTER TABLE runs ADD COLUMN log_id BIGINT;
ALTER TABLE runs ADD COLUMN error TEXT COLLATE "C";

-- Operations in progress: few at any time, so that the state of the whole log can be told by looking at these.
CREATE INDEX sync_logs_running ON sync_logs (tenant_id, id) WHERE status = 'running';
