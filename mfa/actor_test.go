package mfa_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

// A page and an event show who acts, and why.
func TestActor_SaysWhoActs(t *testing.T) {
	r := newRig(t)
	user := r.Session(mfa.User{ID: "bea", Tenant: "one"}, binding).Actor(mfa.Grant{})
	require.Equal(t, []any{"bea", "one", false},
		[]any{user.Name(), user.Tenant(), user.IsSystem()})
	require.Equal(t, []any{"boss", "", true}, []any{boss.Name(), boss.Tenant(), boss.IsSystem()})
	require.Equal(t, "left", r.Admin(boss, "left").Reason())
}

// An administrator acts by a proof that the Manager of the act has taken. What another installation
// has issued to the same user, under its own keys, permits nothing here.
func TestActor_OfAnotherInstallationIsRefused(t *testing.T) {
	here, there := with(t, policy.Policy{}), with(t, policy.Policy{})
	here.setUp(bea, "key")
	grant := there.setUp(bea, "key")
	actor := there.Session(bea, binding).Actor(grant)
	require.NoError(t, there.Admin(actor, "").Unlock(t.Context(), ann))
	require.ErrorIs(t, here.Admin(actor, "").Unlock(t.Context(), ann), mfa.ErrToken)
}

// No administrator acts while the store cannot say what factors the administrator has.
func TestActor_FailsWhileTheRecordCannotBeRead(t *testing.T) {
	r := with(t, policy.Policy{})
	actor := r.Session(bea, binding).Actor(r.setUp(bea, "key"))
	cfg := r.cfg
	cfg.Store = &failsOnce{FaultyStore: r.store, key: "p/0//bea"}
	m, err := mfa.New(cfg)
	require.NoError(t, err)
	require.ErrorIs(t, m.Admin(actor, "").Unlock(t.Context(), ann), mfa.ErrUnavailable)
	require.NoError(t, m.Admin(actor, "").Unlock(t.Context(), ann))
}

// An actor whom there cannot be permits nothing.
func TestActor_IsAUserThatThereCanBe(t *testing.T) {
	r := with(t, policy.Policy{})
	grant := r.setUp(bea, "key")
	odd := bea
	odd.Tenant = strings.Repeat("t", 65)
	err := r.Admin(r.Session(odd, binding).Actor(grant), "").Unlock(t.Context(), ann)
	require.ErrorIs(t, err, factor.ErrMalformed)
}
