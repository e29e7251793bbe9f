-- Snapshots by the source or target that they are of, so that those of one tenant are read without its rows. What is stored
-- where, and why: ../README.md.
ALTER TABLE source_snapshots DROP CONSTRAINT source_snapshots_pkey,
  ADD PRIMARY KEY (source_id, source_property_id, version, id);
ALTER TABLE target_snapshots DROP CONSTRAINT target_snapshots_pkey,
  ADD PRIMARY KEY (target_id, target_property_id, version, id);

-- Rows that point to more than one datum, so that a clean-up reads the others once.
CREATE INDEX target_properties_settled ON target_properties (target_id, id)
  WHERE base_data_id <> data_id OR delivered_data_id IS NOT NULL;
