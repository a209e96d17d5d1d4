package mfa

import (
	"context"
	"log/slog"
	"time"
)

// Event is something that happened to a user's second factor. It holds no secret, code, token
// or full destination. Name is one of the table at [SlogEvents]; names are stable.
type Event struct {
	Name                     string
	Time                     time.Time
	UserID, Tenant, UserType string
	Kind, FactorID           string
	Purpose                  string
	// Reason distinguishes failed attempts: "incorrect", "expired", "replayed" or "failed". For
	// challenge.begun it is the Next, for admin.set-policy the mode, and for a verify.success
	// that took the place of the first factor "passwordless".
	Reason string
	// Remaining is how many attempts or recovery codes remain; -1 where neither is meant.
	Remaining   int
	LockedUntil time.Time
	// HeldUntil is when the hold of a replacement ends, for recovery.replacement.
	HeldUntil time.Time
	// Approver and ExceptionEnds are those of an exception, for the events about it.
	Approver      string
	ExceptionEnds time.Time
	// Write is the number of the write of the user's record that the event comes with, or 0 if it
	// comes with none, or with one that has no number. It grows with every write, so a smaller
	// one than in an earlier event shows that an older record was put back into the store.
	Write int64
	// Actor and Note say who acts, and why, for an administrator's act.
	Actor, Note string

	// notice is for the user, and is taken off before Config.Events sees the event.
	notice *notice
}

// SlogEvents returns a function for Config.Events that logs every event under its name. With a
// Config.Notify, the user is notified of those with a star:
//
//	  challenge.begun       a user passed the first factor: Reason is what is next
//	  send.success          a code was handed to the sender
//	  send.failed           the sender failed
//	  send.limited          a rate limit refused a send
//	  verify.success        a correct response
//	* verify.failure        a failed attempt; counted, unless Reason is "expired"
//	  verify.locked         a response of a locked user, which was not verified
//	  confirm.failure       a failed attempt to confirm; counted, unless Reason is "expired"
//	* lockout.locked        the failed attempt before locked the user
//	* lockout.disabled      the failed attempt before disabled the kind, or it was disabled
//	  unlock.proof          a correct response of a disabled kind; Remaining more are needed
//	* lockout.unlocked      a disabled kind is enabled, after correct responses in a row
//	  enroll.begun          an enrolment was begun
//	  enroll.postponed      a user signed in and put off the enrolment that the policy requires
//	* factor.added          an enrolment was confirmed
//	* factor.replaced       an enrolment was confirmed, and others of its kind ended
//	* factor.removed        a factor was removed
//	* factor.renamed        a factor was renamed
//	  factor.preferred      the user prefers another kind
//	* implied.off           the user turned off the addresses that they did not enrol
//	* implied.on            the user turned them on again
//	* factor.cloned         a response was older than one accepted before: the instance may
//	                        have been copied; the event before says whether it was refused
//	  factor.outdated       a factor responded that has changed since it was enrolled: it cannot
//	                        sign in, and the next one of its kind replaces it
//	  address.undeliverable a user's only factor is an address that no message can be sent to
//	* address.confirmed     a link verified the address of record
//	* address.changed       a code verified another address of record
//	* recovery.regenerated  new recovery codes; the old ones ended
//	  recovery.saved        the user said that the recovery codes are saved
//	* recovery.replacement  a recovery enrolled a replacement, which changes nothing else until
//	                        its hold ends
//	* recovery.used         a recovery code was used
//	* recovery.low          three recovery codes or fewer remain
//	* device.remembered     a device is remembered from now on
//	  device.used           a remembered device signed the user in
//	* device.reused         a device's token came back after it was replaced: it was copied, and
//	                        the device is forgotten
//	* device.revoked        remembered devices were forgotten
//	* challenge.abandoned   a challenge was cancelled
//	* support.requested     a user asked for help
//	  exception.used        an exception let the user sign in without a second factor; once at
//	                        least for each session
//	  setup.opened          a recovery link was used; Reason is what is next
//	  notice.sent           the user was notified of what Reason names
//	  notice.failed         notifying the user of what Reason names failed
//	* admin.reset           an administrator reset a user
//	* admin.remove          an administrator removed one factor
//	* admin.unlock          an administrator unlocked a user
//	* admin.access          an administrator made a temporary access code; for another kind that
//	                        administrators make, admin. and its name
//	* admin.exception       an administrator granted an exception from the second factor
//	* admin.exception-ended an administrator ended one before its time
//	  admin.import          factors that another system had confirmed were imported
//	  admin.export          a program read the factors, secrets included, for a move elsewhere
//	  admin.personal-data   an administrator read everything that is stored about a user
//	  admin.close-support   an administrator took a user off the list of support
//	* admin.delete          a user was deleted
//	  admin.set-policy      a policy was changed
//	  admin.send-confirmation  a link to verify an address was sent
//
// Failures and locks are logged as warnings, everything else as information. A nil logger means
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
		attrs := make([]slog.Attr, 0, 14)
		for _, a := range []struct{ key, value string }{
			{"user", e.UserID}, {"tenant", e.Tenant}, {"user_type", e.UserType}, {"kind", e.Kind},
			{"factor", e.FactorID},
			{"purpose", e.Purpose}, {"reason", e.Reason}, {"actor", e.Actor}, {"note", e.Note},
			{"approver", e.Approver},
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
		if !e.ExceptionEnds.IsZero() {
			attrs = append(attrs, slog.Time("exception_ends", e.ExceptionEnds))
		}
		l.LogAttrs(ctx, level, e.Name, attrs...)
	}
}
