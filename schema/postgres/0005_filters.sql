-- Filters of property lists read an index that has only the rows they are for. Each is partial: a row that nobody edited,
-- that is in step and that is there is in none of them, and costs no further write.

-- By id, so that a page of edited rows is read in its order.
DROP INDEX target_properties_attention;
CREATE INDEX target_properties_attention ON target_properties (target_id, id)
  WHERE has_manual_changes = 1 OR manual_changes_warning IS NOT NULL OR contested_by IS NOT NULL;

CREATE INDEX target_properties_status ON target_properties (target_id, sync_status, id) WHERE sync_status <> 'synced';
CREATE INDEX source_properties_removed ON source_properties (source_id, id) WHERE removed_at IS NOT NULL;
