package mfa_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
)

// Every event that the code can make is in the table, with when the user is notified or why not;
// the table at SlogEvents says the same; and every one that users are notified of has a scenario
// below, in which they are.
func TestEvents_AreNotifiedOrSayWhyNot(t *testing.T) {
	rules := mfa.EventRules()
	for name, rule := range rules {
		require.NotEqual(t, rule[0] == "", rule[1] == "", "%s: either when, or why not", name)
		_, tried := notified[name]
		require.Equal(t, rule[0] != "", tried, "%s: a scenario for each that is notified", name)
	}

	// "admin." and a name
	made := map[string]bool{"admin.reset": true, "admin.unlock": true, "admin.access": true}
	literal := regexp.MustCompile(
		`"((?:challenge|send|verify|confirm|lockout|unlock|enroll|factor|address|recovery|device|support|setup|` +
			`notice|admin|policy|account|session|user|grant|link|code|authority|hold|implied|exception)\.[a-z-]+)"`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var table string
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if file == "event.go" {
			table = string(text)
		}
		if strings.HasSuffix(file, "_test.go") || file == "eventtable.go" {
			continue
		}
		for _, m := range literal.FindAllStringSubmatch(string(text), -1) {
			made[m[1]] = made[m[1]] ||
				m[1] != "setup.link" && m[1] != "setup.elsewhere" // messages, and no events
		}
	}
	for name, event := range made {
		require.Equal(t, event, rules[name] != [2]string{},
			"%s is in the code, so it is in eventRules", name)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^//\t([* ]) ([a-z]+\.[a-z-]+) `).
		FindAllStringSubmatch(table, -1) {
		documented[m[2]] = m[1] == "*"
	}
	for name, rule := range rules {
		require.True(t, made[name], "%s is made nowhere", name)
		star, ok := documented[name]
		require.True(t, ok, "%s is not in the table at SlogEvents", name)
		require.Equal(t, rule[0] != "", star, "%s: a star says that the user is notified", name)
	}
	require.Len(t, documented, len(rules))
}

func TestEvents_NotifyTheUser(t *testing.T) {
	for name, scenario := range notified {
		t.Run(name, func(t *testing.T) {
			r := scenario(t)
			require.Contains(t, r.mail.notices(), name+toAnn)
			require.True(t, slices.ContainsFunc(r.events, func(e mfa.Event) bool {
				return e.Name == "notice.sent" && e.Reason == name && e.UserID == "ann"
			}))
		})
	}
}

// notified has, for every event that users are notified of, what brings it about.
var notified = map[string]func(*testing.T) *rig{
	"challenge.abandoned": func(t *testing.T) *rig {
		r, _ := withAppTold(t)
		require.NoError(t, r.Session(ann, binding).Cancel(t.Context(), r.begin(ann)))
		return r
	},
	"verify.failure": func(t *testing.T) *rig { return wrongly(t, 3) },
	"lockout.locked": func(t *testing.T) *rig { return wrongly(t, 5) },
	"lockout.disabled": func(t *testing.T) *rig {
		r := newRig(t, func(c *mfa.Config) {
			c.Lockout, c.Notify = lockout.Config{DisableAfter: 10}, func(ctx context.Context,
				send func(context.Context) error) {
				_ = send(ctx)
			}
		})
		r.withApp(ann, "word")
		for i := range 10 {
			_, err := r.verify(r.begin(ann), "app", secret.New("wrong"))
			require.ErrorIs(t, err, factor.ErrIncorrect)
			if i == 4 {
				r.clock.Advance(4 * time.Minute)
			}
		}
		return r
	},
	"lockout.unlocked": func(t *testing.T) *rig {
		r := stoppedRig(t)
		for range 3 {
			_, err := r.prove(secret.New("word"))
			require.NoError(t, err)
			r.clock.Advance(30 * time.Second)
		}
		return r
	},
	"factor.added": func(t *testing.T) *rig {
		r := telling(t)
		r.withApp(ann, "word")
		return r
	},
	"recovery.replacement": func(t *testing.T) *rig {
		r := lost(t, func(c *mfa.Config) {
			c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
		})
		r.mail.notices()
		v, err := r.verify(r.begin(ann), "recovery", secret.New("a"))
		require.NoError(t, err)
		r.enroll(v.Grant, "app", "new phone")
		require.Equal(t, r.clock.Now().Add(24*time.Hour), r.mail.told[len(r.mail.told)-1].Until)
		return r
	},
	"factor.replaced": func(t *testing.T) *rig {
		r, g := withAppTold(t)
		r.enroll(r.enroll(g, "pin", "1234").Grant, "pin", "5678")
		return r
	},
	"factor.removed": func(t *testing.T) *rig {
		r, g := withAppTold(t)
		require.NoError(t, r.Session(ann, binding).Remove(t.Context(), g, r.id("app")))
		return r
	},
	"factor.renamed": func(t *testing.T) *rig {
		r, g := withAppTold(t)
		require.NoError(t, r.Session(ann, binding).Rename(t.Context(), g,
			mfa.FactorInfo{ID: r.id("app"), Name: "Old phone"}))
		require.Equal(t, "Old phone", r.mail.told[0].Label, "the new name")
		return r
	},
	"implied.off": func(t *testing.T) *rig {
		r, g := withAppTold(t)
		require.NoError(t, r.Session(ann, binding).UseImplied(t.Context(), g, false))
		return r
	},
	"implied.on": func(t *testing.T) *rig {
		r, g := withAppTold(t)
		require.NoError(t, r.Session(ann, binding).UseImplied(t.Context(), g, false))
		require.NoError(t, r.Session(ann, binding).UseImplied(t.Context(), g, true))
		return r
	},
	"factor.cloned": func(t *testing.T) *rig {
		f := &shouter{sent: sent{kind: "mail"}, fails: "Verify", kind: factor.ErrReplayed,
			refusal: &factor.Verdict{Cloned: true}}
		r := newRig(t, func(c *mfa.Config) {
			c.Factors, c.Notify = []factor.Factor{f}, func(ctx context.Context,
				send func(context.Context) error) {
				_ = send(ctx)
			}
		})
		r.mail = &f.sent
		ch := r.begin(ann)
		r.send(ch)
		_, err := r.verify(ch, "mail", secret.New("123456"))
		require.ErrorIs(t, err, factor.ErrReplayed)
		return r
	},
	"address.confirmed": func(t *testing.T) *rig {
		r := telling(t)
		_, err := r.Admin(boss, "").SendVerificationLink(t.Context(), ann)
		require.NoError(t, err)
		_, err = r.ConfirmLink(t.Context(), secret.New(r.mail.link[ann.Email]))
		require.NoError(t, err)
		return r
	},
	"address.changed": func(t *testing.T) *rig {
		r := telling(t)
		e, err := r.changeAddress(r.signIn(ann).Grant)
		require.NoError(t, err)
		_, err = r.Session(ann, binding).ConfirmAddress(t.Context(), e,
			r.mail.code(annsNext), stored)
		require.NoError(t, err)
		return r
	},
	"recovery.regenerated": withCodes,
	"recovery.used": func(t *testing.T) *rig {
		r := withCodes(t)
		_, err := r.verify(r.begin(ann), "recovery", secret.New("a"))
		require.NoError(t, err)
		return r
	},
	"recovery.low": func(t *testing.T) *rig {
		r := withCodes(t)
		for _, code := range []secret.Text{secret.New("a"), secret.New("b")} {
			_, err := r.verify(r.begin(ann), "recovery", code)
			require.NoError(t, err)
		}
		return r
	},
	"device.remembered": func(t *testing.T) *rig {
		r, _ := onLaptop(t)
		return r
	},
	"device.reused": func(t *testing.T) *rig {
		r, token := onLaptop(t)
		for range 2 {
			_, err := r.Session(ann, binding).OnDevice(token).Begin(t.Context())
			require.NoError(t, err)
			r.clock.Advance(time.Minute)
		}
		return r
	},
	"device.revoked": func(t *testing.T) *rig {
		r, _ := onLaptop(t)
		g := r.signIn(ann).Grant
		o, err := r.Overview(t.Context(), ann)
		require.NoError(t, err)
		_ = r.mail.notices()
		require.NoError(t, r.Session(ann, binding).ForgetDevice(t.Context(), g, o.Devices[0].ID))
		require.Equal(t, "Laptop", r.mail.told[0].Label)
		return r
	},
	"support.requested": func(t *testing.T) *rig {
		r, _ := withAppTold(t)
		require.NoError(t, r.Session(ann, binding).RequestSupport(t.Context(), r.begin(ann),
			report.Case{}))
		return r
	},
	"admin.reset": func(t *testing.T) *rig {
		r, _ := withAppTold(t)
		require.NoError(t, r.Admin(boss, "").Reset(t.Context(), ann))
		return r
	},
	"admin.remove": func(t *testing.T) *rig {
		r, _ := withAppTold(t)
		o, err := r.Overview(t.Context(), ann)
		require.NoError(t, err)
		require.NoError(t, r.Admin(boss, "").Remove(t.Context(), ann, o.Factors[0].ID))
		return r
	},
	"admin.exception": func(t *testing.T) *rig {
		r := telling(t)
		require.NoError(t, r.excepts(day))
		return r
	},
	"admin.exception-ended": func(t *testing.T) *rig {
		r := telling(t)
		require.NoError(t, r.excepts(day))
		require.NoError(t, r.Admin(boss, "").EndException(t.Context(), ann))
		return r
	},
	"admin.unlock": func(t *testing.T) *rig {
		r := wrongly(t, 5)
		require.NoError(t, r.Admin(boss, "").Unlock(t.Context(), ann))
		return r
	},
	"admin.access": func(t *testing.T) *rig {
		r := newRig(t, func(c *mfa.Config) {
			c.Factors = append(c.Factors, &word{kind: "access",
				traits: factor.Traits{Recovery: true, NoConfirmation: true,
					AdminOnly: true}})
			c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
		})
		_, err := r.Admin(boss, "").Enroll(t.Context(), ann, mfa.EnrollRequest{Kind: "access",
			Params: map[string]secret.Text{"word": secret.New("x")}})
		require.NoError(t, err)
		return r
	},
	"admin.delete": func(t *testing.T) *rig {
		r, _ := withAppTold(t)
		require.NoError(t, r.Admin(boss, "").Delete(t.Context(), ann))
		return r
	},
}

// withAppTold is a rig in which ann has an app, and has been notified of it.
func withAppTold(t *testing.T) (*rig, mfa.Grant) {
	t.Helper()
	r := telling(t)
	g := r.withApp(ann, "word").Grant
	_ = r.mail.notices()
	return r, g
}

func wrongly(t *testing.T, n int) *rig {
	t.Helper()
	r, _ := withAppTold(t)
	for range n {
		_, err := r.verify(r.begin(ann), "app", secret.New("wrong"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	return r
}

func withCodes(t *testing.T) *rig {
	t.Helper()
	r, g := withAppTold(t)
	_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	return r
}

func onLaptop(t *testing.T) (*rig, secret.Text) {
	t.Helper()
	r := telling(t)
	return r, r.onDevice(ann, "Laptop")
}

// All devices at once, and those that a changed password ends, are one notice without a name.
func TestEvents_AllDevicesRevoked(t *testing.T) {
	for name, revoke := range map[string]func(*rig) error{
		"all": func(r *rig) error {
			return r.Session(ann, binding).ForgetDevice(t.Context(),
				r.signIn(ann).Grant, "")
		},
		"password": func(r *rig) error { return r.PasswordChanged(t.Context(), ann) },
	} {
		r, _ := onLaptop(t)
		r.onDevice(ann, "Tablet")
		_ = r.mail.notices()
		require.NoError(t, revoke(r), name)
		require.Len(t, r.mail.told, 1)
		require.Equal(t, "device.revoked", r.mail.told[0].Event)
		require.Empty(t, r.mail.told[0].Label)
		_ = r.mail.notices()
		require.NoError(t, revoke(r), name)
		require.Empty(t, r.mail.notices(), "there were none left")
	}
}

// The last notice goes to the addresses that the record had, although it is gone, and also when
// the notices are sent later. A record that cannot be read is deleted all the same; what the
// application vouches for is notified.
func TestForgetSubject_NotifiesWhereItWasKnown(t *testing.T) {
	var queue []func(context.Context) error
	r := newRig(t, func(c *mfa.Config) {
		c.Notify = func(_ context.Context, tell func(context.Context) error) {
			queue = append(queue, tell)
		}
	})
	g := r.signIn(ann).Grant
	e, err := r.begun(g, "mail", "home@example.com")
	require.NoError(t, err)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, r.mail.code("home@example.com"))
	require.NoError(t, err)
	queue = nil
	require.NoError(t, r.Admin(boss, "").Delete(t.Context(), ann))
	require.Len(t, queue, 2)
	for _, tell := range queue {
		require.NoError(t, tell(t.Context()))
	}
	require.Equal(t, []string{"admin.delete" + toAnn, "admin.delete to home@example.com"},
		r.mail.notices())
	queue = nil
	require.NoError(t, r.Admin(boss, "").Delete(t.Context(), ann))
	require.Empty(t, queue, "there was nothing any more")

	r.withApp(ann, "word")
	r.cfg.Keys, err = seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	queue = nil
	require.NoError(t, r.another().Admin(boss, "").Delete(t.Context(), ann))
	require.Len(t, queue, 1)
	require.NoError(t, queue[0](t.Context()))
	require.Equal(t, []string{"admin.delete" + toAnn}, r.mail.notices())
	for key := range dump(t, r.store) {
		require.NotContains(t, key, "ann")
	}
}

// The table decides, wherever the event is made.
func TestEvents_TableDecides(t *testing.T) {
	defer mfa.Silence("factor.added")()
	r := telling(t)
	r.withApp(ann, "word")
	require.Empty(t, r.mail.notices())
	require.Contains(t, r.eventNames(), "factor.added")
}
