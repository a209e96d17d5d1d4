package decide

import (
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
)

// This file decides whether a policy allows an instance, by its kind and by what keeps its key.

// allowed reports whether the policy lets the user sign in with an instance.
func (v View) allowed(in *record.Instance) bool {
	return allows(v.Claims.Kinds, in.Kind) && v.AllowsKey(in)
}

// AllowsKey reports whether the policy allows what keeps the key of an instance. It asks nothing of
// kinds that are not phishing-resistant.
func (v View) AllowsKey(in *record.Instance) bool {
	return v.Kinds[in.Kind].Level < factor.LevelPhishingResistant || v.Claims.AllowsKey(in.Key)
}

// refusedKey returns why a new instance is not enrolled though its response is correct, or nil.
// A model that is known to be unsafe is refused under every policy.
func (v View) refusedKey(in *record.Instance) error {
	switch {
	case in.Key.Compromised:
		return &factor.Problem{Reason: "key_compromised",
			Detail: "the model that keeps the key is known to be unsafe"}
	case !v.AllowsKey(in):
		return &factor.Problem{Reason: "key_not_allowed",
			Detail: "the policy does not allow what keeps the key"}
	}
	return nil
}
