package pin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"

	"github.com/secondgate/secondgate/internal/kdf/kdftest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

// The cost of argon2id is tested in internal/kdf.
var _ = kdftest.Cheap()

func newFactor(t testing.TB, cfg pin.Config) *pin.Factor {
	t.Helper()
	f, err := pin.New(cfg)
	require.NoError(t, err)
	return f
}

func reason(err error) string {
	var p *factor.Problem
	if errors.As(err, &p) {
		return p.Reason
	}
	return fmt.Sprint(err)
}

var ann = factor.User{ID: "ann-4711-8", Email: "840216@example.com", Account: "ann",
	Phone: "+31612783465"}

func TestEnroll_RefusesWeakPINs(t *testing.T) {
	digits, letters := newFactor(t, pin.Config{MinLength: 4}),
		newFactor(t, pin.Config{AllowLetters: true})
	for want, pins := range map[string][]string{
		"pin_too_short":  {"", "1", "739"},
		"pin_too_long":   {strings.Repeat("73915", 13)},
		"pin_characters": {"73a1", "73.91", "73\x0091", "73é1"},
		"pin_repeated":   {"0000", "777777", "1212", "739739", "112233", "353355"},
		"pin_common": {"1234", "123456", "654321", "234567", "987654", "67890", "2580", "147258",
			"1984", "2012", "1402", "24121984", "19841224", "198412", "121984",
			"520520", "134679", "112358", "246810"},
		"pin_personal": {"84021", "840216", "127834", "278346", "78346"},
	} {
		for _, p := range pins {
			_, err := digits.Enroll(t.Context(), factor.EnrollInput{User: ann,
				Params: map[string]secret.Text{"pin": secret.New(p)}})
			require.ErrorIs(t, err, factor.ErrMalformed, "%s %q", want, p)
			if want == "pin_common" && reason(err) == "pin_repeated" {
				continue // refused, for the other reason
			}
			require.Equal(t, want, reason(err), p)
			if p != "" && p != "1" {
				require.NotContains(t, err.Error(), p)
			}
		}
	}
	for _, p := range []string{"password", "Qwertyuiop", "abcdefgh", "iloveyou", "P@ssw0rd",
		"ann-4711-8", "zzzzzzzz"} {
		_, err := letters.Enroll(t.Context(), factor.EnrollInput{User: ann,
			Params: map[string]secret.Text{"pin": secret.New(p)}})
		require.ErrorIs(t, err, factor.ErrMalformed, p)
	}
	for f, pins := range map[*pin.Factor][]string{digits: {"7391", "739162", "80317294"},
		letters: {"correct horse", "7-Tulpen!", strings.Repeat("a7c3", 15) + "xyz1"}} {
		for _, p := range pins {
			_, err := f.Enroll(t.Context(), factor.EnrollInput{User: ann,
				Params: map[string]secret.Text{"pin": secret.New(p)}})
			require.NoError(t, err, p)
		}
	}
}

// The rules refuse many PINs that users choose, and few of those that chance would.
func TestEnroll_AcceptsMostRandomPINs(t *testing.T) {
	f := newFactor(t, pin.Config{Refuse: func(factor.User, string) error {
		return errors.New("stop before hashing")
	}})
	refused := 0
	for n := range 1000 {
		p := fmt.Sprintf("%06d", n*997+3)
		_, err := f.Enroll(t.Context(), factor.EnrollInput{
			Params: map[string]secret.Text{"pin": secret.New(p)}})
		if reason(err) == "pin_common" || reason(err) == "pin_repeated" {
			refused++
		}
	}
	require.Less(t, refused, 30, "of a thousand")
}

func TestEnroll_CallsRefuse(t *testing.T) {
	f := newFactor(t, pin.Config{Refuse: func(p factor.User, s string) error {
		return &factor.Problem{Reason: "pin_house_number", Detail: "that is " + p.ID}
	}})
	_, err := f.Enroll(t.Context(), factor.EnrollInput{User: ann,
		Params: map[string]secret.Text{"pin": secret.New("739162")}})
	require.Equal(t, "pin_house_number", reason(err))
}

func rig(t testing.TB, cfg pin.Config, store *mfatest.FaultyStore) (*mfa.Manager, mfa.User) {
	t.Helper()
	keys, err := seal.NewKeyring(rigKey)
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{Store: store, Keys: keys,
		Factors: []factor.Factor{newFactor(t, cfg)}})
	require.NoError(t, err)
	return m, mfa.User{ID: "ann"}
}

var rigKey = seal.GenerateKey()

func begin(t testing.TB, m *mfa.Manager, s mfa.User) *mfa.Challenge {
	t.Helper()
	ch, err := m.Session(s, "b").Begin(t.Context())
	require.NoError(t, err)
	return ch
}

func enroll(t testing.TB, s mfa.Session, g mfa.Grant, p string) *mfa.Enrollment {
	t.Helper()
	e, err := s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "pin",
		Params: map[string]secret.Text{"pin": secret.New(p)}})
	require.NoError(t, err)
	return e
}

func TestManager_EntersThePINTwice(t *testing.T) {
	m, s := rig(t, pin.Config{}, mfatest.NewFaultyStore(memory.New()))
	e := enroll(t, m.Session(s, "b"), begin(t, m, s).Grant, "739162")
	_, err := m.Session(s, "b").Confirm(t.Context(), e, secret.New("739163"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	c, err := m.Session(s, "b").Confirm(t.Context(), e, secret.New("739162"))
	require.NoError(t, err)
	require.Equal(t, []string{"pwd"}, c.Verification.AMR,
		"knowledge beside a password is no second factor by the book")
	require.Equal(t, 1, c.Verification.AssuranceLevel)

	verify := func(p secret.Text) error {
		_, err := m.Session(s, "b").Verify(t.Context(), begin(t, m, s), "pin", p)
		return err
	}
	require.NoError(t, verify(secret.New("739162")))
	require.ErrorIs(t, verify(secret.New("000000")), factor.ErrIncorrect)
	require.ErrorIs(t, verify(secret.New("abc")), factor.ErrMalformed)

	e = enroll(t, m.Session(s, "b"), c.Grant, "804271") // changing takes a grant, and replaces
	_, err = m.Session(s, "b").Confirm(t.Context(), e, secret.New("804271"))
	require.NoError(t, err)
	require.ErrorIs(t, verify(secret.New("739162")), factor.ErrIncorrect)
	require.NoError(t, verify(secret.New("804271")))
}

func TestManager_CorrectPINsInParallel(t *testing.T) {
	store := mfatest.NewFaultyStore(memory.New())
	m, s := rig(t, pin.Config{}, store)
	other, _ := rig(t, pin.Config{}, store)
	e := enroll(t, m.Session(s, "b"), begin(t, m, s).Grant, "739162")
	_, err := m.Session(s, "b").Confirm(t.Context(), e, secret.New("739162"))
	require.NoError(t, err)
	ch := begin(t, m, s)
	var wins atomic.Int32
	done := make(chan struct{})
	for i := range 16 {
		go func() {
			defer func() { done <- struct{}{} }()
			use := []*mfa.Manager{m, other}[i%2]
			if _, err := use.Session(s, "b").Verify(context.Background(), ch, "pin",
				secret.New("739162")); err == nil {
				wins.Add(1)
			}
		}()
	}
	for range 16 {
		<-done
	}
	require.EqualValues(t, 1, wins.Load())
}

func TestVerify_RehashesWithTheNewParameters(t *testing.T) {
	old, now := newFactor(t, pin.Config{}), newFactor(t, pin.Config{Memory: 12288, Passes: 3,
		Threads: 1})
	out, err := old.Enroll(t.Context(), factor.EnrollInput{
		Params: map[string]secret.Text{"pin": secret.New("739162")}})
	require.NoError(t, err)
	require.NotContains(t, string(out.State), "739162")
	v, err := now.Verify(t.Context(), factor.VerifyInput{State: out.State,
		Response: secret.New("739162")})
	require.NoError(t, err)
	require.Contains(t, string(v.State), "m=12288,t=3")
	v, err = now.Verify(t.Context(), factor.VerifyInput{State: v.State,
		Response: secret.New("739162")})
	require.NoError(t, err)
	require.Nil(t, v.State)
	for _, bad := range [][]byte{nil, {}, {1}, {2, '$'}, {3, '$'}, []byte("\x01$argon2id$")} {
		_, err := now.Verify(t.Context(), factor.VerifyInput{State: bad,
			Response: secret.New("739162")})
		require.Error(t, err)
	}
}

func TestNew_RefusesUnsafeConfigs(t *testing.T) {
	for _, c := range []pin.Config{{MinLength: 3}, {MinLength: 65}, {MinLength: 8, MaxLength: 7},
		{MaxLength: 65}, {Memory: 1024, Passes: 1, Threads: 1}, {MaxConcurrent: -1}} {
		_, err := pin.New(c)
		require.Error(t, err, "%+v", c)
	}
	_, err := pin.New(pin.Config{MinLength: 65})
	require.ErrorContains(t, err, "MinLength is 65", "the error names the field")
	for _, c := range []pin.Config{{MinLength: 4}, {MinLength: 64}, {MinLength: 8, MaxLength: 8}} {
		_, err := pin.New(c)
		require.NoError(t, err, "%+v", c)
	}
}

func TestNormalize_RefusesWhatCannotBeAPIN(t *testing.T) {
	digits, letters := newFactor(t, pin.Config{}), newFactor(t, pin.Config{AllowLetters: true})
	for _, s := range []string{"73916a", strings.Repeat("7", 65), "7391\x00", "/739", ":739",
		"  ", strings.Repeat("7", 513)} {
		_, err := digits.Normalize(s)
		require.ErrorIs(t, err, factor.ErrMalformed, "%q", s)
		require.ErrorContains(t, err, "digits only")
	}
	for _, s := range []string{"tulip\x1f", "tulip\x7f", "tulíp", strings.Repeat("t", 65)} {
		_, err := letters.Normalize(s)
		require.ErrorIs(t, err, factor.ErrMalformed, "%q", s)
		require.ErrorContains(t, err, "letters")
	}
	for _, s := range []string{"73 91-62", "73\u200b9162", strings.Repeat("7", 64)} {
		n, err := digits.Normalize(s)
		require.NoError(t, err, "%q", s)
		require.Equal(t, strings.NewReplacer(" ", "", "-", "", "\u200b", "").Replace(s), n)
	}
	for _, s := range []string{"73 91-62", " tulips! ", "~tulip", strings.Repeat("t", 64)} {
		n, err := letters.Normalize(s)
		require.NoError(t, err, "%q", s)
		require.Equal(t, s, n, "a space may be part of it")
	}
}

// An application's own error is a refusal too, and stays visible to the application.
func TestEnroll_RefusesForEveryErrorOfRefuse(t *testing.T) {
	own := errors.New("not on a Sunday")
	f := newFactor(t, pin.Config{Refuse: func(_ factor.User, s string) error {
		if s == "739162" {
			return own
		}
		return nil
	}})
	enroll := func(p string) error {
		_, err := f.Enroll(t.Context(), factor.EnrollInput{
			Params: map[string]secret.Text{"pin": secret.New(p)}})
		return err
	}
	err := enroll("739162")
	require.ErrorIs(t, err, own)
	require.ErrorIs(t, err, factor.ErrMalformed)
	require.NoError(t, enroll("739163"))
}

// ending is a context that ends after it was asked so many times.
type ending struct {
	context.Context
	asked, after int
}

func (c *ending) Err() error {
	if c.asked++; c.asked > c.after {
		return context.Canceled
	}
	return nil
}

func TestFactor_GivesUpWithItsContext(t *testing.T) {
	old, now := newFactor(t, pin.Config{}), newFactor(t, pin.Config{Memory: 12288, Passes: 3,
		Threads: 1})
	in := factor.EnrollInput{Params: map[string]secret.Text{"pin": secret.New("739162")}}
	_, err := old.Enroll(&ending{Context: t.Context()}, in)
	require.ErrorIs(t, err, context.Canceled)
	out, err := old.Enroll(t.Context(), in)
	require.NoError(t, err)
	response := factor.VerifyInput{State: out.State, Response: secret.New("739162")}
	_, err = now.Verify(&ending{Context: t.Context()}, response)
	require.ErrorIs(t, err, context.Canceled)
	v, err := now.Verify(&ending{Context: t.Context(), after: 1}, response)
	require.NoError(t, err, "the PIN is correct, and is hashed anew at the next response")
	require.Nil(t, v.State)
}

func FuzzNormalize(f *testing.F) {
	fac := newFactor(f, pin.Config{AllowLetters: true})
	f.Add("739162")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := fac.Normalize(s)
		if err == nil && (n != s || len(s) > 64) {
			t.Fatalf("%q became %q", s, n)
		}
	})
}

// BenchmarkVerify is beside a bare argon2id of the same parameters: times-bare.
func BenchmarkVerify(b *testing.B) {
	f := newFactor(b, pin.Config{})
	out, err := f.Enroll(b.Context(), factor.EnrollInput{
		Params: map[string]secret.Text{"pin": secret.New("739162")}})
	require.NoError(b, err)
	for b.Loop() {
		if _, err := f.Verify(b.Context(), factor.VerifyInput{State: out.State,
			Response: secret.New("739162")}); err != nil {
			b.Fatal(err)
		}
	}
	ours := b.Elapsed()
	start := time.Now()
	for range b.N {
		argon2.IDKey([]byte("739162"), make([]byte, 16), 2, 19*1024, 1, 32)
	}
	b.ReportMetric(float64(ours)/float64(time.Since(start)), "times-bare")
}

func ExampleNew() {
	f, _ := pin.New(pin.Config{})
	_, err := f.Enroll(context.Background(), factor.EnrollInput{
		Params: map[string]secret.Text{"pin": secret.New("123456")}})
	var p *factor.Problem
	fmt.Println(errors.As(err, &p), p.Reason)
	// Output: true pin_common
}
