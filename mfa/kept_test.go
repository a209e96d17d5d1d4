package mfa_test

import (
	"bytes"
	"encoding"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	otp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/totp"
)

// row is what an application keeps between two requests, with a value as a field and a pointer.
type row[T any] struct {
	Value   T
	Pointer *T
}

// codings are the ways in which an application stores a value.
var codings = []string{"text", "JSON", "gob"}

// encode stores a value.
func encode[T any](coding string, v T) (data []byte, err error) {
	switch coding {
	case "text":
		return any(v).(encoding.TextMarshaler).MarshalText()
	case "JSON":
		return json.Marshal(row[T]{v, &v})
	default:
		var b bytes.Buffer
		err = gob.NewEncoder(&b).Encode(row[T]{v, &v})
		return b.Bytes(), err
	}
}

// restored stores a value, and returns it as another process reads it.
func restored[T any](t *testing.T, coding string, v T) *T {
	t.Helper()
	data, err := encode(coding, v)
	require.NoError(t, err)
	require.NotContains(t, string(data), "redacted")
	var r row[T]
	switch coding {
	case "text":
		r.Pointer = new(T)
		require.NoError(t, any(r.Pointer).(encoding.TextUnmarshaler).UnmarshalText(data))
		return r.Pointer
	case "JSON":
		require.NoError(t, json.Unmarshal(data, &r))
	default:
		require.NoError(t, gob.NewDecoder(bytes.NewReader(data)).Decode(&r))
	}
	one, err := encode("text", r.Value)
	require.NoError(t, err)
	other, err := encode("text", *r.Pointer)
	require.NoError(t, err)
	require.NotEmpty(t, one)
	require.NotEmpty(t, other)
	return r.Pointer
}

// keptRig is a rig, and a Manager of another process with a keyring of its own of the same key.
// Its kinds are a real authenticator app's and those of keyRig.
type keptRig struct {
	*rig
	other *mfa.Manager
}

func newKeptRig(t *testing.T) *keptRig {
	t.Helper()
	key := seal.GenerateKey()
	rings := make([]*seal.Keyring, 2)
	for i := range rings {
		var err error
		rings[i], err = seal.NewKeyring(key)
		require.NoError(t, err)
	}
	authenticator, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	r, _ := keyRig(t, func(c *mfa.Config) {
		c.Keys = rings[0]
		c.Factors = append(c.Factors, authenticator)
	})
	r.cfg.Keys = rings[1]
	k := &keptRig{rig: r, other: r.another()}
	r.cfg.Keys = rings[0]
	return k
}

// restoredChallenge is a challenge as the other process reads it, with its fields.
func (r *keptRig) restoredChallenge(
	t *testing.T, coding string, s mfa.Session, ch *mfa.Challenge,
) *mfa.Challenge {
	t.Helper()
	got := restored(t, coding, *ch)
	require.Empty(t, got.Next)
	require.NoError(t, s.RestoreChallenge(got))
	require.Equal(t, ch.Next, got.Next)
	require.Equal(t, ch.Options, got.Options)
	require.Equal(t, ch.Kinds, got.Kinds)
	require.Equal(t, ch.Grant.IsZero(), got.Grant.IsZero())
	require.Equal(t, ch.Expires, got.Expires)
	require.Equal(t, ch.LockedUntil, got.LockedUntil)
	return restored(t, coding, *got) // what was restored is stored again
}

// A challenge, an enrolment and a grant go on in another process, whatever stored them.
func TestKept_GoesOnInAnotherProcess(t *testing.T) {
	for _, coding := range codings {
		t.Run(coding, func(t *testing.T) {
			t.Run("verify", func(t *testing.T) { goesOnVerifying(t, newKeptRig(t), coding) })
			t.Run("enroll", func(t *testing.T) { goesOnEnrolling(t, newKeptRig(t), coding) })
			t.Run("recover", func(t *testing.T) { goesOnRecovering(t, newKeptRig(t), coding) })
			t.Run("passwordless", func(t *testing.T) {
				r := newKeptRig(t)
				r.withKey(ann, "k1")
				ch := r.open()
				kept := restored(t, coding, *ch)
				response := secret.New("k1 " + string(ch.Prompt.Data))
				v, err := r.other.Passwordless(binding).
					Verify(t.Context(), kept, response, known(ann))
				require.NoError(t, err)
				require.NoError(t, r.Session(ann, binding).Check(t.Context(), v.Grant))
			})
		})
	}
}

func goesOnVerifying(t *testing.T, r *keptRig, coding string) {
	purposes := []string{"sign-in", "step-up", "manage"}
	g := r.signIn(ann).Grant
	for _, purpose := range purposes {
		g = r.enroll(g, "app", purpose).Grant
	}
	for _, purpose := range purposes {
		s := withPurpose(r.other.Session(ann, binding), purpose)
		ch := r.restoredChallenge(t, coding, s, r.beginFor(ann, purpose))
		v, err := s.Verify(t.Context(), ch, "app", secret.New(purpose))
		require.NoError(t, err)
		require.Equal(t, purpose, v.Purpose)
		_, err = s.Verify(t.Context(), ch, "app", secret.New("manage"))
		require.ErrorIs(t, err, mfa.ErrTokenExpired, "a stored one is valid once as well")
		require.NoError(t, s.Remove(t.Context(), *restored(t, coding, v.Grant), v.FactorID))
	}
	s := r.other.Session(ann, binding)
	ch := r.restoredChallenge(t, coding, s, r.begin(ann))
	_, err := s.Send(t.Context(), ch, "mail")
	require.NoError(t, err)
	_, err = s.Verify(t.Context(), ch, "mail", r.mail.code(ann.Email))
	require.NoError(t, err)
}

func goesOnEnrolling(t *testing.T, r *keptRig, coding string) {
	s := r.other.Session(bea, binding)
	ch := r.restoredChallenge(t, coding, s, r.begin(bea))
	require.NoError(t, s.RestoreChallenge(ch))
	require.Equal(t, mfa.NextEnroll, ch.Next)
	first, err := r.Session(bea, binding).
		Enroll(t.Context(), ch.Grant, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(t, err)
	e := restored(t, coding, *first)
	require.NoError(t, s.RestoreEnrollment(e))
	require.Equal(t, first.Prompt.Secret.Reveal(), e.Prompt.Secret.Reveal())
	require.Equal(t, first.Prompt.URI.Reveal(), e.Prompt.URI.Reveal())
	require.Equal(t, first.Expires, e.Expires)
	code, err := otp.GenerateCode(first.Prompt.Secret.Reveal(), r.clock.Now())
	require.NoError(t, err)
	c, err := s.Confirm(t.Context(), restored(t, coding, *e), secret.New(code))
	require.NoError(t, err)
	require.NotNil(t, c.Verification, "that completes the sign-in")
	another := r.enroll(*restored(t, coding, c.Grant), "app", "word")
	require.NoError(t, s.Remove(t.Context(), *restored(t, coding, another.Grant), c.Factor.ID))
}

func goesOnRecovering(t *testing.T, r *keptRig, coding string) {
	g := r.withApp(ann, "word").Grant
	_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	s := r.other.Session(ann, binding).Recovery()
	ch, err := r.Session(ann, binding).Recovery().OpenRecoveryLink(t.Context(), r.setupLink(ann))
	require.NoError(t, err)
	ch = r.restoredChallenge(t, coding, s, ch)
	v, err := s.Verify(t.Context(), ch, "recovery", secret.New("a"))
	require.NoError(t, err)
	c := r.enroll(*restored(t, coding, v.Grant), "app", "new phone")
	require.NotZero(t, c.Factor.HeldUntil)
}

// What leaves nothing to keep is an error, and never stored as something empty.
func TestKept_NothingToKeepIsAnError(t *testing.T) {
	r := remembering(t)
	device := r.onDevice(ann, "Laptop")
	remembered := r.beginOn(ann, device)
	require.True(t, remembered.Remembered)
	off := newRig(t, func(c *mfa.Config) {
		c.Policies = policy.Static(policy.Policy{Mode: policy.ModeOff})
	}).begin(ann)
	grace := newRig(t, func(c *mfa.Config) {
		c.Policies = policy.Static(policy.Policy{EnrollBy: testStart.Add(time.Hour)})
	}).begin(bea)
	require.NotZero(t, grace.EnrollBy)
	for name, ch := range map[string]*mfa.Challenge{
		"remembered": remembered, "off": off, "grace": grace, "zero": {},
	} {
		for _, coding := range codings {
			data, err := encode(coding, *ch)
			require.Error(t, err, "%s by %s", name, coding)
			require.NotContains(t, string(data), "redacted")
		}
		_, err := json.Marshal(ch)
		require.Error(t, err, name)
		require.ErrorIs(t, r.Session(ann, binding).RestoreChallenge(ch), mfa.ErrToken)
	}
	g := r.withApp(ann, "word").Grant
	e, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	for _, coding := range codings {
		_, err := encode(coding, *e)
		require.Error(t, err, "the codes are shown once")
	}
	var none mfa.Grant
	for _, coding := range codings {
		data, err := encode(coding, none)
		require.NoError(t, err, "no grant is a value like any other")
		require.NotContains(t, string(data), "redacted")
	}
}

// notRestored are the fields that a stored form does not give back, and why.
var notRestored = map[string]string{
	"Challenge.Remembered":    "there is nothing to keep with NextDone",
	"Challenge.Device":        "there is nothing to keep with NextDone",
	"Challenge.DeviceExpires": "there is nothing to keep with NextDone",
	"Challenge.EnrollBy":      "there is nothing to keep with NextDone",
	"Challenge.ExceptionEnds": "there is nothing to keep with NextDone",
	"Challenge.Options.Knowledge": "a recovery kind has none; see " +
		"TestKept_RestoresKindsOfOptions",
	"Challenge.Prompt.Secret":            "a challenge's prompt has Data alone",
	"Challenge.Prompt.URI":               "a challenge's prompt has Data alone",
	"Challenge.Prompt.Codes":             "a challenge's prompt has Data alone",
	"Challenge.Prompt.MaskedDestination": "a challenge's prompt has Data alone",
	"Enrollment.Prompt.Codes":            "they need no confirmation",
	"Enrollment.Confirmed":               "there is nothing to keep once it is confirmed",
}

// fillAll gives every exported field of v another value that is not zero.
func fillAll(t *testing.T, v reflect.Value, name string, n *int) {
	t.Helper()
	*n++
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = testStart.Add(time.Duration(*n) * time.Millisecond)
		return
	case *secret.Text:
		*x = secret.New(fmt.Sprint(name, *n))
		return
	case *mfa.Grant:
		*x = grantOf(secret.New(fmt.Sprint(name, *n)))
		return
	case *[]byte:
		*x = []byte(fmt.Sprint(name, *n))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint(name, *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n % 100))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n % 100))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fillAll(t, v.Index(i), name, n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			path := name + "." + v.Type().Field(i).Name
			if v.Type().Field(i).IsExported() && notRestored[path] == "" {
				fillAll(t, v.Field(i), path, n)
			}
		}
	default:
		t.Fatalf("%s is a %s, which this test does not fill", name, v.Type())
	}
}

// requireSame compares what was filled, field by field.
func requireSame(t *testing.T, want, got reflect.Value, name string) {
	t.Helper()
	switch x := want.Interface().(type) {
	case time.Time:
		require.Equal(t, x, got.Interface(), name)
		return
	case secret.Text:
		require.Equal(t, x.Reveal(), got.Interface().(secret.Text).Reveal(), name)
		return
	case mfa.Grant:
		require.False(t, got.Interface().(mfa.Grant).IsZero(), name)
		require.Equal(t, textOf(t, x).Reveal(), textOf(t, got.Interface().(mfa.Grant)).Reveal())
		return
	}
	if want.Kind() != reflect.Struct {
		if want.Kind() != reflect.Slice || want.Type().Elem().Kind() != reflect.Struct {
			require.Equal(t, want.Interface(), got.Interface(), name)
			return
		}
		require.Equal(t, want.Len(), got.Len(), name)
		for i := range want.Len() {
			requireSame(t, want.Index(i), got.Index(i), name)
		}
		return
	}
	for i := range want.NumField() {
		f := want.Type().Field(i)
		path := name + "." + f.Name
		if !f.IsExported() {
			continue
		}
		if notRestored[path] == "" {
			require.False(t, want.Field(i).IsZero(), "%s is not filled", path)
			requireSame(t, want.Field(i), got.Field(i), path)
		} else if path != "Challenge.Prompt" {
			require.True(t, got.Field(i).IsZero(), path)
		}
	}
}

// Every field is restored but those listed above; a field that is added is found here.
func TestKept_RestoresEveryField(t *testing.T) {
	r := newKeptRig(t)
	n := 0
	ch := r.begin(ann)
	fillAll(t, reflect.ValueOf(ch).Elem(), "Challenge", &n)
	e, err := r.begun(r.signIn(ann).Grant, "app", "word")
	require.NoError(t, err)
	e.Prompt = factor.Prompt{}
	fillAll(t, reflect.ValueOf(e).Elem(), "Enrollment", &n)
	for _, coding := range codings {
		s := r.other.Session(ann, binding)
		gotChallenge := restored(t, coding, *ch)
		require.NoError(t, s.RestoreChallenge(gotChallenge))
		requireSame(t, reflect.ValueOf(*ch), reflect.ValueOf(*gotChallenge), "Challenge")
		gotEnrollment := restored(t, coding, *e)
		require.NoError(t, s.RestoreEnrollment(gotEnrollment))
		requireSame(t, reflect.ValueOf(*e), reflect.ValueOf(*gotEnrollment), "Enrollment")
	}
}
