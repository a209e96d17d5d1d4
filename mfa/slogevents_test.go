package mfa_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
)

// TestSlogEvents_WritesWhatAnEventSays compares whole lines of a log.
func TestSlogEvents_WritesWhatAnEventSays(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && len(groups) == 0 {
				return slog.Attr{}
			}
			return a
		}}))
	full := mfa.Event{Name: "lockout.locked", UserID: "ann", Tenant: "north", UserType: "guest",
		Kind: "app", FactorID: "F1", Purpose: "sign-in", Reason: "incorrect", Actor: "boss",
		Note: "why", Approver: "director", Remaining: 0, LockedUntil: testStart,
		ExceptionEnds: testStart.Add(time.Hour)}
	for want, e := range map[string]mfa.Event{
		"level=WARN msg=lockout.locked user=ann tenant=north user_type=guest kind=app factor=F1 " +
			"purpose=sign-in reason=incorrect actor=boss note=why approver=director remaining=0 " +
			"locked_until=2026-03-01T12:00:00.000Z exception_ends=2026-03-01T13:00:00.000Z\n": full,
		"level=INFO msg=verify.success user=ann\n": {Name: "verify.success", UserID: "ann",
			Remaining: -1},
		"level=INFO msg=recovery.used user=ann remaining=3\n": {Name: "recovery.used", UserID: "ann",
			Remaining: 3},
	} {
		log.Reset()
		mfa.SlogEvents(logger)(t.Context(), e)
		require.Equal(t, want, log.String())
	}
}

// levels is a handler of one level, which counts what it is given.
type levels struct {
	slog.Handler
	least slog.Level
	given int
}

func (l *levels) Enabled(_ context.Context, level slog.Level) bool { return level >= l.least }

func (l *levels) Handle(context.Context, slog.Record) error {
	l.given++
	return nil
}

// A level that is not logged is given to no handler, and without a logger the default one is used.
func TestSlogEvents_HonoursLevelAndDefault(t *testing.T) {
	h := &levels{least: slog.LevelWarn}
	mfa.SlogEvents(slog.New(h))(t.Context(), mfa.Event{Name: "verify.success"})
	require.Zero(t, h.given)
	mfa.SlogEvents(slog.New(h))(t.Context(), mfa.Event{Name: "verify.failure"})
	require.Equal(t, 1, h.given)

	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(h))
	mfa.SlogEvents(nil)(t.Context(), mfa.Event{Name: "verify.failure"})
	require.Equal(t, 2, h.given)
}
