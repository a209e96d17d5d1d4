package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/alexedwards/scs/v2"
)

// errSessionEnded: the session was ended or given another id while this request was served.
var errSessionEnded = errors.New("session has ended")

// sessionStore keeps the sessions of scs in SQLite. It knows one thing more than a plain
// table: scs reads a session when a request begins and writes it when the request ends, so a
// request that overlaps a sign-out would bring the session back. Here an id that has ended
// leaves a mark, and is never written again.
type sessionStore struct{ db *sql.DB }

func (s sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var data []byte
	err := s.db.QueryRowContext(ctx, `SELECT data FROM sessions WHERE token = ? AND data IS NOT NULL AND expiry > ?`,
		token, time.Now().UnixMilli()).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, err
}

func (s sessionStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	res, err := s.db.ExecContext(ctx, `INSERT INTO sessions (token, data, expiry) VALUES (?, ?, ?)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry WHERE data IS NOT NULL`,
		token, data, expiry.UnixMilli())
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return errSessionEnded
	}
	return err
}

func (s sessionStore) DeleteCtx(ctx context.Context, token string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE sessions SET data = NULL WHERE token = ?`, token)
	return err
}

// sweep removes what has expired, marks included.
func (s sessionStore) sweep(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE expiry <= ?`, time.Now().UnixMilli())
	return err
}

// Find, Commit and Delete are for scs.Store; scs calls the methods with a context.
func (s sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s sessionStore) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

func (s sessionStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// waitsFor is how long a session may wait for the second factor before the person is told that
// somebody has their password and did not go on.
const waitsFor = 20 * time.Minute

// abandoned ends the sessions that wait for a second factor that does not come, and calls
// ended with what each of them kept.
func (s sessionStore) abandoned(ctx context.Context, lifetime time.Duration, ended func(get func(key string) string) error) error {
	rows, err := s.db.QueryContext(ctx, `SELECT token, data FROM sessions WHERE data IS NOT NULL AND expiry < ?`,
		time.Now().Add(lifetime-waitsFor).UnixMilli())
	if err != nil {
		return err
	}
	old := map[string]map[string]any{}
	for rows.Next() {
		var token string
		var data []byte
		if err := rows.Scan(&token, &data); err != nil {
			return errors.Join(err, rows.Close())
		}
		if _, values, err := (scs.GobCodec{}).Decode(data); err == nil && values[sessionAccount] != nil && values[sessionSignedIn] == nil {
			old[token] = values
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for token, values := range old {
		get := func(key string) string { s, _ := values[key].(string); return s }
		if err := ended(get); err != nil {
			return err
		}
		if err := s.DeleteCtx(ctx, token); err != nil {
			return err
		}
	}
	return nil
}
