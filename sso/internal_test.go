package sso

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/seal"
)

// Whatever a payload is, parsing ends, and what it takes is within the bounds that the rest
// relies on.
func FuzzClaims(f *testing.F) {
	f.Add(
		[]byte(
			`{"iss":"https://x","sub":"1","aud":"a","exp":1,"iat":1.5,"amr":["mfa"],"email_verified":"true"}`))
	f.Add([]byte(`{"aud":["a","b"],"azp":"a","tid":"72f988bf-86f1-41af-91ab-2d7cd011db47"}`))
	f.Add([]byte(`{"iss":null,"exp":-1}`))
	f.Add([]byte(`[]`))
	// Claims that decide nothing came in these forms.
	f.Add([]byte(`{"iss":"https://x","sub":"1","aud":"a","exp":1,"email":["a@b.c"],"acr":1}`))
	f.Add([]byte(`{"sub":"1","auth_time":"1700000000","amr":"mfa","name":{"a":1},"hd":null}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var c claims
		if c.parse(payload) != nil {
			return
		}
		for _, s := range []string{c.issuer, c.subject, c.tenant, c.object, c.hosted, c.email,
			c.acr, c.nonce} {
			require.LessOrEqual(t, len(s), 1024)
		}
		require.GreaterOrEqual(t, c.expires, int64(0))
		var exact map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(payload, &exact))
		if _, ok := exact["sub"]; !ok {
			require.Empty(t, c.subject)
		}
	})
}

// A key set of a provider's gone wrong gives an error or keys that can verify.
func FuzzKeys(f *testing.F) {
	f.Add(
		[]byte(
			`{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"1","issuer":"https://x/{tenantid}"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB","x5c":[],"x5t":""},null,{"kty":"XY"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB","use":"enc"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, err := parseKeys(body)
		if err != nil {
			require.Empty(t, keys)
			return
		}
		require.NotEmpty(t, keys)
		for _, k := range keys {
			require.True(t, k.IsPublic())
			require.NotEqual(t, "enc", k.Use)
		}
	})
}

// No cookie but one we made is a flow.
func FuzzFlow(f *testing.F) {
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(f, err)
	s := &Service{cfg: Config{Keys: keys, FlowTTL: defaultFlowTTL}}
	f.Add("", "")
	f.Add("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, cookie, state string) {
		_, err := s.openFlow("x", cookie, state, time.Unix(0, 0))
		require.ErrorIs(t, err, ErrFlow)
	})
}

// A flow's cookie has one spelling: with a line break, which package base64 ignores, or with
// other trailing bits it is none.
func TestOpenFlow_CookieHasOneSpelling(t *testing.T) {
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	s := &Service{cfg: Config{Keys: keys, FlowTTL: defaultFlowTTL}}
	now := time.Unix(1e9, 0)
	for provider := range 3 { // texts of three lengths, so that some have trailing bits
		f := flow{Provider: strings.Repeat("x", provider+1), State: "state", Began: now.UnixMilli()}
		plain, err := cbor.Marshal(f)
		require.NoError(t, err)
		good := base64.RawURLEncoding.EncodeToString(keys.Seal(sealFlow, f.Provider, plain))
		_, err = s.openFlow(f.Provider, good, "state", now)
		require.NoError(t, err)
		for _, bad := range []string{good + "\n", "\r" + good, good[:9] + "\r\n" + good[9:],
			"\n\n\n\n"} {
			_, err := s.openFlow(f.Provider, bad, "state", now)
			require.ErrorIs(t, err, ErrFlow, "%q", bad)
		}
		for last := range 256 {
			bad := good[:len(good)-1] + string([]byte{byte(last)})
			if bad != good {
				_, err := s.openFlow(f.Provider, bad, "state", now)
				require.ErrorIs(t, err, ErrFlow, "%q", bad)
			}
		}
	}
}
