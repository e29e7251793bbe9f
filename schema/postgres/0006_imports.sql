-- What the newest import that changed a source was: a digest of its identities and hashes, and the revision that it left.
-- Where the same list comes again while that revision stands, nothing has to be compared.
ALTER TABLE sources ADD COLUMN imported_digest TEXT COLLATE "C";
ALTER TABLE sources ADD COLUMN imported_revision BIGINT;
