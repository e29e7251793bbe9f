-- A call begins with a guard on the key that it came with.
ALTER TABLE guard ADD COLUMN key_refused BIGINT NOT NULL DEFAULT 0;
