package passkey_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
)

// stored is a state with some members changed; nil takes one out.
func stored(t *testing.T, state []byte, change map[int]any) []byte {
	t.Helper()
	m := kept(t, state)
	for key, value := range change {
		if m[key] = value; value == nil {
			delete(m, key)
		}
	}
	mode, err := cbor.CoreDetEncOptions().EncMode()
	require.NoError(t, err)
	b, err := mode.Marshal(m)
	require.NoError(t, err)
	return b
}

// read reports whether a state is read, by each method that reads one.
func read(t *testing.T, f *passkey.Factor, state []byte, confirming bool) bool {
	t.Helper()
	_, err := f.Issue(t.Context(), factor.IssueInput{User: ann, State: state, Now: start,
		Confirming: confirming, Instances: []factor.EnrollOutput{{State: state}}})
	if !confirming {
		require.Equal(t, err == nil, len(f.Describe(state).Public) > 0)
		require.Equal(t, err == nil, f.Identity(state) != nil)
		_, enrollErr := f.Enroll(t.Context(), factor.EnrollInput{User: ann,
			Existing: []factor.EnrollOutput{{State: state}}})
		require.Equal(t, err == nil, enrollErr == nil)
	}
	return err == nil
}

func sevens(n int) []byte { return bytes.Repeat([]byte{7}, n) }

func list(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint("t", i))
	}
	return out
}

// A state is read up to the bounds of the standard, and not past them.
func TestState_IsReadWithinItsBounds(t *testing.T) {
	f := newFactor(t)
	whole := enrolled(t, f, newDevice())
	for name, c := range map[string]struct {
		change map[int]any
		read   bool
	}{
		"as it was":               {nil, true},
		"no handle yet":           {map[int]any{0: nil}, true},
		"the longest handle":      {map[int]any{0: sevens(64)}, true},
		"a longer handle":         {map[int]any{0: sevens(65)}, false},
		"the longest identifier":  {map[int]any{1: sevens(1023)}, true},
		"a longer identifier":     {map[int]any{1: sevens(1024)}, false},
		"no identifier":           {map[int]any{1: nil}, false},
		"no credential":           {map[int]any{1: nil, 2: nil}, false},
		"nothing":                 {map[int]any{0: nil, 1: nil, 2: nil}, false},
		"the longest key":         {map[int]any{2: sevens(1024)}, true},
		"a longer key":            {map[int]any{2: sevens(1025)}, false},
		"no key":                  {map[int]any{2: nil}, false},
		"backed up":               {map[int]any{5: true, 6: true}, true},
		"backed up, not eligible": {map[int]any{5: nil, 6: true}, false},
		"eight transports":        {map[int]any{7: list(8)}, true},
		"nine transports":         {map[int]any{7: list(9)}, false},
		"every letter and digit":  {map[int]any{7: []string{"az-09"}}, true},
		"the longest transport":   {map[int]any{7: []string{strings.Repeat("a", 32)}}, true},
		"a longer transport":      {map[int]any{7: []string{strings.Repeat("a", 33)}}, false},
		"no transport":            {map[int]any{7: []string{"usb", ""}}, false},
		"a capital":               {map[int]any{7: []string{"usB"}}, false},
		"below a":                 {map[int]any{7: []string{"us`"}}, false},
		"above z":                 {map[int]any{7: []string{"us{"}}, false},
		"below 0":                 {map[int]any{7: []string{"us/"}}, false},
		"above 9":                 {map[int]any{7: []string{"us:"}}, false},
		"no model":                {map[int]any{9: nil}, true},
		"a model":                 {map[int]any{9: sevens(16)}, true},
		"a short model":           {map[int]any{9: sevens(15)}, false},
		"a long model":            {map[int]any{9: sevens(17)}, false},
		"on this device":          {map[int]any{10: "platform"}, true},
		"on another":              {map[int]any{10: "cross-platform"}, true},
		"anywhere":                {map[int]any{10: "anywhere"}, false},
		"the longest signer":      {map[int]any{13: strings.Repeat("a", 128)}, true},
		"a longer signer":         {map[int]any{13: strings.Repeat("a", 129)}, false},
		"a number of tomorrow":    {map[int]any{14: true}, false},
	} {
		require.Equal(t, c.read, read(t, f, stored(t, whole, c.change), false), name)
	}
	require.False(t, read(t, f, nil, false))
	require.False(t, read(t, f, append(bytes.Clone(whole), 0), false))
}

// An enrolment that waits knows the credentials of the user, as many as there may be.
func TestState_OfAnEnrolmentIsReadWithinItsBounds(t *testing.T) {
	f := newFactor(t)
	out, err := f.Enroll(t.Context(), factor.EnrollInput{User: ann})
	require.NoError(t, err)
	taken := func(n int, of map[int]any) (out []map[int]any) {
		for range n {
			out = append(out, of)
		}
		return out
	}
	one := map[int]any{0: sevens(20), 1: []string{"usb"}}
	for name, c := range map[string]struct {
		change map[int]any
		read   bool
	}{
		"as it was":       {nil, true},
		"no handle":       {map[int]any{0: nil}, false},
		"anywhere":        {map[int]any{10: "anywhere"}, false},
		"sixteen":         {map[int]any{8: taken(16, one)}, true},
		"seventeen":       {map[int]any{8: taken(17, one)}, false},
		"the longest":     {map[int]any{8: taken(1, map[int]any{0: sevens(1023)})}, true},
		"one too long":    {map[int]any{8: taken(1, map[int]any{0: sevens(1024)})}, false},
		"no identifier":   {map[int]any{8: taken(1, map[int]any{0: []byte{}})}, false},
		"a bad transport": {map[int]any{8: taken(1, map[int]any{0: sevens(1), 1: list(9)})}, false},
		"another capital": {map[int]any{8: taken(1, map[int]any{0: sevens(1),
			1: []string{"A"}})}, false},
		"no bad transport": {map[int]any{8: taken(1, map[int]any{0: sevens(1), 1: list(8)})}, true},
	} {
		require.Equal(t, c.read, read(t, f, stored(t, out.State, c.change), true), name)
	}
}

// A user has sixteen passkeys at most, and an outdated one makes room for another.
func TestEnroll_HasRoomForSixteen(t *testing.T) {
	f := newFactor(t)
	one := factor.EnrollOutput{State: enrolled(t, f, newDevice())}
	var existing []factor.EnrollOutput
	for range 16 {
		existing = append(existing, one)
	}
	_, err := f.Enroll(t.Context(), factor.EnrollInput{User: ann, Existing: existing})
	require.NoError(t, err)
	_, err = f.Enroll(t.Context(), factor.EnrollInput{User: ann, Existing: append(existing, one)})
	require.Error(t, err)
	one.Outdated = true
	_, err = f.Enroll(t.Context(), factor.EnrollInput{User: ann, Existing: append(existing, one)})
	require.NoError(t, err)
}
