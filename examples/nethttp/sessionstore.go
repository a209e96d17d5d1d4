package main

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
)

// errSessionEnded is returned if the session ended, or got another token, during the request.
var errSessionEnded = errors.New("session has ended")

// sessionStore keeps the sessions of scs in SQLite. It does two things that a plain table does
// not.
//
// It does not bring ended sessions back. scs reads a session when a request begins and writes it
// when the request ends, so a request that overlaps a sign-out would write the session again. Here
// a token that has ended leaves a mark, and is never written again. A session that a user ended is
// not written under another token either, which a request that completes a sign-in at that moment
// would do.
//
// It stores the session's account, and what the user sees of the session, beside the data of scs.
// One statement writes both, so that they cannot differ.
type sessionStore struct {
	db  *sql.DB
	now func() time.Time // for the times that users see; sessions expire by the system's clock
}

// usedBy is the device and the network that a request comes from. The request's context has it.
type usedBy struct{ device, client string }

type usedByKey struct{}

// FindCtx also stores when and from where the session is used: once a minute, and at once from
// another device or network. So the user sees where a stolen cookie is used.
func (s sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var data []byte
	var seen int64
	var before usedBy
	err := s.db.QueryRowContext(ctx, `SELECT data, seen, device, client FROM sessions WHERE token =
		? AND data IS NOT NULL AND expiry > ?`,
		token, time.Now().UnixMilli()).Scan(&data, &seen, &before.device, &before.client)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	by, known := ctx.Value(usedByKey{}).(usedBy)
	if now := s.now(); known && (by != before || now.Sub(time.UnixMilli(seen)) >= time.Minute) {
		_, err = s.db.ExecContext(ctx, `UPDATE sessions SET seen = ?, device = ?, client = ? WHERE
			token = ?`, now.UnixMilli(), by.device, by.client, token)
	}
	return data, err == nil, err
}

func (s sessionStore) CommitCtx(
	ctx context.Context, token string, data []byte, expiry time.Time,
) error {
	_, values, err := (scs.GobCodec{}).Decode(data)
	if err != nil {
		return err
	}
	text := func(key string) string { s, _ := values[key].(string); return s }
	began, _ := values[sessionBegan].(int64)
	changes, _ := values[sessionChanges].(int64)
	by, _ := ctx.Value(usedByKey{}).(usedBy)
	res, err := s.db.ExecContext(ctx, `INSERT INTO sessions (token, data, expiry, id, account,
		began, how, changes, signed_in, seen, device, client)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
		WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE id = ?4 AND id <> '' AND ended)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry, id =
		excluded.id, account = excluded.account,
			began = excluded.began, how = excluded.how, changes = excluded.changes, signed_in =
			excluded.signed_in WHERE data IS NOT NULL`,
		token, data, expiry.UnixMilli(), text(sessionID), text(sessionAccount), began,
		text(sessionHow), changes,
		values[sessionSignedIn] != nil, s.now().UnixMilli(), by.device, by.client)
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

// sweep removes expired sessions and their marks.
func (s sessionStore) sweep(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE expiry <= ?`,
		time.Now().UnixMilli())
	return err
}

// Find, Commit and Delete implement scs.Store; scs calls the methods with a context.
func (s sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s sessionStore) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

func (s sessionStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// sessionInfo is a session as its user sees it.
type sessionInfo struct {
	// ID names the session on pages. It is random, and authenticates no request.
	ID          string
	Began, Seen time.Time
	// Device and Client are from where it was last used.
	Device, Client string
	// How are the factors that signed in.
	How []string
	// Waiting reports whether the session has a first factor and still needs the second.
	Waiting bool
}

// howSeparator separates the factors in sessionHow.
const howSeparator = "+"

// sessionsOf returns the account's sessions, the one that was used last first.
func (s sessionStore) sessionsOf(
	ctx context.Context, user *account,
) (list []sessionInfo, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, began, seen, device, client, how, signed_in FROM
		sessions
		WHERE account = ? AND changes = ? AND data IS NOT NULL AND expiry > ? ORDER BY seen DESC,
		began DESC`, user.ID, user.changes, time.Now().UnixMilli())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o sessionInfo
		var began, seen int64
		var how string
		var signedIn bool
		if err := rows.Scan(&o.ID, &began, &seen, &o.Device, &o.Client, &how,
			&signedIn); err != nil {
			return nil, err
		}
		o.Began, o.Seen, o.Waiting = time.UnixMilli(began), time.UnixMilli(seen), !signedIn
		o.How = strings.Split(how, howSeparator)
		list = append(list, o)
	}
	return list, rows.Err()
}

// end ends one session of an account. It returns errNoUser if the account has no such session.
func (s sessionStore) end(
	ctx context.Context, account, id string, ended func(get func(string) []byte) error,
) error {
	n, err := s.endWhere(ctx, ended, `account = ? AND id = ?`, account, id)
	if err == nil && n == 0 {
		return errNoUser
	}
	return err
}

// endOthers ends every session of an account except the one with the ID keep.
func (s sessionStore) endOthers(
	ctx context.Context, account, keep string, ended func(get func(string) []byte) error,
) error {
	_, err := s.endWhere(ctx, ended, `account = ? AND id <> ?`, account, keep)
	return err
}

// endWhere marks sessions as ended, also those that are getting another token at this moment and
// have no data under the old one. It calls ended for those that wait for a second factor.
func (s sessionStore) endWhere(
	ctx context.Context, ended func(get func(string) []byte) error, where string, args ...any,
) (n int64, err error) {
	waiting, err := s.waiting(ctx, where, args...)
	if err != nil {
		return 0, err
	}
	res, err := s.db.ExecContext(ctx, `UPDATE sessions SET data = NULL, ended = 1 WHERE `+where,
		args...)
	if err == nil {
		n, err = res.RowsAffected()
	}
	if err != nil {
		return 0, err
	}
	for _, values := range waiting {
		err = errors.Join(err, ended(func(key string) []byte {
			b, _ := values[key].([]byte)
			return b
		}))
	}
	return n, err // err comes from the calls of ended; the sessions have ended in any case
}

// waitsFor is how long a session may wait for the second factor. Then the user is notified that
// a sign-in with their password was not completed.
const waitsFor = 20 * time.Minute

// abandoned ends the sessions whose second factor did not come, and calls ended with the values of
// each.
func (s sessionStore) abandoned(
	ctx context.Context, lifetime time.Duration, ended func(get func(key string) []byte) error,
) error {
	old, err := s.waiting(ctx, `expiry < ?`, time.Now().Add(lifetime-waitsFor).UnixMilli())
	if err != nil {
		return err
	}
	for token, values := range old {
		get := func(key string) []byte { b, _ := values[key].([]byte); return b }
		if err := ended(get); err != nil {
			return err
		}
		if err := s.DeleteCtx(ctx, token); err != nil {
			return err
		}
	}
	return nil
}

// waiting returns the values of the sessions that wait for a second factor, by token.
func (s sessionStore) waiting(
	ctx context.Context, where string, args ...any,
) (map[string]map[string]any, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT token, data FROM sessions WHERE data IS NOT NULL AND
		account <> '' AND NOT signed_in AND `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := map[string]map[string]any{}
	for rows.Next() {
		var token string
		var data []byte
		if err := rows.Scan(&token, &data); err != nil {
			return nil, err
		}
		if _, values, err := (scs.GobCodec{}).Decode(data); err == nil {
			list[token] = values
		}
	}
	return list, rows.Err()
}
