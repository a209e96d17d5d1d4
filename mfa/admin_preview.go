package mfa

import (
	"context"

	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
)

// Preview returns what the next sign-in of a user would need under a policy that is not in force
// yet: NextEnroll for a user who would have to enrol a factor that the policy allows, also after
// a response of one that it no longer allows. A time in which users may still enrol (EnrollBy)
// does not count, and neither does a remembered device. It reads the record and changes nothing.
// The errors are those of [Session.Begin] and, for the policy, of SetPolicy. Config.Authorize is
// asked as "preview-policy".
func (a Admin) Preview(ctx context.Context, u User, p policy.Policy) (Next, error) {
	m := a.m
	if err := u.check(); err != nil {
		return "", err
	}
	if err := a.Allowed(ctx, "preview-policy", u); err != nil {
		return "", err
	}
	if err := m.setup.CheckPolicy(p, m.now()); err != nil {
		return "", invalid(err)
	}
	clock, who := m.now(), u.compact()
	r, err := m.readOrNew(ctx, who.Key(), clock)
	if err != nil {
		return "", err
	}
	if r.Fresh && u.Enrolled {
		return "", ErrRecordMissing
	}
	now := r.At(clock)
	p = m.setup.WithDefaults(p)
	c := token.ClaimsOf(who, p, token.PurposeSignIn, now)
	c.Grace = false
	next, err := m.view(r, &c, now).Preview(p)
	if err != nil {
		return "", err
	}
	return nextOf[next], nil
}

// nextOf has the exported names of what package decide says is next.
var nextOf = map[decide.Next]Next{decide.Done: NextDone, decide.Respond: NextVerify,
	decide.EnrollFirst: NextEnroll}
