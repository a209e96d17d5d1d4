package main

import (
	"context"
	"database/sql"
	"errors"
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

	ID int64 `json:"-"` // its number in the outbox
	// HTML is the document of a mail, or "". add stores it, and list does not read it.
	HTML string `json:"-"`
	// Rendered reports whether the stored message has a document.
	Rendered bool `json:"-"`
}

var errNoMail = errors.New("the outbox has no such mail")

func (o *outbox) add(ctx context.Context, m message) error {
	_, err := o.db.ExecContext(ctx, `INSERT INTO outbox (time, channel, recipient, subject, text, html)
		VALUES (?, ?, ?, ?, ?, ?)`,
		o.clock.Now().UTC().Format(time.RFC3339Nano), m.Channel, m.To, m.Subject, m.Text,
		m.HTML)
	if err != nil {
		return err
	}
	_, err = o.db.ExecContext(ctx,
		`DELETE FROM outbox WHERE id <= (SELECT max(id) FROM outbox) - ?`, outboxKeeps)
	return err
}

// list returns up to limit messages, newest first.
func (o *outbox) list(ctx context.Context, limit int) (list []message, err error) {
	rows, err := o.db.QueryContext(ctx, `SELECT id, time, channel, recipient, subject, text, html <> ''
		FROM outbox ORDER BY id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list = []message{}
	for rows.Next() {
		var m message
		var at string
		if err := rows.Scan(&m.ID, &at, &m.Channel, &m.To, &m.Subject, &m.Text,
			&m.Rendered); err != nil {
			return nil, err
		}
		if m.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, rows.Err()
}

// document returns the document of a mail. The error is errNoMail if it has none.
func (o *outbox) document(ctx context.Context, id int64) (html string, err error) {
	err = o.db.QueryRowContext(ctx, `SELECT html FROM outbox WHERE id = ?`, id).Scan(&html)
	if errors.Is(err, sql.ErrNoRows) || err == nil && html == "" {
		return "", errNoMail
	}
	return html, err
}
