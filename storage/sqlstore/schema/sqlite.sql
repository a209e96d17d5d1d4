-- The only table of secondgate, for SQLite 3.37 or later. It holds one sealed record per person
-- and never changes: the format of a record lives in its data.
--
-- key is compared byte for byte because it is a BLOB, where a TEXT column would let a collation
-- make one person of two. updated_at is for operators and is no part of the record.
CREATE TABLE IF NOT EXISTS secondgate_records (
	key        BLOB NOT NULL PRIMARY KEY,
	revision   BLOB NOT NULL,
	data       BLOB NOT NULL,
	updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT
