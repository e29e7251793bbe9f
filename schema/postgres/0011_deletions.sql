-- A source or target that was deleted is marked so at once, and its rows go in slices. What is stored where, and why: ../README.md.
ALTER TABLE sources ADD COLUMN deleted_at TEXT COLLATE "C"; -- NULL: it is there
ALTER TABLE targets ADD COLUMN deleted_at TEXT COLLATE "C";
-- Those whose rows are yet to go: hardly ever any. Of one tenant, and of all in the order in which they were deleted.
CREATE INDEX sources_deleted ON sources (tenant_id, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX sources_to_clear ON sources (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX targets_to_clear ON targets (deleted_at, id) WHERE deleted_at IS NOT NULL;
-- With the tenant, so that removed properties are counted without a look at each.
DROP INDEX source_properties_removed;
CREATE INDEX source_properties_removed ON source_properties (source_id, id, tenant_id) WHERE removed_at IS NOT NULL;
