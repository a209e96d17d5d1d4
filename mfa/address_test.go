package mfa_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

const annsNext = "ann@next.example"

// changeAddress starts the change of ann's address.
func (r *rig) changeAddress(g mfa.Grant) (*mfa.Enrollment, error) {
	r.t.Helper()
	return r.Session(ann, binding).ChangeAddress(r.t.Context(), g, secret.New(annsNext))
}

// moved is ann once the application has stored the new address.
func moved() mfa.User {
	u := ann
	u.Email = annsNext
	return u
}

// stored is an application that stores the address.
func stored(context.Context) error { return nil }

func TestChangeAddress_MovesTheFactors(t *testing.T) {
	r := telling(t)
	g := r.withApp(ann, "word").Grant
	s := r.Session(ann, binding)
	own, err := s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "mail"})
	require.NoError(t, err)
	_, err = s.Confirm(t.Context(), own, r.mail.code(ann.Email))
	require.NoError(t, err)
	_ = r.mail.notices()

	e, err := r.changeAddress(g)
	require.NoError(t, err)
	require.Empty(t, r.mail.link[annsNext], "a code alone, for the session that asked")
	_, err = s.ConfirmAddress(t.Context(), e, secret.New("000000"), stored)
	require.ErrorIs(t, err, factor.ErrIncorrect)
	require.Empty(t, r.mail.notices(), "nothing has changed")
	c, err := s.ConfirmAddress(t.Context(), e, r.mail.code(annsNext), stored)
	require.NoError(t, err)
	require.Nil(t, c.Verification)
	require.Equal(t, []string{"address.changed to " + ann.Email}, r.mail.notices())

	o, err := r.Overview(t.Context(), moved())
	require.NoError(t, err)
	require.Len(t, o.Factors, 2, "the app, and the one address")
	for _, f := range o.Factors {
		require.False(t, f.Implicit, "the factor that was enrolled, under its ID")
	}
	ch := r.begin(moved())
	r.mail.sent = 0
	d, err := r.Session(moved(), binding).Send(t.Context(), ch, "mail")
	require.NoError(t, err)
	require.Equal(t, "mail", d.Kind)
	_, err = r.Session(moved(), binding).Verify(t.Context(), ch, "mail", r.mail.code(annsNext))
	require.NoError(t, err, "the factor has the new address")

	// A notice of a later change under the same grant goes to the new address.
	_ = r.mail.notices()
	require.NoError(t, r.Session(moved(), binding).Remove(t.Context(), c.Grant, r.id("app")))
	require.Equal(t, []string{"factor.removed to " + annsNext}, r.mail.notices())
}

// The recovery channel moves by what changes everything, and by nothing less.
func TestChangeAddress_NeedsTheHighestLevel(t *testing.T) {
	r := newRig(t)
	g, s := r.withApp(ann, "word").Grant, r.Session(ann, binding)
	own, err := s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "mail"})
	require.NoError(t, err)
	_, err = s.Confirm(t.Context(), own, r.mail.code(ann.Email))
	require.NoError(t, err)
	_, err = s.NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	byCode, err := r.verify(r.begin(ann), "recovery", secret.New("a"))
	require.NoError(t, err)
	_, err = s.Enroll(t.Context(), byCode.Grant, mfa.EnrollRequest{Kind: "mail",
		Params: map[string]secret.Text{"address": secret.New(annsNext)}})
	require.NoError(t, err, "on hold, in place of what was lost")
	_, err = r.changeAddress(byCode.Grant)
	require.ErrorIs(t, err, mfa.ErrProofRequired, "a recovery code")

	r = newRig(t)
	r.withApp(ann, "word")
	r.clock.Advance(time.Hour)
	_, err = r.changeAddress(mfa.Grant{})
	require.ErrorIs(t, err, mfa.ErrToken, "a session alone")
	_, err = r.changeAddress(r.signIn(ann).Grant)
	require.ErrorIs(t, err, mfa.ErrProofRequired, "the address itself, beside something stronger")
	v, err := r.verify(r.begin(ann), "app", secret.New("word"))
	require.NoError(t, err)
	_, err = r.changeAddress(v.Grant)
	require.NoError(t, err)
	r.clock.Advance(time.Hour)
	_, err = r.changeAddress(v.Grant)
	require.ErrorIs(t, err, mfa.ErrTokenExpired, "a proof of an hour ago")
}

// A user with nothing else moves an address with the first factor, given minutes ago.
func TestChangeAddress_OfAUserWithoutFactors(t *testing.T) {
	r := newRig(t)
	u := ann
	u.EmailVerified = false
	s := r.Session(u, binding).ManageFactors()
	_, err := s.FirstFactorAt(r.clock.Now().Add(-time.Hour)).Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrFirstFactorRequired)
	ch, err := s.FirstFactorAt(r.clock.Now()).Begin(t.Context())
	require.NoError(t, err)
	e, err := s.ChangeAddress(t.Context(), ch.Grant, secret.New(annsNext))
	require.NoError(t, err)
	_, err = s.ConfirmAddress(t.Context(), e, r.mail.code(annsNext), stored)
	require.NoError(t, err)

	// Where the address is a factor, the password does not suffice.
	_, err = r.changeAddress(ch.Grant)
	require.ErrorIs(t, err, mfa.ErrProofRequired)
}

// Meanwhile a stronger factor may have been added, so authority is asked again.
func TestChangeAddress_AsksAgainAtTheConfirmation(t *testing.T) {
	r := newRig(t)
	g := r.signIn(ann).Grant
	e, err := r.changeAddress(g)
	require.NoError(t, err)
	r.withApp(ann, "word")
	_, err = r.Session(ann, binding).ConfirmAddress(t.Context(), e, r.mail.code(annsNext), stored)
	require.ErrorIs(t, err, mfa.ErrProofRequired)
}

// What was sent to the address before is void: an attacker may have that mailbox.
func TestChangeAddress_EndsWhatWasSentBefore(t *testing.T) {
	r := newRig(t)
	g := r.signIn(ann).Grant
	other := r.Session(ann, "another session")
	ch, err := other.Begin(t.Context())
	require.NoError(t, err)
	_, err = other.Send(t.Context(), ch, "mail")
	require.NoError(t, err)
	old := r.mail.code(ann.Email)
	_, err = r.Admin(boss, "").SendRecoveryLink(t.Context(), ann)
	require.NoError(t, err)
	link := r.mail.told[len(r.mail.told)-1].Link

	e, err := r.changeAddress(g)
	require.NoError(t, err)
	_, err = r.Session(ann, binding).ConfirmAddress(t.Context(), e, r.mail.code(annsNext), stored)
	require.NoError(t, err)

	_, err = other.Verify(t.Context(), ch, "mail", old)
	require.Error(t, err)
	_, err = other.OpenRecoveryLink(t.Context(), link)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	// A challenge from before sends to the new address.
	r.clock.Advance(time.Minute)
	other = r.Session(moved(), "another session")
	_, err = other.Send(t.Context(), ch, "mail")
	require.NoError(t, err)
	require.Equal(t, old, r.mail.code(ann.Email), "nothing more is sent there")
	_, err = other.Verify(t.Context(), ch, "mail", r.mail.code(annsNext))
	require.NoError(t, err)
}

// No link confirms a change, not even one that a resend makes.
func TestChangeAddress_HasNoLink(t *testing.T) {
	r := newRig(t)
	e, err := r.changeAddress(r.signIn(ann).Grant)
	require.NoError(t, err)
	_, err = r.Session(ann, binding).Resend(t.Context(), e)
	require.NoError(t, err)
	require.Empty(t, r.mail.link[annsNext])
	_, err = r.Session(ann, "another session").ConfirmAddress(t.Context(), e,
		r.mail.code(annsNext), stored)
	require.ErrorIs(t, err, mfa.ErrToken)
	r.clock.Advance(time.Hour)
	_, err = r.Session(ann, binding).ConfirmAddress(t.Context(), e, r.mail.code(annsNext), stored)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}

func TestChangeAddress_RefusesTheSameAndWhatIsNone(t *testing.T) {
	r := newRig(t)
	s, g := r.Session(ann, binding), r.signIn(ann).Grant
	for typed, reason := range map[string]string{"": "address_form",
		"ANN@example.com": "address_duplicate"} {
		_, err := s.ChangeAddress(t.Context(), g, secret.New(typed))
		var p *factor.Problem
		require.ErrorAs(t, err, &p, typed)
		require.Equal(t, reason, p.Reason)
	}
}

// The application stores the address before the factors move. Where it does not, since another
// account has the address, nothing moves, nobody is notified, and the code is used.
func TestConfirmAddress_MovesNothingThatIsNotStored(t *testing.T) {
	r := telling(t)
	g := r.withApp(ann, "word").Grant
	s := r.Session(ann, binding)
	own, err := s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "mail"})
	require.NoError(t, err)
	_, err = s.Confirm(t.Context(), own, r.mail.code(ann.Email))
	require.NoError(t, err)
	before, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	_ = r.mail.notices()

	e, err := r.changeAddress(g)
	require.NoError(t, err)
	errTaken, asked := errors.New("ann@next.example is anna's"), 0
	taken := func(context.Context) error { asked++; return errTaken }
	_, err = s.ConfirmAddress(t.Context(), e, secret.New("000000"), taken)
	require.ErrorIs(t, err, factor.ErrIncorrect)
	require.Zero(t, asked, "the application is asked once the mailbox is proven")
	code := r.mail.code(annsNext)
	_, err = s.ConfirmAddress(t.Context(), e, code, taken)
	require.ErrorIs(t, err, errTaken)
	require.NotContains(t, err.Error(), "anna", "what the application says is for itself")
	require.Equal(t, 1, asked)

	require.Empty(t, r.mail.notices())
	after, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Equal(t, before.Factors, after.Factors)
	_, err = s.ConfirmAddress(t.Context(), e, code, stored)
	require.ErrorIs(t, err, mfa.ErrTokenExpired, "the code is used")
	_, err = s.ConfirmAddress(t.Context(), e, code, nil)
	require.Error(t, err)
}

// An enrolment does not move the address, and a change of the address is no other enrolment.
func TestConfirmAddress_IsForAChangeOfTheAddress(t *testing.T) {
	r := newRig(t)
	g, s := r.withApp(ann, "word").Grant, r.Session(ann, binding)
	e, err := r.changeAddress(g)
	require.NoError(t, err)
	_, err = s.Confirm(t.Context(), e, r.mail.code(annsNext))
	require.ErrorIs(t, err, mfa.ErrToken)
	own, err := s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "mail"})
	require.NoError(t, err)
	_, err = s.ConfirmAddress(t.Context(), own, r.mail.code(ann.Email), stored)
	require.ErrorIs(t, err, mfa.ErrToken)
}

// A handle that knows only who the user is, as the end of a session does, still warns the user.
func TestCancel_NotifiesTheAddressOfTheChallenge(t *testing.T) {
	r := telling(t)
	ch := r.begin(ann)
	require.NoError(t, r.Session(mfa.User{ID: ann.ID, Tenant: ann.Tenant}, binding).
		Cancel(t.Context(), ch))
	require.Equal(t, []string{"challenge.abandoned to " + ann.Email}, r.mail.notices())
}

// An address is bounded as User.Email is, and the user's own is refused only if it is verified.
// What is not an address of the account yet can be verified by a change to it.
func TestChangeAddress_RefusesWhatIsNoChange(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "word").Grant
	long := strings.Repeat("a", 250)
	_, err := r.Session(ann, binding).ChangeAddress(t.Context(), g, secret.New(long+".test"))
	require.ErrorIs(t, err, factor.ErrMalformed)
	var problem *factor.Problem
	_, err = r.Session(ann, binding).ChangeAddress(t.Context(), g, secret.New("ANN@example.com"))
	require.ErrorAs(t, err, &problem)
	require.Equal(t, "address_duplicate", problem.Reason)
	unverified := ann
	unverified.EmailVerified = false
	_, err = r.Session(unverified, binding).ChangeAddress(t.Context(), g, secret.New(ann.Email))
	require.NoError(t, err)
}

// The notice is for the user as the application knows them when the change begins.
func TestChangeAddress_NotifiesTheUserOfNow(t *testing.T) {
	r := telling(t)
	g := r.withApp(ann, "word").Grant
	_ = r.mail.notices()
	later := ann
	later.TimeZone = "Europe/Oslo"
	s := r.Session(later, binding)
	e, err := s.ChangeAddress(t.Context(), g, secret.New(annsNext))
	require.NoError(t, err)
	_, err = s.ConfirmAddress(t.Context(), e, r.mail.code(annsNext), stored)
	require.NoError(t, err)
	require.Equal(t, "Europe/Oslo", r.mail.notice(t, "address.changed").User.TimeZone)
}

// Without a function that stores the address it is the caller's mistake, and no token's.
func TestConfirmAddress_NeedsAFunction(t *testing.T) {
	r := newRig(t)
	e, err := r.changeAddress(r.signIn(ann).Grant)
	require.NoError(t, err)
	_, err = r.Session(ann, binding).ConfirmAddress(t.Context(), e, r.mail.code(annsNext), nil)
	require.ErrorContains(t, err, "needs a function that stores the address")
	require.NotErrorIs(t, err, mfa.ErrToken)
}

// tidied is mail that describes where it sends to, in small letters.
type tidied struct{ *sent }

func (tidied) Describe(state []byte) factor.Description {
	return factor.Description{Destination: secret.New(strings.ToLower(string(state)))}
}

// The address that the application stores is the one that the factor sends to, as the factor says,
// or else as the user typed it.
func TestChangeAddress_SaysWhichAddressToStore(t *testing.T) {
	for want, change := range map[string]func(*mfa.Config){
		"Ann@Next.Example": func(*mfa.Config) {},
		"ann@next.example": func(c *mfa.Config) { c.Factors[1] = tidied{c.Factors[1].(*sent)} },
	} {
		r := newRig(t, change)
		e, err := r.Session(ann, binding).ChangeAddress(t.Context(), r.signIn(ann).Grant,
			secret.New("Ann@Next.Example"))
		require.NoError(t, err)
		require.Equal(t, want, e.Address.Reveal())
	}
}
