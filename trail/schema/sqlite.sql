-- The table of an audit trail, for SQLite 3.37 or later. INTEGER, and no other name of that type,
-- makes seq the key of the rows themselves, without a second index.
CREATE TABLE IF NOT EXISTS secondgate_trail (
	seq           INTEGER NOT NULL PRIMARY KEY,
	fact          TEXT    NOT NULL,
	personal      TEXT    NOT NULL,
	personal_hash TEXT    NOT NULL,
	hash          TEXT    NOT NULL,
	checkpoint    TEXT    NOT NULL,
	subject       TEXT    NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS secondgate_trail_subject ON secondgate_trail (subject, seq)
