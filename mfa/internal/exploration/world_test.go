package exploration

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	app "github.com/secondgate/secondgate/totp"
)

// The limits are small, so that a few operations reach them.
const (
	tries     = 2
	total     = 3
	perUser   = 2
	perTenant = 3
)

const (
	appKey     = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	sharedKey  = "b/s/sms/"
	challenges = 2
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is what does not change: the processes, and what the users were given beforehand.
type world struct {
	clock    *mfatest.Clock
	keys     *seal.Keyring
	ports    [2]*port
	managers [2]*mfa.Manager
	users    [2]user
	store    store
	seen     map[string]int // what occurred
	// everyOrder explores also what leads to the same states in another order.
	everyOrder bool
}

// user has an authenticator app, a phone number, recovery codes and two challenges.
type user struct {
	mfa.User
	key        string
	challenges [challenges]*mfa.Challenge
	code       string // of the app, correct and not used
	recovery   string // one of the recovery codes
	// drawn are the random values of the user's record, by the name that they have in a state.
	drawn *strings.Replacer
}

func newWorld(t *testing.T, s store) (*world, records) {
	w := &world{clock: mfatest.NewClock(start), store: s,
		seen: map[string]int{}}
	keys, err := seal.NewKeyring(bytes.Repeat([]byte{7}, seal.KeyLen))
	require.NoError(t, err)
	w.keys = keys
	real := memory.New()
	m := w.manager(t, real)
	for i, id := range []string{"ann", "bob"} {
		w.users[i] = w.newUser(t, m, mfa.User{ID: id})
	}
	made := records{}
	for i := range w.users {
		u := &w.users[i]
		r, err := real.Get(t.Context(), u.key)
		require.NoError(t, err)
		made[u.key] = stored{Record: r}
		w.name(t, u, made)
		made[u.key] = stored{r, w.content(u.key, r)}
	}
	for i := range w.ports {
		w.ports[i] = newPort()
		w.managers[i] = w.manager(t, w.ports[i])
	}
	return w, made
}

func (w *world) manager(t *testing.T, s storage.Store) *mfa.Manager {
	codes, err := recovery.New(recovery.Config{Count: 1})
	require.NoError(t, err)
	apps, err := app.New(app.Config{Issuer: "Acme"})
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{Store: s, Keys: w.keys, Clock: w.clock,
		Factors:    []factor.Factor{apps, sms{}, codes},
		Lockout:    lockout.Config{Tries: tries, Total: total},
		RateLimits: mfa.RateLimits{PerUser: perUser, PerKind: perTenant},
		Authorize:  func(context.Context, mfa.AdminAction) error { return nil }})
	require.NoError(t, err)
	return m
}

// newUser gives a user the factors, two challenges and a code.
func (w *world) newUser(t *testing.T, m *mfa.Manager, who mfa.User) user {
	ctx, u := t.Context(), user{User: who, key: "p/0//" + who.ID}
	w.clock.Set(start)
	_, err := m.Admin(mfa.System("test"), "").Import(ctx, who, []mfa.EnrollRequest{
		{Kind: "totp", Params: map[string]secret.Text{"secret": secret.New(appKey)}},
		{Kind: "sms"}})
	require.NoError(t, err)
	s := m.Session(who, "session")
	ch, err := s.ManageFactors().FirstFactorAt(start).Begin(ctx)
	require.NoError(t, err)
	v, err := s.ManageFactors().Verify(ctx, ch, "totp", secret.New(w.appCode(t)))
	require.NoError(t, err)
	e, err := s.NewRecoveryCodes(ctx, v.Grant)
	require.NoError(t, err)
	u.recovery = e.Prompt.Codes[0].Reveal()
	w.clock.Set(start.Add(time.Minute))
	u.code = w.appCode(t)
	for i := range u.challenges {
		w.clock.Set(start.Add(time.Minute + time.Duration(i)*time.Millisecond))
		u.challenges[i], err = s.Begin(ctx)
		require.NoError(t, err)
	}
	return u
}

func (w *world) appCode(t *testing.T) string {
	code, err := totp.GenerateCode(appKey, w.clock.Now())
	require.NoError(t, err)
	return code
}

// name finds the random values in what belongs to a user: those of the record, and the identity of
// each challenge, which a success by it leaves there.
func (w *world) name(t *testing.T, u *user, made records) {
	plain, err := w.keys.Open("record", u.key, made[u.key].Data)
	require.NoError(t, err)
	r, err := record.Decode(plain)
	require.NoError(t, err)
	names := []string{string(r.Epoch[:]), "<epoch>", string(r.Used[:16]), "<set-up>"}
	for _, in := range r.Factors {
		names = append(names, in.ID, "<"+in.Kind+">")
		switch in.Kind {
		case "totp": // a version, the form of codes and the last step; then what a label ends with
			names = append(names, string(in.State[11:19]), "<label>")
		case "recovery": // a version and what is used; then salt and hashes
			names = append(names, string(in.State[3:]), "<codes>")
		}
	}
	for i, kind := range []string{"totp", "recovery"} {
		used := &storeOf{records: made}
		m := w.manager(t, used)
		response := []string{u.code, u.recovery}[i]
		_, err := m.Session(u.User, "session").Verify(t.Context(), u.challenges[i], kind,
			secret.New(response))
		require.NoError(t, err)
		plain, err := w.keys.Open("record", u.key, used.records[u.key].Data)
		require.NoError(t, err)
		after, err := record.Decode(plain)
		require.NoError(t, err)
		id := after.Used[len(after.Used)-24:][:16]
		names = append(names, string(id), fmt.Sprintf("<challenge %d>", i))
	}
	u.drawn = strings.NewReplacer(names...)
}

// storeOf is a conforming store for what runs alone.
type storeOf struct{ records records }

func (s *storeOf) Get(_ context.Context, key string) (storage.Record, error) {
	_, a := conforming(s.records, call{key: key})
	return a.Record, a.err
}

func (s *storeOf) Swap(
	_ context.Context, key string, old storage.Revision, next storage.Record,
) (err error) {
	var a answer
	s.records, a = conforming(s.records,
		call{swap: true, key: key, old: old, next: stored{Record: next}})
	return a.err
}

func (s *storeOf) Delete(ctx context.Context, key string, old storage.Revision) error {
	return s.Swap(ctx, key, old, storage.Record{})
}

// sms is a factor that sends codes. It keeps a code as it is, so that two states with the same
// code have the same record.
type sms struct{}

type codeKey struct{}

func (sms) Kind() string { return "sms" }

func (sms) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelStrong, Importable: true}
}

func (sms) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("number"), MaskedDestination: "•••"}, nil
}

// Issue takes the code from the operation that sends it.
func (sms) Issue(ctx context.Context, in factor.IssueInput) (*factor.Issue, error) {
	code, _ := ctx.Value(codeKey{}).(string)
	return &factor.Issue{Keep: []byte(code), Expires: in.Now.Add(time.Minute),
		Payload: secret.New(code), Destination: secret.New("number")}, nil
}

func (sms) Deliver(context.Context, factor.Message) error { return nil }

func (sms) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if len(in.Issued) == 0 || in.Response.Reveal() != string(in.Issued) {
		return nil, factor.ErrIncorrect
	}
	return nil, nil
}
