package mfa_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
)

func TestAdminPersonalData_HasWhatIsStored(t *testing.T) {
	r := lost(t)
	require.NoError(t, r.Session(ann, binding).RequestSupport(t.Context(),
		r.begin(ann), report.Case{From: "198.51.100.7", Message: "I lost it"}))
	r.events = nil
	d, err := r.Admin(boss, "request 12").PersonalData(t.Context(), ann)
	require.NoError(t, err)
	require.Equal(t, ann.ID, d.UserID)
	require.False(t, d.Since.IsZero())
	require.Equal(t, "I lost it", d.Support.Message)
	var kinds []string
	for _, f := range d.Factors {
		kinds = append(kinds, f.Kind)
	}
	require.Contains(t, kinds, "app")
	require.Equal(t, []string{"admin.personal-data"}, r.eventNames())
	require.Equal(t, []string{"boss", "request 12"},
		[]string{r.events[0].Actor, r.events[0].Note})

	text, err := json.Marshal(d)
	require.NoError(t, err)
	require.NotContains(t, string(text), "old phone", "the secret of the app")
	_, err = r.Admin(boss, "").PersonalData(t.Context(), mfa.User{ID: "nobody"})
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
}

func TestAdminPersonalData_NeedsPermission(t *testing.T) {
	var asked []string
	r := lost(t, func(c *mfa.Config) {
		c.Authorize = func(_ context.Context, a mfa.AdminAction) error {
			asked = append(asked, a.Name)
			return mfa.ErrForbidden
		}
	})
	r.events = nil
	_, err := r.Admin(boss, "").PersonalData(t.Context(), ann)
	require.ErrorIs(t, err, mfa.ErrForbidden)
	require.Equal(t, []string{"personal-data"}, asked)
	require.Empty(t, r.events)
}

// accounted has every field of a record, with why a user's data does not have it, or "" where it
// does.
var accounted = map[string]string{
	"Born": "", "Seen": "", "UserType": "", "Factors": "", "Devices": "", "Lockout": "",
	"Sends": "", "Preferred": "", "Declined": "", "Postponed": "", "Imported": "", "Exception": "",

	"Format":       "a version",
	"Epoch":        "random, and makes tokens void",
	"UsedUntil":    "makes challenges void",
	"Used":         "makes challenges void",
	"Codes":        "codes that are valid",
	"Superseded":   "codes",
	"Pending":      "secrets of enrolments, which end within the hour",
	"Charge":       "a lease of seconds",
	"UnlockProofs": "counts towards an unlocking, which end with it",
	"RecoveryLink": "a link that is valid",
	"Recovery":     "a recovery under way",
	"Holds":        "what a replacement may change, for days",
	"Warned":       "limits notices",
	"Notices":      "limits notices",
	"Undeliverable": "says that mail to an address failed; the address is in Factors or is the " +
		"application's",
	"CodesDue":  "a step of the set-up",
	"NoImplied": "a setting about the application's address, which the application shows",
	"Outdated":  "IDs of factors that are in Factors",
	"Renew":     "IDs of factors that are in Factors",
	"Writes":    "a number of writes, and the time of the first, which Since is",
	"Fresh":     "not stored",
	"Tombstone": "not the user's record",
}

// A new field of a record is in a user's data, or there is a reason why not.
func TestAdminPersonalData_AccountsForEveryField(t *testing.T) {
	fields := reflect.TypeFor[record.Record]()
	for i := range fields.NumField() {
		f := fields.Field(i)
		_, known := accounted[f.Name]
		require.True(t, known || !f.IsExported(), "%s: put it into report.PersonalData", f.Name)
	}
}

// An address is in full, as the factor describes it. Of a kind that is not configured here, the
// state may be a secret, and the user has what others see of it.
func TestAdminPersonalData_HasWholeAddresses(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Factors[1] = tidied{c.Factors[1].(*sent)}
		c.Policies = policy.Static(policy.Policy{})
	})
	g := r.setUp(ann, "app")
	e, err := r.begun(g, "mail", "home@example.com")
	require.NoError(t, err)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, r.mail.code("home@example.com"))
	require.NoError(t, err)
	destinations := func(m *mfa.Manager) (list []string) {
		d, err := m.Admin(boss, "").PersonalData(t.Context(), ann)
		require.NoError(t, err)
		for _, f := range d.Factors {
			list = append(list, f.Kind+" "+f.Destination)
		}
		return list
	}
	require.Equal(t, []string{"app ", "mail home@example.com"}, destinations(r.Manager))
	r.cfg.Factors[1] = r.mail
	require.Equal(t, []string{"app ", "mail •••"}, destinations(r.another()), "as it is masked")
	r.cfg.Factors = []factor.Factor{r.app, r.pin, codes{}}
	require.Equal(t, []string{"app ", "mail •••"}, destinations(r.another()))
}

// A set of recovery codes that is used up has none, which is not the same as a kind without codes.
func TestAdminPersonalData_CountsUsedCodes(t *testing.T) {
	r := newRig(t)
	r.makeCodes(r.withApp(ann, "word").Grant)
	for _, code := range []string{"a", "b", "c", "d", "e"} {
		_, err := r.verify(r.begin(ann), "recovery", secret.New(code))
		require.NoError(t, err)
	}
	d, err := r.Admin(boss, "").PersonalData(t.Context(), ann)
	require.NoError(t, err)
	require.Len(t, d.Factors, 2)
	require.Nil(t, d.Factors[0].Remaining)
	require.NotNil(t, d.Factors[1].Remaining)
	require.Zero(t, *d.Factors[1].Remaining)
}
