package trail_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/trail"
)

// forger has the key and writes what a trail would not. It is a second implementation of the
// format, which trails of all versions have.
type forger struct {
	list []trail.Entry
}

// add appends an entry and signs it.
func (f *forger) add(fact, personal string) *trail.Entry {
	f.append(fact, personal)
	return f.sign()
}

// append appends an entry without a checkpoint.
func (f *forger) append(fact, personal string) {
	e := trail.Entry{Seq: int64(len(f.list) + 1), Fact: []byte(fact), Personal: []byte(personal)}
	before := make([]byte, 32)
	if len(f.list) > 0 {
		before = f.list[len(f.list)-1].Hash
	}
	sum := func(b []byte) []byte { h := sha256.Sum256(b); return h[:] }
	e.PersonalHash = sum(e.Personal)
	e.Hash = sum(slices.Concat([]byte("secondgate/1 trail entry\x00"),
		binary.BigEndian.AppendUint64(nil, uint64(e.Seq)), before, sum(e.Fact), e.PersonalHash))
	f.list = append(f.list, e)
}

// sign signs the last entry.
func (f *forger) sign() *trail.Entry {
	e := &f.list[len(f.list)-1]
	e.Checkpoint = note(origin, e.Seq, e.Hash)
	return e
}

// about puts the last entry under a user.
func (f *forger) about(tenant, user string) {
	sum := sha256.Sum256([]byte("secondgate/1 trail subject\x00" + tenant + "\x00" + user))
	f.list[len(f.list)-1].Subject = base64.RawURLEncoding.EncodeToString(sum[:18])
}

func (f *forger) verify(anchors ...string) (*trail.Result, error) {
	return trail.Verify(seq(f.list), trail.Verification{
		Key: testKey.Public().(ed25519.PublicKey), Origin: origin, Anchors: anchors})
}

// note returns a signed checkpoint (github.com/C2SP/C2SP/blob/main/signed-note.md).
func note(of string, seq int64, hash []byte) string {
	return signed(fmt.Sprintf("%s\n%d\n%s\n", of, seq, base64.StdEncoding.EncodeToString(hash)))
}

func signed(text string) string {
	return text + "\n" + line(origin, signature(text))
}

func line(name string, signature []byte) string {
	return "— " + name + " " + base64.StdEncoding.EncodeToString(signature) + "\n"
}

func signature(text string) []byte {
	sum := sha256.Sum256(slices.Concat([]byte(origin+"\n"), []byte{1},
		testKey.Public().(ed25519.PublicKey)))
	return append(sum[:4:4], ed25519.Sign(testKey, []byte(text))...)
}

// A trail that a second implementation wrote verifies: trails outlive the version that wrote them.
func TestVerify_FollowsTheFormat(t *testing.T) {
	f := &forger{}
	f.add(`{"time":"2026-03-01T12:00:00Z","event":"verify.success"}`,
		`{"salt":"c2FsdA==","user":"ann","tenant":"acme"}`)
	f.about("acme", "ann")
	f.list[0].Checkpoint = "" // in the middle of a batch
	f.add(`{"time":"2026-03-01T12:00:01Z","event":"config.loaded"}`, `{"salt":"c2FsdDI="}`)
	anchor := f.list[1].Checkpoint
	f.add(`{"time":"2026-03-01T12:00:02Z","event":"trail.erased","erased":[[1,1]]}`,
		`{"salt":"c2FsdDM="}`)
	f.list[0].Personal, f.list[0].Subject = nil, ""
	result, err := f.verify(anchor, anchor)
	require.NoError(t, err)
	require.Equal(t, &trail.Result{Entries: 3, Erased: 1, Checkpoint: f.list[2].Checkpoint,
		Newest: time.Date(2026, 3, 1, 12, 0, 2, 0, time.UTC)}, result)
}

// One key signs two trails, as a process does that goes on with a restored backup. What only the
// key holder can write is found, too.
func TestVerify_FindsWhatTheKeyHolderForges(t *testing.T) {
	const fact, who = `{"event":"verify.success"}`, `{"salt":"c2FsdA=="}`
	other := note(origin, 1, make([]byte, 32))
	for name, test := range map[string]struct {
		forge   func(*forger)
		anchors []string
		problem string
	}{
		"an erasure of a later entry": {func(f *forger) {
			f.add(`{"event":"trail.erased","erased":[[-5,9]]}`, who)
			f.add(fact, who).Personal = nil
		}, nil, "entry 2: its personal part was removed without an erasure"},
		"a fact that is no JSON": {func(f *forger) { f.add(`{`, who) }, nil,
			"unexpected end of JSON input"},
		"a personal part that is no JSON": {func(f *forger) { f.add(fact, `{`) }, nil,
			"unexpected end of JSON input"},
		"a checkpoint of another hash": {func(f *forger) { f.add(fact, who).Checkpoint = other },
			nil, "entry 1: its checkpoint is not of this key"},
		"a checkpoint of another number": {func(f *forger) {
			e := f.add(fact, who)
			e.Checkpoint = note(origin, 2, e.Hash)
		}, nil, "entry 1: its checkpoint is not of this key"},
		"an anchor of another trail": {func(f *forger) { f.add(fact, who); f.add(fact, who) },
			[]string{other}, "entry 1: the anchor at it differs"},
		"two anchors": {func(f *forger) { f.add(fact, who) },
			[]string{other, note(origin, 1, []byte("x"))},
			"entry 1: two anchors of one length differ"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &forger{}
			test.forge(f)
			_, err := f.verify(test.anchors...)
			var broken *trail.BrokenError
			require.ErrorAs(t, err, &broken)
			require.ErrorContains(t, err, test.problem)
		})
	}
}

// A checkpoint has three lines and a signature of the key over them. Signatures of others may stand
// beside it.
func TestVerify_ReadsSignedNotesStrictly(t *testing.T) {
	f := &forger{}
	e := f.add(`{"event":"verify.success"}`, `{"salt":"c2FsdA=="}`)
	hash := base64.StdEncoding.EncodeToString(e.Hash)
	text := origin + "\n1\n" + hash + "\n"
	ours, good := signature(text), signed(text)
	require.Equal(t, good, e.Checkpoint)
	foreign := line("witness.example/w", make([]byte, 68))
	for name, anchor := range map[string]string{
		"as it is":              good,
		"beside a witness":      text + "\n" + foreign + line(origin, ours),
		"before a witness":      good + foreign,
		"beside an old key":     text + "\n" + line(origin, make([]byte, 68)) + line(origin, ours),
		"without its last line": strings.TrimSuffix(good, "\n"),
	} {
		_, err := f.verify(anchor)
		require.NoError(t, err, name)
	}
	changed := func(at int) []byte {
		b := slices.Clone(ours)
		b[at] ^= 1
		return b
	}
	for name, anchor := range map[string]string{
		"nothing":                  "",
		"no signature":             text + "\n",
		"no empty line":            strings.Replace(good, "\n\n", "\n", 1),
		"one line":                 signed("x"),
		"two lines":                signed(origin + "\n1\n"),
		"four lines":               signed(text + "more\n"),
		"another origin":           signed("other.example\n1\n" + hash + "\n"),
		"a number with a sign":     signed(origin + "\n0x1\n" + hash + "\n"),
		"no number":                signed(origin + "\none\n" + hash + "\n"),
		"a hash that is no base64": signed(origin + "\n1\n" + hash + "!\n"),
		"another name":             text + "\n" + line("other.example", ours),
		"a signature changed":      text + "\n" + line(origin, changed(67)),
		"of another key":           text + "\n" + line(origin, changed(0)),
		"a short signature":        text + "\n" + line(origin, ours[:3]),
		"a longer signature":       text + "\n" + line(origin, append(slices.Clone(ours), 0)),
		"no base64":                strings.TrimSuffix(good, "\n") + "!\n",
		"over another text":        origin + "\n2\n" + hash + "\n\n" + line(origin, ours),
	} {
		_, err := f.verify(anchor)
		require.ErrorContains(t, err, "trail: an anchor", name)
	}
	_, err := trail.Verify(seq(f.list), trail.Verification{Origin: origin,
		Key: testKey.Public().(ed25519.PublicKey)[1:]})
	require.ErrorContains(t, err, "public key")
}
