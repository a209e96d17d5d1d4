package mfa_test

import (
	"errors"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
)

// stories are histories of ann. testdata/events has what each is to say.
var stories = map[string]func(*story){
	"factors":        ownFactors,
	"locks":          locks,
	"disabled":       disabled,
	"administrators": administrators,
	"lost-phone":     lostPhone,
	"passkeys":       passkeys,
	"devices":        devices,
	"policies":       exceptions,
	"messages":       messages,
}

func ownFactors(s *story) {
	ctx, ses := s.t.Context(), s.Session(ann, binding)
	g := s.signIn(ann).Grant
	s.tell("sign in by mail")
	g = s.enroll(g, "app", "word").Grant
	s.tell("enrol an app")
	g = s.enroll(g, "pin", "1234").Grant
	s.tell("enrol a PIN")
	g = s.enroll(g, "pin", "5678").Grant
	s.tell("enrol another PIN")
	_, err := ses.NewRecoveryCodes(ctx, g)
	require.NoError(s.t, err)
	s.tell("make recovery codes")
	require.NoError(s.t, ses.Rename(ctx, g, mfa.FactorInfo{ID: s.id("app"), Name: "Phone"}))
	s.tell("rename the app")
	require.NoError(s.t, ses.Prefer(ctx, g, "mail"))
	require.NoError(s.t, ses.UseImplied(ctx, g, false))
	s.tell("prefer mail, and turn it off")
	require.NoError(s.t, ses.Remove(ctx, g, s.id("pin")))
	s.tell("remove the PIN")
	require.NoError(s.t, ses.Cancel(ctx, s.begin(ann)))
	s.tell("cancel a sign-in")
}

// wrong is failed attempts at a sign-in.
func (s *story) wrong(kind string, n int) {
	for range n {
		_, err := s.verify(s.begin(ann), kind, secret.New("wrong"))
		require.ErrorIs(s.t, err, factor.ErrIncorrect)
	}
}

func locks(s *story) {
	g := s.enroll(s.signIn(ann).Grant, "app", "word").Grant
	_, err := s.Session(ann, binding).NewRecoveryCodes(s.t.Context(), g)
	require.NoError(s.t, err)
	_, err = s.verify(s.begin(ann), "app", secret.New("word"))
	require.NoError(s.t, err)
	s.tell("have an app and recovery codes")
	_, err = s.verify(s.begin(ann), "app", secret.New("word"))
	require.ErrorIs(s.t, err, factor.ErrReplayed)
	s.tell("respond with the same again")
	s.wrong("app", 2)
	s.tell("fail twice more")
	s.wrong("app", 2)
	s.tell("fail twice more")
	_, err = s.verify(s.begin(ann), "recovery", secret.New("a"))
	requireLocked(s.t, err)
	s.tell("respond while locked")
	s.clock.Advance(3 * time.Minute)
	for _, code := range []string{"a", "b"} {
		_, err = s.verify(s.begin(ann), "recovery", secret.New(code))
		require.NoError(s.t, err)
		s.tell("use code " + code)
	}
}

func disabled(s *story) {
	s.app.once = false
	s.withApp(ann, "word")
	s.wrong("app", 5)
	s.clock.Advance(4 * time.Minute)
	s.wrong("app", 4)
	s.tell("fail nine times")
	s.wrong("app", 1)
	s.tell("fail once more")
	s.clock.Advance(4 * time.Minute)
	_, err := s.prove(secret.New("wrong"))
	require.ErrorIs(s.t, err, factor.ErrIncorrect)
	s.tell("fail to prove the app")
	for range 3 {
		_, err := s.prove(secret.New("word"))
		require.NoError(s.t, err)
		s.tell("prove the app")
		s.clock.Advance(time.Minute)
	}
}

func administrators(s *story) {
	ctx, admin := s.t.Context(), s.Admin(boss, "badge 7")
	s.withApp(ann, "word")
	require.NoError(s.t, s.Session(ann, binding).RequestSupport(ctx, s.begin(ann), report.Case{}))
	s.tell("ask for help")
	require.NoError(s.t, admin.CloseSupportCase(ctx, ann))
	require.NoError(s.t, admin.Unlock(ctx, ann))
	s.tell("close the case and unlock")
	_, err := admin.SendVerificationLink(ctx, ann)
	require.NoError(s.t, err)
	_, err = s.ConfirmLink(ctx, secret.New(s.mail.link[ann.Email]))
	require.NoError(s.t, err)
	s.tell("verify the address")
	_, err = admin.Enroll(ctx, ann, mfa.EnrollRequest{Kind: "access"})
	require.NoError(s.t, err)
	s.tell("make an access code")
	require.NoError(s.t, admin.Remove(ctx, ann, s.id("app")))
	s.tell("remove the app")
	require.NoError(s.t, admin.Reset(ctx, ann))
	s.tell("reset")
	require.NoError(s.t, admin.Unlock(ctx, person(1)))
	s.tell("unlock a user without a record")
	require.NoError(s.t, admin.Delete(ctx, ann))
	require.NoError(s.t, admin.Delete(ctx, ann))
	s.tell("delete twice")
}

func lostPhone(s *story) {
	ctx, there := s.t.Context(), s.Session(ann, elsewhere)
	g := s.withApp(ann, "old phone").Grant
	_, err := s.Session(ann, binding).NewRecoveryCodes(ctx, g)
	require.NoError(s.t, err)
	_, err = s.Admin(boss, "badge 7").SendRecoveryLink(ctx, ann)
	require.NoError(s.t, err)
	link := s.setupLink(ann)
	s.tell("ask for a link")
	ch, err := there.Recovery().OpenRecoveryLink(ctx, link)
	require.NoError(s.t, err)
	s.tell("open the link")
	v, err := s.replaceBy(ch, secret.New("a"))
	require.NoError(s.t, err)
	s.tell("use a code")
	e, err := there.Enroll(ctx, v.Grant, mfa.EnrollRequest{Kind: "app",
		Params: map[string]secret.Text{"word": secret.New("new phone")}})
	require.NoError(s.t, err)
	_, err = there.Confirm(ctx, e, secret.New("wrong"))
	require.ErrorIs(s.t, err, factor.ErrIncorrect)
	_, err = there.SendElsewhere(ctx, e)
	require.NoError(s.t, err)
	_, err = there.Confirm(ctx, e, secret.New("new phone"))
	require.NoError(s.t, err)
	s.tell("enrol a new phone")
	s.clock.Advance(day)
	g = s.signIn(ann).Grant
	_, err = s.verify(s.begin(ann), "app", secret.New("old phone"))
	require.ErrorIs(s.t, err, factor.ErrIncorrect)
	s.tell("use the old phone after the hold")
	_, err = s.changeAddress(g)
	require.ErrorIs(s.t, err, mfa.ErrProofRequired)
	v, err = s.Session(ann, binding).ManageFactors().Verify(ctx, s.beginFor(ann, "manage"), "app",
		secret.New("new phone"))
	require.NoError(s.t, err)
	moving, err := s.changeAddress(v.Grant)
	require.NoError(s.t, err)
	_, err = s.Session(ann, binding).ConfirmAddress(ctx, moving, s.mail.code(annsNext), stored)
	require.NoError(s.t, err)
	s.tell("move the address")
}

func passkeys(s *story) {
	s.withKey(ann, "k1")
	s.tell("enrol a passkey")
	ch := s.open()
	_, err := s.answer(ch, "k1", "", ann)
	require.NoError(s.t, err)
	s.tell("sign in without a password")
	_, err = s.answer(s.open(), "k1", "cloned", ann)
	require.NoError(s.t, err)
	s.tell("sign in with a copy")
	_, err = s.answer(s.open(), "k1", "copied", ann)
	require.ErrorIs(s.t, err, factor.ErrReplayed)
	_, err = s.answer(s.open(), "k1", "copied", ann)
	require.ErrorIs(s.t, err, factor.ErrReplayed)
	s.tell("respond with an older state, twice")
	_, err = s.respondAs(s.begin(ann), "k1", "copied")
	require.ErrorIs(s.t, err, factor.ErrReplayed)
	s.tell("respond with an older state after a password")
	s.outdate("k1")
	s.tell("respond with a changed passkey")
}

func devices(s *story) {
	ctx, ses := s.t.Context(), s.Session(ann, binding)
	s.withApp(ann, "word")
	token := s.onDevice(ann, "Laptop")
	s.tell("remember a device")
	ch := s.beginOn(ann, token)
	require.True(s.t, ch.Remembered)
	s.tell("sign in on it")
	s.clock.Advance(time.Minute)
	require.False(s.t, s.beginOn(ann, token).Remembered)
	s.tell("sign in with a copy of its token")
	s.onDevice(ann, "Tablet")
	o, err := s.Overview(ctx, ann)
	require.NoError(s.t, err)
	v, err := s.verify(s.begin(ann), "app", secret.New("word"))
	require.NoError(s.t, err)
	require.NoError(s.t, ses.ForgetDevice(ctx, v.Grant, o.Devices[0].ID))
	s.tell("remember another, and forget it")
	s.onDevice(ann, "Phone")
	require.NoError(s.t, s.PasswordChanged(ctx, ann))
	s.tell("change the password")
}

func exceptions(s *story) {
	ctx := s.t.Context()
	s.set(policy.Policy{Mode: policy.ModeRequired, EnrollSkips: 2})
	ch := s.begin(ann)
	require.NoError(s.t, s.Session(ann, binding).Postpone(ctx, ch))
	s.tell("put off the enrolment")
	require.NoError(s.t, s.excepts(day))
	require.Equal(s.t, mfa.NextDone, s.next())
	require.Equal(s.t, mfa.NextDone, s.next())
	s.tell("use an exception twice in one session")
	require.NoError(s.t, s.Admin(boss, "healed").EndException(ctx, ann))
	s.tell("end the exception")
	c := s.enroll(s.begin(ann).Grant, "pin", "1234")
	require.NotNil(s.t, c.Verification)
	s.tell("enrol where the policy requires it")
	s.set(policy.Policy{Mode: policy.ModeRequired, Kinds: []string{"app"}})
	_, err := s.verify(s.begin(ann), "pin", secret.New("1234"))
	var required *mfa.EnrollmentRequiredError
	require.ErrorAs(s.t, err, &required)
	s.tell("respond with a kind that the policy bans")
}

func messages(s *story) {
	ctx := s.t.Context()
	ch := s.begin(ann)
	s.mail.fail = errors.New("down")
	_, err := s.Session(ann, binding).Send(ctx, ch, "mail")
	require.ErrorIs(s.t, err, mfa.ErrUnavailable)
	require.NoError(s.t, s.Admin(boss, "").Reset(ctx, ann))
	_, err = s.Admin(boss, "").SendRecoveryLink(ctx, ann)
	require.ErrorIs(s.t, err, mfa.ErrUnavailable)
	s.tell("the sender is down")
	s.mail.fail = nil
	s.cfg.RateLimits.PerUser = 1
	_, err = s.another().Session(ann, binding).Send(ctx, s.begin(ann), "mail")
	var limited *mfa.RateLimitError
	require.ErrorAs(s.t, err, &limited)
	s.tell("too many codes")
	nowhere := ann
	nowhere.Email = "nowhere"
	_, err = s.Session(nowhere, binding).Begin(ctx)
	require.ErrorIs(s.t, err, factor.ErrUndeliverable)
	s.tell("an address that no message reaches")
	s.clock.Advance(time.Hour)
	c, err := s.begun(s.signIn(ann).Grant, "mail", "home@example.com")
	require.NoError(s.t, err)
	_, err = s.Session(ann, binding).Resend(ctx, c)
	require.NoError(s.t, err)
	s.tell("enrol an address, and send the code again")
	v, err := s.Session(ann, binding).StepUp().Begin(ctx)
	require.NoError(s.t, err)
	_, err = s.Session(ann, binding).StepUp().Send(ctx, v, "mail")
	require.NoError(s.t, err)
	s.clock.Advance(2 * time.Minute)
	_, err = s.Session(ann, binding).StepUp().Verify(ctx, v, "mail", s.mail.code(ann.Email))
	require.ErrorIs(s.t, err, factor.ErrExpired)
	s.tell("step up by a code that has expired")
}
