package passkey_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/secret"
)

// What is stored and cannot be read is an error of the application, and no incorrect response.
func TestVerify_WhatIsStoredIsReadOrAnError(t *testing.T) {
	f, d := newFactor(t), newDevice()
	whole := enrolled(t, f, d)
	in, options := challenge(t, f, whole, false)
	confirming, create := begun(t, f)
	response, created := d.get(t, options), newDevice().create(t, create)
	var issued map[int]any
	require.NoError(t, cbor.Unmarshal(in.Issued, &issued))
	changed := func(key int, value any) []byte {
		m := map[int]any{key: value}
		for k, v := range issued {
			if _, there := m[k]; !there {
				m[k] = v
			}
		}
		b, err := cbor.Marshal(m)
		require.NoError(t, err)
		return b
	}
	for name, c := range map[string]struct {
		in       factor.VerifyInput
		response string
		change   func(*factor.VerifyInput)
	}{
		"a state": {in, response, func(in *factor.VerifyInput) { in.State = []byte("x") }},
		"an enrolment": {confirming, created, func(in *factor.VerifyInput) {
			in.State = []byte("x")
		}},
		"a challenge": {in, response, func(in *factor.VerifyInput) { in.Issued = []byte("x") }},
		"a short challenge": {in, response, func(in *factor.VerifyInput) {
			in.Issued = changed(0, sevens(31))
		}},
		"an unknown member": {in, response, func(in *factor.VerifyInput) {
			in.Issued = changed(6, true)
		}},
		"seventeen credentials": {in, response, func(in *factor.VerifyInput) {
			var all [][]byte
			for range 17 {
				all = append(all, d.cred.ID)
			}
			in.Issued = changed(3, all)
		}},
	} {
		_, err := verify(f, c.in, c.response)
		require.NoError(t, err, name)
		c.change(&c.in)
		_, err = verify(f, c.in, c.response)
		require.Error(t, err, name)
		require.NotErrorIs(t, err, factor.ErrIncorrect, name)
	}
	in.Response = secret.New("garbage")
	_, err := f.Verify(t.Context(), in)
	require.ErrorIs(t, err, factor.ErrIncorrect)
	require.Nil(t, f.Identify("garbage"))
}

// A browser's response is one of the two, in the letters of the standard.
func TestNormalize_TakesOneCeremonyInItsLetters(t *testing.T) {
	f, d := newFactor(t), newDevice()
	_, create := begun(t, f)
	edited := func(response string, change func(all, inner map[string]any)) string {
		var all map[string]any
		require.NoError(t, json.Unmarshal([]byte(response), &all))
		inner, _ := all["response"].(map[string]any)
		change(all, inner)
		b, err := json.Marshal(all)
		require.NoError(t, err)
		return string(b)
	}
	created := d.attest(t, d.forgery(create, "webauthn.create"))
	asserted := d.sign(t, d.forgery(create, "webauthn.get"))
	for _, response := range []string{created, asserted} {
		_, err := f.Normalize(edited(response, func(_, _ map[string]any) {}))
		require.NoError(t, err)
	}
	misspelled := d.forgery(create, "webauthn.create")
	misspelled.client["Origin"] = origin
	for name, response := range map[string]string{
		"both": edited(created, func(_, inner map[string]any) { inner["signature"] = "AAAA" }),
		"both the other way": edited(asserted, func(_, inner map[string]any) {
			inner["attestationObject"] = "AAAA"
		}),
		"neither": edited(asserted, func(_, inner map[string]any) {
			delete(inner, "signature")
		}),
		"a number": edited(asserted, func(_, inner map[string]any) {
			inner["userHandle"] = 5
		}),
		"no response":   edited(asserted, func(all, _ map[string]any) { all["response"] = "x" }),
		"other letters": d.attest(t, misspelled),
	} {
		_, err := f.Normalize(response)
		require.ErrorIs(t, err, factor.ErrMalformed, name)
	}
}

// What is accepted can be read again.
func TestVerify_KeepsNothingThatItCannotReadAgain(t *testing.T) {
	f := newFactor(t)
	attest := func(change func(*forged), sent []string) ([]byte, error) {
		d := newDevice()
		in, options := begun(t, f)
		w := d.forgery(options, "webauthn.create")
		change(&w)
		var all map[string]any
		require.NoError(t, json.Unmarshal([]byte(d.attest(t, w)), &all))
		inner, _ := all["response"].(map[string]any)
		inner["transports"] = sent
		response, err := json.Marshal(all)
		require.NoError(t, err)
		return verify(f, in, string(response))
	}
	for n, valid := range map[int]bool{0: false, 1: true, 1023: true, 1024: false} {
		state, err := attest(func(w *forged) { w.id, w.signed = sevens(n), sevens(n) }, nil)
		require.Equal(t, valid, err == nil, "an identifier of %d bytes: %v", n, err)
		require.Equal(t, valid, f.Identity(state) != nil)
	}
	long, err := cbor.Marshal(map[int]any{1: 3, 3: -257, -1: sevens(1100), -2: []byte{1, 0, 1}})
	require.NoError(t, err)
	_, err = attest(func(w *forged) { w.key = long }, nil)
	require.ErrorIs(t, err, factor.ErrIncorrect, "a key that is too long")
	state, err := attest(func(*forged) {}, append(list(9), "U_B", "usb"))
	require.NoError(t, err)
	require.Len(t, kept(t, state)[7], 8)
	state, err = attest(func(*forged) {}, []string{"usb", "U_B", "", "usb", "nfc"})
	require.NoError(t, err)
	require.Equal(t, []any{"nfc", "usb"}, kept(t, state)[7])
}

// An imported credential learns its user's handle from its first response, if it has the form of
// one.
func TestVerify_LearnsAHandleOfItsLength(t *testing.T) {
	f, d := newFactor(t), newDevice()
	imported := stored(t, enrolled(t, f, d), map[int]any{0: nil})
	for n, learns := range map[int]bool{1: true, 64: true, 65: false} {
		in, options := challenge(t, f, imported, false)
		w := d.forgery(options, "webauthn.get")
		w.handle = sevens(n)
		state, err := verify(f, in, d.sign(t, w))
		require.NoError(t, err)
		_, learned := kept(t, state)[0]
		require.Equal(t, learns, learned, "%d bytes", n)
	}
	with := enrolled(t, f, newDevice())
	out, err := f.Enroll(t.Context(), factor.EnrollInput{User: ann,
		Existing: []factor.EnrollOutput{{State: with}, {State: imported}}})
	require.NoError(t, err)
	require.Equal(t, kept(t, with)[0], kept(t, out.State)[0], "one account, one handle")
}

func TestIssue_AsksForOneToSixteen(t *testing.T) {
	f := newFactor(t)
	one := factor.EnrollOutput{State: enrolled(t, f, newDevice())}
	var all []factor.EnrollOutput
	for n := range 18 {
		_, err := f.Issue(t.Context(), factor.IssueInput{User: ann, State: one.State, Now: start,
			Instances: all})
		require.Equal(t, n >= 1 && n <= 16, err == nil, "%d: %v", n, err)
		all = append(all, one)
	}
}

// An RP ID and an origin are spelled as browsers spell them.
func TestNew_KnowsDomainsAndOrigins(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := strings.Join([]string{label, label, label, label[:61]}, ".") // 253
	for id, valid := range map[string]bool{"a-z.09": true, label + ".com": true, long: true,
		"": false, label + "a.com": false, long[:252] + "aa": false, "-a.com": false,
		"a-.com": false, "a..com": false, "a{.com": false, "a`.com": false, "a/.com": false,
		"a:.com": false, "a_b.com": false, "A.com": false, "::1": false} {
		_, err := passkey.New(passkey.Config{RPID: id, RPName: "Acme",
			Origins: []string{"https://" + id}})
		require.Equal(t, valid, err == nil, "%s: %v", id, err)
		if !valid {
			require.ErrorContains(t, err, "RPID must be a domain", id)
		}
	}
	for o, valid := range map[string]bool{"http://localhost:443": true, "http://localhost": true,
		"https://localhost:80": true, "https://a.localhost": true, "http://a.localhost": true,
		"https://localhost:443": false, "http://localhost:80": false, "https://localhost:": false,
		"ftp://localhost": false, "https://%zz": false, "localhost": false} {
		_, err := passkey.New(passkey.Config{RPID: "localhost", RPName: "Acme",
			Origins: []string{o}})
		require.Equal(t, valid, err == nil, "%s: %v", o, err)
	}
}

func TestNew_BoundsNamesAndOrigins(t *testing.T) {
	for name, valid := range map[string]bool{strings.Repeat("A", 64): true,
		strings.Repeat("A", 65): false, "Acme\xff": false} {
		_, err := passkey.New(passkey.Config{RPID: rpID, RPName: name, Origins: []string{origin}})
		require.Equal(t, valid, err == nil, "%d bytes", len(name))
	}
	related := []string{"https://example.org"}
	var origins []string
	for n := range 33 {
		_, err := passkey.New(passkey.Config{RPID: rpID, RPName: "Acme", Origins: origins,
			RelatedOrigins: related})
		require.Equal(t, n >= 1 && n <= 31, err == nil, "%d origins beside a related one", n)
		origins = append(origins, fmt.Sprintf("https://a%d.example.com", n))
	}
	f := newFactor(t, func(c *passkey.Config) { c.RelatedOrigins = related })
	related[0] = "https://evil.test"
	d := newDevice()
	d.rp.Origin = "https://example.org"
	enrolled(t, f, d)
}
