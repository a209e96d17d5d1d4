package linearizability_test

import (
	"bufio"
	"context"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/totp"
)

// The test binary runs itself again as the processes of the crowd, if it is given a store.
const (
	storeVar    = "SECONDGATE_TEST_STORE"
	keyVar      = "SECONDGATE_TEST_KEY"
	faultVar    = "SECONDGATE_TEST_FAULT"
	patienceVar = "SECONDGATE_TEST_PATIENCE"
)

func TestMain(m *testing.M) {
	address, isWorker := os.LookupEnv(storeVar)
	if !isWorker {
		os.Exit(m.Run())
	}
	if err := work(context.Background(), address, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// work does what it reads, a deed a line, and writes back what came of it.
func work(ctx context.Context, address string, in io.Reader, out io.Writer) error {
	key, err := hex.DecodeString(os.Getenv(keyVar))
	if err != nil {
		return err
	}
	patience, err := time.ParseDuration(os.Getenv(patienceVar))
	if err != nil {
		return err
	}
	store, err := openStore(ctx, address)
	if err != nil {
		return err
	}
	if fault := os.Getenv(faultVar); fault != "" {
		store = breakStore(store, fault)
	}
	w, err := newWorker(store, key)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	enc := json.NewEncoder(out)
	if err := enc.Encode(reply{}); err != nil { // ready
		return err
	}
	for lines.Scan() {
		var d deed
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return err
		}
		if err := enc.Encode(w.do(ctx, d, patience)); err != nil {
			return err
		}
	}
	return lines.Err()
}

// worker is one process: a Manager of its own on connections of its own.
type worker struct {
	*mfa.Manager
	clock *mfatest.Clock
	mail  *mfatest.Outbox[email.Message]
	*witness
}

func newWorker(store storage.Store, key []byte) (*worker, error) {
	w := &worker{clock: mfatest.NewClock(time.Time{}), mail: &mfatest.Outbox[email.Message]{},
		witness: &witness{Store: store}}
	keys, err := seal.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	// Long codes, so that a guess is never correct.
	app, err := totp.New(totp.Config{Issuer: "Acme", Digits: digits})
	if err != nil {
		return nil, err
	}
	mail, err := email.New(email.Config{Sender: w.mail, ServiceName: "Acme", Digits: 10})
	if err != nil {
		return nil, err
	}
	codes, err := recovery.New(recovery.Config{})
	if err != nil {
		return nil, err
	}
	w.Manager, err = mfa.New(mfa.Config{Store: w.witness, Keys: keys, Clock: w.clock,
		Factors:    []factor.Factor{app, mail, codes},
		Policies:   policy.Static(policy.Policy{Implicit: []string{"email"}, KeepImplicit: true}),
		Lockout:    lockout.Config{DisableAfter: stopAfter},
		RateLimits: mfa.RateLimits{PerUser: perHour},
		// Where a deed begins and another process verifies, or has changed the record, the response
		// begins with a read or a conflict all the same.
		RecentRecords: 1,
		Authorize:     func(context.Context, mfa.AdminAction) error { return nil },
	})
	return w, err
}

const sessionID = "session-1"

var (
	ann     = mfa.User{ID: "ann", Email: "ann@example.com", EmailVerified: true}
	support = mfa.System("support")
)

// do does a deed between two looks at the clock.
func (w *worker) do(ctx context.Context, d deed, patience time.Duration) reply {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	w.clock.Set(time.UnixMilli(d.At))
	w.writes, w.conflicts = 0, 0
	r := reply{N: d.N, Called: monotonic()}
	o, err := w.act(ctx, d)
	r.Returned = monotonic()
	r.Outcome, r.Conflicts = o, w.conflicts
	if err != nil {
		r.Outcome = w.refusal(err)
	}
	return r
}

// monotonic is CLOCK_MONOTONIC, which is one clock for all processes of a machine. That of
// package time starts anew in each.
func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // there is no system without it that this test runs on
	}
	return ts.Nano()
}

func (w *worker) act(ctx context.Context, d deed) (o outcome, err error) {
	o = outcome{Said: okay}
	session := w.Session(ann, sessionID)
	var challenge mfa.Challenge
	var enrollment mfa.Enrollment
	var grant mfa.Grant
	if d.Token != "" {
		for _, kept := range []encoding.TextUnmarshaler{&challenge, &enrollment, &grant} {
			if err := kept.UnmarshalText([]byte(d.Token)); err != nil {
				return o, err
			}
		}
	}
	switch d.Do {
	case "begin":
		ch, err := session.Begin(ctx)
		if err != nil {
			return o, err
		}
		o.Token, o.Expires, o.Sight = textOf(ch), millis(ch.Expires), sightOfChallenge(ch)
	case "send":
		del, err := session.Send(ctx, &challenge, "email")
		if err != nil {
			return o, err
		}
		m, _ := w.mail.Last()
		o.Code, o.Expires = tenDigits.FindString(m.Text.Reveal()), millis(del.Expires)
	case "verify":
		v, err := session.Verify(ctx, &challenge, d.Kind, secret.New(d.Response))
		if err != nil {
			return o, err
		}
		o.Token, o.Left, o.Expires = textOf(v.Grant), v.RecoveryCodesRemaining,
			millis(v.GrantExpires)
	case "enroll":
		e, err := session.Enroll(ctx, grant, mfa.EnrollRequest{Kind: "totp", Name: fmt.Sprint(d.N)})
		if err != nil {
			return o, err
		}
		o.Token, o.Code, o.Expires = textOf(e), e.Prompt.Secret.Reveal(), millis(e.Expires)
	case "confirm":
		c, err := session.Confirm(ctx, &enrollment, secret.New(d.Response))
		if err != nil {
			return o, err
		}
		o.Token, o.Expires = textOf(c.Grant), millis(c.GrantExpires)
	case "codes":
		e, err := session.NewRecoveryCodes(ctx, grant)
		if err != nil {
			return o, err
		}
		o.Expires = millis(e.Confirmed.Factor.Created)
		for _, c := range e.Prompt.Codes {
			o.Codes = append(o.Codes, c.Reveal())
		}
	case "unlock":
		return o, w.Admin(support, "").Unlock(ctx, ann)
	case "reset":
		return o, w.Admin(support, "").Reset(ctx, ann)
	case "overview":
		v, err := w.Overview(ctx, ann)
		if err != nil {
			return o, err
		}
		o.Sight = sightOfOverview(v)
	default:
		return o, fmt.Errorf("no user can %q", d.Do)
	}
	return o, nil
}

// textOf is what another process is given of a challenge, an enrolment or a grant.
func textOf(kept encoding.TextMarshaler) string {
	text, err := kept.MarshalText()
	if err != nil {
		panic(err)
	}
	return string(text)
}

var tenDigits = regexp.MustCompile(`\b\d{10}\b`)

// refusal reduces an error to what the model knows.
func (w *worker) refusal(err error) outcome {
	var attempt *mfa.AttemptError
	var lock *mfa.LockedError
	var stop *mfa.DisabledError
	var sends *mfa.RateLimitError
	switch {
	case errors.As(err, &attempt) && errors.Is(err, factor.ErrReplayed):
		return outcome{Said: replayed, Left: attempt.Remaining, Until: millis(attempt.LockedUntil)}
	case errors.As(err, &attempt) && errors.Is(err, factor.ErrIncorrect):
		return outcome{Said: incorrect, Left: attempt.Remaining, Until: millis(attempt.LockedUntil)}
	case errors.As(err, &lock):
		return outcome{Said: locked, Until: millis(lock.Until)}
	case errors.As(err, &stop):
		return outcome{Said: disabled}
	case errors.As(err, &sends):
		return outcome{Said: limited}
	case errors.Is(err, mfa.ErrTokenExpired):
		return outcome{Said: over}
	case errors.Is(err, factor.ErrExpired) && !errors.As(err, &attempt):
		return outcome{Said: expired}
	case errors.Is(err, mfa.ErrNotAvailable):
		return outcome{Said: none}
	case errors.Is(err, mfa.ErrForbidden):
		return outcome{Said: forbidden}
	case errors.Is(err, mfa.ErrUnavailable) && w.writes > 0:
		return outcome{Said: unknown, Sight: err.Error()}
	case errors.Is(err, mfa.ErrUnavailable):
		return outcome{Said: nothing, Sight: err.Error()}
	default:
		return outcome{Said: err.Error()} // which no model says
	}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func sightOfOverview(v *mfa.Overview) string {
	var apps, disabled []string
	codes := false
	for _, f := range v.Factors {
		if f.Disabled {
			disabled = append(disabled, f.Kind)
		}
		switch {
		case f.Kind == "totp":
			apps = append(apps, f.Name)
		case f.Recovery:
			codes = true
		}
	}
	return sight(sorted(apps), codes, max(0, v.RecoveryCodesRemaining), millis(v.LockedUntil),
		inOrder(disabled))
}

func sightOfChallenge(ch *mfa.Challenge) string {
	var apps, disabled []string
	codes := false
	for _, o := range ch.Options {
		if o.Disabled {
			disabled = append(disabled, o.Kind)
		}
		switch {
		case o.Kind == "totp":
			apps = append(apps, o.Name)
		case o.Recovery:
			codes = true
		}
	}
	return sight(sorted(apps), codes, -1, millis(ch.LockedUntil), inOrder(disabled))
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// inOrder brings kinds into the order of the model, each once.
func inOrder(list []string) (out []string) {
	for _, k := range kinds {
		if slices.Contains(list, k) {
			out = append(out, k)
		}
	}
	return out
}
