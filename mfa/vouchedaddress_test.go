package mfa_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

// An application may give a user another address by itself, for example when an administrator
// corrects it. An attacker reads the mailbox of the earlier address, and gains nothing by what was
// sent there.

const annsThird = "ann@third.example"

// at is ann with another address that the application vouches for.
func at(address string) mfa.User {
	u := ann
	u.Email = address
	return u
}

func TestVouchedAddress_EndsCodesThatWereSentToTheOneBefore(t *testing.T) {
	r := newRig(t)
	ch := r.begin(ann)
	r.send(ch)
	old, s := r.mail.code(ann.Email), r.Session(moved(), binding)
	_, err := s.Verify(t.Context(), ch, "mail", old)
	require.ErrorIs(t, err, factor.ErrExpired)
	o, err := r.Overview(t.Context(), moved())
	require.NoError(t, err)
	require.True(t, o.LockedUntil.IsZero())

	// The first code to the new address is one of the same challenge.
	d, err := s.SendFirst(t.Context(), ch, mfa.Option{Kind: "mail"})
	require.NoError(t, err)
	require.False(t, d.Expires.IsZero())
	_, err = s.Verify(t.Context(), ch, "mail", old)
	require.ErrorIs(t, err, factor.ErrExpired)
	_, err = s.Verify(t.Context(), ch, "mail", r.mail.code(annsNext))
	require.NoError(t, err)
}

// A code that was sent before the application changed the address back is valid again: it went to
// the address that the user has.
func TestVouchedAddress_ThatCameBackHasItsCode(t *testing.T) {
	r := newRig(t)
	ch := r.begin(ann)
	r.send(ch)
	code := r.mail.code(ann.Email)
	_, err := r.Session(moved(), binding).Verify(t.Context(), ch, "mail", code)
	require.Error(t, err)
	_, err = r.verify(ch, "mail", code)
	require.NoError(t, err)
}

// Recovery links go to the address that the application vouches for, and to none that was verified
// before it. For a user without a factor such a link permits the first enrolment.
func TestVouchedAddress_GetsRecoveryLinksAlone(t *testing.T) {
	r := telling(t)
	e, err := r.changeAddress(r.signIn(ann).Grant)
	require.NoError(t, err)
	_, err = r.Session(ann, binding).ConfirmAddress(t.Context(), e, r.mail.code(annsNext), stored)
	require.NoError(t, err)
	_ = r.mail.notices()

	_, err = r.Session(at(annsThird), binding).SendRecoveryLink(t.Context(), r.begin(at(annsThird)))
	require.NoError(t, err)
	require.Equal(t, []string{"setup.link to " + annsThird}, r.mail.notices())
	_, err = r.Admin(boss, "").SendRecoveryLink(t.Context(), at(annsThird))
	require.NoError(t, err)
	require.Equal(t, []string{"setup.link to " + annsThird}, r.mail.notices())

	// Neither where no message reaches the address: that is for the administrators.
	_, err = r.Admin(boss, "").SendRecoveryLink(t.Context(), at("nodots"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	require.Empty(t, r.mail.notices())

	// An address that the application does not vouch for replaces none.
	unverified := at(annsThird)
	unverified.EmailVerified = false
	_, err = r.Admin(boss, "").SendRecoveryLink(t.Context(), unverified)
	require.NoError(t, err)
	require.Equal(t, []string{"setup.link to " + annsNext}, r.mail.notices())

	// Notices go to every address, so that the user learns of a change that was not theirs.
	require.NoError(t, r.Admin(boss, "").Reset(t.Context(), at(annsThird)))
	require.ElementsMatch(t, []string{"admin.reset to " + annsThird, "admin.reset to " + annsNext},
		r.mail.notices())
}

// A factor that the user enrolled with an address is the user's own, whatever the application
// vouches for.
func TestVouchedAddress_EndsNoEnrolledFactor(t *testing.T) {
	r := with(t, policy.Policy{})
	s := r.Session(at(annsNext), binding)
	e, err := s.Enroll(t.Context(), r.begin(at(annsNext)).Grant, mfa.EnrollRequest{Kind: "mail"})
	require.NoError(t, err)
	_, err = s.Confirm(t.Context(), e, r.mail.code(annsNext))
	require.NoError(t, err)
	_, err = r.Admin(boss, "").SendRecoveryLink(t.Context(), at(annsThird))
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"setup.link to " + annsThird, "setup.link to " + annsNext},
		r.mail.notices())
}

// A link that was sent before is void in the session of a user with another address. Without an
// address, as in a browser that knows no user, the link says for whom it is.
func TestVouchedAddress_EndsRecoveryLinksThatWereSentToTheOneBefore(t *testing.T) {
	r := newRig(t)
	_, err := r.Admin(boss, "").SendRecoveryLink(t.Context(), ann)
	require.NoError(t, err)
	link := r.mail.told[len(r.mail.told)-1].Link
	_, err = r.Session(moved(), binding).OpenRecoveryLink(t.Context(), link)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.Session(at("Ann@Example.com"), binding).OpenRecoveryLink(t.Context(), link)
	require.NoError(t, err, "the same address in other letters")

	_, err = r.Admin(boss, "").SendRecoveryLink(t.Context(), ann)
	require.NoError(t, err)
	link = r.mail.told[len(r.mail.told)-1].Link
	_, err = r.Session(mfa.User{ID: ann.ID}, binding).OpenRecoveryLink(t.Context(), link)
	require.NoError(t, err)
}
