package admin

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
)

// maxMails is how many mails one request sends.
const maxMails = 20

// mails are what can be sent to many users, each to those whom it is for, whatever the filter
// says.
var mails = map[string]struct {
	deed deed
	to   func(userJSON) bool
}{
	// A link that verifies the address of a user who has not verified it.
	"verification": {verificationLink, func(u userJSON) bool { return u.Unverified }},
	// A link that lets a user without a factor enrol one.
	"enrollment": {recoveryLink, func(u userJSON) bool {
		return len(u.Enrolled) == 0 && !u.Unreadable
	}},
}

// mailing is what an administrator sends to mail many users.
type mailing struct {
	filter
	Mail   string `json:"mail"`
	Cursor string `json:"cursor"`
	// Reason is for the mails, and not for a preview.
	Reason string `json:"reason"`
}

// resultJSON is what became of the mail to one user.
type resultJSON struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Hint is where it was sent; Error is the code of what went wrong, and is absent if it was
	// handed to the sender.
	Hint  string `json:"hint,omitempty"`
	Error string `json:"error,omitempty"`
}

type mailsJSON struct {
	// Matching is how many of the users that were examined the mail is for.
	Matching int          `json:"matching"`
	Results  []resultJSON `json:"results"`
	// RetryAfter is how many seconds to wait before the next request, because a rate limit
	// refused a mail.
	RetryAfter int `json:"retry_after,omitempty"`
	// Stopped says that a failure ended the step. The next request continues at Next, or begins
	// again if there is none; a few users may get a second mail.
	Stopped bool `json:"stopped"`
	walked
}

// previewMails counts, in a part of the users, those whom a mail is for, and sends nothing.
func previewMails(v *visit) error {
	if err := v.mayList(); err != nil {
		return err
	}
	var in mailing
	if err := v.read(&in); err != nil {
		return err
	}
	out, err := v.mailing(in, maxExamined, func(Entry) {})
	if err != nil {
		return err
	}
	return v.ok(out)
}

// postMails sends a mail to the next few users whom it is for.
func postMails(v *visit) error {
	var in mailing
	if err := v.read(&in); err != nil {
		return err
	}
	out, err := v.sendMails(in)
	if err != nil {
		return err
	}
	return v.ok(out)
}

func (v *visit) sendMails(in mailing) (mailsJSON, error) {
	by, err := v.acting(in.Reason)
	if err != nil {
		return mailsJSON{}, err
	}
	var results []resultJSON
	wait := 0
	out, err := v.mailing(in, maxMails, func(e Entry) {
		r, seconds := resultOf(e, v.sendOne(mails[in.Mail].deed, by, e.User))
		results, wait = append(results, r), max(wait, seconds)
	})
	if err != nil && len(results) == 0 {
		return out, err
	}
	// What was sent is said also where a later user could not be read.
	if out.Stopped = err != nil; out.Stopped && out.Next == "" {
		out.Next = in.Cursor
	}
	out.Results, out.RetryAfter = append(out.Results, results...), wait
	return out, nil
}

// mailing calls each for the next users whom the mail is for.
func (v *visit) mailing(in mailing, most int, each func(Entry)) (mailsJSON, error) {
	out := mailsJSON{Results: []resultJSON{}}
	mail, ok := mails[in.Mail]
	if !ok || len(in.Cursor) > maxCursor || !plain(in.Cursor) {
		return out, malformed("the mail or the cursor is not one")
	}
	if err := in.check(); err != nil {
		return out, err
	}
	s, err := v.step(in.filter, in.Cursor, maxExamined, most)
	if err != nil {
		return out, err
	}
	s.query.Unverified = s.query.Unverified || in.Mail == "verification"
	out.walked, err = v.walk(s, func(e Entry) (bool, error) {
		u, _ := v.describe(e)
		if u.Self || !mail.to(u) || !in.matches(u) {
			return false, nil
		}
		out.Matching++
		each(e)
		return true, nil
	})
	return out, err
}

// sent is what became of one mail.
type sent struct {
	hint string
	err  error
}

func (v *visit) sendOne(d deed, by mfa.Admin, u mfa.User) (s sent) {
	s.err = v.around(d, by, u, func(ctx context.Context) error {
		out, err := d.do(ctx, v, by, u, order{})
		if err == nil {
			s.hint = out.(sentJSON).Hint
		}
		return err
	})
	return s
}

// codes are the codes of what goes wrong with a mail, as those of the API.
var codes = []struct {
	err  error
	code string
}{
	{mfa.ErrTokenExpired, "step_up"}, {mfa.ErrToken, "step_up"}, {mfa.ErrForbidden, "forbidden"},
	{factor.ErrMalformed, "malformed"}, {factor.ErrUndeliverable, "undeliverable"},
	{mfa.ErrKindNotConfigured, "kind_not_configured"}, {mfa.ErrNotAvailable, "not_available"},
}

// resultOf returns what became of a mail, and for how many seconds a rate limit refuses others.
func resultOf(e Entry, s sent) (r resultJSON, wait int) {
	r = resultJSON{ID: e.User.ID, Name: e.Name, Hint: s.hint}
	limited, isLimited := errors.AsType[*mfa.RateLimitError](s.err)
	_, isLocked := errors.AsType[*mfa.LockedError](s.err)
	switch {
	case s.err == nil:
	case isLimited:
		r.Error = "budget"
		wait = seconds(limited.RetryAfter)
	case isLocked:
		r.Error = "locked"
	default:
		r.Error = "unavailable"
		for _, c := range codes {
			if errors.Is(s.err, c.err) {
				r.Error = c.code
				break
			}
		}
	}
	return r, wait
}

// seconds rounds up, so that a client that waits as long need not wait again.
func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
