package main

import (
	"context"
	"database/sql"
	"time"
)

// outboxKeeps is how many messages the outbox keeps.
const outboxKeeps = 1000

// outbox captures the messages of the demonstration mode. It holds codes, so no other mode has it.
type outbox struct {
	db    *sql.DB
	clock *clock
}

// message is one captured mail or text message.
type message struct {
	Time    time.Time `json:"time"`
	Channel string    `json:"channel"` // "email" or "sms"
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
}

func (o *outbox) add(ctx context.Context, m message) error {
	_, err := o.db.ExecContext(ctx, `INSERT INTO outbox (time, channel, recipient, subject, text)
		VALUES (?, ?, ?, ?, ?)`,
		o.clock.Now().UTC().Format(time.RFC3339Nano), m.Channel, m.To, m.Subject, m.Text)
	if err != nil {
		return err
	}
	_, err = o.db.ExecContext(ctx,
		`DELETE FROM outbox WHERE id <= (SELECT max(id) FROM outbox) - ?`, outboxKeeps)
	return err
}

// list returns up to limit messages, newest first.
func (o *outbox) list(ctx context.Context, limit int) (list []message, err error) {
	rows, err := o.db.QueryContext(ctx, `SELECT time, channel, recipient, subject, text FROM outbox
		ORDER BY id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list = []message{}
	for rows.Next() {
		var m message
		var at string
		if err := rows.Scan(&at, &m.Channel, &m.To, &m.Subject, &m.Text); err != nil {
			return nil, err
		}
		if m.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, rows.Err()
}
