package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/questions"
)

// Level 3 of NIST demands what level 2 does, and keys that cannot be copied.
func TestSetupCheck_HoldsLevel3OfNIST(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*policy.Setup)
		want   string
	}{
		"an authenticator app": {under(policy.Policy{Kinds: []string{"key", "totp"}}), "N-44"},
		"SMS":                  {under(policy.Policy{Kinds: []string{"key", "sms"}}), "N-44"},
		"a key in software":    {with(&plain{"passkey", resistant}), "N-45"},
		"a key that may be in software": {func(s *policy.Setup) {
			with(attests)(s)
			s.Policies = policy.Static(policy.Policy{Kinds: []string{"passkey"}})
		}, "N-45"},
		"a key that proves its hardware": {func(s *policy.Setup) {
			with(attests)(s)
			s.Policies = policy.Static(policy.Policy{Kinds: []string{"passkey"}, Hardware: true})
		}, ""},
		"remembered devices":   {under(policy.Policy{Remember: time.Hour}), "N-40"},
		"optional":             {under(policy.Policy{Mode: policy.ModeOptional}), "N-3"},
		"half a day as recent": {under(policy.Policy{MaxAge: 12 * time.Hour}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, policy.ProfileNISTAAL3, tc.change, tc.want)
		})
	}
	s := sound(t, policy.ProfileNISTAAL3)
	under(policy.Policy{MaxAge: 13 * time.Hour})(&s)
	list, err := s.Audit(policy.ProfileNISTAAL3, start)
	require.NoError(t, err)
	require.Equal(t, "N-47", rowsOf(list, true))
}

// PCI DSS demands two types of factors at every sign-in, and no way around the second.
func TestSetupCheck_HoldsPCIDSS(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*policy.Setup)
		want   string
	}{
		"off":                {under(policy.Policy{Mode: policy.ModeOff}), "P-1"},
		"optional":           {under(policy.Policy{Mode: policy.ModeOptional}), "P-1"},
		"grace":              {under(policy.Policy{EnrollBy: start.Add(time.Hour)}), "P-1"},
		"postponed":          {under(policy.Policy{EnrollSkips: 1}), "P-1"},
		"remembered devices": {under(policy.Policy{Remember: time.Hour}), "P-3"},
		"a PIN": {
			with(must[*pin.Factor](t)(pin.New(pin.Config{MinLength: 8}))), "P-5"},
		"security questions": {
			beside(must[*questions.Factor](t)(questions.New(questions.Config{}))), "P-5"},
		"an authenticator app alone": {func(s *policy.Setup) {
			s.Policies = policy.Static(policy.Policy{Kinds: []string{"totp"}})
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, policy.ProfilePCIDSS4, tc.change, tc.want)
		})
	}
	s := sound(t, policy.ProfilePCIDSS4)
	s.Policies = own{}
	list, err := s.Audit(policy.ProfilePCIDSS4, start)
	require.NoError(t, err)
	require.Equal(t, "P-1", rowsOf(list, true))
}
