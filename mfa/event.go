package mfa

import (
	"context"
	"log/slog"
	"time"
)

// Event is something that happened to a person's second factor. It holds no secret, code,
// token or full destination. Name is one of the table at [SlogEvents]; names are stable.
type Event struct {
	Name                     string
	Time                     time.Time
	UserID, Tenant, UserType string
	Kind, FactorID           string
	Purpose                  string
	// Reason tells refused answers apart ("incorrect", "expired", "replayed", "failed"); for
	// challenge.begun it is the Next, for admin.set-policy the mode, and "passwordless" for a
	// verify.success that took the place of the first factor.
	Reason string
	// Left is how many attempts or recovery codes are left; -1 where neither is meant.
	Remaining   int
	LockedUntil time.Time
	// HeldUntil is, for recovery.replacement, when the replacement's hold ends.
	HeldUntil time.Time
	// Actor and Note are of an administrator's act: who, and why.
	Actor, Note string

	// notice is for the person, and is taken off before anybody else sees the event.
	notice *notice
}

// SlogEvents returns a function for Config.Events that logs every event under its name. The user is
// notified of those with a star, if there is a Config.Notify:
//
//	  challenge.begun       a person passed the first factor and was asked, let in, or told to enrol
//	  send.success          a code was handed to the sender
//	  send.failed           the sender failed
//	  send.limited           a send was refused by a budget
//	  verify.success        a right answer
//	* verify.failure        a refused answer; counted, unless Reason is "expired"
//	  verify.locked         an answer of a locked person, not looked at
//	  confirm.failure       a refused answer to an enrolment; counted, unless Reason is "expired"
//	* lockout.locked        the answer before locked the person
//	* lockout.disabled       the answer before stopped the kind, or found it stopped
//	  unlock.proof          a right answer to a stopped kind; Left more are needed
//	* lockout.unlocked      a stopped kind is good again, after right answers in a row
//	  enroll.begun          an enrolment was started
//	* factor.added          an enrolment was confirmed
//	* factor.replaced       an enrolment was confirmed, and others of its kind ended
//	* factor.removed        a factor was removed
//	* factor.renamed        a factor was renamed
//	* factor.cloned         an answer was older than one accepted before: the instance may have
//	                        been copied; whether it was refused is the event before
//	  address.undeliverable a user's only factor is an address that no message can be sent to
//	* address.confirmed     the address of record was confirmed by a link
//	* recovery.regenerated  new recovery codes, the old ones ended
//	* recovery.replacement  a recovery enrolled a replacement, which changes nothing else until
//	                        its hold ends
//	* recovery.used         a recovery code was used
//	* recovery.low          three or fewer recovery codes are left
//	* device.remembered     a device is remembered from now on
//	  device.used           a remembered device let the person in
//	* device.reused         a device's token came back after it was replaced: it was copied, and
//	                        the device is forgotten
//	* device.revoked        remembered devices were forgotten
//	* challenge.abandoned   a challenge was given up
//	* support.requested     a person asked for help
//	  setup.opened          a link to set up a new device was used; Reason is what follows
//	  notice.sent           the person was told of what Reason names
//	  notice.failed         telling the person of what Reason names failed
//	* admin.reset           an administrator reset a person
//	* admin.unlock          an administrator unlocked a person
//	* admin.access          an administrator made a temporary access code; for another kind that
//	                        administrators make, admin. and its name
//	  admin.close-support   a person was taken off the list of support
//	* admin.delete          a person was deleted
//	  admin.set-policy      a policy was changed
//	  admin.send-confirmation  a confirmation link was sent
//
// Failures and locks are logged as warnings, the rest as information. A nil logger means
// slog.Default().
func SlogEvents(l *slog.Logger) func(context.Context, Event) {
	if l == nil {
		l = slog.Default()
	}
	return func(ctx context.Context, e Event) {
		level := slog.LevelInfo
		if eventRules[e.Name].warn {
			level = slog.LevelWarn
		}
		if !l.Enabled(ctx, level) {
			return
		}
		attrs := make([]slog.Attr, 0, 12)
		for _, a := range []struct{ key, value string }{
			{"user", e.UserID}, {"tenant", e.Tenant}, {"user_type", e.UserType}, {"kind", e.Kind}, {"factor", e.FactorID},
			{"purpose", e.Purpose}, {"reason", e.Reason}, {"actor", e.Actor}, {"note", e.Note},
		} {
			if a.value != "" {
				attrs = append(attrs, slog.String(a.key, a.value))
			}
		}
		if e.Remaining >= 0 {
			attrs = append(attrs, slog.Int("remaining", e.Remaining))
		}
		if !e.LockedUntil.IsZero() {
			attrs = append(attrs, slog.Time("locked_until", e.LockedUntil))
		}
		l.LogAttrs(ctx, level, e.Name, attrs...)
	}
}
