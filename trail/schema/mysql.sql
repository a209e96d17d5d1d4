-- The table of an audit trail, for MySQL and MariaDB.
--
-- The texts are kept as bytes: a column of characters would be compared by a collation, which
-- ignores spaces at the end, and a connection of another character set would change what it keeps.
-- CONVERT(fact USING utf8mb4) shows them. InnoDB is named because another engine may have no
-- transactions.
CREATE TABLE IF NOT EXISTS secondgate_trail (
	seq           BIGINT        NOT NULL PRIMARY KEY,
	fact          LONGBLOB      NOT NULL,
	personal      LONGBLOB      NOT NULL,
	personal_hash VARBINARY(64) NOT NULL,
	hash          VARBINARY(64) NOT NULL,
	checkpoint    LONGBLOB      NOT NULL,
	subject       VARBINARY(64) NOT NULL,
	INDEX secondgate_trail_subject (subject, seq)
) ENGINE = InnoDB
