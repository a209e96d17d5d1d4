package token_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/seal"
)

var (
	kinds = []seal.Purpose{token.KindChallenge, token.KindEnrollment, token.KindGrant,
		token.KindMustEnroll, token.KindPasswordless, token.KindLink, token.KindRecoveryLink}
	purposes = []token.Purpose{token.PurposeSignIn, token.PurposeStepUp, token.PurposeManage,
		token.PurposeRecover}
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	mine  = token.NewSessionID("session-1")
)

func newKeys(t *testing.T) *seal.Keyring {
	t.Helper()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	return keys
}

func claims(to token.Purpose) token.Claims {
	return token.Claims{ID: [16]byte{1, 2, 3}, Issued: start.UnixMilli(), Purpose: to,
		Subject: token.Subject{ID: "ann", Tenant: "acme", Email: "ann@example.com"},
		Bind:    mine.Bind(), Epoch: []byte("12345678"), Kinds: []string{"app"}}
}

// isLink reports whether a kind is for no session.
func isLink(kind seal.Purpose) bool {
	return kind == token.KindLink || kind == token.KindRecoveryLink
}

// What is sealed is opened as it was, and as no other kind, in no other session and by no other
// keys.
func TestOpen_TakesItsOwnKindAndSessionOnly(t *testing.T) {
	keys, others := newKeys(t), newKeys(t)
	for _, kind := range kinds {
		for _, to := range purposes {
			want := claims(to)
			text := token.Seal(keys, kind, want)
			got, err := token.Open(keys, kind, text, mine)
			require.NoError(t, err, "%s for %s", kind, to)
			require.Equal(t, want, *got)
			for _, other := range kinds {
				if other != kind {
					_, err := token.Open(keys, other, text, mine)
					require.ErrorIs(t, err, token.ErrInvalid, "%s as %s", kind, other)
				}
			}
			for _, id := range []token.SessionID{token.NewSessionID("session-2"), {},
				token.NewSessionID(""), token.NewSessionID(strings.Repeat("x", 513))} {
				_, err = token.Open(keys, kind, text, id)
				require.Equal(t, isLink(kind), err == nil, "%s in another session", kind)
			}
			_, err = token.Open(others, kind, text, mine)
			require.ErrorIs(t, err, token.ErrInvalid, "%s by other keys", kind)
		}
	}
}

// A token of this process and its stored form refuse the same.
func TestTokenOpen_IsTheSameInProcessAndStored(t *testing.T) {
	keys, others := newKeys(t), newKeys(t)
	for _, kind := range kinds {
		made := token.New(keys, kind, claims(token.PurposeSignIn))
		text, err := made.Text(nil)
		require.NoError(t, err)
		stored, err := token.Stored(text)
		require.NoError(t, err)
		for name, tok := range map[string]token.Token{"made": made, "stored": stored} {
			got, err := tok.Open(keys, kind, mine)
			require.NoError(t, err, "%s, %s", kind, name)
			require.Equal(t, claims(token.PurposeSignIn), *got)
			for _, other := range kinds {
				if other != kind {
					_, err = tok.Open(keys, other, mine)
					require.ErrorIs(t, err, token.ErrInvalid, "%s, %s as %s", kind, name, other)
				}
			}
			_, err = tok.Open(others, kind, mine)
			require.ErrorIs(t, err, token.ErrInvalid, "%s, %s by other keys", kind, name)
			if !isLink(kind) {
				_, err = tok.Open(keys, kind, token.NewSessionID("session-2"))
				require.ErrorIs(t, err, token.ErrInvalid, "%s, %s elsewhere", kind, name)
			}
		}
	}
	_, err := token.Token{}.Open(keys, token.KindGrant, mine)
	require.ErrorIs(t, err, token.ErrInvalid, "the zero token")
}

// No part of a token, no text with one bit changed and no other spelling is opened.
func TestOpen_RefusesWhatIsDamaged(t *testing.T) {
	keys := newKeys(t)
	for _, kind := range kinds {
		text := token.Seal(keys, kind, claims(token.PurposeManage))
		raw, err := base64.RawURLEncoding.DecodeString(text)
		require.NoError(t, err)
		refused := func(text, what string, at int) {
			_, err := token.Open(keys, kind, text, mine)
			require.ErrorIs(t, err, token.ErrInvalid, "%s, %s %d", kind, what, at)
		}
		for i := range len(text) {
			refused(text[:i], "cut to", i)
		}
		for i := range len(raw) * 8 {
			raw[i/8] ^= 1 << (i % 8)
			refused(base64.RawURLEncoding.EncodeToString(raw), "bit", i)
			raw[i/8] ^= 1 << (i % 8)
		}
		for i, other := range []string{text + "=", text + "\n", " " + text, text + "A",
			strings.Repeat("A", token.MaxLen+1)} {
			refused(other, "spelling", i)
		}
	}
	for _, text := range [][]byte{nil, {}, make([]byte, token.MaxLen+1)} {
		_, err := token.Stored(text)
		require.ErrorIs(t, err, token.ErrInvalid)
	}
}

// What is shown again is in the stored form and not in the token of this process.
func TestTokenText_HoldsWhatIsShown(t *testing.T) {
	keys := newKeys(t)
	made := token.New(keys, token.KindChallenge, claims(token.PurposeSignIn))
	shown := &token.Shown{Next: "verify", Kinds: []string{"app"}}
	text, err := made.Text(shown)
	require.NoError(t, err)
	got, err := token.Sealed(string(text)).Open(keys, token.KindChallenge, mine)
	require.NoError(t, err)
	require.Equal(t, shown, got.Shown)
	got, err = made.Open(keys, token.KindChallenge, mine)
	require.NoError(t, err)
	require.Nil(t, got.Shown)
	_, err = made.Text(&token.Shown{Data: make([]byte, token.MaxLen)})
	require.Error(t, err, "nothing is stored that is not taken back")
	_, err = token.Token{}.Text(nil)
	require.Error(t, err)
}

// A token is stored exactly if it is taken back.
func TestTokenText_IsTakenBackAtEveryLength(t *testing.T) {
	made := token.New(newKeys(t), token.KindChallenge, claims(token.PurposeSignIn))
	longest := 0
	for n := token.MaxLen / 2; n < token.MaxLen; n++ {
		text, err := made.Text(&token.Shown{Data: make([]byte, n)})
		if err != nil {
			break
		}
		_, err = token.Stored(text)
		require.NoError(t, err)
		longest = len(text)
	}
	require.Equal(t, token.MaxLen, longest)
}

func TestDecode_TakesOneSpellingUpToItsLength(t *testing.T) {
	for _, text := range []string{"", strings.Repeat("A", token.MaxLen+2), "AA=", "A", "AB"} {
		_, err := token.Decode(text)
		require.ErrorIs(t, err, token.ErrInvalid, "%.9q", text)
	}
	sealed, err := token.Decode(strings.Repeat("A", token.MaxLen))
	require.NoError(t, err)
	require.Len(t, sealed, token.MaxLen/4*3)
}

// What the keys sealed and is no token says nothing, also where no session is asked for.
func TestOpen_RefusesWhatIsSealedAndNoToken(t *testing.T) {
	keys := newKeys(t)
	for _, kind := range kinds {
		for _, data := range [][]byte{nil, []byte("garbage"), {0xa0, 0xa0}} {
			text := base64.RawURLEncoding.EncodeToString(keys.Seal(kind, "", data))
			_, err := token.Open(keys, kind, text, mine)
			require.ErrorIs(t, err, token.ErrInvalid, "%s %q", kind, data)
		}
		text := token.Seal(newKeys(t), kind, claims(token.PurposeSignIn))
		_, err := token.Open(keys, kind, text, mine)
		require.ErrorIs(t, err, seal.ErrUnknownKey, "the cause is for the application's log")
	}
}

// A factor is given an account name in any case, as apps show it beside their codes.
func TestSubjectFactorUser_HasAnAccount(t *testing.T) {
	for want, s := range map[string]token.Subject{
		"ann":             {ID: "7", Account: "ann", Email: "ann@example.com"},
		"ann@example.com": {ID: "7", Email: "ann@example.com"},
		"7":               {ID: "7"},
	} {
		require.Equal(t, want, s.FactorUser().Account)
	}
}

// Tokens say nothing of an attestation that is not asked for, as before there were any.
func TestClaimsOf_SaysTheAttestationThatIsAskedFor(t *testing.T) {
	for want, p := range map[string]policy.Policy{"": {}, "direct": {Hardware: true},
		"enterprise": {Attestation: "enterprise"}} {
		c := token.ClaimsOf(token.Subject{ID: "ann"}, p, token.PurposeSignIn, start)
		require.Equal(t, want, c.Attestation)
	}
}

// Users whose names run together when joined have keys of their own.
func TestSubjectKey_KeepsUsersApart(t *testing.T) {
	seen := map[string]token.Subject{}
	for _, s := range []token.Subject{{ID: "ann"}, {ID: "bob"}, {ID: "ann", Tenant: "acme"},
		{ID: "b/c", Tenant: "a"}, {ID: "c", Tenant: "a/b"}, {ID: "a/b/c"}, {ID: "Ann"},
		{ID: "1/a/ann"}, {ID: "ann", Tenant: "a"}} {
		require.NotContains(t, seen, s.Key(), "%v", s)
		seen[s.Key()] = s
	}
	require.Equal(t, token.Subject{ID: "ann"}.Key(),
		token.Subject{ID: "ann", UserType: "admin", Email: "ann@example.com"}.Key(),
		"what may change of a user is not in the key")
}

// No session has the zero value or an ID of a length that is refused, whatever a token says.
func TestSessionID_OfAnotherLengthMadeNothing(t *testing.T) {
	for n, valid := range map[int]bool{0: false, 1: true, 512: true, 513: false} {
		id := token.NewSessionID(strings.Repeat("x", n))
		require.Equal(t, valid, id.Check() == nil, "%d bytes", n)
		require.Equal(t, valid, id.Made(&token.Claims{Bind: id.Bind()}), "%d bytes", n)
	}
	require.Error(t, token.SessionID{}.Check())
	require.False(t, token.SessionID{}.Made(&token.Claims{Bind: make([]byte, 16)}))
}
