// Package verifiers_test compares package passkey with other verifiers of WebAuthn: all get the
// same responses, valid and changed, and where one accepts what another refuses, the reason is
// known.
package verifiers_test

import (
	"encoding/json"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/passkey"
)

// The flags let a long comparison run in portions.
var (
	responses = flag.Int("responses", 0, "compare so many responses; 0 means 4000, and a million "+
		"with SECONDGATE_LONG=1")
	seed = flag.Uint64("seed", 0, "choose the changes by this number; 0 means the same ones in "+
		"each run, and others each time with SECONDGATE_LONG=1")
)

// cases is how many responses all verifiers get, and what the changes are chosen by.
func cases() (n int, by uint64) {
	n, by = *responses, *seed
	long := os.Getenv("SECONDGATE_LONG") != ""
	switch {
	case n == 0 && long:
		n = 1_000_000
	case n == 0:
		n = 4000
	}
	switch {
	case by == 0 && long:
		by = uint64(time.Now().UnixNano())
	case by == 0:
		by = 1
	}
	return n, by
}

// batch is how many responses another verifier gets at once.
const batch = 500

// question is a response for another verifier.
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

// peer is another verifier, and what it is known to decide otherwise.
type peer struct {
	name string
	// verify returns why each response is refused, "" for one that is accepted.
	verify      func([]question) (refusals []string)
	differences []difference
}

func peers(t *testing.T) []peer {
	t.Helper()
	return []peer{
		{"@simplewebauthn/server", newSimpleWebAuthn(t).verify, fromSimpleWebAuthn},
		{"go-webauthn", newGoWebAuthn(t).verify, fromGoWebAuthn},
	}
}

// result is what package passkey and a peer say about a response.
type result struct {
	*ceremony
	peer   peer
	posted json.RawMessage
	err    error // of package passkey
	theirs string
}

// fuzz makes responses, and compares what all say.
type fuzz struct {
	*testing.T
	peers   []peer
	r       *rand.Rand
	keys    []*key
	factors map[passkey.UserVerification]*passkey.Factor
	all     []string // mutations
}

func newFuzz(t *testing.T, seed uint64) *fuzz {
	t.Helper()
	f := &fuzz{T: t, peers: peers(t), r: rand.New(rand.NewPCG(seed, seed)), keys: newKeys(t),
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
		for _, p := range f.peers {
			for i, theirs := range p.verify(list) {
				results[i].peer, results[i].theirs = p, theirs
				each(results[i])
			}
		}
	}
}

// Package passkey and each of its peers accept and refuse the same responses, but for the
// differences that are listed. Each listed one occurs.
func TestVerifiers_DifferWhereItIsKnown(t *testing.T) {
	n, by := cases()
	f := newFuzz(t, by)
	count, unknown, made := map[string]map[string]int{}, 0, map[string]int{}
	for _, p := range f.peers {
		count[p.name] = map[string]int{}
	}
	f.run(n, func(got result) {
		ours, counted := got.err == nil, count[got.peer.name]
		for _, name := range got.names {
			made[name]++
		}
		switch why := known(got.peer.differences, got.names, ours); {
		case ours && got.theirs == "":
			counted["both accept"]++
		case !ours && got.theirs != "":
			counted["both refuse"]++
		case why != "":
			counted[why]++
		default:
			if unknown++; unknown <= 20 {
				t.Errorf("%s, seed %d, create %t, %s, %s, mutations %q:\nours: %v\ntheirs: %s\n%s",
					got.peer.name, by, got.create, got.key.name, got.ceremony.verify, got.names,
					got.err, got.theirs, got.posted)
			}
		}
		if len(got.names) == 0 && got.key.name != "ES384" {
			require.True(t, ours, "a valid response: %v", got.err)
		}
	})
	for _, p := range f.peers {
		for _, reason := range slices.Sorted(maps.Keys(count[p.name])) {
			t.Logf("seed %d, %s: %d: %s", by, p.name, count[p.name][reason], reason)
		}
	}
	require.Zero(t, unknown)
	for _, name := range f.all {
		require.NotZero(t, made[name], "no response has the mutation %q", name)
	}
	for _, p := range f.peers {
		for _, d := range p.differences {
			require.NotZero(t, count[p.name][d.reason], "%s: %s", p.name, d.reason)
		}
	}
}
