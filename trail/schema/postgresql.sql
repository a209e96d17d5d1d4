-- The table of an audit trail, for PostgreSQL.
CREATE TABLE IF NOT EXISTS secondgate_trail (
	seq           bigint NOT NULL PRIMARY KEY,
	fact          text   NOT NULL,
	personal      text   NOT NULL,
	personal_hash text   NOT NULL,
	hash          text   NOT NULL,
	checkpoint    text   NOT NULL,
	subject       text   NOT NULL
);
CREATE INDEX IF NOT EXISTS secondgate_trail_subject ON secondgate_trail (subject, seq)
