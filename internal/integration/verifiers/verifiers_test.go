// Package verifiers_test compares package passkey with another verifier of WebAuthn: both get the
// same responses, valid and changed, and where one accepts what the other refuses, the reason is
// known.
package verifiers_test

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/npm"
	"github.com/secondgate/secondgate/passkey"
)

// cases is how many responses both verifiers get.
func cases() (n int, seed uint64) {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return 1_000_000, uint64(time.Now().UnixNano())
	}
	return 4000, 1
}

// batch is how many responses the other verifier gets at once.
const batch = 500

// question is a response for the other verifier.
type question struct {
	Create      bool            `json:"create"`
	Response    json.RawMessage `json:"response"`
	Challenge   string          `json:"expectedChallenge"`
	Origins     []string        `json:"expectedOrigin"`
	RPID        string          `json:"expectedRPID"`
	Verify      bool            `json:"requireUserVerification"`
	*credential `json:"credential,omitempty"`
}

type credential struct {
	ID      string `json:"id"`
	Key     string `json:"publicKey"`
	Counter int    `json:"counter"`
}

// other is the other verifier, as a program.
type other struct {
	*testing.T
	in  io.Writer
	out *bufio.Reader
}

func newOther(t *testing.T) *other {
	t.Helper()
	modules := npm.Install(t, "testdata")
	cmd := exec.Command("node", "testdata/verify.mjs", modules)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait())
	})
	return &other{t, in, bufio.NewReaderSize(out, 1<<20)}
}

// verify returns why each response is refused, "" for one that is accepted.
func (o *other) verify(list []question) (refusals []string) {
	o.Helper()
	b, err := json.Marshal(list)
	require.NoError(o, err)
	_, err = o.in.Write(append(b, '\n'))
	require.NoError(o, err)
	line, err := o.out.ReadBytes('\n')
	require.NoError(o, err)
	require.NoError(o, json.Unmarshal(line, &refusals))
	require.Len(o, refusals, len(list))
	return refusals
}

// result is what both say about a response.
type result struct {
	*ceremony
	posted json.RawMessage
	err    error // of package passkey
	theirs string
}

// fuzz makes responses, and compares what both say.
type fuzz struct {
	*testing.T
	*other
	r       *rand.Rand
	keys    []*key
	factors map[passkey.UserVerification]*passkey.Factor
	all     []string // mutations
}

func newFuzz(t *testing.T, seed uint64) *fuzz {
	t.Helper()
	f := &fuzz{T: t, other: newOther(t), r: rand.New(rand.NewPCG(seed, seed)), keys: newKeys(t),
		factors: map[passkey.UserVerification]*passkey.Factor{},
		all: slices.Concat(slices.Sorted(maps.Keys(mutations)),
			slices.Sorted(maps.Keys(creations)), slices.Sorted(maps.Keys(texts)))}
	for _, v := range []passkey.UserVerification{passkey.Required, passkey.Preferred} {
		var err error
		f.factors[v], err = passkey.New(passkey.Config{RPID: rpID, RPName: "Acme",
			Origins: []string{origin}, UserVerification: v})
		require.NoError(t, err)
		for _, k := range f.keys[:3] {
			c := newCeremony(t, k, true, v)
			c.counter = counted
			_, _, err := c.ours(f.factors[v])
			require.NoError(t, err)
		}
	}
	return f
}

// next is a response with up to three mutations. The first of every twenty has none.
func (f *fuzz) next(i int) *ceremony {
	f.T.Helper()
	create := f.r.IntN(2) == 0
	k := f.keys[f.r.IntN(3)]
	if create && f.r.IntN(20) == 0 {
		k = f.keys[3]
	}
	verify := []passkey.UserVerification{passkey.Required, passkey.Preferred}[f.r.IntN(2)]
	c := newCeremony(f.T, k, create, verify)
	if i%20 == 0 {
		return c
	}
	for range 1 + max(0, f.r.IntN(5)-2) {
		name := f.all[f.r.IntN(len(f.all))]
		change := mutations[name]
		if change == nil && create {
			change = creations[name]
		}
		if text := texts[name]; text != nil {
			first := c.asText
			c.asText = func(b []byte) []byte { return text(first(b)) }
		} else if change == nil || slices.Contains(c.names, name) || !change(c, f.r) {
			continue
		}
		c.names = append(c.names, name)
	}
	return c
}

// run compares n responses, and passes each result on.
func (f *fuzz) run(n int, each func(result)) {
	f.T.Helper()
	for begin := 0; begin < n; begin += batch {
		var results []result
		var list []question
		for i := begin; i < min(n, begin+batch); i++ {
			c := f.next(i)
			challenge, posted, err := c.ours(f.factors[c.verify])
			q := question{Create: c.create, Response: posted, Challenge: challenge,
				Origins: []string{origin}, RPID: rpID, Verify: c.verify == passkey.Required}
			if !c.create {
				q.credential = &credential{ID: text(c.key.id),
					Key: text(pack(f.T, c.key.cose)), Counter: counted}
			}
			list = append(list, q)
			results = append(results, result{ceremony: c, posted: posted, err: err})
		}
		for i, theirs := range f.other.verify(list) {
			results[i].theirs = theirs
			each(results[i])
		}
	}
}

// Package passkey and @simplewebauthn/server accept and refuse the same responses, but for the
// differences that are listed. Each listed one occurs.
func TestVerifiers_DifferWhereItIsKnown(t *testing.T) {
	n, seed := cases()
	f := newFuzz(t, seed)
	count, unknown := map[string]int{}, 0
	f.run(n, func(got result) {
		ours := got.err == nil
		switch why := known(got.names, ours); {
		case ours && got.theirs == "":
			count["both accept"]++
		case !ours && got.theirs != "":
			count["both refuse"]++
		case why != "":
			count[why]++
		default:
			if unknown++; unknown <= 20 {
				t.Errorf("seed %d, create %t, %s, %s, mutations %q:\nours: %v\ntheirs: %s\n%s", seed,
					got.create, got.key.name, got.ceremony.verify, got.names, got.err, got.theirs,
					got.posted)
			}
		}
		if len(got.names) == 0 && got.key.name != "ES384" {
			require.True(t, ours, "a valid response: %v", got.err)
		}
	})
	t.Logf("%d responses: %v", n, count)
	require.Zero(t, unknown)
	for _, d := range differences {
		require.NotZero(t, count[d.reason], d.reason)
	}
}
