package passkey_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/passkey/passkeytest"
)

// written is a response as the browsers of 2026 write it, with the members in their order.
func written(id, client, signature string) string {
	return `{"authenticatorAttachment":"platform","clientExtensionResults":{},"id":"` + id +
		`","rawId":"` + id + `","response":{"authenticatorData":"` + text(make([]byte, 37)) +
		`","clientDataJSON":"` + text([]byte(client)) + `","signature":"` + signature +
		`","userHandle":"BBBB"},"type":"public-key"}`
}

const clientData = `{"type":"webauthn.get","challenge":"AAAA","origin":"https://example.com",` +
	`"crossOrigin":false}`

var browserForm = written("AAAA", clientData, "CCCC")

// sameReading fails if a response that is in the plain form is not read as it is otherwise.
func sameReading(t *testing.T, response string) (isPlain bool) {
	t.Helper()
	plain, isPlain := passkey.ReadPlain(response)
	if !isPlain {
		return false
	}
	other, ok := passkey.ReadAny(response)
	require.True(t, ok, "read in the plain form alone: %s", response)
	require.Equal(t, other, plain, response)
	var members map[string]any
	require.NoError(t, json.Unmarshal(plain.Raw.AssertionResponse.ClientDataJSON, &members))
	for _, exact := range []string{"type", "challenge", "origin", "crossOrigin", "topOrigin"} {
		for name := range members {
			require.True(t, name == exact || !strings.EqualFold(name, exact), response)
		}
	}
	return true
}

func TestReadPlain_ReadsWhatClientsWrite(t *testing.T) {
	f, d := newFactor(t), newDevice()
	_, options := challenge(t, f, enrolled(t, f, d), false)
	require.True(t, sameReading(t, d.get(t, options)))
	require.True(t, sameReading(t, d.sign(t, d.forgery(options, "webauthn.get"))))

	a := passkeytest.New(origin)
	creation, options := begun(t, f)
	response, err := a.Create(options)
	require.NoError(t, err)
	require.False(t, sameReading(t, response), "an enrolment")
	state, err := verify(f, creation, response)
	require.NoError(t, err)
	in, options := challenge(t, f, state, false)
	response, err = a.Get(options)
	require.NoError(t, err)
	require.True(t, sameReading(t, response))
	_, err = verify(f, in, response)
	require.NoError(t, err)

	require.True(t, sameReading(t, browserForm))
	for _, absent := range []string{`"authenticatorAttachment":"platform",`, `,"userHandle":"BBBB"`,
		`"clientExtensionResults":{},`} {
		require.True(t, sameReading(t, strings.Replace(browserForm, absent, "", 1)), absent)
	}
	for _, client := range []string{strings.Replace(clientData, "}", `,"later":"a"}`, 1),
		strings.Replace(clientData, `,"crossOrigin":false`, "", 1),
		strings.Replace(clientData, "false", "true", 1)} {
		require.True(t, sameReading(t, written("AAAA", client, "CCCC")), client)
	}
}

func TestReadPlain_LeavesOtherFormsAlone(t *testing.T) {
	for name, edit := range map[string][2]string{
		"an escape in a name":      {`"id"`, `"\u0069d"`},
		"an escape in a text":      {`"CCCC"`, `"CC\u0043C"`},
		"another character":        {"platform", "pl\u00e4tform"},
		"a byte that is not UTF-8": {"platform", "pl\xfftform"},
		"a control character":      {"CCCC", "CC\nCC"},
		"base64 and not base64url": {`"CCCC"`, `"+/+/"`},
		"padding":                  {`"CCCC"`, `"CCA="`},
		"white space":              {`,"type"`, `, "type"`},
		"white space at the end":   {`"public-key"}`, `"public-key"} `},
		"another object after it":  {`"public-key"}`, `"public-key"}{}`},
		"an end that is missing":   {`"public-key"}`, `"public-key"`},
		"a member twice":           {"{", `{"id":"BBBB",`},
		"a response twice":         {"{", `{"response":{"signature":"DDDD"},`},
		"a signature twice":        {`"CCCC"`, `"CCCC","signature":"DDDD"`},
		"a name in other letters":  {"{", `{"ID":"BBBB",`},
		"a name with a long s":     {`"response"`, "\"re\u017fponse\""},
		"an unknown member":        {"{", `{"a":"b",`},
		"null":                     {`"BBBB"`, "null"},
		"a number":                 {`"BBBB"`, "1"},
		"an extension":             {"{}", `{"appid":false}`},
		"an enrolment as well":     {`"CCCC"`, `"CCCC","attestationObject":"AA"`},
		"no signature":             {`"signature":"CCCC",`, ""},
		"nothing":                  {browserForm, "{}"},
		"another type":             {"public-key", "password"},
		"two identifiers":          {"AAAA", "BBBB"},
		"another name in the client data": {text([]byte(clientData)),
			text([]byte(strings.Replace(clientData, "}", `,"Origin":"a"}`, 1)))},
	} {
		response := strings.Replace(browserForm, edit[0], edit[1], 1)
		require.NotEqual(t, browserForm, response, name)
		_, isPlain := passkey.ReadPlain(response)
		require.False(t, isPlain, name)
	}
}

// What breaks off, or has no value where one belongs, is no JSON.
func TestReadPlain_LeavesWhatIsNoJSON(t *testing.T) {
	begun := `{"type":"public-key","id":"AAAA","rawId":"AAAA","response":{"authenticatorData":"` +
		text(make([]byte, 37)) + `","clientDataJSON":"` + text([]byte(clientData)) +
		`","signature":"CCCC"`
	for _, end := range []string{"}}", `},"authenticatorAttachment":" ~"}`,
		`,"userHandle":""},"clientExtensionResults":{}}`} {
		require.True(t, sameReading(t, begun+end), end)
	}
	for _, end := range []string{"", "}", `,"userHandle":"+AAA"}`, `,"userHandle":}}`,
		`},"authenticatorAttachment":}`, `},"authenticatorAttachment":"}`, `},"clientExtensionResults":}`, `}}}`} {
		require.False(t, json.Valid([]byte(begun+end)), end)
		_, isPlain := passkey.ReadPlain(begun + end)
		require.False(t, isPlain, end)
	}
}

// Client data that has a member by another name, or one twice, is left to encoding/json too.
func TestPlainClientData_HasEachMemberOnce(t *testing.T) {
	require.True(t, passkey.PlainClientData(clientData))
	for _, edit := range [][2]string{{"}", `,"Origin":"a"}`}, {"}", `,"later":"a"}`},
		{"}", `,"origin":"a"}`}, {"false", "true"}, {"AAAA", `\u0041AAA`}, {"}", ""}} {
		other := strings.Replace(clientData, edit[0], edit[1], 1)
		require.False(t, passkey.PlainClientData(other), other)
	}
}

// The passkey that Identify names is the one that Verify verifies, however a response names two.
func TestIdentify_NamesThePasskeyThatIsVerified(t *testing.T) {
	f, d, other := newFactor(t), newDevice(), newDevice()
	other.cred.ID = []byte("another identifier")
	states := map[string][]byte{string(d.cred.ID): enrolled(t, f, d),
		string(other.cred.ID): enrolled(t, f, other)}
	escaped := func(second string) string {
		return strings.Replace(second, `"id"`, `"\u0069d"`, 1)
	}
	for name, change := range map[string]func(members, second string) string{
		"the other first":           func(m, second string) string { return second + "," + m },
		"the other last":            func(m, second string) string { return m + "," + second },
		"the other in capitals":     func(m, s string) string { return m + `,"ID` + s[3:] },
		"the other escaped":         func(m, s string) string { return m + "," + escaped(s) },
		"the other escaped, before": func(m, s string) string { return escaped(s) + "," + m },
	} {
		in, options := challenge(t, f, states[string(d.cred.ID)], false)
		response := d.get(t, options)
		second := `"id":"` + text(other.cred.ID) + `","rawId":"` + text(other.cred.ID) + `"`
		response = "{" + change(strings.Trim(response, "{}")+"}", second) + "}"
		require.True(t, json.Valid([]byte(response)), name)
		named, accepted := f.Identify(response), 0
		for id, state := range states {
			in.State = state
			if _, err := verify(f, in, response); err == nil {
				require.Equal(t, id, string(named), name)
				accepted++
			}
		}
		require.LessOrEqual(t, accepted, 1, name)
	}
}

// FuzzParse compares the two readings.
func FuzzParse(f *testing.F) {
	f.Add(browserForm, clientData)
	f.Add(strings.ReplaceAll(browserForm, `"AAAA"`, `"\u0041AAA"`), clientData)
	f.Add(strings.Replace(browserForm, `"CCCC"`, `"CCCC","signature":"DDDD"`, 1), clientData)
	f.Add(browserForm, strings.Replace(clientData, "}", `,"Origin":"a"}`, 1))
	f.Fuzz(func(t *testing.T, response, client string) {
		sameReading(t, response)
		sameReading(t, written("AAAA", client, "CCCC"))
	})
}

// This is FuzzParse with changes that are likely to be read in two ways.
func TestReadPlain_ReadsAsReadAny(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var responses, clients int
	for range 10_000 {
		if sameReading(t, mutated(r, browserForm)) {
			responses++
		}
		if sameReading(t, written("AAAA", mutated(r, clientData), "CCCC")) {
			clients++
		}
	}
	require.Greater(t, responses, 100, "in the plain form")
	require.Greater(t, clients, 100, "in the plain form")
}

// mutated changes, repeats or removes one to three parts of a text.
func mutated(r *rand.Rand, s string) string {
	parts := strings.SplitAfter(s, `"`)
	pieces := append(slices.Clone(parts), `\`, `\u0041`, `"`, "{", "}", ":", ",", " ", "=", "A", "+",
		"null", "true", "1", "\x00", "\x7f", "\u017f", "\xff")
	for range 1 + r.IntN(3) {
		i := r.IntN(len(parts))
		switch piece := pieces[r.IntN(len(pieces))]; r.IntN(4) {
		case 0:
			parts[i] = piece
		case 1:
			parts[i] += piece
		case 2:
			parts[i] = strings.ToUpper(parts[i])
		default: // some parts again
			j := i + r.IntN(len(parts)-i)
			parts = slices.Concat(parts[:j], parts[i:])
		}
	}
	return strings.Join(parts, "")
}
