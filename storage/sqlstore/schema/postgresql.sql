-- The only table of secondgate, for PostgreSQL. It holds one sealed record per person and never
-- changes: the format of a record lives in its data.
--
-- key is compared byte for byte because it is a bytea, where a text column cannot hold every byte,
-- and a collation may make one person of two. updated_at is for operators and is no part of
-- the record.
CREATE TABLE IF NOT EXISTS secondgate_records (
	key        bytea       NOT NULL PRIMARY KEY,
	revision   bytea       NOT NULL,
	data       bytea       NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
)
