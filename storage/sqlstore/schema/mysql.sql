-- The only table of secondgate, for MySQL and MariaDB. It holds one sealed record per person and
-- never changes: the format of a record lives in its data.
--
-- key is compared byte for byte because it is a VARBINARY: the collation of a VARCHAR ignores
-- case, accents or trailing spaces, and BINARY pads, which would make one person of two.
-- updated_at is in UTC, for operators, and no part of the record. InnoDB is named because
-- another engine may have no transactions.
CREATE TABLE IF NOT EXISTS secondgate_records (
	`key`      VARBINARY(512) NOT NULL PRIMARY KEY,
	revision   VARBINARY(64)  NOT NULL,
	data       BLOB           NOT NULL,
	updated_at DATETIME(6)    NOT NULL
) ENGINE = InnoDB
