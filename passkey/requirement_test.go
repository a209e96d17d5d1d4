package passkey_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/fidotest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// changing is a policy that changes between sign-ins.
type changing struct{ now policy.Policy }

func (c *changing) Policy(context.Context, policy.Scope) (policy.Policy, error) {
	return c.now, nil
}

var l1 = fidotest.Status{Name: "FIDO_CERTIFIED_L1"}

// required is a Manager with a metadata service and a policy that changes.
type required struct {
	*world
	service *service
	policy  *changing
}

func newRequired(t *testing.T) *required {
	t.Helper()
	w := &required{service: newService(t, l1), policy: &changing{}}
	w.service.publish(t, w.better(), w.service.model("hardware", l1))
	w.world = newWorldUnder(t, w.policy, w.service.use)
	return w
}

// better is a model of the same manufacturer.
func (w *required) better() fidotest.Model {
	m := w.service.model("hardware", fidotest.Status{Name: "FIDO_CERTIFIED_L3"})
	m.AAGUID = other
	return m
}

func (w *required) attested() attested {
	return attested{aaguid: sturdy, by: w.service.maker.Attester(w.t, sturdy)}
}

// confirm enrols a passkey with an attestation, and returns what the browser was asked.
func (w *required) confirm(g mfa.Grant, d *device, a attested) (asked creation, err error) {
	w.t.Helper()
	s := w.Session(annSubject, session)
	e, err := s.Enroll(w.t.Context(), g, mfa.EnrollRequest{Kind: "passkey"})
	require.NoError(w.t, err)
	require.NoError(w.t, json.Unmarshal(e.Prompt.Data, &asked))
	_, err = s.Confirm(w.t.Context(), e, secret.New(d.createAttested(w.t, e.Prompt.Data, a)))
	return asked, err
}

type creation struct {
	PublicKey struct {
		Attestation string
		Exclude     []any `json:"excludeCredentials"`
	}
}

func (w *required) mustEnrol() mfa.Grant {
	w.t.Helper()
	ch, err := w.Session(annSubject, session).Begin(w.t.Context())
	require.NoError(w.t, err)
	require.Equal(w.t, mfa.NextEnroll, ch.Next)
	return ch.Grant
}

func reasonOf(t *testing.T, err error) string {
	t.Helper()
	var p *factor.Problem
	require.ErrorAs(t, err, &p)
	return p.Reason
}

func TestManager_EnrolsKeysThatThePolicyAllows(t *testing.T) {
	every := []string{"bare", "synced", "hardware"}
	for name, tc := range map[string]struct {
		policy policy.Policy
		asks   string
		// takes are the kinds of keys that the policy allows.
		takes []string
	}{
		"anything":         {policy.Policy{}, "none", every},
		"conveyance alone": {policy.Policy{Attestation: "indirect"}, "indirect", every},
		"bound to a device": {policy.Policy{DeviceBound: true}, "none",
			[]string{"bare", "hardware"}},
		"hardware": {policy.Policy{Hardware: true}, "direct", []string{"hardware"}},
		"hardware, managed": {policy.Policy{Hardware: true, Attestation: "enterprise"},
			"enterprise", []string{"hardware"}},
		"certified": {policy.Policy{Certified: "L1"}, "direct",
			[]string{"synced", "hardware"}},
		"certified and more": {policy.Policy{Certified: "L1+"}, "direct", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range every {
				w := newRequired(t)
				w.policy.now = tc.policy
				a := w.attested()
				switch kind {
				case "bare":
					a = attested{aaguid: sturdy, none: true}
				case "synced":
					a.flags = be
				}
				asked, err := w.confirm(w.mustEnrol(), newDevice(), a)
				require.Equal(t, tc.asks, asked.PublicKey.Attestation)
				if slices.Contains(tc.takes, kind) {
					require.NoError(t, err, kind)
					continue
				}
				require.Equal(t, "key_not_allowed", reasonOf(t, err), kind)
				require.ErrorIs(t, err, factor.ErrMalformed)
				w.mustEnrol() // nothing was enrolled, and nothing is locked
			}
		})
	}
}

// A passkey that the policy allows no more is a proof for enrolling another, and nothing else.
func TestManager_KeysStopSatisfyingThePolicy(t *testing.T) {
	for name, change := range map[string]func(*required){
		"the policy changed": func(w *required) { w.policy.now.Certified = "L2" },
		"the model was revoked": func(w *required) {
			w.service.publish(w.t, w.better(), w.service.model("hardware", l1,
				fidotest.Status{Name: "REVOKED"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, old := newRequired(t), newDevice()
			w.policy.now = policy.Policy{Hardware: true, Passwordless: true, NoDowngrade: true}
			_, err := w.confirm(w.mustEnrol(), old, w.attested())
			require.NoError(t, err)
			ch, options := w.asked(annSubject)
			v, err := w.second(ch, old.get(t, options))
			require.NoError(t, err)
			require.Equal(t, []string{"hwk", "mfa"}, v.AMR)

			change(w)
			open := w.open()
			old.auth.Options.UserHandle = handleOf(t, w.world)
			_, err = w.alone(open, old.get(t, open.Prompt.Data))
			require.ErrorIs(t, err, mfa.ErrNotAvailable, "it is no sign-in by itself")
			ch, options = w.asked(annSubject)
			_, err = w.second(ch, old.get(t, options))
			var enrol *mfa.EnrollmentRequiredError
			require.ErrorAs(t, err, &enrol)
			require.Contains(t, enrol.Kinds, "passkey")

			next := newDevice()
			asked, err := w.confirm(enrol.Grant, next, attested{aaguid: other,
				by: w.service.maker.Attester(t, other)})
			require.NoError(t, err)
			require.Empty(t, asked.PublicKey.Exclude, "its device may make another")
			_, options = w.asked(annSubject)
			require.Contains(t, string(options), text(next.cred.ID))
			require.NotContains(t, string(options), text(old.cred.ID))
		})
	}
}

// A model that is known to be unsafe is enrolled under no policy.
func TestManager_RefusesUnsafeModels(t *testing.T) {
	w := newRequired(t)
	w.service.publish(t, w.service.model("hardware", l1,
		fidotest.Status{Name: "USER_KEY_PHYSICAL_COMPROMISE"}))
	_, err := w.confirm(w.mustEnrol(), newDevice(), attested{aaguid: sturdy, none: true})
	require.Equal(t, "key_compromised", reasonOf(t, err))
	_, err = w.confirm(w.mustEnrol(), newDevice(), attested{aaguid: other, none: true})
	require.NoError(t, err)
}

// A policy that nothing can satisfy is refused when it is set, and not at each sign-in.
func TestManager_RefusesAPolicyThatNoKeySatisfies(t *testing.T) {
	for name, tc := range map[string]struct {
		policy policy.Policy
		change func(*passkey.Config)
	}{
		"no metadata":   {policy.Policy{Hardware: true}, func(*passkey.Config) {}},
		"no such level": {policy.Policy{Certified: "L4"}, newService(t).use},
		"no conveyance": {policy.Policy{Hardware: true, Attestation: "none"}, newService(t).use},
		"no such word":  {policy.Policy{Attestation: "full"}, newService(t).use},
		"no passkey": {policy.Policy{Hardware: true, Kinds: []string{"totp"}},
			newService(t).use},
		"bound to nothing": {policy.Policy{DeviceBound: true, Kinds: []string{"totp"}},
			newService(t).use},
	} {
		app, err := totp.New(totp.Config{Issuer: "Acme"})
		require.NoError(t, err)
		_, err = mfa.New(mfa.Config{Store: memory.New(), Keys: newKeys(t),
			Factors:  []factor.Factor{newFactor(t, tc.change), app},
			Policies: policy.Static(tc.policy)})
		require.ErrorIs(t, err, policy.ErrInvalid, name)
	}
}
