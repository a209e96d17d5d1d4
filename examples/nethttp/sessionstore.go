package main

import (
	"context"
	"database/sql"
	"errors"
	"time"
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
