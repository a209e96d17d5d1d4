package admin_test

import (
	"context"
	"iter"
	"maps"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

func mapsKeys(m map[string]string) iter.Seq[string] { return maps.Keys(m) }

// sessionDirectory is a directory whose application has sessions too.
type sessionDirectory struct {
	*directory
	ended  []string
	reason string
	err    error
}

func (d *sessionDirectory) Sessions(_ context.Context, u mfa.User) ([]admin.Session, error) {
	return []admin.Session{{ID: "s1", Device: "Firefox on Windows",
		Began: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}}, d.err
}

func (d *sessionDirectory) EndSessions(
	_ context.Context, by mfa.Admin, u mfa.User, id string,
) error {
	d.ended, d.reason = append(d.ended, u.ID+"/"+id), by.Reason()
	return d.err
}

// counting is a Config.Around that counts and calls the act.
func counting(n *int) func(
	context.Context, mfa.Admin, string, mfa.User, func(context.Context) error,
) error {
	return func(ctx context.Context, _ mfa.Admin, _ string, _ mfa.User,
		act func(context.Context) error,
	) error {
		*n++
		return act(ctx)
	}
}

// help lets a user ask for support in a session of their own.
func (s *site) help(id string) {
	s.t.Helper()
	session := s.m.Session(s.dir.user(s.t, id), "help of "+id)
	ch, err := session.Begin(s.t.Context())
	require.NoError(s.t, err)
	require.NoError(s.t, session.RequestSupport(s.t.Context(), ch,
		report.Case{From: "192.0.2.1", Message: "My phone is gone <b>"}))
}
